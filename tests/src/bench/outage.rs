//! Every node of the country at once, as after an outage of the hub: each connects, says Hello and pushes what it has.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use dtsen_central::{enrolment, hub::Decided};
use dtsen_kit::{
    ambient::Ambient,
    net::{self, Target, Tcp},
    tls,
};
use dtsen_node::enrol::Applicant;
use dtsen_proto::{
    batch::{self, Draft},
    chain::Head,
    enrol::Token,
    key::Signer,
    limits,
    pb::{self, exchange_client::ExchangeClient},
    region::Region,
};
use serde::Serialize;
use tokio::sync::Barrier;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{crowd::Crowd, report::percentile};
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

/// A node that is about to push.
struct Waiting {
    identity: tls::Identity,
    region: Region,
    session: Vec<u8>,
    requests: Vec<pb::SubmitRequest>,
}

type Exchange = ExchangeClient<tonic::transport::Channel>;

/// What all nodes write into.
#[derive(Default)]
struct Seen {
    receipts: Mutex<Vec<Duration>>,
    delayed: AtomicUsize,
    errors: Mutex<BTreeMap<String, usize>>,
    done: Vec<AtomicUsize>,
    taken: AtomicUsize,
    /// What each had when half of all batches were in custody.
    half: Mutex<Option<Vec<usize>>>,
}

impl Seen {
    fn failed(&self, what: &str, status: &Status) {
        let why = format!("{what}: {:?} {}", status.code(), status.message());
        *self.errors.lock().unwrap_or_else(PoisonError::into_inner).entry(why).or_default() += 1;
    }

    fn receipt(&self, node: usize, half: usize, time: Duration) {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner).push(time);
        self.done[node].fetch_add(1, Ordering::Relaxed);
        if self.taken.fetch_add(1, Ordering::Relaxed) + 1 == half {
            let now = self.done.iter().map(|done| done.load(Ordering::Relaxed)).collect();
            *self.half.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }
}

fn by(actor: &str) -> Decided {
    Decided { actor: actor.into(), reason: String::new() }
}

/// Enrols a region as its node and two operators would, without the network.
async fn enrol(
    hub: &dtsen_central::hub::Hub,
    region: Region,
) -> anyhow::Result<(Signer, tls::Identity, Vec<u8>)> {
    let token: Token = enrolment::invite(hub, region, by("pengundang")).await?.parse()?;
    let applicant = Applicant::create(&Ambient::system())?;
    let request = applicant.request(&token);
    enrolment::enrol(hub, &request).await?;
    enrolment::confirm(hub, region, &applicant.fingerprint(), by("pemeriksa")).await?;
    let granted = enrolment::enrol(hub, &request).await?;
    let identity = tls::Identity { key: applicant.tls_key, chain: vec![granted.certificate] };
    Ok((applicant.signer, identity, granted.session))
}

/// The batches of a region, sealed one upon the other.
fn seal(region: Region, signer: &Signer, form: Form) -> anyhow::Result<Vec<pb::SubmitRequest>> {
    if !region.is_regency() {
        return Ok(Vec::new());
    }
    let crowd = Crowd::of_newcomers(region)?;
    let (mut head, mut requests) = (Head::start(region), Vec::new());
    for nth in 0..form.batches as u64 {
        let numbers = nth * form.deltas..(nth + 1) * form.deltas;
        let deltas =
            numbers.map(|number| crowd.delta(number, 0, None)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut position = head.position;
        position.sequence += 1;
        let draft = Draft {
            position,
            previous: head.id,
            rulebook: 1,
            generation: 1,
            log: (0, [0; 32]),
            created_ms: Ambient::system().now_ms(),
        };
        let sealed = batch::seal(signer, &draft, &deltas);
        let (encoding, data) = batch::encode_body(&sealed.body);
        head = Head::after(position, sealed.id);
        requests.push(pb::SubmitRequest {
            header: Some(sealed.envelope),
            encoding: encoding.into(),
            encoded_length: data.len() as u64,
            data,
            ..Default::default()
        });
    }
    Ok(requests)
}

/// What the hub asks to wait, if that is all that it has against a call.
fn delay(status: &Status) -> Option<Duration> {
    let details = status.get_error_details();
    let delay = details.retry_info().and_then(|info| info.retry_delay);
    delay.filter(|_| status.code() == Code::ResourceExhausted)
}

/// What a node fails at, and how.
type Failed = (&'static str, Status);

/// One node connects and says Hello.
async fn greet(node: &Waiting, target: Target, seen: &Seen) -> Result<(Exchange, Vec<u8>), Failed> {
    let channel = net::connect(Arc::new(Tcp), &target)
        .await
        .map_err(|error| ("connect", Status::unavailable(error.to_string())))?;
    let mut hub = ExchangeClient::new(channel)
        .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_MESSAGE_BYTES);
    let head = Head::start(node.region);
    let hello = pb::HelloRequest {
        protocol: dtsen_proto::PROTOCOL_VERSION,
        session: node.session.clone(),
        epoch: head.position.epoch,
        sequence: head.position.sequence.into(),
        head: head.id.as_bytes().to_vec(),
        generation: 1,
        ..Default::default()
    };
    loop {
        match hub.hello(hello.clone()).await {
            Ok(reply) => return Ok((hub, reply.into_inner().session)),
            Err(status) => wait_if_told(status, seen).await.map_err(|status| ("hello", status))?,
        }
    }
}

/// It pushes batch after batch, and waits when it is told to.
async fn push(
    number: usize,
    node: Waiting,
    (mut hub, session): (Exchange, Vec<u8>),
    half: usize,
    seen: &Seen,
) -> Result<(), Failed> {
    for mut request in node.requests {
        request.session.clone_from(&session);
        loop {
            let begun = wait::now();
            match hub.submit(request.clone()).await {
                Ok(_) => break seen.receipt(number, half, begun.elapsed()),
                Err(status) => wait_if_told(status, seen).await.map_err(|status| ("submit", status))?,
            }
        }
    }
    Ok(())
}

async fn wait_if_told(status: Status, seen: &Seen) -> Result<(), Status> {
    let delay = delay(&status).ok_or(status)?;
    seen.delayed.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(delay).await;
    Ok(())
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
    let done = nodes.iter().map(|_| AtomicUsize::new(0)).collect();
    let seen = Arc::new(Seen { done, ..Seen::default() });
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
