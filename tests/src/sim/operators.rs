//! People at the hub and in the regions, who do what the programs and documents tell them to, some seconds later.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use anyhow::Context as _;
use dtsen_central::{
    enrolment, generation,
    hub::{Decided, Hub},
    store::{RegionRow, Status},
};
use rand_chacha::ChaCha8Rng;

use super::{
    NODES,
    ambient::{dice, one_of, span},
    world::{World, lock, region},
};

/// Something that a person has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// `generation confirm`.
    Generation,
    /// Switch off copies of a node, then `region new-epoch`.
    NewEpoch(usize),
    /// `region resume`: the hub came back from a copy of the time when the region was suspended.
    Resume(usize),
    /// A copy says that its certificate is no longer registered: nobody needs it.
    SwitchOff(usize),
    /// `region invite`, and `enrol` with the token at the node.
    Invite(usize),
    /// `region confirm`, after both sides compared the fingerprint.
    Confirm(usize),
}

/// What is to be done, and when somebody gets to it.
#[derive(Debug)]
pub(super) struct Operators {
    due: BTreeMap<Task, u64>,
    dice: ChaCha8Rng,
}

/// What the operator of a node finds whose home has nothing in it.
pub(super) const EMPTY: &str = "EMPTY";

/// What it says when its certificate has run out.
pub(super) const EXPIRED: &str = "sertifikat node ini kedaluwarsa";

fn by(actor: &str) -> Decided {
    Decided { actor: actor.into(), reason: String::new() }
}

impl Operators {
    pub(super) fn new(seed: u64) -> Self {
        Self { due: BTreeMap::new(), dice: dice(seed, "operators", 0) }
    }

    /// Tasks whose time has come, one after the other. What is no longer needed is dropped.
    pub(super) async fn due(&mut self, world: &World, hub: &Hub) -> anyhow::Result<Vec<Task>> {
        let wanted = wanted(world, hub).await?;
        self.due.retain(|task, _| wanted.contains(task));
        let now = world.elapsed.ms();
        for task in wanted {
            let delay = span(&mut self.dice, 500, 6_000);
            self.due.entry(task).or_insert(now + delay);
        }
        let due: Vec<Task> = self.due.iter().filter(|(_, at)| **at <= now).map(|(task, _)| *task).collect();
        for task in &due {
            self.due.remove(task);
        }
        Ok(due)
    }

    /// Nobody has anything to do.
    pub(super) fn is_idle(&self) -> bool {
        self.due.is_empty()
    }

    /// Of a node and a copy of it, whether the copy is kept.
    pub(super) fn keep_the_copy(&mut self) -> bool {
        one_of(&mut self.dice, &[true, false])
    }
}

async fn wanted(world: &World, hub: &Hub) -> anyhow::Result<Vec<Task>> {
    let mut wanted = Vec::new();
    if hub.stopped().await?.is_some() {
        wanted.push(Task::Generation);
    }
    for node in 0..NODES {
        let row = hub.store.region(region(node)).await?.context("a known region")?;
        wanted.extend(wanted_for(world, node, &row));
        let told = lock(&world.twins[node].told).clone().unwrap_or_default();
        wanted.extend(told.contains("(CERTIFICATE_UNKNOWN)").then_some(Task::SwitchOff(node)));
    }
    Ok(wanted)
}

fn wanted_for(world: &World, node: usize, row: &RegionRow) -> Option<Task> {
    let own = &world.nodes[node];
    let told = lock(&own.told).clone().unwrap_or_default();
    let says = |codes: &[&str]| codes.iter().any(|code| told.contains(&format!("({code})")));
    let (invited, shown) = (lock(&own.invitation).is_some(), lock(&own.fingerprint).clone());
    if invited {
        // The hub may have lost the invitation, or what was shown for it; or the token is too old.
        let fits = row.pending_key.is_some() && shown == enrolment::region_fingerprint(row);
        return match (fits, says(&["TOKEN_INVALID"])) {
            (true, _) => Some(Task::Confirm(node)),
            (false, true) => Some(Task::Invite(node)),
            (false, false) => None,
        };
    }
    match row.status {
        Status::Restored | Status::Cloned | Status::Forked => Some(Task::NewEpoch(node)),
        Status::Revoked | Status::Invited | Status::Waiting => Some(Task::Invite(node)),
        Status::Suspended => (!own.suspended.load(Ordering::Relaxed)).then_some(Task::Resume(node)),
        Status::Active => {
            let asks = says(&["CERTIFICATE_UNKNOWN", "KEY_UNKNOWN", "KEY_REVOKED", EMPTY]);
            (asks || told.contains(EXPIRED)).then_some(Task::Invite(node))
        }
    }
}

/// `generation confirm`.
pub(super) async fn confirm_generation(hub: &Hub) -> anyhow::Result<u64> {
    Ok(generation::confirm(hub, by("petugas")).await?)
}

/// `region new-epoch`.
pub(super) async fn new_epoch(hub: &Hub, node: usize) -> anyhow::Result<u32> {
    Ok(enrolment::new_epoch(hub, region(node), by("petugas")).await?)
}

/// `region invite`: the token goes to the operator of the node.
pub(super) async fn invite(world: &World, hub: &Hub, node: usize) -> anyhow::Result<()> {
    let token = enrolment::invite(hub, region(node), by("pengundang")).await?.parse()?;
    let own = &world.nodes[node];
    *lock(&own.invitation) = Some(token);
    (*lock(&own.fingerprint), *lock(&own.told)) = (None, None);
    Ok(())
}

/// `region confirm`.
pub(super) async fn confirm(world: &World, hub: &Hub, node: usize) -> anyhow::Result<()> {
    let shown = lock(&world.nodes[node].fingerprint).clone().unwrap_or_default();
    Ok(enrolment::confirm(hub, region(node), &shown, by("pemeriksa")).await?)
}
