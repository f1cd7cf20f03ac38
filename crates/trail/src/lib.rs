//! The trail: entries, their canonical bytes, the Merkle tree over them, signed checkpoints, verification and folding.
//!
//! It is the contract of both planes: what the control plane appends is what gateways follow and what auditors check.
//! Everything here is synchronous and pure. Hashes are those of RFC 6962; checkpoints are C2SP tlog-checkpoint in
//! C2SP signed-note form, logs are laid out as files by C2SP tlog-tiles, and proofs are C2SP tlog-proof, so that tools we
//! did not write can read them (`docs/TRAIL.md`).
#![warn(missing_docs)]

mod checkpoint;
mod entry;
mod exported;
mod fold;
mod log;
mod proof;
mod tiles;
mod tree;
mod verify;

pub use checkpoint::{BadCheckpoint, BadKey, Checkpoint, Signer, VerifyingKey};
pub use entry::{BadEntry, Change, Entry, MAX_ENTRY_BYTES};
pub use exported::{Broken, Bundle, check_root, check_tile};
pub use fold::{Folded, fold};
pub use log::{Log, epoch_after};
pub use proof::{BadProof, Leaf, Proof, leaves_for_proof};
pub use tiles::{File, Tile, Tiler, WIDTH, bundle_path, tile_path, upper_tiles, width_at};
pub use tree::{Frontier, Hash, leaf_hash, node_hash};
pub use verify::{Finding, Stored, Superseded, Verified, Verifier};
