//! An organization's log in all of its epochs.

use gatewarden_types::{AnyRecord, Id, Organization, Record};

use crate::{BadCheckpoint, Checkpoint, Entry, VerifyingKey};

/// A log under the name that its epochs share, with the key that signs them all. To other tools each epoch is a log of
/// its own: its origin is this name with the epoch's number after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    name: String,
    key: VerifyingKey,
}

impl Log {
    /// The log of this name, without an epoch, and key.
    pub fn new(name: String, key: VerifyingKey) -> Self {
        Self { name, key }
    }

    /// The log that an origin names and which of its epochs; none when it names no epoch.
    pub fn of_origin(origin: &str, key: VerifyingKey) -> Option<(Self, u32)> {
        let (name, number) = origin.rsplit_once('/')?;
        let epoch = number.parse::<u32>().ok().filter(|epoch| *epoch > 0 && epoch.to_string() == number)?;
        Some((Self::new(name.to_owned(), key), epoch))
    }

    /// What it is called in the checkpoints of an epoch.
    pub fn origin(&self, epoch: u32) -> String {
        format!("{}/{epoch}", self.name)
    }

    /// The key that it is verified with.
    pub fn key(&self) -> VerifyingKey {
        self.key
    }

    /// Opens a checkpoint of any of its epochs, and tells of which.
    ///
    /// # Errors
    /// When it is malformed, of another log, or not signed by this log's key.
    pub fn open(&self, note: &str) -> Result<(u32, Checkpoint), BadCheckpoint> {
        let origin = note.lines().next().ok_or(BadCheckpoint::Form)?;
        match Self::of_origin(origin, self.key) {
            Some((log, epoch)) if log == *self => Ok((epoch, self.key.open(note, origin)?)),
            _ => Err(BadCheckpoint::Origin),
        }
    }
}

/// The epoch that an entry leaves its organization in; none when it does not say.
pub fn epoch_after(entry: &Entry) -> Option<u32> {
    let id: Id<Organization> = entry.organization?;
    let mine = |change: &&crate::Change| change.kind == Organization::KIND && change.id == id.uuid();
    let last = entry.changes.iter().rev().find(mine)?;
    match AnyRecord::read(last.kind, last.after.as_ref()?) {
        Ok(AnyRecord::Organization(organization)) => Some(organization.epoch),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signer;

    #[test]
    fn a_checkpoint_of_each_epoch_opens_and_tells_which_it_is_of() {
        let signer = Signer::from_seed(&[7; 32]).unwrap();
        let log = Log::new("gatewarden/trail/x".into(), signer.verifying_key());
        let note = |origin: &str| signer.sign(&Checkpoint { origin: origin.into(), size: 3, root: [9; 32] });
        for epoch in [1, 2, 77] {
            let (found, checkpoint) = log.open(&note(&log.origin(epoch))).unwrap();
            assert_eq!((found, checkpoint.size), (epoch, 3));
        }
        for other in
            ["gatewarden/trail/y/1", "gatewarden/trail/x/0", "gatewarden/trail/x/02", "gatewarden/trail/x/-1", "x"]
        {
            assert_eq!(log.open(&note(other)), Err(BadCheckpoint::Origin), "{other}");
        }
    }
}
