//! The log: every committed entry is in it once, and its root is the one signed.

use std::collections::BTreeMap;

use dtsen_proto::{
    checkpoint::Checkpoint,
    merkle::{Frontier, Hash, Node},
    pb,
};

use super::{Audit, PAGE, unreadable};
use crate::{
    hub::Hub,
    store::{LeafRow, StoreError},
};

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
        let whole = generation == newest;
        one(hub, generation, whole, audit, named, &mut left).await?;
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
    whole: bool,
    audit: &mut Audit,
    named: &Named,
    left: &mut BTreeMap<&str, Hash>,
) -> Result<(), StoreError> {
    let mut tree = Frontier::default();
    loop {
        let page = hub.store.leaves(generation, tree.size(), PAGE).await?;
        if page.is_empty() {
            break;
        }
        let mut nodes = Vec::new();
        for row in page {
            audit.leaves += 1;
            if row.place != tree.size() {
                audit.fault(format!("log generasi {generation}: tempat {} hilang", tree.size()));
                return Ok(());
            }
            nodes.extend(tree.push(row.leaf));
            left.remove(row.name.as_str());
            // What the hub lost with an older copy is in the log of its generation only.
            let fits = named.0.get(&row.name).map_or(!whole, |leaf| *leaf == row.leaf);
            if !fits || !fits_kind(&row) {
                audit.fault(format!("log generasi {generation}: {} bukan entri yang dicatat", row.name));
            }
        }
        inner(hub, generation, &nodes, audit).await?;
    }
    checkpoint(hub, generation, &tree, audit).await
}

fn fits_kind(row: &LeafRow) -> bool {
    let kind = match row.name.split('/').next() {
        Some("b") => pb::LeafKind::Batch,
        Some("v") => pb::LeafKind::Verdicts,
        Some("d") => pb::LeafKind::Decision,
        _ => pb::LeafKind::Unspecified,
    };
    row.kind == i32::from(kind)
}

/// Stored nodes are those that follow from the leaves: proofs are built from them.
async fn inner(
    hub: &Hub,
    generation: u64,
    nodes: &[(Node, Hash)],
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let wanted: Vec<Node> = nodes.iter().map(|(node, _)| *node).collect();
    let stored = unreadable(hub.store.nodes(generation, &wanted).await)?;
    let Ok(stored) = stored else {
        audit.fault(format!("log generasi {generation}: sebuah simpul pohon hilang atau tidak terbaca"));
        return Ok(());
    };
    for ((node, hash), stored) in nodes.iter().zip(stored) {
        if *hash != stored {
            let Node { level, index } = node;
            audit.fault(format!("log generasi {generation}: simpul {level}/{index} tidak cocok"));
        }
    }
    Ok(())
}

async fn checkpoint(
    hub: &Hub,
    generation: u64,
    tree: &Frontier,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let expected = Checkpoint {
        origin: Checkpoint::origin_of(&hub.name, generation),
        size: tree.size(),
        root: tree.root(),
    };
    let fits = match hub.store.checkpoint(generation).await? {
        None => tree.size() == 0,
        // Ed25519 signs the same text the same way: the note is, byte for byte, what this hub signs.
        Some((size, note)) => size == tree.size() && note == expected.sign(&hub.name, &hub.keys.log),
    };
    if !fits {
        audit.fault(format!("log generasi {generation}: akar tidak sama dengan yang ditandatangani"));
    }
    Ok(())
}
