//! What breaks and mends, and what operators do.

use std::{sync::atomic::Ordering, time::Duration};

use dtsen_central::{enrolment, hub::Decided};
use dtsen_node::store::setting;
use dtsen_proto::pb::region_act::What;

use super::{Driver, Place, observe};
use crate::sim::{
    HUB, NODE_NAMES, NODES, ROUNDS, TWIN_NAMES,
    act::Act,
    check::Observed,
    homes, hosts,
    operators::{self, Task},
    template::TEMPLATE,
    world::{lock, region},
};

impl Driver {
    pub(in crate::sim) fn act(&mut self, act: Act) -> anyhow::Result<()> {
        match act {
            Act::Partition(node) => self.sim.partition(HUB, NODE_NAMES[node]),
            Act::LoseRequests(node) => self.sim.partition_oneway(NODE_NAMES[node], HUB),
            Act::LoseReplies(node) => self.sim.partition_oneway(HUB, NODE_NAMES[node]),
            Act::Hold(node) => self.sim.hold(HUB, NODE_NAMES[node]),
            Act::Slow(node, ms) => {
                self.sim.set_link_latency(HUB, NODE_NAMES[node], Duration::from_millis(ms));
            }
            Act::Heal(node) => self.heal(node),
            Act::CrashHub => self.crash(HUB),
            Act::StartHub => self.start(HUB),
            Act::CrashNode(node) => self.crash(NODE_NAMES[node]),
            Act::StartNode(node) => self.start(NODE_NAMES[node]),
            Act::HubClock(wrong) => self.world.hub.watch.set(wrong),
            Act::NodeClock(node, wrong) => self.world.nodes[node].computer.watch.set(wrong),
            Act::Suspend(node) => self.set_status(node, What::Suspended),
            Act::Resume(node) => self.set_status(node, What::Resumed),
            Act::Revoke(node) => self.set_status(node, What::Revoked),
            Act::CopyNode(node) => {
                let now = self.place(node)?;
                self.node_copies[node] = Some(Place { path: self.world.homes.copy(&now.path)?, ..now });
            }
            Act::RestoreNode { node, whole } => self.restore_node(node, whole)?,
            Act::CopyHub => self.hub_copy = Some(self.world.homes.copy(&self.world.hub.home())?),
            Act::RestoreHub => self.restore_hub()?,
            Act::Clone(node) => self.clone_node(node)?,
            Act::EmptyDisk(node) => {
                let empty = TEMPLATE.empty_home(node);
                self.come_back(node, &Place { path: empty, imported: 0, enrolled: false }, true)?;
            }
            Act::Release => self.ask_for_release(),
        }
        Ok(())
    }

    pub(super) fn ask_for_release(&self) {
        self.world.releases[0].fetch_add(1, Ordering::Relaxed);
    }

    fn heal(&mut self, node: usize) {
        self.sim.release(HUB, NODE_NAMES[node]);
        self.sim.repair(HUB, NODE_NAMES[node]);
        let (shortest, _) = self.world.plan.latency_ms;
        self.sim.set_link_latency(HUB, NODE_NAMES[node], Duration::from_millis(shortest));
    }

    /// Ends a process. Its connections end in the order in which tokio drops the tasks of a runtime, and that depends
    /// on their numbers, which count over all runtimes of this program. So the messages that say so must all take
    /// equally long, or the order would show.
    fn crash(&mut self, host: &'static str) {
        let (shortest, longest) = self.world.plan.latency_ms;
        self.sim.set_max_message_latency(Duration::from_millis(shortest));
        self.sim.crash(host);
        self.sim.set_max_message_latency(Duration::from_millis(longest));
    }

    fn start(&mut self, host: &'static str) {
        if !self.sim.is_host_running(host) {
            self.sim.bounce(host);
        }
    }

    fn set_status(&mut self, node: usize, what: What) {
        self.seen.nodes[node].stirred = true;
        self.world.nodes[node].suspended.store(what == What::Suspended, Ordering::Relaxed);
        let decided = Decided { actor: "petugas".into(), reason: String::new() };
        let set = enrolment::set_status(&self.seen.hub, region(node), what, decided);
        if let Err(error) = self.runtime.block_on(set) {
            self.tell(format!("not done: {error}"));
        }
    }

    /// Everything is read anew from where it is now.
    fn reopen(&mut self) -> anyhow::Result<()> {
        let stirred: Vec<bool> = self.seen.nodes.iter().map(|node| node.stirred).collect();
        let hub_came_back = self.seen.hub_came_back;
        self.seen = Observed { hub_came_back, ..self.runtime.block_on(observe(&self.world))? };
        for (node, stirred) in self.seen.nodes.iter_mut().zip(stirred) {
            node.stirred = stirred;
        }
        let lost = self.runtime.block_on(self.ledger.forget_lost(&self.seen))?;
        if lost > 0 {
            self.tell(format!("{lost} batches are neither at the hub nor at their node any more"));
        }
        Ok(())
    }

    fn restore_node(&mut self, node: usize, whole: bool) -> anyhow::Result<()> {
        match self.node_copies[node].clone() {
            Some(copy) => self.come_back(node, &copy, whole),
            None => Ok(()),
        }
    }

    /// A node goes on with the files of a home of before; with its keys of now unless it is the whole home.
    fn come_back(&mut self, node: usize, from: &Place, whole: bool) -> anyhow::Result<()> {
        self.check()?;
        self.crash(NODE_NAMES[node]);
        let own = &self.world.nodes[node];
        let back = self.world.homes.copy(&from.path)?;
        if !whole {
            homes::keep_keys(&own.computer.home(), &back)?;
        }
        self.runtime.block_on(self.restores.node_goes(&self.seen, node))?;
        own.computer.moves_to(back);
        own.imported.store(from.imported, Ordering::Relaxed);
        self.reopen()?;
        self.seen.nodes[node].stirred = true;
        self.runtime.block_on(self.restores.node_came_back(&self.seen, node))?;
        *lock(&self.world.nodes[node].told) = (!from.enrolled).then(|| format!("({})", operators::EMPTY));
        self.start(NODE_NAMES[node]);
        Ok(())
    }

    fn restore_hub(&mut self) -> anyhow::Result<()> {
        let Some(copy) = self.hub_copy.clone() else { return Ok(()) };
        self.check()?;
        self.crash(HUB);
        self.world.hub.moves_to(self.world.homes.copy(&copy)?);
        self.reopen()?;
        self.seen.hub_came_back = true;
        for node in &mut self.seen.nodes {
            node.stirred = true;
        }
        self.runtime.block_on(self.restores.hub_came_back(&self.seen, self.twins))?;
        self.start(HUB);
        Ok(())
    }

    /// Where a node is now.
    fn place(&self, node: usize) -> anyhow::Result<Place> {
        let own = &self.world.nodes[node];
        let hub = self.runtime.block_on(self.seen.nodes[node].store.setting(setting::HUB))?;
        let imported = own.imported.load(Ordering::Relaxed);
        Ok(Place { path: own.computer.home(), imported, enrolled: hub.is_some() })
    }

    /// A copy runs beside its node, unless one does already or one of them is not whole.
    fn clone_node(&mut self, node: usize) -> anyhow::Result<()> {
        self.check()?;
        let now = self.place(node)?;
        let from = self.node_copies[node].clone().unwrap_or_else(|| now.clone());
        if self.twins[node] || self.restores.node_is_open(node) || !(now.enrolled && from.enrolled) {
            return Ok(());
        }
        let imported = from.imported;
        let twin = &self.world.twins[node];
        twin.computer.moves_to(self.world.homes.copy(&from.path)?);
        twin.imported.store(imported, Ordering::Relaxed);
        // Every other copy takes a file in that the node takes in too.
        let more = usize::try_from(self.world.plan.seed % 2).expect("small");
        twin.to_import.store((imported + more).min(ROUNDS), Ordering::Relaxed);
        self.seen.nodes[node].stirred = true;
        self.twins[node] = true;
        if self.known_twins[node] {
            self.start(TWIN_NAMES[node]);
        } else {
            self.known_twins[node] = true;
            let of = self.world.clone();
            self.sim.host(TWIN_NAMES[node], move || hosts::node(of.clone(), node, true));
        }
        self.runtime.block_on(self.restores.cloned(&self.seen, node))
    }

    /// What an operator got to.
    pub(super) fn operate(&mut self, task: Task) -> anyhow::Result<()> {
        match task {
            Task::Generation => {
                self.runtime.block_on(operators::confirm_generation(&self.seen.hub))?;
                // Releases of earlier generations are not offered any more.
                self.ask_for_release();
                (0..NODES).for_each(|node| self.phone(node));
            }
            Task::NewEpoch(node) => {
                self.one_remains(node)?;
                self.runtime.block_on(operators::new_epoch(&self.seen.hub, node))?;
                self.phone(node);
            }
            Task::Resume(node) => self.set_status(node, What::Resumed),
            Task::SwitchOff(node) => {
                self.switch_off_twin(node);
                self.restores.copy_is_locked_out(node);
            }
            Task::Invite(node) => {
                self.switch_off_twin(node);
                self.seen.nodes[node].stirred = true;
                self.runtime.block_on(operators::invite(&self.world, &self.seen.hub, node))?;
                self.crash(NODE_NAMES[node]);
                self.start(NODE_NAMES[node]);
            }
            Task::Confirm(node) => {
                self.runtime.block_on(operators::confirm(&self.world, &self.seen.hub, node))?;
            }
        }
        Ok(())
    }

    /// The operator of a node is told that it may go on, and starts its program again. Some nobody tells.
    fn phone(&mut self, node: usize) {
        if self.world.plan.phones && self.sim.is_host_running(NODE_NAMES[node]) {
            self.crash(NODE_NAMES[node]);
            self.start(NODE_NAMES[node]);
        }
    }

    pub(super) fn switch_off_twin(&mut self, node: usize) {
        if std::mem::take(&mut self.twins[node]) {
            self.crash(TWIN_NAMES[node]);
        }
        *lock(&self.world.twins[node].told) = None;
    }

    /// Of a node and its copy one is switched off; the other is the node from now on.
    fn one_remains(&mut self, node: usize) -> anyhow::Result<()> {
        let both = self.twins[node];
        self.switch_off_twin(node);
        if !(both && self.operators.keep_the_copy()) {
            return Ok(());
        }
        self.tell("the copy remains");
        let twin = &self.world.twins[node];
        let imported = twin.imported.load(Ordering::Relaxed);
        let copy = Place { path: twin.computer.home(), imported, enrolled: true };
        self.come_back(node, &copy, true)
    }

    /// The end of phase 1.
    pub(super) fn mend(&mut self) {
        self.world.faulty.store(false, Ordering::Relaxed);
        self.tell("mends everything");
        self.world.hub.watch.set(0);
        for (node, name) in NODE_NAMES.into_iter().enumerate() {
            self.world.nodes[node].computer.watch.set(0);
            self.heal(node);
            self.start(name);
        }
        self.start(HUB);
    }
}
