//! A map that is cheap to copy and change, and small: one root over shared shards, of which a change copies one.
//!
//! A shard has its ids in one piece, in their order, and the values in another. The ids are random, so where one stands
//! follows from its own bits, give or take a few places: a look-up touches the shard, a piece of its ids, and the value.

use std::sync::Arc;

use uuid::Uuid;

/// How many values a shard holds on average before the number of shards doubles.
const PER_SHARD: usize = 64;
const MOST_SHARDS: usize = 4096;
/// A full shard makes room for this part of what it holds, so that little memory stays unused.
const ROOM: usize = 16;

/// A map by id. Cloning it copies a pointer; changing a clone copies the root's pointers and one shard.
#[derive(Debug)]
pub(crate) struct Shards<V> {
    root: Arc<Vec<Arc<Shard<V>>>>,
    len: usize,
}

/// Some of the ids, in the order of [`order`], and in the same order what they stand for.
#[derive(Debug, Clone)]
struct Shard<V> {
    ids: Vec<Uuid>,
    values: Vec<V>,
}

impl<V> Default for Shard<V> {
    fn default() -> Self {
        Self { ids: Vec::new(), values: Vec::new() }
    }
}

impl<V> Shard<V> {
    /// Where an id stands, or else would stand.
    fn find(&self, id: Uuid) -> Result<usize, usize> {
        let wanted = order(id);
        let mut at = guess(wanted, self.ids.len());
        while self.ids.get(at).is_some_and(|here| order(*here) < wanted) {
            at += 1;
        }
        while at.checked_sub(1).and_then(|before| self.ids.get(before)).is_some_and(|before| order(*before) >= wanted) {
            at -= 1;
        }
        if self.ids.get(at) == Some(&id) { Ok(at) } else { Err(at) }
    }

    fn get(&self, id: Uuid) -> Option<&V> {
        self.values.get(self.find(id).ok()?)
    }

    /// Puts a value in; true when there was none.
    fn insert(&mut self, id: Uuid, value: V) -> bool {
        match self.find(id) {
            Ok(at) => {
                if let Some(before) = self.values.get_mut(at) {
                    *before = value;
                }
                false
            }
            Err(at) => {
                if self.ids.len() == self.ids.capacity() {
                    let room = self.ids.len() / ROOM + 1;
                    self.ids.reserve_exact(room);
                    self.values.reserve_exact(room);
                }
                self.ids.insert(at, id);
                self.values.insert(at, value);
                true
            }
        }
    }

    fn remove(&mut self, id: Uuid) {
        if let Ok(at) = self.find(id) {
            self.ids.remove(at);
            self.values.remove(at);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&Uuid, &V)> {
        self.ids.iter().zip(&self.values)
    }
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
        self.shard(id)?.get(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.root.iter().flat_map(|shard| &shard.values)
    }

    pub(crate) fn insert(&mut self, id: Uuid, value: V) {
        if self.len >= self.root.len() * PER_SHARD && self.root.len() < MOST_SHARDS {
            self.grow();
        }
        let at = place(id, self.root.len());
        if let Some(shard) = Arc::make_mut(&mut self.root).get_mut(at)
            && Arc::make_mut(shard).insert(id, value)
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
            Arc::make_mut(shard).remove(id);
            self.len -= 1;
        }
    }

    /// Keeps what `keep` says; shards that lose nothing stay shared.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        for shard in Arc::make_mut(&mut self.root) {
            if !shard.values.iter().all(&keep) {
                let kept = shard.iter().filter(|(_, value)| keep(value)).map(|(id, value)| (*id, value.clone()));
                let (ids, values) = kept.unzip();
                *shard = Arc::new(Shard { ids, values });
            }
        }
        self.len = self.root.iter().map(|shard| shard.ids.len()).sum();
    }

    fn shard(&self, id: Uuid) -> Option<&Arc<Shard<V>>> {
        self.root.get(place(id, self.root.len()))
    }

    fn grow(&mut self) {
        let mut shards: Vec<Shard<V>> = Vec::new();
        shards.resize_with(self.root.len() * 2, Shard::default);
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

/// What ids are sorted by: their 62 random bits first, of which the last chose the shard.
fn order(id: Uuid) -> u128 {
    id.as_u128().rotate_left(66)
}

/// Where a number would stand among `len` that are spread evenly.
fn guess(order: u128, len: usize) -> usize {
    usize::try_from(((order >> 64) * len as u128) >> 64).unwrap_or(len)
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
