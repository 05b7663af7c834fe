//! The tree of RFC 6962: roots, inclusion and consistency proofs.
//!
//! Interior nodes are addressed as `(level, index)`: the node covers the leaves from `index << level`, `1 << level` of
//! them. Only nodes over a full range of leaves are ever stored or asked for, so a store keeps each node once and for ever.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Hash of a leaf: `SHA-256(0x00 || data)`.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(data).finalize().into()
}

/// Hash of an interior node: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Root of the empty tree: the hash of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// Largest power of two below `n`, for `n > 1`.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Root over leaf hashes in memory.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let k = usize::try_from(split(leaves.len() as u64)).expect("below the length of a slice");
            node_hash(&root(&leaves[..k]), &root(&leaves[k..]))
        }
    }
}

/// An interior node over `1 << level` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Height above the leaves.
    pub level: u8,
    /// Place among the nodes of that height.
    pub index: u64,
}

/// The stored nodes that together give the hash of the leaves `from..to`.
fn cover(from: u64, to: u64, out: &mut Vec<Node>) {
    let mut at = from;
    while at < to {
        let aligned = if at == 0 { 63 } else { at.trailing_zeros() };
        let level = aligned.min((to - at).ilog2());
        out.push(Node { level: u8::try_from(level).expect("below 64"), index: at >> level });
        at += 1 << level;
    }
}

/// Hash of the leaves `from..to` from the stored nodes that cover them, in order.
fn fold(hashes: &[Hash]) -> Hash {
    let (last, rest) = hashes.split_last().expect("a range with leaves has a node");
    rest.iter().rev().fold(*last, |right, left| node_hash(left, &right))
}

/// What a tree needs to grow: the hashes of the stored nodes at its right edge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Left to right, as `cover(0, size)` lists them.
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The nodes to load for a tree of this size, left to right.
    pub fn nodes(size: u64) -> Vec<Node> {
        let mut nodes = Vec::new();
        cover(0, size, &mut nodes);
        nodes
    }

    /// Takes up a tree of `size` leaves from the hashes of [`Frontier::nodes`]; `None` if their number is wrong.
    pub fn resume(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (Self::nodes(size).len() == hashes.len()).then_some(Self { size, hashes })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root over all leaves.
    pub fn root(&self) -> Hash {
        if self.size == 0 { empty_root() } else { fold(&self.hashes) }
    }

    /// Adds a leaf and returns every node that is now complete, to be stored.
    pub fn push(&mut self, leaf: Hash) -> Vec<(Node, Hash)> {
        let mut stored = vec![(Node { level: 0, index: self.size }, leaf)];
        let mut hash = leaf;
        let complete = (self.size + 1).trailing_zeros();
        for level in 1..=complete {
            let left = self.hashes.pop().expect("a complete left neighbour");
            hash = node_hash(&left, &hash);
            let level = u8::try_from(level).expect("below 64");
            stored.push((Node { level, index: self.size >> level }, hash));
        }
        self.hashes.push(hash);
        self.size += 1;
        stored
    }
}

/// A proof as a list of ranges; each is the fold of the stored nodes that cover it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProofPlan {
    ranges: Vec<(u64, u64)>,
}

impl ProofPlan {
    /// Path of leaf `index` in the tree of the first `size` leaves (RFC 6962 §2.1.1).
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut ranges = Vec::new();
        let (mut from, mut to) = (0, size);
        while to - from > 1 {
            let k = split(to - from);
            if index < from + k {
                ranges.push((from + k, to));
                to = from + k;
            } else {
                ranges.push((from, from + k));
                from += k;
            }
        }
        ranges.reverse();
        Some(Self { ranges })
    }

    /// Proof that the tree of `old` leaves is a prefix of the tree of `new` leaves (RFC 6962 §2.1.2).
    pub fn consistency(old: u64, new: u64) -> Option<Self> {
        if old > new {
            return None;
        }
        if old == 0 || old == new {
            return Some(Self::default());
        }
        let mut ranges = Vec::new();
        let (mut from, mut to) = (0, new);
        let mut whole = true;
        while old != to {
            let k = split(to - from);
            if old <= from + k {
                ranges.push((from + k, to));
                to = from + k;
            } else {
                ranges.push((from, from + k));
                from += k;
                whole = false;
            }
        }
        if !whole {
            ranges.push((from, to));
        }
        ranges.reverse();
        Some(Self { ranges })
    }

    /// The stored nodes to load, in order.
    pub fn nodes(&self) -> Vec<Node> {
        let mut nodes = Vec::new();
        for (from, to) in &self.ranges {
            cover(*from, *to, &mut nodes);
        }
        nodes
    }

    /// The proof, from the hashes of [`ProofPlan::nodes`] in the same order; `None` if their number is wrong.
    pub fn build(&self, hashes: &[Hash]) -> Option<Vec<Hash>> {
        let mut rest = hashes;
        let mut proof = Vec::with_capacity(self.ranges.len());
        for (from, to) in &self.ranges {
            let mut nodes = Vec::new();
            cover(*from, *to, &mut nodes);
            let (own, after) = rest.split_at_checked(nodes.len())?;
            proof.push(fold(own));
            rest = after;
        }
        rest.is_empty().then_some(proof)
    }

    /// The proof over leaves in memory.
    pub fn of_leaves(&self, leaves: &[Hash]) -> Vec<Hash> {
        let at = |n: u64| usize::try_from(n).expect("an index of a slice");
        self.ranges.iter().map(|(from, to)| root(&leaves[at(*from)..at(*to)])).collect()
    }
}

/// Root that follows from a leaf, its place and its path; `None` if the path has the wrong length.
pub fn root_from_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    let plan = ProofPlan::inclusion(index, size)?;
    if plan.ranges.len() != path.len() {
        return None;
    }
    Some(plan.ranges.iter().zip(path).fold(leaf, |hash, ((from, _), other)| {
        if *from > index { node_hash(&hash, other) } else { node_hash(other, &hash) }
    }))
}

/// Whether the tree `(new, new_root)` is the tree `(old, old_root)` with leaves appended.
pub fn is_consistent(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    let Some(plan) = ProofPlan::consistency(old, new) else { return false };
    if plan.ranges.len() != proof.len() {
        return false;
    }
    if old == new {
        return old_root == new_root;
    }
    if old == 0 {
        return *old_root == empty_root();
    }
    // The first range, or the old tree itself when it is one stored node, is where both folds begin.
    let (start, rest) = match plan.ranges.first() {
        Some((_, to)) if *to == old => (proof[0], &proof[1..]),
        _ => (*old_root, proof),
    };
    let skipped = proof.len() - rest.len();
    let (mut old_hash, mut new_hash) = (start, start);
    for ((from, _), other) in plan.ranges[skipped..].iter().zip(rest) {
        if *from >= old {
            new_hash = node_hash(&new_hash, other);
        } else {
            old_hash = node_hash(other, &old_hash);
            new_hash = node_hash(other, &new_hash);
        }
    }
    old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
mod tests;
