use serde::{Deserialize, Serialize};

use crate::{Id, Name, Slug};

use super::{Limits, Reach, StaleAfter};

/// The organization itself, as one row among its own: what its members may change of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its id, from which the schema or file is named.
    pub id: Id<Organization>,
    /// The word in addresses, fixed at creation.
    pub slug: Slug,
    /// What people call it.
    pub name: Name,
    /// Whether it works at all.
    pub state: OrganizationState,
    /// What a member without a wider role sees of usage.
    pub visibility: Visibility,
    /// How much may be called in it in a minute, with all keys together.
    pub limits: Limits,
    /// Which of its trails this is: 1, and one more each time that a backup was restored, so that no position is signed
    /// for two histories.
    pub epoch: u32,
    /// How long its gateways answer calls without hearing from the control plane.
    pub stale_after: StaleAfter,
}

/// Whether an organization works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationState {
    /// People sign in and calls are answered.
    Active,
    /// Every call is refused.
    Suspended,
}

/// How far members see beyond their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Visibility {
    /// Whose usage everybody sees who may see usage at all: their own, or the whole organization's.
    pub usage: Reach,
}
