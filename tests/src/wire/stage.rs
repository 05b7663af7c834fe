//! A hub, a region that keeps to the protocol, and one that does not.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use dtsen_central::store;
use dtsen_kit::{ambient::Ambient, sqlite::Mode};
use serde_json::Value;

use super::{
    client::Refused,
    peer::{self, Peer},
};
use crate::{
    faults::{
        ledger,
        place::Place,
        source::{self, Source},
        wait,
    },
    federation::Hub,
};

const REGIONS: [(&str, u64); 2] = [("52.71", 25), ("75.71", 10)];
/// Deltas of the hostile region that are at hand.
const DELTAS: usize = 60;
/// Bytes of one delta that does not pack, and how many a batch has: nearly as much as one reply brings.
const NOISE: usize = 60_000;
const NOISES: usize = 16;
/// How long the hub may need until nothing waits.
const QUIET: Duration = Duration::from_secs(30);

/// The stage.
pub struct Stage {
    /// The hub: a real process.
    pub hub: Hub,
    /// The region that keeps to the protocol: real processes. One batch of it is in custody.
    pub honest: Source,
    /// The region that does not. Nothing of it is in custody, and it has said Hello.
    pub peer: Peer,
    /// Good deltas of the hostile region.
    pub deltas: Vec<Vec<u8>>,
    day: u32,
}

impl Stage {
    /// Sets the stage.
    pub fn set(place: &Place) -> anyhow::Result<Self> {
        let plans = source::plans(place.seed(), &REGIONS)?;
        let mut hub = Hub::create(&place.path("pusat"), place.database())?;
        hub.start()?;
        let hostile = Source::enrol(&hub, &place.path("node"), &plans[0])?;
        let honest = Source::enrol(&hub, &place.path("node"), &plans[1])?;
        hostile.load(0)?;
        honest.load(0)?;
        honest.node.sync()?;
        let deltas = peer::deltas(&hostile.node, &place.path("salinan"), DELTAS)?;
        ensure!(deltas.len() == DELTAS, "{} deltas", deltas.len());
        let mut peer = Peer::of(&hostile.node, &hub)?;
        peer.hello().map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        Ok(Self { hub, honest, peer, deltas, day: 0 })
    }

    /// Gives the hostile region a large batch, so that it has something large to read back.
    pub fn deliver_noise(&mut self) -> anyhow::Result<()> {
        let ambient = Ambient::system();
        let noise = || (0..NOISE / 32).flat_map(|_| ambient.bytes::<32>()).collect();
        let deltas: Vec<Vec<u8>> = (0..NOISES).map(|_| noise()).collect();
        self.peer.deliver(&deltas).map(drop)
    }

    /// What the hub says of itself once nothing waits any more: state of all regions, every batch, the log.
    pub fn state(&self) -> anyhow::Result<Value> {
        let address = self.hub.database();
        wait::until(QUIET, || {
            let waiting = wait::block_on(async {
                let store = store::open(&address, false, Mode::Production).await?;
                Ok((store.waiting_count().await?.0, store.unlogged().await?.len()))
            });
            match waiting {
                Ok((0, 0)) => Ok(()),
                other => Err(format!("batches and entries that wait: {other:?}")),
            }
        })?;
        let batches = self.hub.json(&["batch", "list", "--limit", "1000"])?;
        Ok(serde_json::json!({ "status": self.hub.json(&["status"])?, "batches": batches }))
    }

    /// Something is tried: it is refused with this code, and nothing changed.
    pub fn refused<T: std::fmt::Debug>(
        &mut self,
        what: &str,
        reason: &str,
        attempt: impl FnOnce(&mut Peer, &[Vec<u8>]) -> Result<T, Refused>,
    ) -> anyhow::Result<Refused> {
        let before = self.state()?;
        let refused = match attempt(&mut self.peer, &self.deltas) {
            Ok(answer) => anyhow::bail!("{what}: not refused but answered: {answer:?}"),
            Err(refused) => refused,
        };
        ensure!(refused.reason == reason, "{what}: refused with {refused:?} instead of {reason}");
        let after = self.state()?;
        ensure!(before == after, "{what}: changed\n{before:#}\nto\n{after:#}");
        Ok(refused)
    }

    /// The region that keeps to the protocol sends what is new and gets its verdicts.
    pub fn honest_goes_on(&mut self) -> anyhow::Result<()> {
        self.day += 1;
        self.honest.load(self.day)?;
        let report = self.honest.node.sync()?;
        ensure!(report["batches"].as_u64() > Some(0), "nothing was sent: {report}");
        ledger::every_delta_has_one_verdict(&self.hub, &[&self.honest.node])
    }

    /// The hub and the honest region check themselves, and the honest region still gets through.
    pub fn end(&mut self) -> anyhow::Result<()> {
        self.honest_goes_on()?;
        ledger::everybody_verifies(&self.hub, &[&self.honest.node])
    }

    /// Line of the hostile region in the hub's status.
    pub fn hostile_line(&self) -> anyhow::Result<Value> {
        let region = self.peer.region.to_string();
        let state = self.state()?;
        let lines = state["status"]["regions"].as_array().context("regions")?.clone();
        lines.into_iter().find(|line| line["region"] == region.as_str()).context("the hostile region")
    }
}
