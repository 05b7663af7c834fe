//! What a seed stands for: the network, what breaks when, when files arrive and releases are made.

use std::fmt;

use rand_chacha::ChaCha8Rng;

use super::{
    ROUNDS,
    ambient::{below, dice},
};

/// Length of phase 1.
const FAULTS_MS: u64 = 40_000;
/// Different file sets; each needs one undisturbed run.
pub(super) const WORKLOADS: u64 = 4;

/// Something that the driver does to the world. Nodes by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Messages between hub and node are dropped, both ways.
    Partition(usize),
    /// The node's messages to the hub are dropped.
    LoseRequests(usize),
    /// The hub's messages to the node are dropped: what was asked is done, the reply is lost.
    LoseReplies(usize),
    /// Messages are kept back and arrive later.
    Hold(usize),
    /// Messages pass again; those held arrive.
    Heal(usize),
    /// The hub's process ends at once.
    CrashHub,
    /// It starts again.
    StartHub,
    /// A node's process ends at once.
    CrashNode(usize),
    /// It starts again.
    StartNode(usize),
    /// An operator makes a release.
    Release,
}

/// A seed, expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Which files are imported.
    pub workload: u64,
    /// Shortest and longest time of a message.
    pub latency_ms: (u64, u64),
    /// Whether nodes exchange every second, as a busy application does, or as `sync` does by itself.
    pub eager: bool,
    /// Of a hundred connections, so many are cut after some bytes.
    pub cut_percent: u64,
    /// When each node's files arrive.
    pub imports_ms: [[u64; ROUNDS]; 2],
    /// What happens when, in order.
    pub acts: Vec<(u64, Act)>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "workload {}, latency {}–{} ms, eager {}, {} % of connections cut, imports at {:?} ms, acts {:?}",
            self.workload,
            self.latency_ms.0,
            self.latency_ms.1,
            self.eager,
            self.cut_percent,
            self.imports_ms,
            self.acts
        )
    }
}

fn span(dice: &mut ChaCha8Rng, low: u64, high: u64) -> u64 {
    low + below(dice, high - low + 1)
}

fn one_of(dice: &mut ChaCha8Rng, values: &[u64]) -> u64 {
    values[usize::try_from(below(dice, values.len() as u64)).expect("one of them")]
}

impl Plan {
    /// What a seed stands for.
    pub fn of(seed: u64) -> Self {
        let dice = &mut dice(seed, "plan", 0);
        let latency_ms = (span(dice, 1, 10), one_of(dice, &[20, 60, 200, 600]));
        let cut_percent = one_of(dice, &[0, 0, 15, 40]);
        let eager = below(dice, 3) > 0;
        let mut acts =
            vec![(span(dice, 5_000, 18_000), Act::Release), (span(dice, 20_000, FAULTS_MS), Act::Release)];
        for _ in 0..span(dice, 2, 8) {
            let begin = span(dice, 200, FAULTS_MS * 3 / 4);
            let end = (begin + one_of(dice, &[300, 2_000, 8_000, 15_000])).min(FAULTS_MS);
            let node = usize::from(below(dice, 2) == 1);
            let (first, second) = match below(dice, 8) {
                0 => (Act::Partition(node), Act::Heal(node)),
                1 => (Act::LoseRequests(node), Act::Heal(node)),
                2 | 3 => (Act::LoseReplies(node), Act::Heal(node)),
                4 => (Act::Hold(node), Act::Heal(node)),
                5 | 6 => (Act::CrashHub, Act::StartHub),
                _ => (Act::CrashNode(node), Act::StartNode(node)),
            };
            acts.extend([(begin, first), (end, second)]);
        }
        acts.sort_by_key(|(at, _)| *at);
        let imports_ms = [0, 1].map(|_| {
            let first = span(dice, 0, 3_000);
            let second = first + span(dice, 500, 14_000);
            [first, second, second + span(dice, 500, 18_000)]
        });
        Self { seed, workload: seed % WORKLOADS, latency_ms, eager, cut_percent, imports_ms, acts }
    }

    /// The same files with nothing broken.
    pub(super) fn undisturbed(workload: u64) -> Self {
        Self {
            seed: workload,
            workload,
            latency_ms: (1, 20),
            eager: true,
            cut_percent: 0,
            imports_ms: [[0, 2_000, 4_000]; 2],
            acts: vec![(12_000, Act::Release)],
        }
    }

    /// When phase 1 ends.
    pub(super) fn faults_end_ms(&self) -> u64 {
        self.acts.iter().map(|(at, _)| *at).max().unwrap_or(0)
    }
}
