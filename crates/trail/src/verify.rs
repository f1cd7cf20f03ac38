//! Verification: entries in order, their hashes, and every kept checkpoint, naming the first thing that is wrong.

use gatewarden_types::{Id, Organization, Seq};

use crate::{Entry, Folded, Frontier, Hash, VerifyingKey, fold, leaf_hash};

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
    /// A kept checkpoint is not one.
    #[error("a kept checkpoint is not genuine: {0}")]
    Checkpoint(crate::BadCheckpoint),
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
}

/// Takes the entries of one trail in order and checks them against the checkpoints that were kept.
#[derive(Debug)]
pub struct Verifier {
    organization: Option<Id<Organization>>,
    heads: Vec<(u64, Hash)>,
    frontier: Frontier,
    folded: Folded,
}

impl Verifier {
    /// For the trail of `organization` (none: the instance's), with every checkpoint note that was kept anywhere.
    ///
    /// # Errors
    /// [`Finding::Checkpoint`] when a note is not a checkpoint of this log signed by `key`.
    pub fn new(
        organization: Option<Id<Organization>>,
        notes: &[String],
        key: VerifyingKey,
        origin: &str,
    ) -> Result<Self, Finding> {
        let open = |note: &String| key.open(note, origin).map(|checkpoint| (checkpoint.size, checkpoint.root));
        let mut heads: Vec<_> = notes.iter().map(open).collect::<Result<_, _>>().map_err(Finding::Checkpoint)?;
        heads.sort_unstable();
        heads.reverse();
        Ok(Self { organization, heads, frontier: Frontier::default(), folded: Folded::new() })
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
        self.frontier.push(leaf);
        self.check_heads()
    }

    fn check_heads(&mut self) -> Result<(), Finding> {
        let size = self.frontier.size();
        while let Some((_, root)) = self.heads.pop_if(|(kept, _)| *kept == size) {
            if root != self.frontier.root() {
                return Err(Finding::Root(size));
            }
        }
        Ok(())
    }

    /// Checks that nothing was cut off, after the last entry.
    ///
    /// # Errors
    /// [`Finding::Cut`] when a checkpoint covers more entries than came.
    pub fn finish(self) -> Result<Verified, Finding> {
        let size = self.frontier.size();
        match self.heads.first() {
            Some((kept, _)) => Err(Finding::Cut { size, kept: *kept }),
            None => Ok(Verified { size, root: self.frontier.root(), folded: self.folded }),
        }
    }
}
