//! Waiting until everything is well again.

use std::{fmt::Write as _, sync::atomic::Ordering};

use anyhow::{Context as _, bail};

use super::{Driver, LOOK_MS, PATIENCE_MS};
use crate::sim::{ROUNDS, check, world::lock};

impl Driver {
    pub(super) fn wait_for(
        &mut self,
        what: &str,
        done: fn(&Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let until = self.now_ms() + PATIENCE_MS;
        loop {
            self.step()?;
            if self.now_ms().is_multiple_of(LOOK_MS) && done(self)? {
                return Ok(());
            }
            if self.now_ms() >= until {
                let state = self.state()?;
                bail!("not within {PATIENCE_MS} virtual ms: {what}; {state}");
            }
        }
    }

    /// What everybody is at, for a run that does not come to its end.
    fn state(&self) -> anyhow::Result<String> {
        let mut state = format!("{:?}, copies {:?}", self.operators, self.twins);
        self.runtime.block_on(async {
            let hub = &self.seen.hub;
            let (generation, stopped) = (hub.generation().await?, hub.stopped().await?);
            write!(state, ", generation {generation}, stopped {stopped:?}")?;
            for (own, node) in self.world.nodes.iter().zip(&self.seen.nodes) {
                let row = hub.store.region(node.region).await?.context("a known region")?;
                let heads = (hub.store.head(node.region).await?, node.store.head().await?);
                let heads = (heads.0.map(|h| h.position), heads.1.map(|h| h.position));
                let feeds = (hub.store.feed_end(node.region).await?, node.store.feed_end().await?);
                let settled = check::is_settled(&self.seen, node).await?;
                let totals = node.store.totals().await?;
                let told = lock(&own.told).clone();
                let (status, imported) = (row.status.as_str(), &own.imported);
                write!(
                    state,
                    "; {} {status}, settled {settled}, heads {heads:?}, feeds {feeds:?}",
                    node.region
                )?;
                write!(state, ", imported {imported:?}, told {told:?}, {totals:?}")?;
            }
            Ok(state)
        })
    }

    pub(super) fn all_judged(&self) -> anyhow::Result<bool> {
        let imported = self.world.nodes.iter().all(|own| own.imported.load(Ordering::Relaxed) == ROUNDS);
        let mut done = imported && self.operators.is_idle() && !self.twins.contains(&true);
        self.runtime.block_on(async {
            for node in &self.seen.nodes {
                if !done {
                    break;
                }
                let totals = node.store.totals().await?;
                done &= totals.waiting + totals.sealed + totals.pending == 0;
                done &= check::is_settled(&self.seen, node).await?;
                done &= node.store.feed_end().await? == self.seen.hub.store.feed_end(node.region).await?;
            }
            Ok(done)
        })
    }

    pub(super) fn all_released(&self) -> anyhow::Result<bool> {
        let [asked, made] = self.world.releases.each_ref().map(|count| count.load(Ordering::Relaxed));
        self.runtime.block_on(async {
            let newest = self.seen.hub.store.release(None).await?.map_or(0, |release| release.version);
            let mut done = asked == made && newest > 0;
            for node in &self.seen.nodes {
                done &= node.store.slice_version().await? == newest;
            }
            Ok(done)
        })
    }
}
