//! An entry: who did what to what, by what right, and the after-image of every record it changed.

use gatewarden_types::{Actor, Grant, Id, Organization, Record, RecordKind, Request, Seq, Target, Timestamp, Via};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest an entry may be in canonical bytes: C2SP tlog-tiles gives an entry a 16-bit length.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// The version of the entry format that this release writes.
const VERSION: u32 = 1;

/// One act. Ids and facts alone: never a person's name or address, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The version of this format.
    pub v: u32,
    /// Whose trail it is; none for the instance's own.
    pub organization: Option<Id<Organization>>,
    /// Its position, from 1, without gaps.
    pub seq: Seq,
    /// When it was committed, in microseconds since 1970.
    pub at: Timestamp,
    /// Who acted.
    pub actor: Actor,
    /// How they came.
    pub via: Via,
    /// The request it happened in.
    pub request: Id<Request>,
    /// The action's name in the table of `gatewarden-access`.
    pub action: String,
    /// What it was done to.
    pub target: Target,
    /// What allowed it.
    pub grant: Grant,
    /// What it changed, in the order of writing.
    pub changes: Vec<Change>,
}

/// One record as the entry left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What kind of record.
    pub kind: RecordKind,
    /// The 128 bits of its id.
    pub id: Uuid,
    /// The whole record afterwards, or none when it was removed.
    pub after: Option<serde_json::Value>,
}

/// The entry cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BadEntry {
    /// It is longer than the format allows.
    #[error("the entry has {0} bytes; at most {MAX_ENTRY_BYTES} fit")]
    TooLong(usize),
    /// A newer release wrote it.
    #[error("the entry has version {0}; this release reads up to {VERSION}")]
    Version(u32),
    /// It is not an entry.
    #[error("the entry cannot be read: {0}")]
    Form(#[from] serde_json::Error),
    /// It holds a whole number that canonical JSON, which writes doubles, would round.
    #[error("the entry holds a whole number beyond 2^53, which would be rounded")]
    Rounded,
    /// It reads, but these are not the bytes that its content has.
    #[error("the entry is not in canonical form")]
    NotCanonical,
}

impl Change {
    /// That `record` was put.
    ///
    /// # Errors
    /// When the record cannot be written as JSON.
    pub fn put<R: Record>(record: &R) -> Result<Self, BadEntry> {
        let after = Some(serde_json::to_value(record)?);
        Ok(Self { kind: R::KIND, id: record.id().uuid(), after })
    }

    /// That the record was removed.
    pub fn removed<R: Record>(id: Id<R>) -> Self {
        Self { kind: R::KIND, id: id.uuid(), after: None }
    }
}

/// Whether canonical JSON keeps every number in `value`.
fn is_exact(value: &serde_json::Value) -> bool {
    const EXACT: u64 = 1 << 53;
    match value {
        serde_json::Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(whole), _) => whole <= EXACT,
            (None, Some(whole)) => whole.unsigned_abs() <= EXACT,
            (None, None) => true,
        },
        serde_json::Value::Array(values) => values.iter().all(is_exact),
        serde_json::Value::Object(fields) => fields.values().all(is_exact),
        _ => true,
    }
}

impl Entry {
    /// The version that new entries bear.
    pub const fn version() -> u32 {
        VERSION
    }

    /// The bytes that are stored, hashed and shipped: canonical JSON (RFC 8785).
    ///
    /// # Errors
    /// When it would be longer than [`MAX_ENTRY_BYTES`], or an after-image holds a number that would be rounded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BadEntry> {
        if !self.changes.iter().filter_map(|change| change.after.as_ref()).all(is_exact) {
            return Err(BadEntry::Rounded);
        }
        let bytes = serde_json_canonicalizer::to_vec(self)?;
        if bytes.len() > MAX_ENTRY_BYTES { Err(BadEntry::TooLong(bytes.len())) } else { Ok(bytes) }
    }

    /// Reads what [`Entry::to_bytes`] wrote.
    ///
    /// # Errors
    /// When it is too long, of an unknown version, not an entry, or not in canonical form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadEntry> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(BadEntry::TooLong(bytes.len()));
        }
        let Version { v } = serde_json::from_slice(bytes)?;
        if v != VERSION {
            return Err(BadEntry::Version(v));
        }
        let entry: Self = serde_json::from_slice(bytes)?;
        if entry.to_bytes()? == bytes { Ok(entry) } else { Err(BadEntry::NotCanonical) }
    }
}
