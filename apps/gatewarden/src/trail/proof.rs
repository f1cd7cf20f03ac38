//! Verification of the proof of one entry.

use std::{fs, path::Path};

use anyhow::{Context, anyhow, bail};
use gatewarden_trail::{BadProof, Proof};

use super::exported::{LogKey, in_epoch};

/// How exports for other programs begin: with an object of JSON, or with the head of the CSV.
const EXPORTS_OF_LINES: [&str; 2] = ["{", "\"seq\",\"at\","];

/// What is so of the entry that a file proves.
pub fn verify(path: &Path, known: Option<&LogKey>) -> anyhow::Result<String> {
    let text = String::from_utf8(fs::read(path).context("it cannot be read")?).unwrap_or_default();
    let proof = Proof::parse(&text);
    if matches!(proof, Err(BadProof::Form)) && EXPORTS_OF_LINES.iter().any(|begins| text.starts_with(begins)) {
        bail!(
            "an export for other programs proves nothing; what can be verified is a folder that `gatewarden trail \
             export` writes without --format"
        );
    }
    let known =
        known.context("a proof holds no key: give the trail's with --key, such as the file `key` of an export")?;
    let verified = proof.and_then(|proof| {
        let (epoch, _) = known.log.open(&proof.checkpoint)?;
        Ok((proof.verify(known.log.key(), &known.log.origin(epoch))?, in_epoch(epoch, Some(known))))
    });
    // Each tells of what is beneath it by itself.
    let (entry, epoch) = verified.map_err(|bad: BadProof| anyhow!(bad.to_string()))?;
    Ok(format!("entry {} verified: {}{epoch}", entry.seq, entry.action))
}
