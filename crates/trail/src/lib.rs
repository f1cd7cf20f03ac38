//! The trail: entries, their canonical bytes, the Merkle tree over them, signed checkpoints, verification and folding.
//!
//! It is the contract of both planes: what the control plane appends is what gateways follow and what auditors check.
//! Everything here is synchronous and pure. Hashes are those of RFC 6962; checkpoints are C2SP tlog-checkpoint in
//! C2SP signed-note form, so that tools we did not write can read them.
#![warn(missing_docs)]

mod checkpoint;
mod entry;
mod fold;
mod tree;
mod verify;

pub use checkpoint::{BadCheckpoint, Checkpoint, Signer, VerifyingKey};
pub use entry::{BadEntry, Change, Entry, MAX_ENTRY_BYTES};
pub use fold::{Folded, fold};
pub use tree::{Frontier, Hash, leaf_hash, node_hash};
pub use verify::{Finding, Stored, Verified, Verifier};
