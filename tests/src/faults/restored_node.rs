//! A node comes back from an older copy, from nothing, and with new keys: it reads back what it lost and goes on.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{
    contents, ledger,
    place::Place,
    source::{self, Source},
};
use crate::federation::{Hub, Node};

const REGIONS: [(&str, u64); 2] = [("52.71", 40), ("75.71", 20)];
const PATIENCE: Duration = Duration::from_secs(20);

struct Stage {
    hub: Hub,
    own: Source,
    other: Source,
}

impl Stage {
    fn set_up(place: &Place) -> anyhow::Result<Self> {
        let plans = source::plans(place.seed(), &REGIONS)?;
        let mut hub = Hub::create(&place.path("pusat"), place.database())?;
        hub.start()?;
        let own = Source::enrol(&hub, &place.path("node"), &plans[0])?;
        let other = Source::enrol(&hub, &place.path("node"), &plans[1])?;
        other.load(0)?;
        other.node.sync()?;
        Ok(Self { hub, own, other })
    }

    fn region(&self) -> String {
        self.own.node.region.to_string()
    }

    fn status(&self) -> anyhow::Result<String> {
        let lines = self.hub.json(&["region", "list"])?;
        let region = self.region();
        let line = lines.as_array().into_iter().flatten().find(|l| l["region"] == region.as_str());
        Ok(line.and_then(|l| l["status"].as_str()).unwrap_or_default().to_owned())
    }

    fn new_epoch(&self) -> anyhow::Result<()> {
        self.hub.run(&["region", "new-epoch", &self.region(), "--by", "petugas"])?;
        Ok(())
    }

    fn check(&self) -> anyhow::Result<()> {
        ledger::check(&self.hub, &[&self.own.node, &self.other.node])
    }

    /// The node's sources say what the registry has: nothing is sent.
    fn nothing_new(&self, day: u32) -> anyhow::Result<()> {
        let arguments = self.own.import(day)?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let summary = self.own.node.json(&arguments)?;
        let files = summary["files"].as_array().context("files")?;
        let queued: u64 = files.iter().filter_map(|f| f["counts"]["queued"].as_u64()).sum();
        ensure!(queued == 0, "a file that the hub knows made {queued} changes: {summary}");
        Ok(())
    }

    fn epoch(&self) -> anyhow::Result<Value> {
        Ok(self.own.node.json(&["status"])?["epoch"].clone())
    }
}

fn stopped(node: &Node, as_what: &str, word: &str) -> anyhow::Result<()> {
    let exchange = node.try_sync(PATIENCE)?;
    ensure!(!exchange.well && exchange.report["stopped"] == as_what, "not stopped: {exchange:?}");
    ensure!(exchange.told.contains(word), "the operator is not told: {}", exchange.told);
    Ok(())
}

/// Back from an older copy, while the original still runs somewhere.
pub fn from_a_copy(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set_up(place)?;
    stage.own.load(0)?;
    stage.own.node.sync()?;
    let copy = stage.own.node.clone_to(&place.path("salinan"))?;
    for day in 1..3 {
        stage.own.load(day)?;
        stage.own.node.sync()?;
    }
    let before = contents::of_database(&stage.hub.database())?;
    let kept = ledger::batches(&stage.own.node)?;
    let original = std::mem::replace(&mut stage.own.node, copy);

    stage.own.load(1)?;
    stopped(&stage.own.node, "node_behind", "new-epoch")?;
    ensure!(stage.status()? == "restored", "the hub says {}", stage.status()?);
    stopped(&stage.own.node, "node_behind", "dipulihkan")?;
    ensure!(ledger::batches(&stage.own.node)?.len() < kept.len(), "something was sealed");
    stage.new_epoch()?;
    stage.own.node.sync()?;
    ensure!(stage.epoch()? == 2, "epoch {}", stage.epoch()?);
    let now = ledger::batches(&stage.own.node)?;
    for (then, now) in kept.iter().zip(&now) {
        let same = then.id == now.id && then.receipt == now.receipt && then.body == now.body;
        ensure!(same && then.judged == now.judged, "{} is not what it was", then.position);
    }
    stage.own.load(2)?;
    stage.own.node.sync()?;
    contents::compare(&contents::of_database(&stage.hub.database())?, &before)?;
    stage.nothing_new(2)?;
    stage.check()?;

    // The original was never switched off.
    let stray = original.try_sync(PATIENCE)?;
    ensure!(!stray.well && stray.report["stopped"].is_string(), "the original got in: {stray:?}");
    ensure!(stage.status()? != "active", "the hub does not stop the region");
    stage.new_epoch()?;
    stage.own.load(3)?;
    stage.own.node.sync()?;
    stage.check()
}

/// An emptied disk: the region enrols again and has everything back.
pub fn from_nothing(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set_up(place)?;
    for day in 0..3 {
        stage.own.load(day)?;
        stage.own.node.sync()?;
    }
    let before = contents::of_database(&stage.hub.database())?;
    let kept = ledger::batches(&stage.own.node)?;
    let empty = Node::create(&place.path("node-baru"), stage.own.node.region)?;
    let old = std::mem::replace(&mut stage.own.node, empty);
    stage.hub.enrol(&stage.own.node)?;
    stage.own.node.sync()?;
    ensure!(stage.epoch()? == 2, "epoch {}", stage.epoch()?);
    let now = ledger::batches(&stage.own.node)?;
    let same =
        kept.iter().zip(&now).all(|(a, b)| a.id == b.id && a.receipt == b.receipt && a.judged == b.judged);
    ensure!(same && kept.len() == now.len(), "not everything was read back");
    stage.nothing_new(2)?;
    stage.check()?;
    contents::compare(&contents::of_database(&stage.hub.database())?, &before)?;
    let gone = old.try_sync(PATIENCE)?;
    ensure!(!gone.well, "the node of before got in with its old keys: {gone:?}");
    ensure!(stage.status()? == "active", "a certificate of before stops nobody: {}", stage.status()?);
    stage.own.load(3)?;
    stage.own.node.sync()?;
    stage.check()
}

/// Keys revoked in the middle of traffic: the same data goes on under new ones, and what was sealed before is sealed anew.
pub fn with_new_keys(place: &Place) -> anyhow::Result<()> {
    let stage = Stage::set_up(place)?;
    stage.own.load(0)?;
    stage.own.node.sync()?;
    stage.own.load(1)?;
    stage.hub.run(&["region", "revoke", &stage.region(), "--by", "petugas"])?;
    let refused = stage.own.node.try_sync(PATIENCE)?;
    ensure!(!refused.well, "revoked keys got in: {refused:?}");
    stage.hub.enrol(&stage.own.node)?;
    stage.own.node.sync()?;
    ensure!(stage.epoch()? == 2, "epoch {}", stage.epoch()?);
    stage.nothing_new(1)?;
    stage.own.load(2)?;
    stage.own.node.sync()?;
    stage.check()
}
