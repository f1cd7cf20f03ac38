use serde::{Deserialize, Serialize};

use crate::{Account, Id};

use super::Role;

/// An account in an organization. Its name and address are personal and live elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its id.
    pub id: Id<Member>,
    /// Who signs in.
    pub account: Id<Account>,
    /// What they may do.
    pub role: Id<Role>,
    /// Whether they may do it now.
    pub state: MemberState,
}

/// Whether a member may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// They may.
    Active,
    /// They and their keys may do nothing until reinstated.
    Suspended,
}
