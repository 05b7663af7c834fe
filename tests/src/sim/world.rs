//! What the processes and the driver share: what outlives a crash besides the disks.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
};

use dtsen_proto::{enrol::Token, region::Region};

use super::{
    HUB, NODE_NAMES, REGIONS, TWIN_NAMES,
    ambient::{Elapsed, Watch},
    homes::Homes,
    plan::Plan,
    template::Files,
    trace::Trace,
};

/// A computer: where its home is, its clock, and how often its process began.
pub(super) struct Computer {
    pub(super) name: &'static str,
    pub(super) watch: Watch,
    pub(super) lives: AtomicU64,
    home: Mutex<PathBuf>,
}

impl Computer {
    fn new(name: &'static str, elapsed: &Arc<Elapsed>, homes: &Homes) -> Self {
        let home = Mutex::new(homes.first(name));
        Self { name, watch: Watch::new(elapsed), lives: AtomicU64::new(0), home }
    }

    pub(super) fn home(&self) -> PathBuf {
        lock(&self.home).clone()
    }

    pub(super) fn moves_to(&self, home: PathBuf) {
        *lock(&self.home) = home;
    }
}

/// A node's computer, with what people did and heard there.
pub(super) struct NodeComputer {
    pub(super) computer: Computer,
    pub(super) node: usize,
    /// Files imported, and files to import in all.
    pub(super) imported: AtomicUsize,
    pub(super) to_import: AtomicUsize,
    /// The token that an operator of the hub gave.
    pub(super) invitation: Mutex<Option<Token>>,
    /// Fingerprint of the keys that wait for confirmation, as the node shows it.
    pub(super) fingerprint: Mutex<Option<String>>,
    /// Whether operators of the hub want the region to be suspended.
    pub(super) suspended: AtomicBool,
    /// What the last exchange or enrolment ended with, if not well.
    pub(super) told: Mutex<Option<String>>,
}

/// The lock, also after a panic elsewhere: the seed has failed then anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the processes and the driver share.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) homes: Homes,
    pub(super) files: Arc<Files>,
    pub(super) trace: Trace,
    pub(super) elapsed: Arc<Elapsed>,
    /// Whether things may break.
    pub(super) faulty: Arc<AtomicBool>,
    pub(super) hub: Computer,
    /// Nodes, and the copies that run beside them.
    pub(super) nodes: Vec<NodeComputer>,
    pub(super) twins: Vec<NodeComputer>,
    /// Releases asked for and made.
    pub(super) releases: [AtomicU64; 2],
}

impl World {
    pub(super) fn new(
        plan: Plan,
        homes: Homes,
        files: Arc<Files>,
        trace: Trace,
        elapsed: Arc<Elapsed>,
    ) -> Self {
        let computers = |names: [&'static str; super::NODES], to_import| {
            let numbered = names.into_iter().enumerate();
            numbered
                .map(|(node, name)| NodeComputer {
                    computer: Computer::new(name, &elapsed, &homes),
                    node,
                    imported: AtomicUsize::new(0),
                    to_import: AtomicUsize::new(to_import),
                    invitation: Mutex::default(),
                    fingerprint: Mutex::default(),
                    suspended: AtomicBool::default(),
                    told: Mutex::default(),
                })
                .collect()
        };
        Self {
            hub: Computer::new(HUB, &elapsed, &homes),
            nodes: computers(NODE_NAMES, super::ROUNDS),
            twins: computers(TWIN_NAMES, 0),
            plan,
            homes,
            files,
            trace,
            elapsed,
            faulty: Arc::default(),
            releases: [0; 2].map(AtomicU64::new),
        }
    }
}

/// A region by the number of its node.
pub(super) fn region(node: usize) -> Region {
    REGIONS[node].parse().expect("a region")
}
