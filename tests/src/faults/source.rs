//! A region of a fault test: its node, its people, and the files that say how they change from day to day.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dtsen_proto::region::Region;

use crate::{
    federation::{Hub, Node},
    population::{self, FileOptions, Population},
};

/// Lines in a thousand that change from one day to the next.
const CHANGES: u32 = 150;
/// People of the first region who are listed in the second too.
const LISTED_TWICE: u64 = 3;

/// A region with its people.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which.
    pub region: Region,
    /// Its people on day 0.
    pub people: Population,
}

/// Regions with so many families each; some people of the first are listed in the second too.
pub fn plans(seed: u64, regions: &[(&str, u64)]) -> anyhow::Result<Vec<Plan>> {
    let mut plans: Vec<Plan> = Vec::new();
    for (at, (code, families)) in regions.iter().enumerate() {
        let region: Region = code.parse()?;
        let mut people = Population::new(seed, region, population::villages(region), *families);
        if let (1, Some(first)) = (at, plans.first()) {
            people = people.with_guests_from(&first.people, LISTED_TWICE);
        }
        plans.push(Plan { region, people });
    }
    Ok(plans)
}

/// A node of a plan.
pub struct Source {
    /// The node.
    pub node: Node,
    people: Population,
    files: PathBuf,
}

impl Source {
    /// Makes a node, enrolled at the hub.
    pub fn enrol(hub: &Hub, folder: &Path, plan: &Plan) -> anyhow::Result<Self> {
        let node = Node::create(&folder.join(plan.region.to_string()), plan.region)?;
        hub.enrol(&node)?;
        Ok(Self::of(node, plan, &folder.join(format!("berkas-{}", plan.region))))
    }

    /// A node that is enrolled, and the folder of its files.
    pub fn of(node: Node, plan: &Plan, files: &Path) -> Self {
        Self { node, people: plan.people.clone(), files: files.to_owned() }
    }

    /// Arguments that import what the region says on a day; day 0 is the first load.
    pub fn import(&self, day: u32) -> anyhow::Result<Vec<String>> {
        let people = (1..=day).fold(self.people.clone(), |people, day| people.changed_by(day, CHANGES));
        let folder = self.files.join(day.to_string());
        std::fs::create_dir_all(&folder)?;
        let faults = population::Faults::none();
        let pair = population::write_pair(&folder, &people, &faults, FileOptions::default())?;
        let path = |path: &Path| path.to_str().map(str::to_owned).context("a path in UTF-8");
        let date = format!("2026-{:02}-{:02}", 1 + day / 28, 1 + day % 28);
        Ok(vec!["import".into(), path(&pair.keluarga)?, path(&pair.anggota)?, "--as-of".into(), date])
    }

    /// Imports a day.
    pub fn load(&self, day: u32) -> anyhow::Result<()> {
        let arguments = self.import(day)?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.node.run(&arguments)?;
        Ok(())
    }
}

/// The registry after an undisturbed run: one hub, every region imports its days one after the other.
pub fn undisturbed(folder: &Path, plans: &[Plan], days: &[u32]) -> anyhow::Result<Vec<String>> {
    let mut hub = Hub::create(&folder.join("pusat"), "sqlite:hub.db")?;
    hub.start()?;
    for (plan, days) in plans.iter().zip(days) {
        let source = Source::enrol(&hub, folder, plan)?;
        for day in 0..*days {
            source.load(day)?;
            if day == 0 {
                source.node.sync()?;
            }
        }
        source.node.sync()?;
    }
    super::contents::of_database(&hub.database())
}
