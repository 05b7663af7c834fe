//! What must be true of hub and nodes after any fault.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use dtsen_central::store::{self, Applied};
use dtsen_kit::sqlite::Mode;
use dtsen_node::store::{BatchRow, Totals};
use dtsen_proto::id::Position;
use prost::Message as _;

use super::wait;
use crate::federation::{Hub, Node};

/// Batches, records and applications read at once.
const PAGE: u32 = 256;

/// A sealed batch as its bytes: header and body.
pub type Bytes = (Vec<u8>, Vec<u8>);

/// All batches that a node keeps.
pub fn batches(node: &Node) -> anyhow::Result<Vec<BatchRow>> {
    wait::block_on(async {
        let store = node.store().await?;
        let (mut all, mut after) = (Vec::new(), (0, 0));
        loop {
            let page = store.batches(after.0, after.1, PAGE).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after = (last.position.epoch, last.position.sequence);
            all.extend(page);
        }
    })
}

/// A node's totals.
pub fn totals(node: &Node) -> anyhow::Result<Totals> {
    wait::block_on(async { Ok(node.store().await?.totals().await?) })
}

/// Batches that are sealed and have no receipt yet, as their bytes.
pub fn unreceipted(node: &Node) -> anyhow::Result<BTreeMap<Position, Bytes>> {
    let rows = batches(node)?.into_iter().filter(|row| row.receipt.is_none());
    Ok(rows.map(|row| (row.position, (row.header.encode_to_vec(), row.body))).collect())
}

/// Every receipt that a node holds is at the hub, with the same bytes; every batch was applied once.
pub fn every_acknowledged_batch_is_held_and_applied_once(hub: &Hub, nodes: &[&Node]) -> anyhow::Result<()> {
    let address = hub.database();
    let applied = wait::block_on(async {
        let store = store::open(&address, false, Mode::Production).await?;
        let (mut applied, mut after) = (BTreeMap::<Position, u32>::new(), 0);
        loop {
            let page = store.applications(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(applied) };
            for application in &page {
                if let Applied::Batch(position) = application.what {
                    *applied.entry(position).or_default() += 1;
                }
            }
            after = last.apply_no;
        }
    })?;
    for (position, times) in &applied {
        ensure!(*times == 1, "batch {position} was applied {times} times");
    }
    for node in nodes {
        for row in batches(node)? {
            let Some(receipt) = &row.receipt else { continue };
            let at = row.position;
            let held = wait::block_on(async {
                Ok(store::open(&address, false, Mode::Production).await?.batch(at).await?)
            })?;
            let held =
                held.with_context(|| format!("batch {at} has a receipt and the hub does not have it"))?;
            ensure!(held.id == row.id, "batch {at} is another one at the hub");
            ensure!(held.header == row.header.encode_to_vec(), "header of {at} is not the one sent");
            ensure!(held.receipt == receipt.encode_to_vec(), "receipt of {at} is not the one given");
            ensure!(held.body.as_ref() == Some(&row.body), "body of {at} is not the one sent");
            ensure!(applied.contains_key(&at), "batch {at} was never applied");
        }
    }
    Ok(())
}

/// Every delta has exactly one current verdict, and both sides count the same.
pub fn every_delta_has_one_verdict(hub: &Hub, nodes: &[&Node]) -> anyhow::Result<()> {
    let status = hub.json(&["status"])?;
    for node in nodes {
        let own = totals(node)?;
        let lines = status["regions"].as_array().into_iter().flatten();
        let region = node.region.to_string();
        let line = lines.into_iter().find(|l| l["region"] == region.as_str()).context("the region")?;
        let figure = |name: &str| line[name].as_u64().unwrap_or(u64::MAX);
        let judged = own.accepted + own.warned + own.held + own.rejected;
        ensure!(judged == own.sent, "{region}: {judged} verdicts for {} deltas", own.sent);
        let here = [own.batches, own.sent, own.accepted, own.warned, own.held, own.rejected];
        let there = ["batches", "deltas", "accepted", "warned", "held", "rejected"].map(figure);
        ensure!(here == there, "{region}: the node counts {here:?}, the hub {there:?}");
        ensure!(own.pending + own.sealed + own.waiting == 0, "{region}: not everything is sent: {own:?}");
    }
    Ok(())
}

/// Hub and nodes check themselves.
pub fn everybody_verifies(hub: &Hub, nodes: &[&Node]) -> anyhow::Result<()> {
    for node in nodes {
        node.run(&["verify"])?;
    }
    if hub.run(&["--help"])?.lines().any(|line| line.trim_start().starts_with("verify ")) {
        hub.run(&["verify"])?;
    }
    Ok(())
}

/// Everything above.
pub fn check(hub: &Hub, nodes: &[&Node]) -> anyhow::Result<()> {
    every_acknowledged_batch_is_held_and_applied_once(hub, nodes)?;
    every_delta_has_one_verdict(hub, nodes)?;
    everybody_verifies(hub, nodes)
}
