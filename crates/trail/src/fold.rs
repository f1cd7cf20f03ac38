//! Folding: the policy state is what the changes of all entries leave behind.

use std::collections::BTreeMap;

use gatewarden_types::{RecordKind, Seq};
use uuid::Uuid;

use crate::Entry;

/// The policy state: each record that is there, with the seq of its last entry.
pub type Folded = BTreeMap<(RecordKind, Uuid), (Seq, serde_json::Value)>;

/// Applies one entry to the state.
pub fn fold(state: &mut Folded, entry: &Entry) {
    for change in &entry.changes {
        let place = (change.kind, change.id);
        match &change.after {
            Some(after) => state.insert(place, (entry.seq, after.clone())),
            None => state.remove(&place),
        };
    }
}
