//! The Merkle tree of RFC 6962, section 2.1, grown one leaf at a time.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The hash of a leaf: `SHA-256(0x00 ‖ bytes)`.
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(bytes).finalize().into()
}

/// The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The right edge of a tree: the roots of its full subtrees, largest first. Enough to append and to know the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(leaf, 0);
    }

    /// Appends the root of a full subtree of 2^`height` leaves, to a tree of a multiple of as many.
    fn push_subtree(&mut self, root: Hash, height: u32) {
        let mut node = root;
        // A full subtree of each size that is already there is completed, as when one is added to a binary number.
        for _ in 0..(self.size >> height).trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1 << height;
    }

    /// Appends all leaves of `right`. This tree has a multiple of as many leaves as the next power of two after them.
    pub fn append(&mut self, right: &Self) {
        let mut rest = right.size;
        for root in &right.roots {
            let Some(height) = rest.checked_ilog2() else { return };
            self.push_subtree(*root, height);
            rest -= 1 << height;
        }
    }

    /// The right edge over the last `leaves` alone, which begin where a subtree that holds them all would; none when they
    /// do not begin at the edge of a full subtree.
    pub fn last(&self, leaves: u64) -> Option<Self> {
        let subtrees = usize::try_from(leaves.count_ones()).ok()?;
        let first = self.roots.len().checked_sub(subtrees)?;
        let covered = leaves.checked_ilog2().map_or(0, |height| self.size & (2_u64 << height).wrapping_sub(1));
        (covered == leaves).then(|| Self { size: leaves, roots: self.roots.get(first..).unwrap_or_default().to_vec() })
    }

    /// The root; for the empty tree the SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            None => Sha256::digest([]).into(),
            Some(last) => roots.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// As it is stored: the roots one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.roots.concat()
    }

    /// Reads what [`Frontier::to_bytes`] wrote for a tree of `size` leaves; none when it does not fit that size.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<32>();
        let fits = rest.is_empty() && u32::try_from(chunks.len()) == Ok(size.count_ones());
        fits.then(|| Self { size, roots: chunks.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MTH of RFC 6962, written as the RFC writes it.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&mth(&leaves[..split]), &mth(&leaves[split..]))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_rfc_at_every_size() {
        let leaves: Vec<Hash> = (0u8..=130).map(|n| leaf_hash(&[n])).collect();
        let mut frontier = Frontier::default();
        for (size, leaf) in leaves.iter().enumerate() {
            assert_eq!(frontier.root(), mth(&leaves[..size]), "at {size}");
            let stored = Frontier::from_bytes(size as u64, &frontier.to_bytes());
            assert_eq!(stored.as_ref(), Some(&frontier));
            frontier.push(*leaf);
        }
        assert_eq!(Frontier::from_bytes(3, &[0; 32]), None);
    }

    #[test]
    fn a_tree_is_grown_by_subtrees_and_its_end_is_a_tree() {
        let leaves: Vec<Hash> = (0u8..=200).map(|n| leaf_hash(&[n])).collect();
        let of = |leaves: &[Hash]| leaves.iter().fold(Frontier::default(), |mut tree, leaf| (tree.push(*leaf), tree).1);
        for size in 0..=leaves.len() {
            let (full, rest) = leaves[..size].split_at(size / 8 * 8);
            let mut grown = Frontier::default();
            full.chunks(8).for_each(|chunk| grown.append(&of(chunk)));
            grown.append(&of(rest));
            assert_eq!(grown, of(&leaves[..size]), "at {size}");
            assert_eq!(grown.last(rest.len() as u64), Some(of(rest)), "at {size}");
        }
        assert_eq!((of(&leaves[..12]).last(2), of(&leaves[..12]).last(13)), (None, None));
    }
}
