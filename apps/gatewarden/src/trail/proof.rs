//! Verification of the proof of one entry.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use gatewarden_trail::{Entry, Proof};

use super::exported::{LogKey, in_epoch};

/// What is so of the entry that a file proves, or what is wrong with the file.
pub fn verify(path: &Path, known: Option<&LogKey>) -> anyhow::Result<Result<String, String>> {
    let text = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let Some(known) = known else {
        bail!("a proof holds no key: give the trail's with --key, such as the file `key` of an export");
    };
    let text = String::from_utf8(text).unwrap_or_default();
    let verified = Proof::parse(&text).and_then(|proof| {
        let (epoch, _) = known.log.open(&proof.checkpoint)?;
        Ok((proof.verify(known.log.key(), &known.log.origin(epoch))?, in_epoch(epoch, Some(known))))
    });
    let told = |(entry, epoch): (Entry, String)| format!("entry {} verified: {}{epoch}", entry.seq, entry.action);
    Ok(verified.map(told).map_err(|bad| bad.to_string()))
}
