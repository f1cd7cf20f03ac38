//! Verification of the proof of one entry.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use gatewarden_trail::Proof;

use super::exported::LogKey;

/// What is so of the entry that a file proves, or what is wrong with the file.
pub fn verify(path: &Path, known: Option<&LogKey>) -> anyhow::Result<Result<String, String>> {
    let text = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let Some((origin, key)) = known else {
        bail!("a proof holds no key: give the trail's with --key, such as the file `key` of an export");
    };
    let text = String::from_utf8(text).unwrap_or_default();
    let verified = Proof::parse(&text).and_then(|proof| proof.verify(*key, origin));
    Ok(verified.map(|entry| format!("entry {} verified: {}", entry.seq, entry.action)).map_err(|bad| bad.to_string()))
}
