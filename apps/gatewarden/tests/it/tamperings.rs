//! What someone might do to an exported trail: each changes something, none knows the key.

use std::{
    fs,
    path::{Path, PathBuf},
};

use gatewarden_trail::{Checkpoint, Signer, Tiler, leaf_hash};

/// Numbers that are the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        // SplitMix64, by Steele, Lea and Flood.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("it is below a usize")
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// An exported trail in memory: each file by its path.
#[derive(Clone)]
pub struct Exported(pub Vec<(PathBuf, Vec<u8>)>);

/// The ways to tamper, by name.
pub const WAYS: [&str; 12] = [
    "flip a bit of a bundle",
    "flip a bit of a tile",
    "flip a bit of the checkpoint",
    "flip a bit of the key",
    "edit an entry",
    "edit an entry and its hash",
    "swap two entries",
    "swap two entries and their hashes",
    "delete an entry",
    "cut a file",
    "remove a file",
    "rewrite everything under a key of one's own",
];

impl Exported {
    pub fn read(folder: &Path) -> Self {
        let (mut files, mut pending) = (Vec::new(), vec![folder.to_owned()]);
        while let Some(next) = pending.pop() {
            for inside in fs::read_dir(next).expect("a folder") {
                let path = inside.expect("readable").path();
                if path.is_dir() {
                    pending.push(path);
                } else {
                    files.push((
                        path.strip_prefix(folder).expect("inside").to_owned(),
                        fs::read(&path).expect("a file"),
                    ));
                }
            }
        }
        files.sort();
        Self(files)
    }

    /// Writes it, with links to the files of `original` that are the same.
    pub fn write(&self, folder: &Path, original: &Self, there: &Path) {
        for (path, bytes) in &self.0 {
            let to = folder.join(path);
            fs::create_dir_all(to.parent().expect("a folder")).expect("makes it");
            if original.0.iter().any(|(other, same)| other == path && same == bytes) {
                fs::hard_link(there.join(path), &to).expect("links");
            } else {
                fs::write(&to, bytes).expect("writes");
            }
        }
    }

    /// Does this to it; false where there was nothing to change by it.
    pub fn tamper(&mut self, way: &str, dice: &mut Dice) -> bool {
        let before = self.0.clone();
        match way {
            "flip a bit of a bundle" => flip(self.some("tile/entries", dice), dice),
            "flip a bit of a tile" => flip(self.some(["tile/0", "tile/1"][dice.below(2)], dice), dice),
            "flip a bit of the checkpoint" => flip(self.some("checkpoint", dice), dice),
            "flip a bit of the key" => flip(self.some("key", dice), dice),
            "edit an entry" => self.edit(false, dice),
            "edit an entry and its hash" => self.edit(true, dice),
            "swap two entries" => self.swap(false, dice),
            "swap two entries and their hashes" => self.swap(true, dice),
            "delete an entry" => self.delete(dice),
            "cut a file" => {
                let bytes = self.some("", dice);
                // A key without its line feed is the same key.
                let line = bytes.iter().position(|byte| *byte == b'\n').is_some_and(|at| at + 1 == bytes.len());
                bytes.truncate(dice.below(bytes.len() - usize::from(line)));
            }
            "remove a file" => drop(self.0.remove(dice.below(self.0.len()))),
            _ => self.rewrite(dice),
        }
        self.0 != before
    }

    /// The bytes of one of the files whose paths begin so.
    fn some(&mut self, begins: &str, dice: &mut Dice) -> &mut Vec<u8> {
        let fits = |(_, (path, _)): &(usize, &(PathBuf, Vec<u8>))| path.to_string_lossy().starts_with(begins);
        let those: Vec<usize> = self.0.iter().enumerate().filter(fits).map(|(at, _)| at).collect();
        &mut self.0[*dice.one(&those)].1
    }

    /// The entries of all bundles, in order.
    fn entries(&self) -> Vec<Vec<u8>> {
        let bundles = self.0.iter().filter(|(path, _)| path.starts_with("tile/entries"));
        bundles.flat_map(|(_, bytes)| split(bytes)).collect()
    }

    /// Puts other entries into the bundles, as many as fit each, and leaves all else as it is.
    fn put(&mut self, entries: &[Vec<u8>]) {
        let mut rest = entries.iter();
        for (_, bytes) in self.0.iter_mut().filter(|(path, _)| path.starts_with("tile/entries")) {
            let width = split(bytes).len();
            *bytes = rest.by_ref().take(width).flat_map(|entry| prefixed(entry)).collect();
        }
    }

    /// Makes the tiles of level 0 those of the entries.
    fn rehash(&mut self) {
        let hashes: Vec<u8> = self.entries().iter().flat_map(|entry| leaf_hash(entry)).collect();
        let mut rest = hashes.as_slice();
        for (_, bytes) in self.0.iter_mut().filter(|(path, _)| path.starts_with("tile/0")) {
            let (these, others) = rest.split_at(bytes.len());
            *bytes = these.to_vec();
            rest = others;
        }
    }

    fn edit(&mut self, and_hash: bool, dice: &mut Dice) {
        let mut entries = self.entries();
        let at = dice.below(entries.len());
        let entry = &mut entries[at];
        let letters: Vec<usize> = (0..entry.len()).filter(|at| entry[*at].is_ascii_alphanumeric()).collect();
        let letter = *dice.one(&letters);
        entry[letter] = *dice.one(b"0123456789abcdefxyz");
        self.put(&entries);
        if and_hash {
            self.rehash();
        }
    }

    fn swap(&mut self, and_hashes: bool, dice: &mut Dice) {
        let mut entries = self.entries();
        let (one, two) = (dice.below(entries.len()), dice.below(entries.len()));
        entries.swap(one, two);
        self.put(&entries);
        if and_hashes {
            self.rehash();
        }
    }

    fn delete(&mut self, dice: &mut Dice) {
        let mut entries = self.entries();
        entries.remove(dice.below(entries.len()));
        self.put(&entries);
    }

    /// Edits an entry, makes every hash anew and signs: with the right name, but another key.
    fn rewrite(&mut self, dice: &mut Dice) {
        self.edit(false, dice);
        let note = String::from_utf8(self.some("checkpoint", dice).clone()).expect("text");
        let mut tiler = Tiler::default();
        let mut files: Vec<_> = self.entries().iter().flat_map(|entry| tiler.push(entry).expect("it fits")).collect();
        let (rest, tree) = tiler.finish();
        files.extend(rest);
        let origin = note.lines().next().expect("an origin").to_owned();
        let head = Checkpoint { origin: origin.clone(), size: tree.size(), root: tree.root() };
        let mine = Signer::from_seed(&[9; 32]).expect("a seed");
        self.0 = files.into_iter().map(|file| (file.path.into(), file.bytes)).collect();
        self.0.push(("key".into(), format!("{}\n", mine.verifying_key().note_form(&origin)).into_bytes()));
        // With half of them the checkpoint stays the one that was signed.
        let note = if dice.below(2) == 0 { mine.sign(&head) } else { note };
        self.0.push(("checkpoint".into(), note.into_bytes()));
    }
}

/// Changes one bit.
pub fn flip(bytes: &mut [u8], dice: &mut Dice) {
    let at = dice.below(bytes.len());
    bytes[at] ^= 1 << dice.below(8);
}

fn split(mut bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        bundle = rest;
    }
    entries
}

fn prefixed(entry: &[u8]) -> Vec<u8> {
    let length = u16::try_from(entry.len()).expect("it fits");
    [&length.to_be_bytes(), entry].concat()
}
