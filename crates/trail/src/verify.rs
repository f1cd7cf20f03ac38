//! Verification: entries in order, their hashes, and every kept checkpoint, naming the first thing that is wrong.

use std::cmp::Ordering;

use gatewarden_types::{Id, Organization, Seq};

use crate::{Entry, Folded, Frontier, Hash, Log, epoch_after, fold, leaf_hash};

/// An entry as it is stored: its bytes, and the leaf hash kept apart from them.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The position it is stored at.
    pub seq: Seq,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
    /// The leaf hash that was kept when it was written; none when that row is gone.
    pub leaf: Option<Hash>,
}

/// The first thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// An entry is missing, or stands where another belongs.
    #[error("entry {expected} is missing: the next one found is {found}")]
    Gap {
        /// The entry that should be there.
        expected: Seq,
        /// The one that is.
        found: Seq,
    },
    /// The bytes are not those that were hashed when the entry was written.
    #[error("entry {0} was changed: its bytes do not have the hash that was kept")]
    Changed(Seq),
    /// The hash kept for the entry is gone.
    #[error("entry {0} has lost its kept hash")]
    NoHash(Seq),
    /// The bytes are not an entry of this trail at this position.
    #[error("entry {seq} cannot be right: {why}")]
    Unreadable {
        /// Which.
        seq: Seq,
        /// Why.
        why: String,
    },
    /// A kept checkpoint covers more entries than there are.
    #[error("the trail ends at entry {size}, but a checkpoint was kept for {kept}: the tail was cut off")]
    Cut {
        /// How many entries there are.
        size: u64,
        /// How many the checkpoint covers.
        kept: u64,
    },
    /// A kept checkpoint has another root: at or before its size, entries and hashes were both replaced.
    #[error("the root at entry {0} is not the one that was signed: an entry up to there was replaced")]
    Root(u64),
    /// A kept checkpoint is of an epoch that the trail had not begun there.
    #[error("a checkpoint of epoch {signed} was kept for entry {size}, but the trail is in epoch {epoch} there")]
    Epoch {
        /// How many entries the checkpoint covers.
        size: u64,
        /// Of which epoch it is.
        signed: u32,
        /// In which epoch the trail is there, or at its end.
        epoch: u32,
    },
    /// A kept checkpoint is not one.
    #[error("a kept checkpoint is not genuine: {0}")]
    Checkpoint(crate::BadCheckpoint),
}

/// A checkpoint that is genuine and does not count: a later epoch began before the entries that it covers ended, because
/// a backup was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Superseded {
    /// Of which epoch it is.
    pub epoch: u32,
    /// How many entries it covers.
    pub size: u64,
}

/// What a verification found to be so.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// How many entries there are.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The policy state they fold to.
    pub folded: Folded,
    /// The epoch they end in.
    pub epoch: u32,
    /// The checkpoints that do not count any more, as they were met.
    pub superseded: Vec<Superseded>,
}

/// A checkpoint that was kept.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    size: u64,
    epoch: u32,
    root: Hash,
}

/// Takes the entries of one trail in order and checks them against the checkpoints that were kept.
///
/// A checkpoint holds the entries up to its size to what was signed, unless an epoch after its own has begun by then.
#[derive(Debug)]
pub struct Verifier {
    organization: Option<Id<Organization>>,
    heads: Vec<Head>,
    frontier: Frontier,
    folded: Folded,
    epoch: u32,
    superseded: Vec<Superseded>,
}

impl Verifier {
    /// For the trail of `organization` (none: the instance's), with every checkpoint note that was kept anywhere.
    ///
    /// # Errors
    /// [`Finding::Checkpoint`] when a note is not a genuine checkpoint of `log`.
    pub fn new(organization: Option<Id<Organization>>, notes: &[String], log: &Log) -> Result<Self, Finding> {
        let open =
            |note: &String| log.open(note).map(|(epoch, signed)| Head { size: signed.size, epoch, root: signed.root });
        let mut heads: Vec<Head> = notes.iter().map(open).collect::<Result<_, _>>().map_err(Finding::Checkpoint)?;
        heads.sort_unstable();
        heads.dedup();
        heads.reverse();
        let (frontier, folded) = (Frontier::default(), Folded::new());
        Ok(Self { organization, heads, frontier, folded, epoch: 1, superseded: Vec::new() })
    }

    /// Checks the next entry.
    ///
    /// # Errors
    /// The first thing that is wrong with it, or with a checkpoint that ends at it.
    pub fn push(&mut self, stored: &Stored) -> Result<(), Finding> {
        let seq = self.frontier.size() + 1;
        if stored.seq != seq {
            return Err(Finding::Gap { expected: seq, found: stored.seq });
        }
        let leaf = leaf_hash(&stored.bytes);
        match stored.leaf {
            None => return Err(Finding::NoHash(seq)),
            Some(kept) if kept != leaf => return Err(Finding::Changed(seq)),
            Some(_) => {}
        }
        let unreadable = |why: String| Finding::Unreadable { seq, why };
        let entry = Entry::from_bytes(&stored.bytes).map_err(|bad| unreadable(bad.to_string()))?;
        if entry.seq != seq || entry.organization != self.organization {
            return Err(unreadable("it says that it belongs elsewhere".to_owned()));
        }
        fold(&mut self.folded, &entry);
        self.epoch = self.epoch.max(epoch_after(&entry).unwrap_or_default());
        self.frontier.push(leaf);
        self.check_heads()
    }

    fn check_heads(&mut self) -> Result<(), Finding> {
        let size = self.frontier.size();
        while let Some(head) = self.heads.pop_if(|head| head.size == size) {
            if self.counts(&head)? && head.root != self.frontier.root() {
                return Err(Finding::Root(size));
            }
        }
        Ok(())
    }

    /// Whether a checkpoint is of the epoch that the trail is in; one of an epoch before is noted.
    fn counts(&mut self, head: &Head) -> Result<bool, Finding> {
        match head.epoch.cmp(&self.epoch) {
            Ordering::Equal => Ok(true),
            Ordering::Greater => Err(Finding::Epoch { size: head.size, signed: head.epoch, epoch: self.epoch }),
            Ordering::Less => {
                self.superseded.push(Superseded { epoch: head.epoch, size: head.size });
                Ok(false)
            }
        }
    }

    /// Checks that nothing was cut off, after the last entry.
    ///
    /// # Errors
    /// [`Finding::Cut`] when a checkpoint covers more entries than came.
    pub fn finish(mut self) -> Result<Verified, Finding> {
        let size = self.frontier.size();
        for head in std::mem::take(&mut self.heads) {
            if self.counts(&head)? {
                return Err(Finding::Cut { size, kept: head.size });
            }
        }
        let Self { frontier, folded, epoch, superseded, .. } = self;
        Ok(Verified { size, root: frontier.root(), folded, epoch, superseded })
    }
}
