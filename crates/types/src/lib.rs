//! The words of Gatewarden as types: ids, validated words, instants, and the records that access decides on.
//!
//! A record is the same thing in three places: the row of a policy table, the after-image in a trail entry,
//! and what a decision reads. This crate knows no I/O, no database and no clock; time and randomness are
//! values handed in ([`Clock`], [`Entropy`]).
#![warn(missing_docs)]

mod ambient;
mod backoff;
mod caller;
mod id;
mod network;
mod record;
mod text;
mod timestamp;
mod words;

/// The most tokens that one call counts for in either direction: a thousand times what any model takes. A provider may
/// claim what it likes, and the sums over years of calls still fit into 64 bits.
pub const MOST_TOKENS: u64 = 1_000_000_000;

pub use ambient::{Clock, Entropy};
pub use backoff::Backoff;
pub use caller::{Actor, Grant, Job, Target, Via};
pub use id::{Account, BadId, Id, Kind, Request, Session};
pub use network::{AllowedNetworks, Forbidden, Network};
pub use record::{
    AnyRecord, Builtin, CredentialRef, Dialect, Feature, Gateway, GatewayState, Invite, InviteState, Key, KeyOwner,
    KeyState, Level, Levels, Limits, Member, MemberState, Model, ModelSet, ModelState, Organization, OrganizationState,
    PerMinute, Powers, Provider, Reach, Record, RecordKind, Role, Seq, StaleAfter, Versioned, Visibility,
};
pub use text::fold;
pub use timestamp::Timestamp;
pub use words::{BadWord, BaseUrl, Digest, Email, ModelName, Name, Slug};
