//! The hub of the model: what is on its disk, and what it answers.

use std::sync::Arc;

use dtsen_central::{
    hello::{Facts, Judgement, Way, judge},
    session::{Session, Token},
    store::Status,
};
use dtsen_proto::{
    batch::Header,
    chain::{self, Head, Step},
    id::{BatchId, Position},
    region::Region,
};

/// What a batch is about: numbers of imports.
pub(super) type Content = Arc<[u32]>;

/// A batch, as much of it as matters here.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) position: Position,
    pub(super) id: BatchId,
    pub(super) previous: BatchId,
    pub(super) content: Content,
}

/// What the hub keeps of a region.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) status: Status,
    pub(super) session: Session,
    /// Epochs with their heads; the last is open.
    pub(super) epochs: Vec<Head>,
    pub(super) batches: Vec<Batch>,
}

impl Chain {
    fn stored(&self, at: Position) -> Option<BatchId> {
        let place = |batch: &Batch| (batch.position.epoch, batch.position.sequence);
        let found = self.batches.binary_search_by_key(&(at.epoch, at.sequence), place);
        found.ok().map(|found| self.batches[found].id)
    }

    pub(super) fn head(&self) -> Head {
        *self.epochs.last().expect("an open epoch")
    }

    fn open(&mut self, epoch: u32) {
        let head = self.head();
        self.epochs.push(Head::after(Position { epoch, sequence: 0, ..head.position }, head.id));
    }
}

/// The hub's disk.
#[derive(Debug, Clone)]
pub(super) struct Hub {
    pub(super) generation: u64,
    /// Why nothing is taken in: the highest generation that somebody showed.
    pub(super) stopped: Option<u64>,
    pub(super) release: u64,
    pub(super) chains: Vec<Chain>,
}

/// What a node says first.
#[derive(Debug)]
pub(super) struct Hello<'a> {
    pub(super) region: usize,
    pub(super) head: Head,
    pub(super) token: &'a [u8],
    pub(super) generation: u64,
    /// Last batch with a receipt.
    pub(super) last: Option<(Position, BatchId)>,
}

/// What it is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Greeting {
    /// Say it again soon.
    Again,
    /// A person has to act.
    Stopped,
    /// The region was stopped by this very Hello.
    StoppedNow(&'static str),
    /// The epoch is not known.
    Unknown,
    /// Go on.
    Go { way: Go, token: Vec<u8> },
}

/// How to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Go {
    /// As before.
    On,
    /// Hand back what is missing.
    HandBack,
    /// Enter the open epoch.
    Enter,
}

/// The token that comes with a certificate.
pub(super) fn first_token() -> Vec<u8> {
    issue(Token { generation: 1, number: 1 })
}

/// Laid out as the hub's tokens are. The bytes that only the hub can make are missing: nobody forges here.
fn issue(token: Token) -> Vec<u8> {
    [&token.generation.to_be_bytes()[..], &token.number.to_be_bytes(), &[0; 16]].concat()
}

impl Hub {
    pub(super) fn new(regions: &[Region]) -> Self {
        let chain = |region: &Region| Chain {
            status: Status::Active,
            session: Session::new(first_token()),
            epochs: vec![Head::start(*region)],
            batches: Vec::new(),
        };
        Self { generation: 1, stopped: None, release: 0, chains: regions.iter().map(chain).collect() }
    }

    /// `dtsen-central`'s Hello, on this disk.
    pub(super) fn hello(&mut self, hello: &Hello<'_>) -> Greeting {
        let own = self.generation;
        let chain = &mut self.chains[hello.region];
        if chain.status != Status::Active {
            return Greeting::Stopped;
        }
        let shown = Session { current: hello.token.to_vec(), ..Session::default() }.last();
        let missing = hello.last.is_some_and(|(at, id)| chain.stored(at) != Some(id));
        let later = shown.is_some_and(|token| {
            token.generation > own || (token.generation == own && Some(token) > chain.session.last())
        });
        // By the hub's own statement of it, which the node shows.
        let later = later || hello.head.position.epoch > chain.head().position.epoch;
        if (missing || later) && hello.generation >= own {
            let shown = shown.map_or(1, |token| token.generation).max(hello.generation);
            self.stopped = Some(self.stopped.unwrap_or(1).max(shown));
        }
        if self.stopped.is_some() {
            return Greeting::Stopped;
        }
        let used = chain.epochs.iter().rfind(|head| head.position.sequence > 0).or(chain.epochs.first());
        let facts = Facts {
            node: hello.head,
            hub: chain.head(),
            used: used.copied().filter(|_| missing),
            stored: chain.stored(hello.head.position),
            last: hello.last.map_or(BatchId::ZERO, |(_, id)| id),
            entered: hello.generation >= own,
            session: &chain.session,
            token: hello.token,
        };
        let (way, from) = match judge(&facts) {
            Judgement::Stop(status, why) => {
                let (again, noted) = chain.session.accuse(hello.token);
                chain.session = noted;
                if !again {
                    return Greeting::Again;
                }
                chain.status = status;
                return Greeting::StoppedNow(why);
            }
            Judgement::UnknownEpoch => return Greeting::Unknown,
            Judgement::Go(way, from) => (way, from),
        };
        chain.epochs.retain(|head| head.position.epoch <= from.position.epoch);
        let token = issue(chain.session.next(own));
        chain.session = chain.session.rotated(hello.token, token.clone());
        let way = match way {
            Way::On => Go::On,
            Way::HandBack => Go::HandBack,
            Way::Enter => Go::Enter,
            Way::OpenNext => {
                chain.open(chain.head().position.epoch.max(hello.head.position.epoch) + 1);
                Go::Enter
            }
        };
        Greeting::Go { way, token }
    }

    /// Takes a batch into custody. One that is handed back may be of an epoch that the hub lost.
    pub(super) fn submit(&mut self, region: usize, token: &[u8], batch: &Batch, handed_back: bool) -> bool {
        let chain = &mut self.chains[region];
        if self.stopped.is_some() || chain.status != Status::Active || !chain.session.holds(token) {
            return false;
        }
        let at = batch.position;
        if handed_back && at.epoch > chain.head().position.epoch && at.sequence == 1 {
            chain.open(at.epoch);
        }
        let header = Header {
            position: at,
            previous: batch.previous,
            count: 1,
            body_length: 1,
            root: [0; 32],
            rulebook: 1,
            generation: self.generation,
            log: (0, [0; 32]),
        };
        match chain::judge(chain.head(), chain.stored(at), &header, batch.id) {
            Ok(Step::Repeat) => true,
            Ok(Step::Next) => {
                chain.batches.push(batch.clone());
                *chain.epochs.last_mut().expect("an open epoch") = Head::after(at, batch.id);
                true
            }
            Err(_) => false,
        }
    }

    /// `generation confirm`.
    pub(super) fn confirm_generation(&mut self) {
        if let Some(shown) = self.stopped.take() {
            self.generation = self.generation.max(shown) + 1;
            self.chains.iter_mut().for_each(|chain| chain.session = Session::open());
        }
    }

    /// `region new-epoch`.
    pub(super) fn new_epoch(&mut self, region: usize) {
        let chain = &mut self.chains[region];
        chain.open(chain.head().position.epoch + 1);
        chain.session = chain.session.reopened();
        chain.status = Status::Active;
    }
}
