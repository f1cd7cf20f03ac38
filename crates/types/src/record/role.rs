use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Id, Name};

/// A named set of powers that members hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its id.
    pub id: Id<Role>,
    /// What people call it.
    pub name: Name,
    /// Which built-in role it is, if the product keeps it up to date.
    pub builtin: Option<Builtin>,
    /// What it allows.
    pub powers: Powers,
}

/// The roles every organization has. They are rows like any other, so that a release that changes them leaves an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Builtin {
    /// Everything, and the last one stays.
    Owner,
    /// Everything but what makes owners.
    Admin,
    /// Own keys, own usage, calls to models.
    Member,
    /// Reads, changes nothing, calls nothing.
    Viewer,
}

/// Permission words (`members:read`) and how far each reaches. A word the running release does not know grants nothing.
pub type Powers = BTreeMap<String, Reach>;

/// How far a power goes. Ordered: what reaches all reaches one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// What belongs to oneself.
    Own,
    /// Everything in the organization.
    All,
}
