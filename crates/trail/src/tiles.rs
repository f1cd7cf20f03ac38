//! The log as files: tiles of hashes and bundles of entries, as C2SP tlog-tiles lays them out.
//!
//! <https://c2sp.org/tlog-tiles>. A full tile holds 256 hashes. At level 0 they are those of entries, above it those of
//! full tiles of the level below. A bundle holds the entries of a tile of level 0, each after its length in 16 bits.

use crate::{BadEntry, Frontier, Hash, MAX_ENTRY_BYTES, leaf_hash};

/// How many hashes a full tile holds, and how many entries a full bundle.
pub const WIDTH: u64 = 256;

/// How many levels of the tree a tile spans.
const HEIGHT: u32 = WIDTH.ilog2();

/// A file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is, relative to the log's folder.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// A tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Its level.
    pub level: u32,
    /// Its position in the level, from 0.
    pub index: u64,
    /// Its hashes: 1 to 256.
    pub hashes: Vec<Hash>,
}

/// Where the tile of this level and position is, with this many hashes.
pub fn tile_path(level: u32, index: u64, width: u64) -> String {
    format!("tile/{level}/{}", place(index, width))
}

/// Where the bundle of this position is, with this many entries.
pub fn bundle_path(index: u64, width: u64) -> String {
    format!("tile/entries/{}", place(index, width))
}

/// A position in elements of three digits, all but the last after an x, and the width where it is not full.
fn place(index: u64, width: u64) -> String {
    let (mut path, mut rest) = (format!("{:03}", index % 1000), index / 1000);
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < WIDTH { format!("{path}.p/{width}") } else { path }
}

/// How many entries the bundle at `index` has in a log of `size`, and hashes the tile of level 0 there.
pub fn width_at(index: u64, size: u64) -> u64 {
    size.saturating_sub(index.saturating_mul(WIDTH)).min(WIDTH)
}

impl Tile {
    /// The tile as a file.
    pub fn file(&self) -> File {
        File { path: tile_path(self.level, self.index, self.hashes.len() as u64), bytes: self.hashes.concat() }
    }

    /// The tree over its hashes.
    fn tree(&self) -> Frontier {
        let mut tree = Frontier::default();
        self.hashes.iter().for_each(|hash| tree.push(*hash));
        tree
    }

    /// How many entries each of its hashes is over.
    pub fn entries_each(&self) -> u64 {
        1_u64.checked_shl(self.level * HEIGHT).unwrap_or(u64::MAX)
    }
}

/// The tiles above level 0, lowest first, over full tiles of level 0 with these roots.
pub fn upper_tiles(roots: Vec<Hash>) -> Vec<Tile> {
    let (mut tiles, mut hashes, mut level) = (Vec::new(), roots, 1);
    while !hashes.is_empty() {
        let chunks = (0..).zip(hashes.chunks(256));
        let here: Vec<Tile> = chunks.map(|(index, chunk)| Tile { level, index, hashes: chunk.to_vec() }).collect();
        let full = here.iter().filter(|tile| tile.hashes.len() as u64 == WIDTH);
        hashes = full.map(|tile| tile.tree().root()).collect();
        tiles.extend(here);
        level += 1;
    }
    tiles
}

/// Lays a log out, entry by entry.
#[derive(Debug, Default)]
pub struct Tiler {
    tree: Frontier,
    bundle: Vec<u8>,
    /// The hashes of the last tile of each level.
    levels: Vec<Vec<Hash>>,
}

impl Tiler {
    /// Takes the next entry, and gives the files that are full with it.
    ///
    /// # Errors
    /// When the entry is longer than a bundle can say.
    pub fn push(&mut self, entry: &[u8]) -> Result<Vec<File>, BadEntry> {
        let length = u16::try_from(entry.len()).map_err(|_| BadEntry::TooLong(entry.len()))?;
        debug_assert!(usize::from(length) <= MAX_ENTRY_BYTES);
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry);
        let leaf = leaf_hash(entry);
        self.tree.push(leaf);
        Ok(self.carry(leaf))
    }

    /// Adds a hash to level 0, and the root of each tile that is full by it to the level above.
    fn carry(&mut self, leaf: Hash) -> Vec<File> {
        let (mut files, mut hash, mut level) = (Vec::new(), leaf, 0_usize);
        loop {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(last) = self.levels.get_mut(level) else { return files };
            last.push(hash);
            if (last.len() as u64) < WIDTH {
                return files;
            }
            let hashes = std::mem::take(last);
            let tile = self.tile(level, hashes, 1);
            if level == 0 {
                let bytes = std::mem::take(&mut self.bundle);
                files.push(File { path: bundle_path(tile.index, WIDTH), bytes });
            }
            hash = tile.tree().root();
            files.push(tile.file());
            level += 1;
        }
    }

    /// The tile of `level` that is the last one (`back` 0) or was completed just now (`back` 1).
    fn tile(&self, level: usize, hashes: Vec<Hash>, back: u64) -> Tile {
        let level = u32::try_from(level).unwrap_or(u32::MAX);
        let full = self.tree.size().checked_shr((level + 1).saturating_mul(HEIGHT)).unwrap_or(0);
        Tile { level, index: full.saturating_sub(back), hashes }
    }

    /// The files that are not full, and the tree over all entries.
    pub fn finish(mut self) -> (Vec<File>, Frontier) {
        let mut files = Vec::new();
        let levels = std::mem::take(&mut self.levels);
        for (level, hashes) in levels.into_iter().enumerate().filter(|(_, hashes)| !hashes.is_empty()) {
            let tile = self.tile(level, hashes, 0);
            if level == 0 {
                let bytes = std::mem::take(&mut self.bundle);
                files.push(File { path: bundle_path(tile.index, tile.hashes.len() as u64), bytes });
            }
            files.push(tile.file());
        }
        (files, self.tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_specification() {
        assert_eq!(tile_path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile_path(1, 0, 17), "tile/1/000.p/17");
        assert_eq!(bundle_path(273, 112), "tile/entries/273.p/112");
        assert_eq!((width_at(273, 70_000), width_at(272, 70_000), width_at(274, 70_000)), (112, 256, 0));
    }

    /// The examples of the specification: trees of 70,000 and of 256 entries.
    #[test]
    fn a_log_has_the_tiles_of_the_specification() {
        let laid_out = |size: u64| {
            let (mut tiler, mut files) = (Tiler::default(), Vec::new());
            for n in 0..size {
                files.extend(tiler.push(&n.to_be_bytes()).unwrap());
            }
            let (rest, tree) = tiler.finish();
            files.extend(rest);
            (files, tree)
        };
        let (files, tree) = laid_out(70_000);
        let at = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.bytes.len());
        assert_eq!(files.iter().filter(|file| file.path.starts_with("tile/0/")).count(), 274);
        assert_eq!((at("tile/0/272"), at("tile/0/273.p/112")), (Some(8192), Some(112 * 32)));
        assert_eq!(
            (at("tile/1/000"), at("tile/1/001.p/17"), at("tile/2/000.p/1")),
            (Some(8192), Some(17 * 32), Some(32))
        );
        assert_eq!((at("tile/entries/000"), at("tile/entries/273.p/112")), (Some(2560), Some(1120)));
        assert_eq!((tree.size(), files.len()), (70_000, 274 * 2 + 3));
        let small: Vec<String> = laid_out(256).0.into_iter().map(|file| file.path).collect();
        assert_eq!(small, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    }

    #[test]
    fn the_longest_entry_fits_and_no_longer_one() {
        let mut tiler = Tiler::default();
        assert!(tiler.push(&vec![b'x'; MAX_ENTRY_BYTES]).is_ok());
        assert!(matches!(tiler.push(&vec![b'x'; MAX_ENTRY_BYTES + 1]), Err(BadEntry::TooLong(65_536))));
    }
}
