//! What a seed stands for: the network, what breaks when, when files arrive and releases are made.

use std::{collections::BTreeSet, fmt};

use rand_chacha::ChaCha8Rng;

use super::{
    NODES, ROUNDS,
    act::{Act, Fault},
    ambient::{below, dice, one_of, span},
};

/// Length of phase 1.
const FAULTS_MS: u64 = 30_000;
/// Different file sets; each needs one undisturbed run.
pub(super) const WORKLOADS: u64 = 4;
/// Clocks are wrong by these: an hour, less than the life of a certificate, more, years.
const WRONG_MS: [i64; 4] = [HOUR_MS, 12 * 24 * HOUR_MS, 40 * 24 * HOUR_MS, 5 * 365 * 24 * HOUR_MS];
const HOUR_MS: i64 = 3_600_000;

/// A seed, expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Kinds of trouble.
    pub faults: BTreeSet<Fault>,
    /// Which files are imported.
    pub workload: u64,
    /// Shortest and longest time of a message.
    pub latency_ms: (u64, u64),
    /// Whether nodes exchange every few seconds, as a busy application does, or as `sync` does by itself.
    pub eager: bool,
    /// Whether operators start a node's process again after they did something for it.
    pub phones: bool,
    /// Of a hundred connections, so many are cut after some bytes.
    pub cut_percent: u64,
    /// When each node's files arrive.
    pub imports_ms: [[u64; ROUNDS]; NODES],
    /// What happens when, in order.
    pub acts: Vec<(u64, Act)>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { workload, latency_ms: (low, high), eager, phones, cut_percent, .. } = self;
        let (faults, imports, acts) = (&self.faults, &self.imports_ms, &self.acts);
        write!(
            f,
            "{faults:?}, workload {workload}, latency {low}–{high} ms, eager {eager}, phones {phones}, \
             {cut_percent} % of connections cut, imports at {imports:?} ms, acts {acts:?}"
        )
    }
}

/// Of twelve plans, so many have a kind of trouble.
fn often(fault: Fault) -> u64 {
    match fault {
        Fault::Network => 8,
        Fault::Crashes => 6,
        Fault::Twice | Fault::Clocks | Fault::RestoredNode | Fault::RestoredHub => 3,
        Fault::Revoked | Fault::Cloned | Fault::EmptyDisk => 2,
    }
}

impl Plan {
    /// From this seed on, every plan restores nodes and the hub.
    pub const RESTORES: u64 = 1 << 40;

    /// What a seed stands for.
    pub fn of(seed: u64) -> Self {
        let dice = &mut dice(seed, "plan", 0);
        let latency_ms = (span(dice, 1, 10), one_of(dice, &[20, 60, 200, 600]));
        let cut_percent = one_of(dice, &[0, 0, 15, 40]);
        let (eager, phones) = (below(dice, 3) > 0, below(dice, 4) > 0);
        let mut faults: BTreeSet<Fault> =
            Fault::ALL.into_iter().filter(|fault| below(dice, 12) < often(*fault)).collect();
        let mut times = 2;
        if seed >= Self::RESTORES {
            faults.extend([Fault::RestoredNode, Fault::RestoredHub]);
            times = 4;
        }
        let mut acts =
            vec![(span(dice, 5_000, 15_000), Act::Release), (span(dice, 16_000, FAULTS_MS), Act::Release)];
        for fault in &faults {
            for _ in 0..span(dice, 1, times) {
                add(dice, *fault, &mut acts);
            }
        }
        acts.sort_by_key(|(at, _)| *at);
        let imports_ms = std::array::from_fn(|_| {
            let first = span(dice, 0, 3_000);
            let second = first + span(dice, 500, 10_000);
            [first, second, second + span(dice, 500, 14_000)]
        });
        let workload = seed % WORKLOADS;
        Self { seed, faults, workload, latency_ms, eager, phones, cut_percent, imports_ms, acts }
    }

    /// The same files with nothing broken.
    pub(super) fn undisturbed(workload: u64) -> Self {
        Self {
            seed: workload,
            faults: BTreeSet::new(),
            workload,
            latency_ms: (1, 20),
            eager: true,
            phones: true,
            cut_percent: 0,
            imports_ms: [[0, 2_000, 4_000]; NODES],
            acts: vec![(12_000, Act::Release)],
        }
    }

    /// When phase 1 ends.
    pub(super) fn faults_end_ms(&self) -> u64 {
        self.acts.iter().map(|(at, _)| *at).max().unwrap_or(0)
    }

    /// Whether a node may lose what it did: its figures then count some changes twice.
    pub(super) fn loses_nodes(&self) -> bool {
        let losing = [Fault::RestoredNode, Fault::Cloned, Fault::EmptyDisk, Fault::Revoked];
        losing.iter().any(|fault| self.faults.contains(fault))
    }
}

fn node(dice: &mut ChaCha8Rng) -> usize {
    usize::try_from(below(dice, NODES as u64)).expect("small")
}

/// One trouble of a kind, from its beginning to its end.
fn add(dice: &mut ChaCha8Rng, fault: Fault, acts: &mut Vec<(u64, Act)>) {
    let begin = span(dice, 200, FAULTS_MS * 3 / 4);
    let end = (begin + one_of(dice, &[300, 2_000, 8_000, 15_000])).min(FAULTS_MS);
    let earlier = span(dice, 100, begin - 100);
    let node = node(dice);
    match fault {
        Fault::Network => {
            let first = match below(dice, 6) {
                0 => Act::Partition(node),
                1 => Act::LoseRequests(node),
                2 | 3 => Act::LoseReplies(node),
                4 => Act::Hold(node),
                _ => Act::Slow(node, one_of(dice, &[500, 1_500, 4_000])),
            };
            acts.extend([(begin, first), (end, Act::Heal(node))]);
        }
        Fault::Crashes if below(dice, 2) == 0 => {
            acts.extend([(begin, Act::CrashHub), (end, Act::StartHub)]);
        }
        Fault::Crashes => acts.extend([(begin, Act::CrashNode(node)), (end, Act::StartNode(node))]),
        Fault::Twice => {
            let crash = begin + span(dice, 100, 2_000);
            acts.extend([(begin, Act::LoseReplies(node)), (crash, Act::CrashNode(node))]);
            acts.extend([(crash + 50, Act::StartNode(node)), (crash + 50, Act::Heal(node))]);
        }
        Fault::Clocks => {
            let wrong = one_of(dice, &WRONG_MS) * one_of(dice, &[1, -1]);
            let (wrong, right) = match below(dice, 4) {
                0 => (Act::HubClock(wrong), Act::HubClock(0)),
                _ => (Act::NodeClock(node, wrong), Act::NodeClock(node, 0)),
            };
            acts.extend([(begin, wrong), (end, right)]);
        }
        Fault::Revoked if below(dice, 2) == 0 => {
            acts.extend([(begin, Act::Suspend(node)), (end, Act::Resume(node))]);
        }
        Fault::Revoked => acts.push((begin, Act::Revoke(node))),
        Fault::RestoredNode => {
            let whole = below(dice, 2) == 0;
            acts.extend([(earlier, Act::CopyNode(node)), (begin, Act::RestoreNode { node, whole })]);
        }
        Fault::RestoredHub => acts.extend([(earlier, Act::CopyHub), (begin, Act::RestoreHub)]),
        Fault::Cloned => {
            if below(dice, 2) == 0 {
                acts.push((earlier, Act::CopyNode(node)));
            }
            acts.push((begin, Act::Clone(node)));
        }
        Fault::EmptyDisk => acts.push((begin, Act::EmptyDisk(node))),
    }
}
