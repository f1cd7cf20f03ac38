//! Proofs that one entry is in a log: the entry, the hashes beside its way to the root, and a checkpoint.
//!
//! The text is that of C2SP tlog-proof, <https://c2sp.org/tlog-proof>; the hashes are those of RFC 6962, section 2.1.1. The
//! entry itself stands in the line for extra data, so that the file proves what it says and needs nothing beside it but
//! the log's key.

use std::{collections::BTreeMap, ops::Range};

use base64::{Engine, engine::general_purpose::STANDARD};
use gatewarden_types::Seq;

use crate::{BadCheckpoint, BadEntry, Entry, Frontier, Hash, VerifyingKey, leaf_hash, node_hash};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// A leaf as it is stored: its hash, and the right edge of the tree that it completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its hash.
    pub hash: Hash,
    /// The tree up to it.
    pub frontier: Frontier,
}

/// That an entry is in the log of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The entry's canonical bytes.
    pub entry: Vec<u8>,
    /// Its position, from 0.
    pub index: u64,
    /// The hashes beside its way to the root, the leaf's sibling first.
    pub hashes: Vec<Hash>,
    /// The note of a checkpoint that covers it.
    pub checkpoint: String,
}

/// The text proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum BadProof {
    /// It is not in the form of a proof with its entry.
    #[error("it is not a proof in the form of c2sp.org/tlog-proof@v1 with its entry")]
    Form,
    /// Its checkpoint is none.
    #[error("its checkpoint is not genuine: {0}")]
    Checkpoint(#[from] BadCheckpoint),
    /// The hashes lead from the entry to another root than the one that was signed.
    #[error("its entry is not at this place of the log that its checkpoint is of")]
    Root,
    /// What is proven to be in the log is no entry, or one of another place.
    #[error("what it proves cannot be an entry of this log: {0}")]
    Entry(String),
}

/// The subtrees beside the way from the leaf at `index` to the root of a tree of `size`, the leaf's sibling first.
fn beside(index: u64, size: u64) -> Vec<Range<u64>> {
    let (mut start, mut end, mut found) = (0, size, Vec::new());
    while end - start > 1 {
        // The largest power of two below the span, which may be any: a checkpoint says how many entries there are.
        let middle = start + (1 << (end - start - 1).ilog2());
        if index < middle {
            found.push(middle..end);
            end = middle;
        } else {
            found.push(start..middle);
            start = middle;
        }
    }
    found.reverse();
    found
}

/// The entries whose stored leaves a proof of entry `seq` in a tree of `size` is made of: two for each hash.
pub fn leaves_for_proof(seq: Seq, size: u64) -> Vec<Seq> {
    let subtrees = seq.checked_sub(1).filter(|_| seq <= size).map(|index| beside(index, size));
    let last_two = |subtree: Range<u64>| [subtree.end - 1, subtree.end];
    subtrees.into_iter().flatten().flat_map(last_two).filter(|seq| *seq > 0).collect()
}

/// The root of a subtree: what the stored leaf before its last one knows of it, and its last leaf.
fn root_of(subtree: &Range<u64>, leaves: &BTreeMap<Seq, Leaf>) -> Option<Hash> {
    let before = subtree.end - 1 - subtree.start;
    let mut edge = match before {
        0 => Frontier::default(),
        _ => leaves.get(&(subtree.end - 1))?.frontier.last(before)?,
    };
    edge.push(leaves.get(&subtree.end)?.hash);
    Some(edge.root())
}

impl Proof {
    /// The proof of entry `seq` under a checkpoint of `size` entries with this note, made of the stored leaves that
    /// [`leaves_for_proof`] names. None where one is missing or does not fit, or the checkpoint does not cover the entry.
    pub fn new(seq: Seq, entry: Vec<u8>, (size, note): (u64, String), leaves: &BTreeMap<Seq, Leaf>) -> Option<Self> {
        let index = seq.checked_sub(1).filter(|_| seq <= size)?;
        let hashes = beside(index, size).iter().map(|subtree| root_of(subtree, leaves)).collect::<Option<_>>()?;
        Some(Self { entry, index, hashes, checkpoint: note })
    }

    /// The file.
    pub fn text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\nextra {}\nindex {}\n", STANDARD.encode(&self.entry), self.index);
        for hash in &self.hashes {
            text.push_str(&STANDARD.encode(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Reads what [`Proof::text`] wrote.
    ///
    /// # Errors
    /// When it is in another form.
    pub fn parse(text: &str) -> Result<Self, BadProof> {
        let (head, checkpoint) = text.split_once("\n\n").ok_or(BadProof::Form)?;
        let mut lines = head.split('\n');
        let mut after = |word: &str| lines.next().and_then(|line| line.strip_prefix(word)).ok_or(BadProof::Form);
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| BadProof::Form);
        if !after(FIRST_LINE)?.is_empty() {
            return Err(BadProof::Form);
        }
        let entry = decode(after("extra ")?)?;
        let number = after("index ")?;
        let index = number.parse::<u64>().ok().filter(|index| index.to_string() == number).ok_or(BadProof::Form)?;
        let hash = |line: &str| Hash::try_from(decode(line)?).map_err(|_| BadProof::Form);
        let hashes = lines.map(hash).collect::<Result<_, _>>()?;
        Ok(Self { entry, index, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// Checks everything that can be checked with the log's key alone, and answers the entry.
    ///
    /// # Errors
    /// When the checkpoint is not genuine, the hashes do not lead to its root, or what they lead from is no such entry.
    pub fn verify(&self, key: VerifyingKey, origin: &str) -> Result<Entry, BadProof> {
        let checkpoint = key.open(&self.checkpoint, origin)?;
        if self.index >= checkpoint.size {
            return Err(BadProof::Root);
        }
        let subtrees = beside(self.index, checkpoint.size);
        let up = |node: Hash, (subtree, hash): (&Range<u64>, &Hash)| {
            if subtree.start > self.index { node_hash(&node, hash) } else { node_hash(hash, &node) }
        };
        let root = subtrees.iter().zip(&self.hashes).fold(leaf_hash(&self.entry), up);
        if subtrees.len() != self.hashes.len() || root != checkpoint.root {
            return Err(BadProof::Root);
        }
        let entry = Entry::from_bytes(&self.entry).map_err(|bad: BadEntry| BadProof::Entry(bad.to_string()))?;
        if entry.seq == self.index + 1 {
            Ok(entry)
        } else {
            Err(BadProof::Entry(format!("it says that it is entry {}", entry.seq)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_root_is_that_of_the_rfc() {
        // The example of RFC 6962, section 2.1.3: seven leaves d0 to d6.
        assert_eq!(beside(0, 7), [1..2, 2..4, 4..7]);
        assert_eq!(beside(3, 7), [2..3, 0..2, 4..7]);
        assert_eq!(beside(4, 7), [5..6, 6..7, 0..4]);
        assert_eq!(beside(6, 7), [4..6, 0..4]);
        assert_eq!(beside(u64::MAX - 1, u64::MAX).len(), 63);
        assert!(beside(0, 1).is_empty() && leaves_for_proof(8, 7).is_empty() && leaves_for_proof(0, 7).is_empty());
    }
}
