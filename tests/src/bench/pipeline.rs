//! The whole exchange under load: one hub process, and regions whose batches are sealed before the clock starts.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, ensure};
use dtsen_proto::{
    id::{Position, RecordId},
    limits, pb,
    region::Region,
};
use prost::Message as _;

use super::{crowd::Crowd, report::per_second};
use crate::{
    faults::wait,
    federation::{Hub, Node},
    wire::peer::Peer,
};

/// Regions that push at once.
const REGIONS: [&str; 4] = ["52.71", "52.03", "75.71", "11.01"];
/// Pause between two looks at the feed under load, short beside a phase and long beside a call, and for one correction.
const LOOK: Duration = Duration::from_millis(50);
const LOOK_CLOSELY: Duration = Duration::from_millis(2);
/// Deltas in a batch.
const BATCH: u64 = limits::BATCH_DELTAS as u64;
/// Deltas whose bytes are looked at.
const SAMPLE: u64 = 1_000;
/// Longest wait for verdicts.
const PATIENCE: Duration = Duration::from_mins(20);

/// A region with its people and its connection.
struct Sender {
    peer: Peer,
    crowd: Crowd,
    /// Batches that brought its people: a person's number says which, and where in it.
    created: Vec<Position>,
    /// Feed entries read.
    feed: u64,
}

/// A hub and its regions.
pub struct Pipeline {
    hub: Hub,
    senders: Vec<Sender>,
    /// How often people changed.
    round: u32,
}

/// What a phase took.
#[derive(Debug, Default)]
pub struct Phase {
    /// Deltas judged.
    pub deltas: u64,
    /// From the first byte of the first batch to the last verdict.
    pub time: Duration,
    /// From the submission of each batch to its receipt.
    pub receipts: Vec<Duration>,
}

impl Phase {
    /// Deltas a second.
    pub fn per_second(&self) -> f64 {
        per_second(self.deltas, self.time)
    }
}

/// What the clock of one sender saw.
struct Seen {
    begun: Instant,
    ended: Instant,
    receipts: Vec<Duration>,
}

impl Sender {
    /// So many of its people the hub has.
    fn delivered(&self) -> u64 {
        self.created.len() as u64 * BATCH
    }

    /// The id that a person got when the hub first heard of them.
    fn record(&self, number: u64) -> anyhow::Result<RecordId> {
        let position = self.created[usize::try_from(number / BATCH)?];
        Ok(RecordId::new(position, u32::try_from(number % BATCH)?))
    }

    /// Sealed batches, ready to be sent; the chain goes on in the peer.
    fn seal(&mut self, numbers: &[u64], round: u32) -> anyhow::Result<Vec<pb::SubmitRequest>> {
        let mut requests = Vec::new();
        for part in numbers.chunks(limits::BATCH_DELTAS) {
            let mut deltas = Vec::with_capacity(part.len());
            for number in part {
                let record = if round == 0 { None } else { Some(self.record(*number)?) };
                deltas.push(self.crowd.delta(*number, round, record)?);
            }
            let sealed = self.peer.seal(&deltas);
            requests.push(self.peer.request(&sealed));
            self.peer.sealed(&sealed);
            if round == 0 {
                self.created.push(self.peer.head.position);
            }
        }
        Ok(requests)
    }

    fn submit(&mut self, requests: Vec<pb::SubmitRequest>) -> anyhow::Result<Seen> {
        let begun = wait::now();
        let mut receipts = Vec::with_capacity(requests.len());
        let batches = requests.len();
        for request in requests {
            let at = wait::now();
            let reply = self.peer.submit(request).map_err(|refused| anyhow!("{refused:?}"))?;
            ensure!(reply.receipt.is_some(), "no receipt for a whole batch");
            receipts.push(at.elapsed());
        }
        self.judged(batches, LOOK)?;
        Ok(Seen { begun, ended: wait::now(), receipts })
    }

    /// Waits for the verdicts on so many batches; all of them accept.
    fn judged(&mut self, batches: usize, look: Duration) -> anyhow::Result<()> {
        let (until, mut left) = (wait::now() + PATIENCE, batches);
        while left > 0 {
            let request = pb::FeedRequest { session: self.peer.session.clone(), after: self.feed };
            let reply = self.peer.client.call(async |hub| hub.feed(request).await);
            for envelope in reply.map_err(|refused| anyhow!("{refused:?}"))?.entries {
                let entry = pb::Verdicts::decode(envelope.payload.as_slice())?;
                let exceptions = entry.warned + entry.held + entry.rejected;
                ensure!(exceptions == 0, "{exceptions} deltas of {} are no plain ones", entry.region);
                self.feed = entry.position;
                left -= 1;
            }
            ensure!(wait::now() < until, "{left} batches are not judged");
            if left > 0 {
                wait::pass(look);
            }
        }
        Ok(())
    }
}

impl Pipeline {
    /// A hub on this database with its regions.
    pub fn set(folder: &Path, database: &str) -> anyhow::Result<Self> {
        let mut hub = Hub::create(&folder.join("pusat"), database)?;
        hub.start()?;
        let mut senders = Vec::new();
        for code in REGIONS {
            let region: Region = code.parse()?;
            let node = Node::create(&folder.join(code), region)?;
            hub.enrol(&node)?;
            let mut peer = Peer::of(&node, &hub)?;
            peer.hello().map_err(|refused| anyhow!("{refused:?}"))?;
            senders.push(Sender { peer, crowd: Crowd::of(region)?, created: Vec::new(), feed: 0 });
        }
        Ok(Self { hub, senders, round: 0 })
    }

    /// Records at the hub.
    pub fn size(&self) -> u64 {
        self.senders.iter().map(Sender::delivered).sum()
    }

    /// Mean bytes of a delta of new people.
    pub fn delta_bytes(&self) -> anyhow::Result<usize> {
        let crowd = &self.senders[0].crowd;
        let lengths =
            (0..SAMPLE).map(|n| Ok(crowd.delta(n, 0, None)?.len())).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(lengths.iter().sum::<usize>() / lengths.len())
    }

    /// Process of the hub.
    pub fn pid(&self) -> Option<u32> {
        self.hub.pid()
    }

    /// People whom the hub does not know.
    pub fn new_people(&mut self, deltas: u64) -> anyhow::Result<Phase> {
        let each = self.share(deltas);
        let mut work = Vec::new();
        for sender in &mut self.senders {
            let first = sender.delivered();
            let numbers: Vec<u64> = (first..first + each).collect();
            work.push(sender.seal(&numbers, 0)?);
        }
        self.run(each * REGIONS.len() as u64, work)
    }

    /// People whom the hub knows, spread over all of them.
    pub fn changed_people(&mut self, deltas: u64) -> anyhow::Result<Phase> {
        self.round += 1;
        let each = self.share(deltas);
        let mut work = Vec::new();
        for sender in &mut self.senders {
            let all = sender.delivered();
            ensure!(each <= all, "only {all} people to change");
            let numbers: Vec<u64> = (0..each).map(|n| n * all / each).collect();
            work.push(sender.seal(&numbers, self.round)?);
        }
        self.run(each * REGIONS.len() as u64, work)
    }

    /// What every region does of so many deltas: whole batches.
    fn share(&self, deltas: u64) -> u64 {
        (deltas / self.senders.len() as u64).next_multiple_of(BATCH)
    }

    fn run(&mut self, deltas: u64, work: Vec<Vec<pb::SubmitRequest>>) -> anyhow::Result<Phase> {
        let seen: Vec<Seen> = std::thread::scope(|scope| {
            let send = |(sender, requests): (&'_ mut Sender, _)| sender.submit(requests);
            let threads: Vec<_> =
                self.senders.iter_mut().zip(work).map(|pair| scope.spawn(move || send(pair))).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, anyhow::Result<Seen>>| {
                thread.join().map_err(|_| anyhow!("a sender panicked"))?
            };
            threads.into_iter().map(join).collect::<anyhow::Result<_>>()
        })?;
        let begun = seen.iter().map(|s| s.begun).min().context("some sender")?;
        let ended = seen.iter().map(|s| s.ended).max().context("some sender")?;
        let receipts = seen.into_iter().flat_map(|s| s.receipts).collect();
        Ok(Phase { deltas, time: ended - begun, receipts })
    }

    /// So many corrections of one record each, one after the other, each from submission to verdict on an idle hub.
    pub fn corrections(&mut self, count: u64) -> anyhow::Result<Vec<Duration>> {
        self.round += 1;
        let round = self.round;
        let sender = &mut self.senders[0];
        ensure!(count <= sender.delivered(), "only {} people to correct", sender.delivered());
        let mut took = Vec::new();
        for number in 0..count {
            let [request] = sender.seal(&[number], round)?.try_into().map_err(|_| anyhow!("one batch"))?;
            let at = wait::now();
            sender.peer.submit(request).map_err(|refused| anyhow!("{refused:?}"))?;
            sender.judged(1, LOOK_CLOSELY)?;
            took.push(at.elapsed());
        }
        Ok(took)
    }

    /// Ends the hub.
    pub fn end(mut self) -> anyhow::Result<()> {
        self.hub.stop()
    }
}
