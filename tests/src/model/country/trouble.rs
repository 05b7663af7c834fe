//! What breaks, what people do about it, and what must be true in the end.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{bail, ensure};
use dtsen_central::{intake::gate::Line, store::Status};

use super::{
    super::{
        hub::{Batch, Chain},
        node::{Doing, Home, Node},
    },
    Country, DAY, Event, HOUR, MINUTE, SECOND,
    exchange::NOTICED,
};
use crate::sim::{
    ambient::{below, span},
    world::lock,
};

/// Whether the hub knows something of a node that its home does not.
fn is_behind(home: &Home, chain: &Chain) -> bool {
    let has = |batch: &Batch| home.outbox.iter().any(|sent| sent.batch.id == batch.id);
    !chain.session.admits(&home.token) || !chain.batches.iter().all(has)
}

impl Country {
    pub(super) fn link(&mut self, node: usize, up: bool) {
        let up = up || self.is_calm();
        self.nodes[node].link = up;
        if up {
            // One in ten regions has a link that is gone a third of the time.
            let (low, high) = if node.is_multiple_of(10) { (HOUR, 6 * HOUR) } else { (3 * HOUR, 2 * DAY) };
            let stays = span(&mut self.dice, low, high);
            self.queue.after(stays, Event::Link(node, false));
        } else {
            let gone = span(&mut self.dice, 10 * SECOND, 3 * HOUR);
            self.queue.after(gone, Event::Link(node, true));
            self.exchanged(node);
            self.nudge(node);
            self.breaks(node);
        }
    }

    pub(super) fn breaks(&mut self, node: usize) {
        if self.nodes[node].doing == Doing::Exchange {
            self.queue.after(NOTICED, Event::Broken(node, self.nodes[node].turn));
        }
    }

    pub(super) fn hub_down(&mut self, from_copy: bool) {
        let next = self.plan.outages * DAY + below(&mut self.dice, DAY);
        if self.is_calm() {
            return;
        }
        self.up = false;
        self.life += 1;
        (self.line, self.places, self.due) = (Line::default(), BTreeMap::new(), None);
        lock(&self.away).clear();
        if from_copy {
            self.came_back |= !self.is_as_its_copy();
            self.hub = self.copy.clone();
            self.forget_what_makes_no_difference();
        }
        for node in 0..self.nodes.len() {
            self.nudge(node);
            self.breaks(node);
        }
        let gone = span(&mut self.dice, MINUTE, 8 * HOUR);
        self.queue.after(gone, Event::HubUp);
        let from_copy = below(&mut self.dice, 3) == 0;
        self.queue.after(next, Event::HubDown(from_copy));
    }

    /// Whether the hub has nothing, not even a token, that last night's copy lacks.
    fn is_as_its_copy(&self) -> bool {
        let pairs = self.hub.chains.iter().zip(&self.copy.chains);
        self.hub.generation == self.copy.generation
            && pairs.clone().all(|(own, copy)| own.session == copy.session && own.epochs == copy.epochs)
    }

    pub(super) fn hub_up(&mut self) {
        self.up = true;
        let due = (0..self.nodes.len()).filter(|node| self.nodes[*node].link && self.nodes[*node].runs);
        self.due = Some((self.queue.now(), due.collect()));
    }

    /// Nodes come back from last night's copy, or a copy of one begins to run beside it.
    pub(super) fn trouble(&mut self) {
        if self.is_calm() {
            return;
        }
        for _ in 0..self.plan.restores {
            let at = usize::try_from(below(&mut self.dice, self.plan.regions as u64)).expect("a region");
            if self.guilty.contains(&at) {
                continue;
            }
            let own = &mut self.nodes[at];
            let runs_twice = below(&mut self.dice, 4) == 0;
            if !runs_twice && !is_behind(&own.backup, &self.hub.chains[at]) {
                continue;
            }
            self.guilty.insert(at);
            if runs_twice {
                let twin = Node::new(at, own.backup.clone());
                self.nodes.push(twin);
                self.sleeps(self.nodes.len() - 1, 0);
            } else {
                own.home = own.backup.clone();
                own.home.import(self.source[at]);
            }
            self.sleeps(at, SECOND);
        }
        self.queue.after(DAY, Event::Trouble);
    }

    /// A node that came back from a copy of the same night as the hub has everything that the hub has of it.
    fn forget_what_makes_no_difference(&mut self) {
        let (hub, nodes, regions) = (&self.hub, &self.nodes, self.plan.regions);
        self.guilty.retain(|region| {
            let runs_twice = nodes[regions..].iter().any(|twin| twin.region == *region && twin.runs);
            runs_twice || is_behind(&nodes[*region].home, &hub.chains[*region])
        });
    }

    /// People look every half hour, and get to half of what there is.
    pub(super) fn operators(&mut self) -> anyhow::Result<()> {
        if self.up && self.hub.stopped.is_some() {
            ensure!(self.came_back, "the hub is whole and was stopped");
            self.hub.confirm_generation();
            self.came_back = false;
            self.forget_what_makes_no_difference();
        }
        for region in 0..self.plan.regions {
            let stopped = self.hub.chains[region].status != Status::Active;
            if self.up && self.hub.stopped.is_none() && stopped && below(&mut self.dice, 2) == 0 {
                self.one_remains(region);
                self.hub.new_epoch(region);
                self.guilty.remove(&region);
            }
        }
        self.queue.after(30 * MINUTE, Event::Operators);
        Ok(())
    }

    /// Of a node and its copies the node remains.
    fn one_remains(&mut self, region: usize) {
        for twin in self.nodes[self.plan.regions..].iter_mut().filter(|twin| twin.region == region) {
            twin.runs = false;
        }
    }

    /// What must be true in the end.
    pub(super) fn all_is_well(&self) -> anyhow::Result<()> {
        ensure!(self.hub.stopped.is_none(), "the hub is stopped");
        ensure!(!self.came_back, "the hub came back from a copy and nobody knows");
        for (region, chain) in self.hub.chains.iter().enumerate() {
            let node = &self.nodes[region];
            if self.guilty.contains(&region) {
                let twice =
                    self.nodes[self.plan.regions..].iter().any(|twin| twin.region == region && twin.runs);
                let how = if twice { "runs twice" } else { "came back from a copy" };
                bail!("region {region} {how}, and nobody knows");
            }
            ensure!(chain.status == Status::Active, "region {region} is {}", chain.status.as_str());
            ensure!(
                node.home.head == chain.head(),
                "region {region}: {:?}, {:?}",
                node.home.head,
                chain.head()
            );
            let taken: BTreeSet<u32> =
                chain.batches.iter().flat_map(|batch| batch.content.iter().copied()).collect();
            let lost: Vec<u32> = (0..self.source[region]).filter(|import| !taken.contains(import)).collect();
            ensure!(lost.is_empty(), "region {region}: imports {lost:?} are not at the hub: {node:?}");
            ensure!(node.home.release == self.hub.release, "region {region} has an old release");
        }
        Ok(())
    }
}
