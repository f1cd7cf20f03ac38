//! A map that is cheap to copy and change, and small: one root over shared shards, of which a change copies one.
//!
//! The ids are random, so where one stands in its shard follows from its own bits, give or take a few places. Each stands
//! beside its value, and the root points at them with nothing between: among a great many, every step of a look-up is
//! into a page of memory that the processor has to find first.

use std::sync::Arc;

use uuid::Uuid;

/// How many values a shard holds on average before the number of shards doubles.
const PER_SHARD: usize = 64;
const MOST_SHARDS: usize = 4096;

/// A map by id. Cloning it copies a pointer; changing a clone copies the root's pointers and one shard.
#[derive(Debug)]
pub(crate) struct Shards<V> {
    root: Arc<[Shard<V>]>,
    len: usize,
}

/// Some of the ids, each with what it stands for, in the order of [`order`].
type Shard<V> = Arc<[(Uuid, V)]>;

impl<V> Clone for Shards<V> {
    fn clone(&self) -> Self {
        Self { root: Arc::clone(&self.root), len: self.len }
    }
}

impl<V> Default for Shards<V> {
    fn default() -> Self {
        Self::empty(1)
    }
}

impl<V> Shards<V> {
    fn empty(shards: usize) -> Self {
        Self { root: (0..shards).map(|_| Arc::default()).collect(), len: 0 }
    }
}

impl<V: Clone> Shards<V> {
    pub(crate) fn get(&self, id: Uuid) -> Option<&V> {
        let shard = self.root.get(place(id, self.root.len()))?;
        let (_, value) = shard.get(find(shard, id).ok()?)?;
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries().map(|(_, value)| value)
    }

    pub(crate) fn insert(&mut self, id: Uuid, value: V) {
        self.extend(vec![(id, value)]);
    }

    /// Puts values in, the later in the place of the earlier; each shard is copied once.
    pub(crate) fn extend(&mut self, mut entries: Vec<(Uuid, V)>) {
        let (held, mut shards) = (self.len + entries.len(), self.root.len());
        while held > shards * PER_SHARD && shards < MOST_SHARDS {
            shards *= 2;
        }
        if shards > self.root.len() {
            entries = self.entries().cloned().chain(entries).collect();
            *self = Self::empty(shards);
        }
        entries.sort_by_key(|(id, _)| place(*id, shards));
        let (root, mut entries) = (Arc::make_mut(&mut self.root), entries.into_iter().peekable());
        while let Some(at) = entries.peek().map(|(id, _)| place(*id, shards)) {
            let Some(shard) = root.get_mut(at) else { return };
            let here = std::iter::from_fn(|| entries.next_if(|(id, _)| place(*id, shards) == at));
            let before = shard.len();
            *shard = with(shard, here);
            self.len += shard.len() - before;
        }
    }

    pub(crate) fn remove(&mut self, id: Uuid) {
        if self.get(id).is_none() {
            return;
        }
        let at = place(id, self.root.len());
        if let Some(shard) = Arc::make_mut(&mut self.root).get_mut(at) {
            *shard = shard.iter().filter(|(here, _)| *here != id).cloned().collect();
            self.len -= 1;
        }
    }

    /// Keeps what `keep` says; shards that lose nothing stay shared.
    pub(crate) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        for shard in Arc::make_mut(&mut self.root) {
            if !shard.iter().all(|(_, value)| keep(value)) {
                *shard = shard.iter().filter(|(_, value)| keep(value)).cloned().collect();
            }
        }
        self.len = self.root.iter().map(|shard| shard.len()).sum();
    }

    fn entries(&self) -> impl Iterator<Item = &(Uuid, V)> {
        self.root.iter().flat_map(|shard| shard.iter())
    }
}

impl<V: Clone + PartialEq> PartialEq for Shards<V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.entries().all(|(id, value)| other.get(*id) == Some(value))
    }
}

/// Where an id stands in a shard, or else would stand.
fn find<V>(shard: &[(Uuid, V)], id: Uuid) -> Result<usize, usize> {
    let wanted = order(id);
    let mut at = guess(wanted, shard.len());
    while shard.get(at).is_some_and(|(here, _)| order(*here) < wanted) {
        at += 1;
    }
    while at.checked_sub(1).and_then(|before| shard.get(before)).is_some_and(|(before, _)| order(*before) >= wanted) {
        at -= 1;
    }
    if shard.get(at).is_some_and(|(here, _)| *here == id) { Ok(at) } else { Err(at) }
}

/// A shard with more in it.
fn with<V: Clone>(shard: &[(Uuid, V)], more: impl Iterator<Item = (Uuid, V)>) -> Shard<V> {
    let mut entries = shard.to_vec();
    for (id, value) in more {
        match find(&entries, id) {
            Ok(at) => {
                if let Some((_, before)) = entries.get_mut(at) {
                    *before = value;
                }
            }
            Err(at) => entries.insert(at, (id, value)),
        }
    }
    entries.into()
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
                let first = plain.keys().map(|id| (*id, 0));
                rebuilt.extend(first.chain(plain.iter().rev().map(|(id, value)| (*id, *value))).collect());
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
