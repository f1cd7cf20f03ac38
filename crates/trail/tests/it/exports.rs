//! A log as files, and proofs of its entries: what anyone can check, and that nothing else passes.

use std::collections::BTreeMap;

use gatewarden_trail::{
    BadProof, Broken, Bundle, Checkpoint, Entry, Frontier, Hash, Leaf, Proof, Tile, Tiler, bundle_path, check_root,
    check_tile, leaf_hash, leaves_for_proof, tile_path, upper_tiles, width_at,
};
use gatewarden_types::{Actor, Grant, Id, Target, Timestamp, Via};
use proptest::prelude::*;
use uuid::Uuid;

use crate::logs::{organization, signer};

type Files = BTreeMap<String, Vec<u8>>;
type Index = prop::sample::Index;

fn origin() -> String {
    format!("gatewarden/trail/{}/1", organization())
}

/// The canonical bytes of an entry, short enough that logs of several bundles are quick.
fn entry(seq: u64) -> Vec<u8> {
    let entry = Entry {
        v: Entry::version(),
        organization: Some(organization()),
        seq,
        at: Timestamp::from_micros(0),
        actor: Actor::Anyone,
        via: Via::Nothing,
        request: Id::from_uuid(Uuid::nil()),
        action: "x".to_owned(),
        target: Target::of(organization()),
        grant: Grant::Founding,
        changes: Vec::new(),
    };
    entry.to_bytes().unwrap()
}

fn head(tree: &Frontier) -> Checkpoint {
    Checkpoint { origin: origin(), size: tree.size(), root: tree.root() }
}

fn laid_out(size: u64) -> (Files, Checkpoint) {
    let (mut tiler, mut files) = (Tiler::default(), Files::new());
    for seq in 1..=size {
        files.extend(tiler.push(&entry(seq)).unwrap().into_iter().map(|file| (file.path, file.bytes)));
    }
    let (rest, tree) = tiler.finish();
    files.extend(rest.into_iter().map(|file| (file.path, file.bytes)));
    (files, head(&tree))
}

fn verify(files: &Files, checkpoint: &Checkpoint) -> Result<Hash, Broken> {
    let at = |path: String| files.get(&path).map(Vec::as_slice).unwrap_or_default();
    let (mut whole, mut roots, mut unreadable) = (Frontier::default(), Vec::new(), None);
    for index in 0..checkpoint.size.div_ceil(256) {
        let width = width_at(index, checkpoint.size);
        let (bundle, tile) = (at(bundle_path(index, width)), at(tile_path(0, index, width)));
        let bundle = Bundle::check(index, width, &origin(), bundle, tile)?;
        whole.append(&bundle.tree);
        roots.extend((width == 256).then(|| bundle.tree.root()));
        unreadable = unreadable.or(bundle.unreadable);
    }
    upper_tiles(roots).iter().try_for_each(|tile: &Tile| check_tile(tile, at(tile.file().path)))?;
    let root = check_root(&whole, checkpoint)?;
    unreadable.map_or(Ok(root), Err)
}

/// The stored leaves of a log.
fn leaves(size: u64) -> BTreeMap<u64, Leaf> {
    let mut frontier = Frontier::default();
    let leaf = |seq| {
        let hash = leaf_hash(&entry(seq));
        frontier.push(hash);
        (seq, Leaf { hash, frontier: frontier.clone() })
    };
    (1..=size).map(leaf).collect()
}

fn proof(seq: u64, size: u64, all: &BTreeMap<u64, Leaf>) -> Proof {
    let needed = leaves_for_proof(seq, size).into_iter().map(|seq| (seq, all[&seq].clone())).collect();
    let note = signer().sign(&head(&all[&size].frontier));
    Proof::new(seq, entry(seq), (size, note), &needed).unwrap()
}

#[test]
fn a_log_as_files_verifies_at_sizes_around_each_edge() {
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 700] {
        let (files, checkpoint) = laid_out(size);
        assert_eq!(verify(&files, &checkpoint), Ok(checkpoint.root), "at {size}");
    }
}

#[test]
fn a_log_rewritten_with_all_its_hashes_is_found_by_its_checkpoint() {
    let (_, checkpoint) = laid_out(300);
    let (mut longer, _) = laid_out(301);
    longer.extend(laid_out(300).0.into_iter().filter(|(path, _)| path.ends_with(".p/44")));
    assert_eq!(verify(&longer, &checkpoint), Ok(checkpoint.root), "what a checkpoint does not cover is passed over");
    let forged = Checkpoint { root: [0; 32], ..checkpoint };
    assert_eq!(verify(&longer, &forged), Err(Broken::Root(300)));
}

#[test]
fn what_was_signed_and_is_no_entry_is_told_last() {
    let mut tiler = Tiler::default();
    for bytes in [entry(1), b"{}".to_vec(), entry(2)] {
        tiler.push(&bytes).unwrap();
    }
    let (files, tree) = tiler.finish();
    let mut files: Files = files.into_iter().map(|file| (file.path, file.bytes)).collect();
    assert!(matches!(verify(&files, &head(&tree)), Err(Broken::Unreadable { seq: 2, .. })));
    files.get_mut("tile/0/000.p/3").unwrap()[65] ^= 1;
    assert_eq!(verify(&files, &head(&tree)), Err(Broken::Changed(3)));
}

#[test]
fn every_entry_is_proven_in_every_tree() {
    let all = leaves(70);
    for size in 1..=70 {
        for seq in 1..=size {
            let proof = proof(seq, size, &all);
            let read = Proof::parse(&proof.text()).unwrap();
            assert_eq!(read, proof);
            let entry = read.verify(signer().verifying_key(), &origin()).unwrap();
            assert_eq!(entry.seq, seq, "in {size}");
        }
    }
}

#[test]
fn a_proof_of_another_place_or_log_is_none() {
    let all = leaves(70);
    let key = signer().verifying_key();
    let good = proof(7, 70, &all);
    let other = Proof { index: 7, ..good.clone() };
    assert!(matches!(other.verify(key, &origin()), Err(BadProof::Root)));
    let beyond = Proof { index: 70, ..good.clone() };
    assert!(matches!(beyond.verify(key, &origin()), Err(BadProof::Root)));
    let shorter = Proof { hashes: good.hashes[1..].to_vec(), ..good.clone() };
    assert!(matches!(shorter.verify(key, &origin()), Err(BadProof::Root)));
    assert!(matches!(good.verify(key, "elsewhere"), Err(BadProof::Checkpoint(_))));
    let note = signer().sign(&head(&all[&70].frontier));
    assert!(Proof::new(71, entry(71), (70, note.clone()), &all).is_none(), "no checkpoint covers it");
    assert!(Proof::new(7, entry(7), (70, note), &BTreeMap::new()).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_changed_byte_of_any_file_is_found(size in 1u64..600, file in any::<Index>(), byte in any::<Index>(), to in 1u8..) {
        let (mut files, checkpoint) = laid_out(size);
        let path = file.get(&files.keys().cloned().collect::<Vec<_>>()).clone();
        let bytes = files.get_mut(&path).unwrap();
        let at = byte.index(bytes.len());
        bytes[at] ^= to;
        prop_assert!(verify(&files, &checkpoint).is_err(), "{path} at {at}");
        files.get_mut(&path).unwrap().truncate(at);
        prop_assert!(verify(&files, &checkpoint).is_err(), "{path} cut at {at}");
        files.remove(&path);
        prop_assert!(verify(&files, &checkpoint).is_err(), "without {path}");
    }

    #[test]
    fn a_proof_with_a_changed_letter_is_none(seq in 1u64..40, letter in any::<Index>(), to in "[ -~\n]") {
        let text = proof(seq, 40, &leaves(40)).text();
        let letters: Vec<char> = text.chars().collect();
        let at = letter.index(letters.len());
        prop_assume!(!to.starts_with(letters[at]));
        let changed: String = letters[..at].iter().chain(to.chars().collect::<Vec<_>>().iter()).chain(&letters[at + 1..]).collect();
        let verified = Proof::parse(&changed).and_then(|proof| proof.verify(signer().verifying_key(), &origin()));
        prop_assert!(verified.is_err(), "{changed}");
    }
}
