//! Every node of the country at once, as after an outage of the hub: each connects, says Hello and pushes what it has.

mod node;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use dtsen_kit::net::Target;
use serde::Serialize;
use tokio::sync::Barrier;
use tonic::Status;

use self::node::{Seen, Waiting, enrol, greet, push, seal};
use super::report::percentile;
use crate::{
    faults::{power::cut::open_hub, wait},
    federation::{HUB_NAME, Hub},
    population::every_region,
    wire::{certificates, client},
};

/// Longest that one node may need.
const PATIENCE: Duration = Duration::from_mins(10);

/// How many, and how much each of them has.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// Nodes. Where there are more than kab/kota the others are provinces, which connect and have nothing to push.
    pub nodes: usize,
    /// Batches of each.
    pub batches: usize,
    /// Deltas of each batch.
    pub deltas: u64,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outage {
    /// Nodes.
    pub nodes: usize,
    /// Batches that came into custody.
    pub batches: usize,
    /// Seconds from the first connection until everybody had said Hello.
    pub connected: f64,
    /// From the first connection to the last receipt.
    pub seconds: f64,
    /// From the submission of a batch that was taken to its receipt.
    pub receipt_p50_ms: Option<f64>,
    /// The same.
    pub receipt_p99_ms: Option<f64>,
    /// Times that the hub said `RESOURCE_EXHAUSTED` with a delay.
    pub delayed: usize,
    /// Everything else that went wrong, and how often.
    pub errors: BTreeMap<String, usize>,
    /// How many had so many batches in custody when half of all were.
    pub at_half: BTreeMap<usize, usize>,
    /// Jain's index of the batches that each had in custody when half of all were: 1 if all had as many.
    pub jain: f64,
    /// Peak memory of the hub, MB.
    pub hub_peak_mb: u64,
}

/// Calls with every item, on both processors.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    call: impl Fn(&T) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    let middle = items.len() / 2;
    let (one, other) = items.split_at(middle);
    std::thread::scope(|scope| {
        let call = &call;
        let half = move |items: &[T]| items.iter().map(call).collect::<anyhow::Result<Vec<_>>>();
        let thread = scope.spawn(move || half(one));
        let other = half(other)?;
        let mut all = thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        all.extend(other);
        Ok(all)
    })
}

/// A hub, its nodes, and everybody at once.
pub fn run(folder: &Path, database: &str, form: Form) -> anyhow::Result<Outage> {
    let mut hub = Hub::create(&folder.join("pusat"), database)?;
    let regions = every_region(form.nodes)?;
    let granted = wait::block_on(async {
        let offline = open_hub(hub.home()).await?;
        let mut granted = Vec::new();
        for region in &regions {
            granted.push((
                *region,
                enrol(&offline, *region).await.with_context(|| format!("enrolling {region}"))?,
            ));
        }
        Ok(granted)
    })?;
    let sealed = in_parallel(&granted, |(region, (signer, ..))| seal(*region, signer, form))?;
    let nodes = granted.into_iter().zip(sealed).map(|((region, (_, identity, session)), requests)| Waiting {
        identity,
        region,
        session,
        requests,
    });
    let nodes: Vec<Waiting> = nodes.collect();
    hub.start()?;
    let found = everybody(&hub, nodes)?;
    hub.stop()?;
    Ok(found)
}

fn everybody(hub: &Hub, nodes: Vec<Waiting>) -> anyhow::Result<Outage> {
    let pushing = nodes.iter().filter(|node| !node.requests.is_empty()).count();
    let (count, batches) = (nodes.len(), nodes.iter().map(|node| node.requests.len()).sum::<usize>());
    let seen = Arc::new(Seen::of(count));
    let authority = certificates::authority(hub)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ready = Arc::new(Barrier::new(count + 1));
    let mut all = tokio::task::JoinSet::new();
    for (number, node) in nodes.into_iter().enumerate() {
        let tls = client::config(authority.certificate(), Some(&node.identity))?;
        let target = Target { url: hub.exchange_url(), server_name: HUB_NAME.into(), tls };
        let (seen, ready) = (seen.clone(), ready.clone());
        let one = async move {
            ready.wait().await;
            let late = || Err(("all", Status::deadline_exceeded("not served")));
            let greeted = tokio::time::timeout(PATIENCE, greet(&node, target, &seen)).await;
            // Everybody begins to push in the same moment again: how fair the hub is shows only while all want something.
            ready.wait().await;
            let pushed = match greeted {
                Ok(Ok(greeted)) => {
                    tokio::time::timeout(PATIENCE, push(number, node, greeted, batches / 2, &seen)).await
                }
                Ok(Err(failed)) => Ok(Err(failed)),
                Err(late) => Err(late),
            };
            if let Err((what, status)) = pushed.unwrap_or_else(|_| late()) {
                seen.failed(what, &status);
            }
        };
        all.spawn_on(one, runtime.handle());
    }
    let (connected, seconds) = runtime.block_on(async {
        ready.wait().await;
        let begun = wait::now();
        ready.wait().await;
        let connected = begun.elapsed().as_secs_f64();
        while all.join_next().await.is_some() {}
        (connected, begun.elapsed().as_secs_f64())
    });
    let taken: usize = seen.done.iter().map(|done| done.load(Ordering::Relaxed)).sum();
    ensure!(taken <= batches, "{taken} receipts for {batches} batches");
    let receipts = seen.receipts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let half = seen.half.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
    let errors = seen.errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Outage {
        nodes: count,
        batches: taken,
        connected,
        seconds,
        receipt_p50_ms: percentile(&receipts, 50),
        receipt_p99_ms: percentile(&receipts, 99),
        delayed: seen.delayed.load(Ordering::Relaxed),
        errors,
        at_half: half.iter().take(pushing).fold(BTreeMap::new(), |mut counts, had| {
            *counts.entry(*had).or_default() += 1;
            counts
        }),
        jain: jain(&half, pushing),
        hub_peak_mb: client::memory_kib(hub.pid().context("the hub runs")?, "VmHWM")? / 1_024,
    })
}

/// (Σx)² / (n Σx²): 1 if all have as much, 1/n if one has everything. Provinces, which have nothing to push, are last.
fn jain(of: &[usize], pushing: usize) -> f64 {
    let of = of.iter().take(pushing).map(|x| f64::from(u32::try_from(*x).unwrap_or(u32::MAX)));
    let (n, sum, squares) =
        of.fold((0.0, 0.0, 0.0), |(n, sum, squares), x| (n + 1.0, sum + x, squares + x * x));
    if squares == 0.0 { 0.0 } else { sum * sum / (n * squares) }
}

impl Outage {
    /// For people.
    pub fn print(&self, database: &str) {
        let ms = |value: Option<f64>| value.map_or_else(|| "none".into(), |value| format!("{value:.0} ms"));
        println!(
            "{} nodes at once on {database}: {} batches in custody in {:.1} s, receipt p50 {}, p99 {}, {} delayed, \
             Jain {:.3} {:?}, hub {} MB",
            self.nodes,
            self.batches,
            self.seconds,
            ms(self.receipt_p50_ms),
            ms(self.receipt_p99_ms),
            self.delayed,
            self.jain,
            self.at_half,
            self.hub_peak_mb
        );
        for (error, times) in &self.errors {
            println!("  {times} times {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_one_for_equals_and_small_where_one_has_all() {
        assert!((jain(&[3, 3, 3, 0], 3) - 1.0).abs() < 1e-9);
        assert!((jain(&[4, 0, 0, 0], 4) - 0.25).abs() < 1e-9);
    }
}
