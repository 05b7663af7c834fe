//! What happens in the country, event by event.

mod exchange;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};

use dtsen_central::intake::gate::{Line, Place};
use dtsen_node::follow::Ended;
use dtsen_proto::region::Region;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

use self::exchange::{Away, Ticket};
use super::{
    hub::{Batch, Greeting, Hub},
    node::{Home, Node},
    queue::Queue,
};
use crate::{
    population::every_region,
    sim::ambient::{below, dice, span},
};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Days at the end in which nothing breaks any more.
const CALM: u64 = 2;
/// How long, how many, and what happens how often.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// Virtual days.
    pub days: u64,
    /// Regions.
    pub regions: usize,
    /// Of the whole country, a day: nodes that come back from last night's copy, and copies that begin to run.
    pub restores: u64,
    /// Days between two outages of the hub; every third ends with the copy of the night before.
    pub outages: u64,
}

impl Plan {
    /// The country for a season.
    pub fn country(seed: u64) -> Self {
        Self { seed, days: 90, regions: 552, restores: 2, outages: 5 }
    }
}

/// What came of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Events.
    pub events: u64,
    /// Digest of them all.
    pub digest: String,
    /// Hellos, batches in custody, calls that were told to come again.
    pub hellos: u64,
    /// The same.
    pub batches: u64,
    /// The same.
    pub delayed: u64,
    /// Nodes that were stopped because they came back from a copy or ran twice.
    pub stopped: u64,
    /// Generations of the hub.
    pub generations: u64,
    /// Most Hellos in one second.
    pub busiest: u64,
    /// Longest time from the end of an outage until every node that could had exchanged, ms.
    pub slowest_return: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Wake(usize, u32),
    Greeted(usize, u32, Greeting),
    Submitted(usize, u32),
    Served(Place, usize, u32, u32),
    Answered(usize, u32, Answer),
    Broken(usize, u32),
    Import(usize),
    Link(usize, bool),
    Night,
    HubDown(bool),
    HubUp,
    Trouble,
    Operators,
    Release,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Receipt(u64),
    Refused,
    ComeAgain(u64),
}

/// A batch on its way, and whether it is handed back.
type OnTheWay = (Batch, bool);

struct Country {
    plan: Plan,
    queue: Queue<Event>,
    dice: ChaCha8Rng,
    hub: Hub,
    copy: Hub,
    up: bool,
    /// Lives of the hub's process.
    life: u32,
    line: Line<Ticket>,
    places: BTreeMap<(usize, u32), Place>,
    away: Away,
    nodes: Vec<Node>,
    sent: BTreeMap<(usize, u32), OnTheWay>,
    /// Imports that each region's own system has made.
    source: Vec<u32>,
    /// Regions that came back from a copy, or run twice.
    guilty: BTreeSet<usize>,
    /// Whether the hub came back without something since its generation began.
    came_back: bool,
    /// Nodes that have not exchanged since the hub is up again, and since when it is.
    due: Option<(u64, BTreeSet<usize>)>,
    second: (u64, u64),
    digest: Sha256,
    report: Report,
}

/// Lives through a plan.
pub fn run(plan: Plan) -> anyhow::Result<Report> {
    let regions = every_region(plan.regions)?;
    let mut country = Country::new(plan, &regions);
    country.begin();
    let end = plan.days * DAY;
    while let Some(event) = country.queue.next(end) {
        country.report.events += 1;
        country.digest.update(format!("{} {event:?}\n", country.queue.now()));
        country.happens(event)?;
    }
    country.all_is_well()?;
    country.report.generations = country.hub.generation;
    country.report.digest = hex::encode(country.digest.finalize());
    Ok(country.report)
}

impl Country {
    fn new(plan: Plan, regions: &[Region]) -> Self {
        let hub = Hub::new(regions);
        let node = |(region, code): (usize, &Region)| Node::new(region, Home::new(*code));
        Self {
            plan,
            queue: Queue::new(),
            dice: dice(plan.seed, "country", plan.days),
            copy: hub.clone(),
            hub,
            up: true,
            life: 0,
            line: Line::default(),
            places: BTreeMap::new(),
            away: Away::default(),
            nodes: regions.iter().enumerate().map(node).collect(),
            sent: BTreeMap::new(),
            source: vec![0; regions.len()],
            guilty: BTreeSet::new(),
            came_back: false,
            due: None,
            second: (0, 0),
            digest: Sha256::new(),
            report: Report::default(),
        }
    }

    fn begin(&mut self) {
        for node in 0..self.nodes.len() {
            let (import, link) = (below(&mut self.dice, DAY), below(&mut self.dice, DAY));
            self.queue.after(import, Event::Import(node));
            self.queue.after(link, Event::Link(node, false));
        }
        let outage = self.plan.outages * DAY + below(&mut self.dice, DAY);
        for (delay, event) in [
            (2 * HOUR, Event::Night),
            (outage, Event::HubDown(false)),
            (DAY, Event::Trouble),
            (30 * MINUTE, Event::Operators),
            (7 * DAY, Event::Release),
        ] {
            self.queue.after(delay, event);
        }
    }

    fn is_calm(&self) -> bool {
        self.queue.now() >= (self.plan.days - CALM) * DAY
    }

    fn happens(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Wake(node, turn) => self.wakes(node, turn),
            Event::Greeted(node, turn, greeting) => return self.greeted(node, turn, greeting),
            Event::Submitted(node, turn) => self.arrives(node, turn),
            Event::Served(place, node, turn, life) => self.served(place, node, turn, life),
            Event::Answered(node, turn, answer) => self.answered(node, turn, answer),
            Event::Broken(node, turn) => {
                if self.is_in(node, turn) {
                    let carried = self.nodes[node].carried;
                    self.ends(node, Ended::Broken { carried, asked: None });
                }
            }
            Event::Import(node) => {
                self.source[node] += 1;
                self.nodes[node].home.import(self.source[node]);
                self.nudge(node);
                if !self.is_calm() {
                    let next = span(&mut self.dice, 12 * HOUR, 36 * HOUR);
                    self.queue.after(next, Event::Import(node));
                }
            }
            Event::Link(node, up) => self.link(node, up),
            Event::Night => {
                self.copy = self.hub.clone();
                for node in &mut self.nodes {
                    node.backup = node.home.clone();
                }
                self.queue.after(DAY, Event::Night);
            }
            Event::HubDown(from_copy) => self.hub_down(from_copy),
            Event::HubUp => self.hub_up(),
            Event::Trouble => self.trouble(),
            Event::Operators => self.operators()?,
            Event::Release => {
                self.hub.release = self.hub.release.max(self.hub.generation * 1_000_000) + 1;
                (0..self.nodes.len()).for_each(|node| self.nudge(node));
                self.queue.after(7 * DAY, Event::Release);
            }
        }
        Ok(())
    }
}
