//! A node of the model.

use dtsen_node::follow::Pace;
use dtsen_proto::{
    chain::Head,
    id::{BatchId, Position},
    region::Region,
};
use sha2::{Digest as _, Sha256};

use super::hub::{Batch, Chain, first_token};

/// A batch in the outbox.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) batch: Batch,
    /// Generation of its receipt.
    pub(super) receipt: Option<u64>,
}

/// The node's disk.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) head: Head,
    pub(super) generation: u64,
    pub(super) token: Vec<u8>,
    pub(super) outbox: Vec<Sent>,
    /// Imports that are not sealed yet.
    pub(super) pending: Vec<u32>,
    /// Imports taken in.
    pub(super) imported: u32,
    pub(super) release: u64,
}

impl Home {
    pub(super) fn new(region: Region) -> Self {
        Self {
            head: Head::start(region),
            generation: 1,
            token: first_token(),
            outbox: Vec::new(),
            pending: Vec::new(),
            imported: 0,
            release: 0,
        }
    }

    /// Takes in what the region's source has.
    pub(super) fn import(&mut self, source: u32) {
        self.pending.extend(self.imported..source);
        self.imported = self.imported.max(source);
    }

    pub(super) fn last_receipt(&self) -> Option<(Position, BatchId)> {
        let sent = self.outbox.iter().rfind(|sent| sent.receipt.is_some())?;
        Some((sent.batch.position, sent.batch.id))
    }

    /// The batch to send next, sealed if there is none; `salt` makes it unlike any other.
    pub(super) fn next(&mut self, salt: u64) -> Option<Batch> {
        if let Some(sent) = self.outbox.iter().find(|sent| sent.receipt.is_none()) {
            return Some(sent.batch.clone());
        }
        if self.pending.is_empty() {
            return None;
        }
        let position = Position { sequence: self.head.position.sequence + 1, ..self.head.position };
        let seed = [&position.region.number().to_be_bytes()[..], &salt.to_be_bytes()].concat();
        let id = BatchId::new(Sha256::digest(seed).into());
        let content = std::mem::take(&mut self.pending).into();
        let batch = Batch { position, id, previous: self.head.id, content };
        self.head = Head::after(position, id);
        self.outbox.push(Sent { batch: batch.clone(), receipt: None });
        Some(batch)
    }

    pub(super) fn receipt(&mut self, id: BatchId, generation: u64) {
        if let Some(sent) = self.outbox.iter_mut().rfind(|sent| sent.batch.id == id) {
            sent.receipt.get_or_insert(generation);
        }
    }

    /// The first batch after a place that was ever in custody or still may be.
    pub(super) fn hand_back(&self, after: Position) -> Option<Batch> {
        let later = |at: Position| (at.epoch, at.sequence) > (after.epoch, after.sequence);
        self.outbox.iter().map(|sent| &sent.batch).find(|batch| later(batch.position)).cloned()
    }

    /// Enters the epoch that is open: what the hub lost for good and what has no receipt is sealed anew, what only the hub
    /// has is read back.
    pub(super) fn enter(&mut self, chain: &Chain, generation: u64) {
        let kept = |sent: &Sent| chain.batches.iter().any(|batch| batch.id == sent.batch.id);
        let (mut outbox, aside): (Vec<Sent>, Vec<Sent>) =
            std::mem::take(&mut self.outbox).into_iter().partition(kept);
        for sent in aside {
            self.pending.extend(sent.batch.content.iter());
        }
        for batch in &chain.batches {
            match outbox.iter_mut().find(|sent| sent.batch.id == batch.id) {
                Some(sent) => _ = sent.receipt.get_or_insert(generation),
                None => outbox.push(Sent { batch: batch.clone(), receipt: Some(generation) }),
            }
        }
        outbox.sort_by_key(|sent| (sent.batch.position.epoch, sent.batch.position.sequence));
        (self.outbox, self.head, self.generation) = (outbox, chain.head(), generation);
    }
}

/// What a node's process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Asking now and then; nothing has come up.
    Idle,
    /// Waiting to ask again.
    Asleep,
    /// In an exchange.
    Exchange,
}

/// A node, or a copy of one.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) region: usize,
    pub(super) home: Home,
    pub(super) backup: Home,
    pub(super) pace: Pace,
    pub(super) doing: Doing,
    /// Number of the exchange, or of the sleep: what was planned for an earlier one is void.
    pub(super) turn: u32,
    /// Hellos of this exchange.
    pub(super) hellos: u32,
    pub(super) carried: bool,
    pub(super) link: bool,
    pub(super) runs: bool,
}

impl Node {
    /// A node of a region, or a copy of it, with what is on its disk.
    pub(super) fn new(region: usize, home: Home) -> Self {
        Self {
            region,
            backup: home.clone(),
            home,
            pace: Pace::default(),
            doing: Doing::Idle,
            turn: 0,
            hellos: 0,
            carried: false,
            link: true,
            runs: true,
        }
    }
}
