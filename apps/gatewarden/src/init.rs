//! `init`: an organization and its owner from a script.

use std::{
    io::{self, BufRead, IsTerminal, Read},
    process::ExitCode,
};

use anyhow::{Context, bail};
use gatewarden_control::{
    Error,
    set_up::{self, Initialized},
};
use gatewarden_credentials::{Password, Secret};
use gatewarden_store::Person;
use gatewarden_types::{Clock, Email, Entropy, Name, Slug};
use serde_json::json;

use crate::{assembly, cli::Init, settings::Settings, storage::Storage};

/// Gives the owner's password.
pub const PASSWORD: &str = "GATEWARDEN_OWNER_PASSWORD";

/// Makes them and prints their ids and the master key as one JSON object.
pub async fn init(
    mut settings: Settings,
    ambient: (Clock, Entropy),
    asked: Init,
    password: Option<Secret<String>>,
) -> anyhow::Result<ExitCode> {
    let command = command(asked, password)?;
    let (slug, email) = (command.slug.clone(), command.owner.email.clone());
    let storage = Storage::open(&mut settings, &ambient.0, &ambient.1).await?;
    let create_there = "create the organization in the console, or end that program first";
    let _held = storage.hold("init", create_there).await?;
    let links = settings.console_url(settings.listen)?;
    let app = assembly::app(&settings, &storage, ambient, links)?;
    let Initialized { account, opened, created } = set_up::init(&app, app.id(), command).await.map_err(explained)?;
    if !opened {
        eprintln!("{email} has an account already and keeps its password.");
    }
    app.store.checkpoint(created.organization).await?;
    let made = json!({
        "organization": created.organization,
        "slug": slug,
        "account": account,
        "member": created.owner,
        "key": created.key,
        "master_key": created.master_key.expose(),
    });
    println!("{made}");
    Ok(ExitCode::SUCCESS)
}

fn command(asked: Init, password: Option<Secret<String>>) -> anyhow::Result<set_up::Init> {
    let Init { organization, slug, owner, name } = asked;
    let slug = slug.map_or_else(|| slug_of(&organization), Ok)?;
    let name = name.map_or_else(|| name_of(&owner), Ok)?;
    let password = password.map_or_else(from_stdin, Ok)?;
    let password: Password = password.expose().parse().context("the owner's password cannot be taken")?;
    Ok(set_up::Init { owner: Person { name, email: owner }, password, organization, slug })
}

/// The organization's name in the letters that addresses take.
fn slug_of(name: &Name) -> anyhow::Result<Slug> {
    let plain: String = name.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let words: Vec<String> = plain.split_whitespace().map(str::to_ascii_lowercase).collect();
    let joined: String = words.join("-").chars().take(40).collect();
    let slug = joined.trim_end_matches('-').parse();
    slug.with_context(|| format!("no word for addresses can be made of the name {name}; give one with --slug"))
}

fn name_of(email: &Email) -> anyhow::Result<Name> {
    let local = email.as_str().split('@').next().unwrap_or_default();
    Ok(local.parse()?)
}

fn from_stdin() -> anyhow::Result<Secret<String>> {
    if io::stdin().is_terminal() {
        bail!(
            "give the owner's password in {PASSWORD} or on standard input, as in: printf %s \"$PASSWORD\" | gatewarden init …"
        );
    }
    let mut line = String::new();
    io::stdin().lock().take(4096).read_line(&mut line).context("the password cannot be read from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("the owner's password is missing; give it in {PASSWORD} or on standard input");
    }
    Ok(Secret::new(password.to_owned()))
}

/// With the fields that could not be taken, for people.
pub fn explained(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(fields) => {
            let told: Vec<String> = fields.iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
            anyhow::anyhow!(told.join(" "))
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(name: &str) -> Option<String> {
        slug_of(&name.parse().expect("a name")).ok().map(|slug| slug.to_string())
    }

    #[test]
    fn a_name_becomes_a_word_for_addresses() {
        assert_eq!(slug("Acme Research, Inc.").as_deref(), Some("acme-research-inc"));
        assert_eq!(slug(&"long name ".repeat(9)).as_deref(), Some("long-name-long-name-long-name-long-name"));
        assert_eq!(slug("株式会社"), None);
    }
}
