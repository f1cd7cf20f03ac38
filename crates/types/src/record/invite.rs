use serde::{Deserialize, Serialize};

use crate::{Digest, Id, Timestamp};

use super::{Member, Role};

/// A seat offered by mail. The address it went to is personal and lives elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Its id.
    pub id: Id<Invite>,
    /// The role it offers; bounded again by the inviter's power when it is accepted.
    pub role: Id<Role>,
    /// Who offered it.
    pub invited_by: Id<Member>,
    /// SHA-256 of the token in the link; a resend replaces it, so that an old link is dead.
    pub verifier: Digest,
    /// The instant from which it can no longer be accepted.
    pub expires: Timestamp,
    /// Whether it is still open.
    pub state: InviteState,
}

/// What became of an invite. Expiry is read from the clock, not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteState {
    /// It can be accepted until it expires.
    Pending,
    /// It made a member, once.
    Accepted,
    /// It was taken back.
    Revoked,
}
