//! `key check`: whether a text is an API key, without asking anyone.

use std::{
    io::{self, Read},
    process::ExitCode,
};

use anyhow::Context;
use gatewarden_credentials::{ApiKey, Secret};

/// Says the key's id; never the key.
pub fn check(given: Option<String>) -> anyhow::Result<ExitCode> {
    let text = match given {
        Some(text) => Secret::new(text),
        None => from_stdin()?,
    };
    match text.expose().trim().parse::<ApiKey>() {
        Ok(key) => {
            println!("{}", key.id());
            eprintln!("Form and check sum are right. Whether the key is in use, only the gateway can say.");
            Ok(ExitCode::SUCCESS)
        }
        Err(bad) => {
            eprintln!("gatewarden: {bad}");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn from_stdin() -> anyhow::Result<Secret<String>> {
    let mut text = String::new();
    // A key is short; whatever is longer is none.
    io::stdin().take(4096).read_to_string(&mut text).context("the key cannot be read from standard input")?;
    Ok(Secret::new(text))
}
