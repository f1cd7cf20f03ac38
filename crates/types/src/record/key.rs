use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Digest, Id, Name, Timestamp};

use super::{Limits, Member, Model};

/// An API key: whose power it borrows, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id, which stands in the key's text.
    pub id: Id<Key>,
    /// What people call it.
    pub name: Name,
    /// Whose power it borrows.
    pub owner: KeyOwner,
    /// How much of that power, feature by feature; a feature that is not named is disabled.
    pub levels: Levels,
    /// Which approved models it may call.
    pub models: ModelSet,
    /// How much may be called with it in a minute.
    pub limits: Limits,
    /// The instant from which it is refused, if any.
    pub expires: Option<Timestamp>,
    /// SHA-256 of the key's 256 random bits; posting it authenticates nothing.
    pub verifier: Digest,
    /// Whether it works.
    pub state: KeyState,
}

/// Whose power a key borrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOwner {
    /// A member: never more than they may do now.
    Member(Id<Member>),
    /// The organization: the owner role's power, less what makes owners.
    Organization,
}

/// Whether a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It does, until it expires.
    Active,
    /// Never again.
    Revoked,
}

/// Which approved models a key may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelSet {
    /// Every approved model, also those approved later.
    All,
    /// These and no others.
    Only(BTreeSet<Id<Model>>),
}

/// What a key may do, feature by feature.
pub type Levels = BTreeMap<Feature, Level>;

/// How much of a feature a key may use. Ordered: each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing.
    #[default]
    Disabled,
    /// Look.
    Read,
    /// Create, change, call.
    Write,
    /// Remove.
    Delete,
}

macro_rules! features {
    ($($feature:ident = $word:literal, $label:literal);+ $(;)?) => {
        /// A part of the product that a key is let into, or not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Feature {
            $(#[doc = $label] $feature),+
        }

        impl Feature {
            /// Every feature, in the order a form shows them.
            pub const ALL: &'static [Self] = &[$(Self::$feature),+];

            /// The word for it in the API.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$feature => $word),+ }
            }

            /// What people call it.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$feature => $label),+ }
            }
        }
    };
}

features! {
    Completions = "completions", "Model calls";
    Models = "models", "Approved models";
    Prompts = "prompts", "Prompts";
    Metrics = "metrics", "Metrics";
    Usage = "usage", "Usage";
    Members = "members", "Members and invites";
    Providers = "providers", "Providers";
    Keys = "keys", "API keys";
    Trail = "trail", "Trail";
    Organization = "organization", "Organization";
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 4] = [Self::Disabled, Self::Read, Self::Write, Self::Delete];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

impl Key {
    /// What a new key starts with: model calls, and reading prompts.
    pub fn usual_levels() -> Levels {
        [(Feature::Completions, Level::Write), (Feature::Prompts, Level::Read)].into()
    }

    /// What the organization's master key has: everything.
    pub fn all_levels() -> Levels {
        Feature::ALL.iter().map(|feature| (*feature, Level::Delete)).collect()
    }

    /// How much of `feature` this key may use.
    pub fn level(&self, feature: Feature) -> Level {
        self.levels.get(&feature).copied().unwrap_or_default()
    }

    /// Whether it works at `now`.
    pub fn works(&self, now: Timestamp) -> bool {
        self.state == KeyState::Active && self.expires.is_none_or(|expires| now < expires)
    }
}
