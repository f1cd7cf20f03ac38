//! Verification of a log that was exported as files, in parts, so that whoever reads them may read several at once.

use gatewarden_types::{Id, Organization, Seq};

use crate::{BadCheckpoint, Checkpoint, Entry, Frontier, Hash, Tile, epoch_after, leaf_hash, tiles::WIDTH};

/// The first thing that is wrong with an exported log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The checkpoint is none that the key signed.
    #[error("the checkpoint is not genuine: it is {0}")]
    Checkpoint(BadCheckpoint),
    /// The bundle ends before an entry.
    #[error("entry {0} is missing or cut off")]
    Missing(Seq),
    /// The bytes do not have the hash in the tile.
    #[error("entry {0} was changed, or its hash was: one does not fit the other")]
    Changed(Seq),
    /// There is more in a bundle or tile than it should hold.
    #[error("entry {0} should be the last of its file, but more comes after it")]
    Surplus(Seq),
    /// A hash above level 0 is not the one that the entries under it have.
    #[error("entry {seq} begins a stretch whose hash at level {level} is not the one that its entries have")]
    Tile {
        /// The level.
        level: u32,
        /// The first entry that the hash is over.
        seq: Seq,
    },
    /// Everything fits but the checkpoint.
    #[error(
        "the root over the {0} entries is not the one that was signed: they were replaced together with their hashes"
    )]
    Root(u64),
    /// The checkpoint is of another epoch than the entries end in.
    #[error("the checkpoint is of epoch {signed}, but the entries end in epoch {epoch}")]
    Epoch {
        /// Of which epoch the checkpoint is.
        signed: u32,
        /// Which epoch the entries end in.
        epoch: u32,
    },
    /// What was signed is not an entry of this log.
    #[error("entry {seq} cannot be right: {why}")]
    Unreadable {
        /// Which.
        seq: Seq,
        /// Why.
        why: String,
    },
}

/// A bundle that fits its tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The tree over its entries.
    pub tree: Frontier,
    /// The epoch that the last of them leaves the organization in; none where none says.
    pub epoch: Option<u32>,
    /// The first of them that is in order as bytes, but not as an entry. It counts only when the whole log is genuine:
    /// else whoever changed its bytes is to be found first.
    pub unreadable: Option<Broken>,
}

impl Bundle {
    /// Checks the bundle at position `index`, which should hold `width` entries, against the tile of level 0 there. What
    /// is not there is empty.
    ///
    /// # Errors
    /// The first entry that is wrong.
    pub fn check(index: u64, width: u64, origin: &str, bundle: &[u8], tile: &[u8]) -> Result<Self, Broken> {
        let (mut entries, mut hashes) = (bundle, tile);
        let (mut tree, mut epoch, mut unreadable) = (Frontier::default(), None, None);
        let first = index * WIDTH + 1;
        for seq in first..first + width {
            let bytes = take(&mut entries).ok_or(Broken::Missing(seq))?;
            let leaf = leaf_hash(bytes);
            hashes = hashes.strip_prefix(&leaf).ok_or(Broken::Changed(seq))?;
            tree.push(leaf);
            match read(seq, origin, bytes) {
                Ok(entry) => epoch = epoch_after(&entry).or(epoch),
                Err(broken) => unreadable = unreadable.or(Some(broken)),
            }
        }
        if entries.is_empty() && hashes.is_empty() {
            Ok(Self { tree, epoch, unreadable })
        } else {
            Err(Broken::Surplus(first + width - 1))
        }
    }
}

/// Takes the next entry off a bundle.
fn take<'b>(bundle: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = bundle.split_first_chunk::<2>()?;
    let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *bundle = rest;
    Some(entry)
}

fn read(seq: Seq, origin: &str, bytes: &[u8]) -> Result<Entry, Broken> {
    let why = match Entry::from_bytes(bytes) {
        Err(bad) => bad.to_string(),
        Ok(entry) if entry.seq != seq => format!("it says that it is entry {}", entry.seq),
        Ok(entry) if entry.organization != organization_of(origin) => "it is of another organization".to_owned(),
        Ok(entry) => return Ok(entry),
    };
    Err(Broken::Unreadable { seq, why })
}

/// The organization that a log's name names before its epoch.
fn organization_of(origin: &str) -> Option<Id<Organization>> {
    origin.rsplit('/').nth(1)?.parse().ok()
}

/// Checks a tile above level 0 that was worked out from the entries against the one that is there.
///
/// # Errors
/// When they differ.
pub fn check_tile(tile: &Tile, found: &[u8]) -> Result<(), Broken> {
    let (chunks, rest) = found.as_chunks::<32>();
    let same = tile.hashes.iter().zip(chunks).take_while(|(expected, found)| expected == found).count();
    if same == tile.hashes.len() && same == chunks.len() && rest.is_empty() {
        return Ok(());
    }
    let differs = same.min(tile.hashes.len().saturating_sub(1)) as u64;
    let seq = (tile.index * WIDTH + differs).saturating_mul(tile.entries_each()).saturating_add(1);
    Err(Broken::Tile { level: tile.level, seq })
}

/// Checks the tree over all entries against the checkpoint.
///
/// # Errors
/// When it has another root.
pub fn check_root(tree: &Frontier, checkpoint: &Checkpoint) -> Result<Hash, Broken> {
    let root = tree.root();
    let same = (tree.size(), root) == (checkpoint.size, checkpoint.root);
    if same { Ok(root) } else { Err(Broken::Root(checkpoint.size)) }
}
