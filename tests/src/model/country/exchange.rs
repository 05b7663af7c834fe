//! Exchanges of nodes with the hub, message by message.

use std::sync::{Arc, Mutex};

use anyhow::ensure;
use dtsen_central::intake::gate::{Arrival, Place, come_again_ms};
use dtsen_node::follow::Ended;
use dtsen_proto::region::Region;
use rand_chacha::rand_core::Rng as _;

use super::{
    super::{
        hub::{Batch, Go, Greeting, Hello},
        node::Doing,
    },
    Answer, Country, Event, SECOND,
};
use crate::sim::{
    ambient::{below, span},
    world::lock,
};

/// Hellos of one exchange that a node says before it gives up, as `dtsen-node` does.
const HELLOS: u32 = 8;
/// Until a node notices that its link or the hub is gone.
pub(super) const NOTICED: u64 = 10 * SECOND;

/// Those who were sent away from the line for somebody who was served less.
pub(super) type Away = Arc<Mutex<Vec<(usize, u32)>>>;

/// A place in line; who drops it sends its owner away.
pub(super) struct Ticket {
    of: (usize, u32),
    away: Away,
    used: bool,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.used {
            lock(&self.away).push(self.of);
        }
    }
}

impl Country {
    pub(super) fn is_in(&self, node: usize, turn: u32) -> bool {
        let node = &self.nodes[node];
        node.runs && node.turn == turn && node.doing == Doing::Exchange
    }

    /// A message gets through unless the link or the hub is gone; one in five hundred is lost all the same.
    fn passes(&mut self, node: usize) -> bool {
        self.up && self.nodes[node].link && below(&mut self.dice, 500) != 0
    }

    /// Sends something, or lets the node notice that it is lost.
    fn send(&mut self, node: usize, delay: u64, event: Event) {
        if self.passes(node) {
            self.queue.after(delay, event);
        } else {
            self.queue.after(NOTICED, Event::Broken(node, self.nodes[node].turn));
        }
    }

    fn latency(&mut self) -> u64 {
        span(&mut self.dice, 20, 800)
    }

    pub(super) fn sleeps(&mut self, node: usize, pause: u64) {
        let own = &mut self.nodes[node];
        own.turn += 1;
        own.doing = Doing::Asleep;
        self.queue.after(pause, Event::Wake(node, own.turn));
    }

    /// Something came up that an idle node finds when it asks next.
    pub(super) fn nudge(&mut self, node: usize) {
        if self.nodes[node].runs && self.nodes[node].doing == Doing::Idle {
            let pause = below(&mut self.dice, 30 * SECOND);
            self.sleeps(node, pause);
        }
    }

    pub(super) fn wakes(&mut self, node: usize, turn: u32) {
        let own = &mut self.nodes[node];
        if !own.runs || own.turn != turn || own.doing != Doing::Asleep {
            return;
        }
        (own.doing, own.hellos, own.carried) = (Doing::Exchange, 0, false);
        own.turn += 1;
        self.greet(node);
    }

    fn greet(&mut self, node: usize) {
        self.nodes[node].hellos += 1;
        let turn = self.nodes[node].turn;
        if self.nodes[node].hellos > HELLOS {
            return self.ends(node, Ended::Broken { carried: false, asked: None });
        }
        let there = self.latency();
        if !self.passes(node) {
            return self.queue.after(NOTICED, Event::Broken(node, turn));
        }
        let second = self.queue.now() / SECOND;
        self.second = if self.second.0 == second { (second, self.second.1 + 1) } else { (second, 1) };
        self.report.busiest = self.report.busiest.max(self.second.1);
        self.report.hellos += 1;
        let own = &self.nodes[node];
        let hello = Hello {
            region: own.region,
            head: own.home.head,
            token: &own.home.token,
            generation: own.home.generation,
            last: own.home.last_receipt(),
        };
        let greeting = self.hub.hello(&hello);
        self.send(node, 2 * there, Event::Greeted(node, turn, greeting));
    }

    pub(super) fn greeted(&mut self, node: usize, turn: u32, greeting: Greeting) -> anyhow::Result<()> {
        if !self.is_in(node, turn) {
            return Ok(());
        }
        let region = self.nodes[node].region;
        let (way, token) = match greeting {
            Greeting::Again => {
                self.greet(node);
                return Ok(());
            }
            Greeting::Unknown => {
                self.ends(node, Ended::Broken { carried: false, asked: None });
                return Ok(());
            }
            Greeting::StoppedNow(why) => {
                ensure!(self.guilty.contains(&region), "region {region} is whole and was stopped: {why}");
                self.report.stopped += 1;
                self.ends(node, Ended::Stopped);
                return Ok(());
            }
            Greeting::Stopped => {
                ensure!(self.hub.stopped.is_none() || self.came_back, "the hub is whole and was stopped");
                self.ends(node, Ended::Stopped);
                return Ok(());
            }
            Greeting::Go { way, token } => (way, token),
        };
        self.nodes[node].home.token = token;
        match way {
            Go::On => self.goes_on(node),
            Go::HandBack => self.hands_back(node),
            Go::Enter => {
                let chain = &self.hub.chains[region];
                self.nodes[node].home.enter(chain, self.hub.generation);
                self.greet(node);
            }
        }
        Ok(())
    }

    fn goes_on(&mut self, node: usize) {
        let salt = self.dice.next_u64();
        let home = &mut self.nodes[node].home;
        if let Some(batch) = home.next(salt) {
            self.submits(node, batch, false);
        } else {
            home.release = home.release.max(self.hub.release);
            self.ends(node, Ended::Well { waiting: false });
        }
    }

    fn hands_back(&mut self, node: usize) {
        let own = &self.nodes[node];
        let there = self.hub.chains[own.region].head().position;
        match own.home.hand_back(there) {
            Some(batch) => self.submits(node, batch, true),
            None => self.greet(node),
        }
    }

    fn submits(&mut self, node: usize, batch: Batch, handed_back: bool) {
        let turn = self.nodes[node].turn;
        self.sent.insert((node, turn), (batch, handed_back));
        if self.up && self.line.is_full_for(self.code(node)) {
            return self.sends_away(node, turn);
        }
        let upload = span(&mut self.dice, 100, 4_000);
        self.send(node, upload, Event::Submitted(node, turn));
    }

    fn code(&self, node: usize) -> Region {
        self.hub.chains[self.nodes[node].region].head().position.region
    }

    pub(super) fn arrives(&mut self, node: usize, turn: u32) {
        if !self.up || !self.is_in(node, turn) {
            return;
        }
        let code = self.code(node);
        let ticket = Ticket { of: (node, turn), away: self.away.clone(), used: false };
        let arrival = self.line.arrive(code, ticket);
        let mut away = std::mem::take(&mut *lock(&self.away));
        match arrival {
            Arrival::Served(place) => {
                // Who is served needs no ticket.
                away.clear();
                self.serves(place, node, turn);
            }
            Arrival::Waits(place) => _ = self.places.insert((node, turn), place),
            Arrival::Full => {}
        }
        for (node, turn) in away {
            self.sends_away(node, turn);
        }
    }

    fn sends_away(&mut self, node: usize, turn: u32) {
        self.places.remove(&(node, turn));
        self.report.delayed += 1;
        let asked = come_again_ms(self.line.compare(self.code(node)), self.dice.next_u32());
        let back = self.latency();
        self.send(node, back, Event::Answered(node, turn, Answer::ComeAgain(asked)));
    }

    fn serves(&mut self, place: Place, node: usize, turn: u32) {
        let takes = span(&mut self.dice, 100, 500);
        self.queue.after(takes, Event::Served(place, node, turn, self.life));
    }

    pub(super) fn served(&mut self, place: Place, node: usize, turn: u32, life: u32) {
        if life != self.life {
            return;
        }
        let now = i64::try_from(self.queue.now()).expect("90 days");
        if let Some(mut ticket) = self.line.leave(place, now) {
            ticket.used = true;
            if let Some(place) = self.places.remove(&ticket.of) {
                self.serves(place, ticket.of.0, ticket.of.1);
            }
        }
        if let Some((batch, handed_back)) = self.sent.get(&(node, turn)) {
            let own = &self.nodes[node];
            let taken = self.hub.submit(own.region, &own.home.token, batch, *handed_back);
            let answer = if taken { Answer::Receipt(self.hub.generation) } else { Answer::Refused };
            let back = self.latency();
            self.send(node, back, Event::Answered(node, turn, answer));
        }
    }

    pub(super) fn answered(&mut self, node: usize, turn: u32, answer: Answer) {
        if !self.is_in(node, turn) {
            return;
        }
        let Some((batch, handed_back)) = self.sent.remove(&(node, turn)) else { return };
        match answer {
            Answer::Receipt(generation) => {
                self.report.batches += 1;
                let own = &mut self.nodes[node];
                own.carried = true;
                own.home.receipt(batch.id, generation);
                if handed_back { self.hands_back(node) } else { self.goes_on(node) }
            }
            Answer::Refused => self.ends(node, Ended::Broken { carried: false, asked: None }),
            Answer::ComeAgain(ms) => {
                let asked = Some(std::time::Duration::from_millis(ms));
                let carried = self.nodes[node].carried;
                self.ends(node, Ended::Broken { carried, asked });
            }
        }
    }

    pub(super) fn ends(&mut self, node: usize, ended: Ended) {
        let [random, ..] = self.dice.next_u32().to_le_bytes();
        let own = &mut self.nodes[node];
        self.sent.remove(&(node, own.turn));
        let pause = own.pace.after(ended, random);
        let pause = u64::try_from(pause.as_millis()).expect("minutes");
        if !matches!(ended, Ended::Broken { .. }) {
            self.exchanged(node);
        }
        let own = &mut self.nodes[node];
        let quiet =
            self.up && own.link && own.home.pending.is_empty() && own.home.release == self.hub.release;
        if matches!(ended, Ended::Well { .. }) && quiet && !self.guilty.contains(&own.region) {
            own.doing = Doing::Idle;
        } else {
            self.sleeps(node, pause);
        }
    }

    /// Everybody who can has exchanged since the hub is up again?
    pub(super) fn exchanged(&mut self, node: usize) {
        if let Some((since, due)) = &mut self.due {
            due.remove(&node);
            if due.is_empty() {
                self.report.slowest_return = self.report.slowest_return.max(self.queue.now() - *since);
                self.due = None;
            }
        }
    }
}
