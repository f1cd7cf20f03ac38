//! What bounds a key beside the power of its owner.

use gatewarden_types::{Feature, Key, Level, Levels, ModelSet, Timestamp};

/// What bounds whoever acts through a key, beside the power of its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLimits {
    /// How much of each feature.
    pub levels: Levels,
    /// Which approved models.
    pub models: ModelSet,
    /// Until when; none for as long as nobody revokes it.
    pub expires: Option<Timestamp>,
}

impl KeyLimits {
    /// The limits of a key.
    pub fn of(key: &Key) -> Self {
        Self { levels: key.levels.clone(), models: key.models.clone(), expires: key.expires }
    }

    /// What one call takes: these models, and nothing that lasts.
    pub fn of_call(models: ModelSet) -> Self {
        Self { levels: Levels::new(), models, expires: Some(Timestamp::from_micros(0)) }
    }

    /// Whether a key with these limits may use `feature` that much.
    pub fn reach(&self, feature: Feature, needed: Level) -> bool {
        self.levels.get(&feature).copied().unwrap_or_default() >= needed
    }

    /// Whether everything within `other` is within these.
    pub fn cover(&self, other: &Self) -> bool {
        let levels = other.levels.iter().all(|(feature, level)| self.reach(*feature, *level));
        let models = match (&self.models, &other.models) {
            (ModelSet::All, _) => true,
            (ModelSet::Only(_), ModelSet::All) => false,
            (ModelSet::Only(mine), ModelSet::Only(given)) => given.is_subset(mine),
        };
        levels && models && !self.end_before(other.expires)
    }

    /// Whether these end before `instant`; none is for ever.
    pub fn end_before(&self, instant: Option<Timestamp>) -> bool {
        self.expires.is_some_and(|mine| instant.is_none_or(|instant| instant > mine))
    }
}
