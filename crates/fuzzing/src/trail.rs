//! What is verified by whoever has it: checkpoints, proofs, and the files of an exported trail.

use gatewarden_trail::{
    Bundle, Checkpoint, Hash, Proof, Signer, Tile, Tiler, VerifyingKey, bundle_path, check_root, check_tile,
    leaves_for_proof, tile_path, upper_tiles, width_at,
};

use crate::take;

/// The log of these checks.
const ORIGIN: &str = "gatewarden/org_00000000000000000000000001/1";

fn signer() -> Signer {
    Signer::from_seed(&[7; 32]).expect("a seed")
}

/// A checkpoint's note and a log's key: what opens says what was signed, and a key has one spelling.
pub fn checkpoint(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok((name, key)) = VerifyingKey::from_note_form(text) {
        assert_eq!(key.note_form(&name), text);
    }
    let key = signer().verifying_key();
    if let Ok(opened) = key.open(text, ORIGIN) {
        let alone = signer().sign(&opened);
        let signed = alone.split_once("\n\n").expect("a note").0;
        assert!(text.starts_with(signed), "{text:?} was opened as {opened:?}");
    }
    // Whatever a log may be called and hold, its checkpoint opens as what it is or not at all.
    let mut rest = bytes;
    let (size, root) = (u64::from_be_bytes(take(&mut rest)), take(&mut rest));
    let Ok(origin) = str::from_utf8(rest) else { return };
    let made = Checkpoint { origin: origin.to_owned(), size, root };
    if let Ok(opened) = key.open(&signer().sign(&made), origin) {
        assert_eq!(opened, made);
    }
}

/// Proofs, tiles and bundles: what is read of a proof is written the same again, and what passes for a bundle and its tile
/// is what its entries are laid out as.
pub fn proof_and_tiles(bytes: &[u8]) {
    if let Some(proof) = str::from_utf8(bytes).ok().and_then(|text| Proof::parse(text).ok()) {
        assert_eq!(proof.text().as_bytes(), bytes);
        // Nothing more is promised of it than that somebody says so.
        drop(proof.verify(signer().verifying_key(), ORIGIN));
    }
    proof_of_any_size(bytes);
    bundle(bytes);
}

/// A proof under a checkpoint of any size that was signed.
fn proof_of_any_size(bytes: &[u8]) {
    let mut rest = bytes;
    let (size, index) = (u64::from_be_bytes(take(&mut rest)), u64::from_be_bytes(take(&mut rest)));
    assert!(leaves_for_proof(index, size).iter().all(|seq| (1..=size).contains(seq)));
    let root = take(&mut rest);
    let (hashes, entry) = rest.as_chunks::<32>();
    let checkpoint = signer().sign(&Checkpoint { origin: ORIGIN.to_owned(), size, root });
    let proof = Proof { entry: entry.to_vec(), index, hashes: hashes.to_vec(), checkpoint };
    assert_eq!(Proof::parse(&proof.text()).expect("what was written is read"), proof);
    drop(proof.verify(signer().verifying_key(), ORIGIN));
}

/// A bundle and a tile as they are found in a folder: a byte for how many entries there should be, two for how long the
/// bundle is, then both. They are read like the folder of an exported trail with this one bundle.
fn bundle(bytes: &[u8]) {
    let mut rest = bytes;
    let ([width], length) = (take::<1>(&mut rest), u16::from_be_bytes(take(&mut rest)));
    let (bundle, tile) = rest.split_at(usize::from(length).min(rest.len()));
    let size = u64::from(width) + 1;
    let tiles = |hash: Hash| upper_tiles(vec![hash]);
    match Bundle::check(0, width_at(0, size), ORIGIN, bundle, tile) {
        Ok(checked) => {
            assert_eq!(laid_out(bundle, size), (bundle.to_vec(), tile.to_vec()));
            let signed = Checkpoint { origin: ORIGIN.to_owned(), size, root: checked.tree.root() };
            assert_eq!(check_root(&checked.tree, &signed), Ok(signed.root));
            let upper = tiles(signed.root).pop().expect("a tile");
            assert!(check_tile(&upper, tile).is_ok() == (tile == upper.file().bytes));
        }
        // The message names the entry.
        Err(broken) => assert!(!broken.to_string().is_empty()),
    }
    let (hashes, _) = tile.as_chunks::<32>();
    let here = Tile { level: u32::from(width % 8), index: length.into(), hashes: hashes.to_vec() };
    assert_eq!(check_tile(&here, tile).is_ok(), tile.len() % 32 == 0);
    drop(check_tile(&here, bundle));
}

/// The bundle and the tile that a log of these entries has.
fn laid_out(bundle: &[u8], size: u64) -> (Vec<u8>, Vec<u8>) {
    let (mut tiler, mut rest, mut files) = (Tiler::default(), bundle, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(u16::from_be_bytes(*length).into());
        files.extend(tiler.push(entry).expect("no longer than a bundle can say"));
        rest = after;
    }
    files.extend(tiler.finish().0);
    let at = |path: String| files.iter().find(|file| file.path == path).map(|file| file.bytes.clone());
    (at(bundle_path(0, size)).expect("a bundle"), at(tile_path(0, 0, size)).expect("a tile"))
}
