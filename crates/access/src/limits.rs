//! What bounds a key beside the power of its owner.

use std::{collections::BTreeSet, slice, sync::Arc};

use gatewarden_types::{Feature, Id, Key, Level, Levels, Model, ModelSet, Timestamp};

/// What bounds whoever acts through a key, beside the power of its owner. Copying it allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLimits {
    /// How much of each feature, in the order of [`Feature::ALL`].
    levels: [Level; Feature::ALL.len()],
    /// Which approved models.
    models: Callable,
    /// Until when; none for as long as nobody revokes it.
    pub expires: Option<Timestamp>,
}

/// A set of models that compares and copies fast.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Callable {
    All,
    One(Id<Model>),
    /// In ascending order; none or several.
    Only(Arc<[Id<Model>]>),
}

impl Callable {
    fn of(models: &ModelSet) -> Self {
        let ModelSet::Only(models) = models else { return Self::All };
        match models.first() {
            Some(one) if models.len() == 1 => Self::One(*one),
            _ => Self::Only(models.iter().copied().collect()),
        }
    }

    /// The models, unless it is all of them.
    fn named(&self) -> Option<&[Id<Model>]> {
        match self {
            Self::All => None,
            Self::One(model) => Some(slice::from_ref(model)),
            Self::Only(models) => Some(models),
        }
    }
}

impl KeyLimits {
    /// The limits of a key.
    pub fn of(key: &Key) -> Self {
        Self::new(&key.levels, &key.models, key.expires)
    }

    /// The limits of a key that there might be.
    pub fn new(levels: &Levels, models: &ModelSet, expires: Option<Timestamp>) -> Self {
        let mut each = [Level::Disabled; Feature::ALL.len()];
        for (each, feature) in each.iter_mut().zip(Feature::ALL) {
            *each = levels.get(feature).copied().unwrap_or_default();
        }
        Self { levels: each, models: Callable::of(models), expires }
    }

    /// What a call of one model takes, and nothing that lasts.
    pub fn of_call(model: Id<Model>) -> Self {
        let (levels, expires) = ([Level::Disabled; Feature::ALL.len()], Some(Timestamp::from_micros(0)));
        Self { levels, models: Callable::One(model), expires }
    }

    /// Takes an equal list of models from `lists`, or else adds its own: whoever holds many keys holds each list once.
    pub fn share(&mut self, lists: &mut BTreeSet<Arc<[Id<Model>]>>) {
        if let Callable::Only(models) = &mut self.models {
            match lists.get(models) {
                Some(same) => *models = Arc::clone(same),
                None => drop(lists.insert(Arc::clone(models))),
            }
        }
    }

    /// Whether a key with these limits may use `feature` that much.
    pub fn reach(&self, feature: Feature, needed: Level) -> bool {
        self.levels.get(feature as usize).copied().unwrap_or_default() >= needed
    }

    /// Whether a key with these limits may call every approved model.
    pub fn every_model(&self) -> bool {
        self.models == Callable::All
    }

    /// Whether everything within `other` is within these.
    pub fn cover(&self, other: &Self) -> bool {
        let levels = self.levels.iter().zip(&other.levels).all(|(mine, given)| mine >= given);
        let models = match (self.models.named(), other.models.named()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(given)) => given.iter().all(|model| mine.binary_search(model).is_ok()),
        };
        levels && models && !self.end_before(other.expires)
    }

    /// Whether these end before `instant`; none is for ever.
    pub fn end_before(&self, instant: Option<Timestamp>) -> bool {
        self.expires.is_some_and(|mine| instant.is_none_or(|instant| instant > mine))
    }
}

#[cfg(test)]
mod tests {
    use gatewarden_types::Entropy;

    use super::*;

    #[test]
    fn an_equal_list_of_models_is_held_once() {
        let zeros = Entropy::new(|bytes| bytes.fill(0));
        let models = [1, 2].map(|second| Id::new(Timestamp::default().plus_seconds(second), &zeros));
        let limits = || KeyLimits::new(&Levels::new(), &ModelSet::Only(models.into()), None);
        let (mut one, mut other, mut lists) = (limits(), limits(), BTreeSet::new());
        one.share(&mut lists);
        other.share(&mut lists);
        let (Callable::Only(mine), Callable::Only(theirs)) = (&one.models, &other.models) else { panic!("two models") };
        assert!(Arc::ptr_eq(mine, theirs) && one == limits());
    }

    #[test]
    fn a_feature_stands_where_its_number_says() {
        for (at, feature) in Feature::ALL.iter().enumerate() {
            assert_eq!(*feature as usize, at);
        }
    }
}
