//! Two registries beside each other: which records differ, and whether erased deltas explain it.
//!
//! An erasure names the record that its delta was about. Without the delta a replay may lack that record, have other claims
//! in it, or have made another one under the same number: records that share a number with a named one are explained too.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use dtsen_proto::{id::RecordId, pb};
use prost::Message as _;
use serde::Serialize;

use super::{PAGE, state_hash};
use crate::store::{Store, StoreError};

/// Differing records told by name.
const TOLD: usize = 100;

/// Two registries compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// State hash of the one that was rebuilt from.
    pub state_hash: String,
    /// State hash of the rebuilt one.
    pub replayed_hash: String,
    /// Whether both are equal: records, and who holds which number.
    pub same: bool,
    /// Records that differ.
    pub differing: u64,
    /// Numbers whose holder differs.
    pub differing_holders: u64,
    /// Of both, what no erasure explains.
    pub unexplained: u64,
    /// The first ids of records that no erasure explains.
    pub first_unexplained: Vec<String>,
}

/// Compares a registry with the one that was rebuilt from its evidence.
pub async fn compare(here: &dyn Store, there: &dyn Store) -> Result<Comparison, StoreError> {
    let (mut differing, mut holders) = (BTreeSet::new(), Holders::new());
    differences(here, there, Of::Records, |key, _| differing.extend(RecordId::from_slice(key))).await?;
    differences(here, there, Of::Holders, |key, pair| {
        holders.insert(key.to_vec(), pair.map(|id| id.and_then(|id| RecordId::from_slice(&id))));
    })
    .await?;
    let mut explained = named(here).await?;
    while grow(&mut explained, &holders) {}
    let unexplained: Vec<RecordId> = differing.difference(&explained).copied().collect();
    let strange = holders.values().filter(|pair| pair.iter().flatten().all(|id| !explained.contains(id)));
    Ok(Comparison {
        state_hash: hex::encode(state_hash(here).await?),
        replayed_hash: hex::encode(state_hash(there).await?),
        same: differing.is_empty() && holders.is_empty(),
        differing: differing.len() as u64,
        differing_holders: holders.len() as u64,
        unexplained: (unexplained.len() + strange.count()) as u64,
        first_unexplained: unexplained.iter().take(TOLD).map(RecordId::to_string).collect(),
    })
}

/// Records named by erasures.
async fn named(store: &dyn Store) -> Result<BTreeSet<RecordId>, StoreError> {
    let (mut named, mut after) = (BTreeSet::new(), 0);
    loop {
        let page = store.decisions(after, PAGE).await?;
        let Some((last, ..)) = page.last() else { return Ok(named) };
        after = *last;
        let envelopes = page.iter().filter_map(|(.., entry)| pb::Envelope::decode(entry.as_slice()).ok());
        for act in envelopes.filter_map(|e| pb::Decision::decode(e.payload.as_slice()).ok()?.act) {
            if let pb::decision::Act::Erase(act) = act {
                named.extend(RecordId::from_slice(&act.record_id));
            }
        }
    }
}

/// Who holds a number here and there, where that differs.
type Holders = BTreeMap<Vec<u8>, [Option<RecordId>; 2]>;

/// Adds records that stand under one number with an explained one. Returns whether there were any.
fn grow(explained: &mut BTreeSet<RecordId>, holders: &Holders) -> bool {
    let before = explained.len();
    for pair in holders.values() {
        if pair.iter().flatten().any(|id| explained.contains(id)) {
            explained.extend(pair.iter().flatten());
        }
    }
    explained.len() > before
}

/// Tells every key whose value is not the same in both stores, with both values.
async fn differences(
    here: &dyn Store,
    there: &dyn Store,
    of: Of,
    mut tell: impl FnMut(&[u8], [Option<Vec<u8>>; 2]) + Send,
) -> Result<(), StoreError> {
    let (mut one, mut other) = (Stream::new(here, of), Stream::new(there, of));
    let (mut a, mut b) = (one.next().await?, other.next().await?);
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(()),
            (Some((x, _)), Some((y, _))) => x.cmp(y),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
        };
        let left = if order.is_le() { std::mem::replace(&mut a, one.next().await?) } else { None };
        let right = if order.is_ge() { std::mem::replace(&mut b, other.next().await?) } else { None };
        if left != right {
            let key = left.as_ref().or(right.as_ref()).map(|(key, _)| key.clone()).unwrap_or_default();
            tell(&key, [left, right].map(|row| row.map(|(_, value)| value)));
        }
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Records by id: their bodies.
    Records,
    /// Numbers: who holds them.
    Holders,
}

/// Key and value.
type Pair = (Vec<u8>, Vec<u8>);

/// Rows of a store in order of keys, page by page.
struct Stream<'a> {
    store: &'a dyn Store,
    of: Of,
    page: std::vec::IntoIter<Pair>,
    after: Vec<u8>,
}

impl<'a> Stream<'a> {
    fn new(store: &'a dyn Store, of: Of) -> Self {
        Self { store, of, page: Vec::new().into_iter(), after: Vec::new() }
    }

    async fn next(&mut self) -> Result<Option<Pair>, StoreError> {
        if self.page.len() == 0 {
            self.page = self.read().await?.into_iter();
        }
        let next = self.page.next();
        if let Some((key, _)) = &next {
            self.after.clone_from(key);
        }
        Ok(next)
    }

    async fn read(&self) -> Result<Vec<Pair>, StoreError> {
        Ok(match self.of {
            Of::Records => {
                let rows = self.store.records_after(&self.after, PAGE).await?;
                rows.into_iter().map(|r| (r.id.as_bytes().to_vec(), r.body)).collect()
            }
            Of::Holders => {
                let after = String::from_utf8_lossy(&self.after);
                let rows = self.store.holders_after(&after, PAGE).await?;
                rows.into_iter().map(|(number, id)| (number.into_bytes(), id)).collect()
            }
        })
    }
}
