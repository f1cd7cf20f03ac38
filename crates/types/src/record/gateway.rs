use serde::{Deserialize, Serialize};

use crate::{Digest, Id, Name, Timestamp};

/// A gateway on another host, which follows the organization and answers its calls there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Its id.
    pub id: Id<Gateway>,
    /// What people call it.
    pub name: Name,
    /// Whether it is let in.
    pub state: GatewayState,
    /// SHA-256 of the token it enrols with while it waits, and of its own credential from then on.
    pub verifier: Digest,
    /// The instant from which it can no longer do anything: enrol while it waits, or, once it was removed, go on by the
    /// policy it had when it was last heard.
    pub expires: Timestamp,
}

/// Whether a gateway is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    /// It can enrol, once, until its token expires.
    Waiting,
    /// It has enrolled, and follows.
    Enrolled,
    /// It follows and answers, and says that it is not ready, so that calls go elsewhere.
    Draining,
    /// It was removed, and is let in no more.
    Removed,
}
