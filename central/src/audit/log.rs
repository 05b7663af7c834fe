//! The log: every committed entry is in it once, and its root is the one signed.

use std::collections::BTreeMap;

use dtsen_proto::{
    checkpoint::Checkpoint,
    merkle::{Frontier, Hash},
};

use super::{Audit, PAGE};
use crate::{hub::Hub, store::StoreError};

/// Entries that must be in a log, by name, until they are met.
#[derive(Default)]
pub(super) struct Named(BTreeMap<String, Hash>);

impl Named {
    pub(super) fn expect(&mut self, name: String, leaf: Hash) {
        self.0.insert(name, leaf);
    }
}

pub(super) async fn verify(hub: &Hub, audit: &mut Audit, named: &Named) -> Result<(), StoreError> {
    let mut left: BTreeMap<&str, Hash> = named.0.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    let newest = hub.generation().await?;
    for generation in 1..=newest {
        one(hub, generation, audit, named, &mut left).await?;
    }
    let waiting = hub.store.unlogged().await?;
    for name in left.keys().filter(|name| !waiting.iter().any(|w| w == *name)) {
        audit.fault(format!("log: entri {name} tidak ada"));
    }
    Ok(())
}

async fn one(
    hub: &Hub,
    generation: u64,
    audit: &mut Audit,
    named: &Named,
    left: &mut BTreeMap<&str, Hash>,
) -> Result<(), StoreError> {
    let Some((size, note)) = hub.store.checkpoint(generation).await? else { return Ok(()) };
    let mut tree = Frontier::default();
    loop {
        let page = hub.store.leaves(generation, tree.size(), PAGE).await?;
        if page.is_empty() {
            break;
        }
        for row in page {
            audit.leaves += 1;
            if row.place != tree.size() {
                audit.fault(format!("log generasi {generation}: tempat {} hilang", tree.size()));
                return Ok(());
            }
            tree.push(row.leaf);
            left.remove(row.name.as_str());
            // What the hub lost with an older copy is in the log of its generation only.
            if named.0.get(&row.name).is_some_and(|leaf| *leaf != row.leaf) {
                audit.fault(format!("log generasi {generation}: {} bukan entri yang dicatat", row.name));
            }
        }
    }
    let signed = Checkpoint::open(&note, &hub.name, &hub.keys.log.public());
    let expected = Checkpoint {
        origin: Checkpoint::origin_of(&hub.name, generation),
        size: tree.size(),
        root: tree.root(),
    };
    if size != tree.size() || signed.is_ok_and(|signed| *signed.get() != expected) {
        audit.fault(format!("log generasi {generation}: akar tidak sama dengan yang ditandatangani"));
    }
    Ok(())
}
