//! A map that is cheap to copy and change: one root over shared shards, of which a change copies one.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

/// How many values a shard holds on average before the number of shards doubles.
const PER_SHARD: usize = 64;
const MOST_SHARDS: usize = 4096;

/// A map by id. Cloning it copies a pointer; changing a clone copies the root's pointers and one shard.
#[derive(Debug)]
pub(crate) struct Shards<V> {
    root: Arc<Vec<Arc<HashMap<Uuid, V>>>>,
    len: usize,
}

impl<V> Clone for Shards<V> {
    fn clone(&self) -> Self {
        Self { root: Arc::clone(&self.root), len: self.len }
    }
}

impl<V> Default for Shards<V> {
    fn default() -> Self {
        Self { root: Arc::new(vec![Arc::default()]), len: 0 }
    }
}

impl<V: Clone> Shards<V> {
    pub(crate) fn get(&self, id: Uuid) -> Option<&V> {
        self.root.get(place(id, self.root.len()))?.get(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.root.iter().flat_map(|shard| shard.values())
    }

    pub(crate) fn insert(&mut self, id: Uuid, value: V) {
        if self.len >= self.root.len() * PER_SHARD && self.root.len() < MOST_SHARDS {
            self.grow();
        }
        let at = place(id, self.root.len());
        if let Some(shard) = Arc::make_mut(&mut self.root).get_mut(at)
            && Arc::make_mut(shard).insert(id, value).is_none()
        {
            self.len += 1;
        }
    }

    pub(crate) fn remove(&mut self, id: Uuid) {
        if self.get(id).is_none() {
            return;
        }
        let at = place(id, self.root.len());
        if let Some(shard) = Arc::make_mut(&mut self.root).get_mut(at) {
            Arc::make_mut(shard).remove(&id);
            self.len -= 1;
        }
    }

    /// Keeps what `keep` says; shards that lose nothing stay shared.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        for shard in Arc::make_mut(&mut self.root) {
            if !shard.values().all(&keep) {
                Arc::make_mut(shard).retain(|_, value| keep(value));
            }
        }
        self.len = self.root.iter().map(|shard| shard.len()).sum();
    }

    fn grow(&mut self) {
        let mut shards: Vec<HashMap<Uuid, V>> = Vec::new();
        shards.resize_with(self.root.len() * 2, HashMap::new);
        for (id, value) in self.root.iter().flat_map(|shard| shard.iter()) {
            let at = place(*id, shards.len());
            if let Some(shard) = shards.get_mut(at) {
                shard.insert(*id, value.clone());
            }
        }
        self.root = Arc::new(shards.into_iter().map(Arc::new).collect());
    }
}

impl<V: Clone + PartialEq> PartialEq for Shards<V> {
    fn eq(&self, other: &Self) -> bool {
        let mut all = self.root.iter().flat_map(|shard| shard.iter());
        self.len == other.len && all.all(|(id, value)| other.get(*id) == Some(value))
    }
}

/// The low bits of an id are random (UUID version 7), so they spread evenly without hashing.
#[expect(clippy::cast_possible_truncation, reason = "any bits will do to choose a shard")]
fn place(id: Uuid, shards: usize) -> usize {
    // INVARIANT: there is at least one shard.
    (id.as_u64_pair().1 as usize) % shards.max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    fn id(bits: u16) -> Uuid {
        Uuid::from_u128(u128::from(bits) | 7 << 76)
    }

    proptest! {
        #[test]
        fn it_is_a_map_and_copies_do_not_change(steps in prop::collection::vec((any::<u16>(), any::<Option<u8>>()), 0..600)) {
            let (mut shards, mut plain) = (Shards::default(), BTreeMap::new());
            let mut kept = Vec::new();
            for (at, (key, value)) in steps.iter().enumerate() {
                if let Some(value) = value {
                    shards.insert(id(*key), *value);
                    plain.insert(id(*key), *value);
                } else {
                    shards.remove(id(*key));
                    plain.remove(&id(*key));
                }
                if at % 97 == 0 {
                    kept.push((shards.clone(), plain.clone()));
                }
            }
            kept.push((shards, plain));
            for (shards, plain) in &kept {
                prop_assert_eq!(shards.len(), plain.len());
                prop_assert!(plain.iter().all(|(id, value)| shards.get(*id) == Some(value)));
                prop_assert_eq!(shards.values().count(), plain.len());
                let mut rebuilt = Shards::default();
                plain.iter().rev().for_each(|(id, value)| rebuilt.insert(*id, *value));
                prop_assert!(&rebuilt == shards);
            }
        }

        #[test]
        fn retaining_drops_exactly_what_is_not_kept(values in prop::collection::btree_map(any::<u16>(), any::<u8>(), 0..300)) {
            let mut shards = Shards::default();
            for (key, value) in &values {
                shards.insert(id(*key), *value);
            }
            shards.retain(|value| value % 2 == 0);
            let even = values.iter().filter(|(_, value)| *value % 2 == 0).count();
            prop_assert_eq!((shards.len(), shards.values().count()), (even, even));
        }
    }

    #[test]
    fn a_change_leaves_the_other_shards_shared() {
        let mut shards = Shards::default();
        (0..1000).for_each(|key| shards.insert(id(key), key));
        let before = shards.clone();
        shards.insert(id(5), 6);
        let same = before.root.iter().zip(shards.root.iter()).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert!(shards.root.len() > 8 && same == shards.root.len() - 1);
    }
}
