//! What seeds once found: the seed where plans are still drawn as they were then, else the same events as a plan of its own.

use std::collections::BTreeSet;

use dtsen_tests::sim::{self, Act, Fault, Outcome, Plan};

/// Seeds, and what they found.
const FOUND: &[(u64, &str)] = &[
    (
        39,
        "a node that had read an epoch back had no statement of it for a hub that lost it: EPOCH_UNKNOWN for ever",
    ),
    (
        305,
        "a batch that the hub lost, and in whose place a copy of the node went on: stopped again and again",
    ),
    (350, "a copy of a home that was never enrolled is no copy of a node"),
    (468, "releases of an earlier generation are not offered: somebody has to publish anew"),
    (544, "deltas of a batch that had been read back collided when they were given back"),
    (546, "two batches of one number, one of them lost with the hub's old database"),
    (558, "a receipt on its way when the hub comes back from a copy; and its nodes were taken for copies"),
    (770, "suspending a region that was stopped as restored forgot why"),
    (1451, "the certificate was made under a clock forty days behind, and nobody said that it had run out"),
    (1953, "a batch on its way when its node came back from a copy: the node lacks it from when it arrives"),
    (3641, "a copy that was known for one runs on, and the hub comes back from a time before it knew"),
    (3740, "a proof of consistency of a hub that was restored after Hello was taken for another history"),
    (
        10_543,
        "a node that enrolled into an open session had nothing to show when the answer to its Hello was lost",
    ),
    (
        17_417,
        "a copy went on in the epoch that the hub opened by itself in a new generation, and was taken for found",
    ),
    (
        17_475,
        "a node that had read a batch back in part sealed it anew, by ids that the hub lost with it: RECORD_UNKNOWN",
    ),
    (18_103, "the same without enrolment: the hub came back from a copy while its node read back"),
    (Plan::RESTORES + 40, "a lost branch that was refused as a fork was to come back after every new epoch"),
    (Plan::RESTORES + 70, "an epoch came back only if none before it had stayed unused"),
    (Plan::RESTORES + 144, "a node stayed halted by a word that a restored hub did not remember"),
    (
        Plan::RESTORES + 158,
        "a hub restored twice counted to the same generation, and a node of the other one went on",
    ),
    (Plan::RESTORES + 500, "verdicts given between custody and backup were given anew, in another order"),
    (
        Plan::RESTORES + 894,
        "a certificate made under a clock forty days ahead, and nobody said that it is not valid yet",
    ),
];

fn is_well(outcome: &Outcome) {
    assert!(outcome.failure.is_none(), "{outcome}");
}

#[test]
fn seeds_that_found_something() {
    for (seed, why) in FOUND {
        eprintln!("{seed}: {why}");
        is_well(&sim::run(*seed));
    }
}

/// The first node imports at these times, the others early.
fn happens(faults: &[Fault], imports: [u64; 3], acts: &[(u64, Act)]) {
    let plan = Plan {
        faults: faults.iter().copied().collect::<BTreeSet<_>>(),
        latency_ms: (1, 20),
        eager: true,
        phones: true,
        cut_percent: 0,
        imports_ms: [imports, [0, 1_000, 2_000], [0, 1_000, 2_000]],
        acts: acts.to_vec(),
        ..Plan::of(0)
    };
    is_well(&sim::run_plan(plan));
}

const DAY_MS: i64 = 24 * 3_600_000;

#[test]
fn a_hub_that_starts_with_a_wrong_clock_is_well_when_it_is_right() {
    let wrong = [(4_000, Act::HubClock(40 * DAY_MS)), (5_000, Act::CrashHub), (6_000, Act::StartHub)];
    happens(&[Fault::Clocks], [0, 1_000, 9_000], &[&wrong[..], &[(8_000, Act::HubClock(0))]].concat());
}

#[test]
fn a_lease_of_a_wrong_clock_keeps_nobody_out() {
    let acts = [
        (4_000, Act::HubClock(5 * 365 * DAY_MS)),
        (8_000, Act::CrashHub),
        (9_000, Act::HubClock(0)),
        (10_000, Act::StartHub),
    ];
    happens(&[Fault::Clocks], [0, 1_000, 9_000], &acts);
}

#[test]
fn a_batch_sealed_with_revoked_keys_is_no_fault() {
    let acts = [(900, Act::LoseRequests(0)), (6_000, Act::Revoke(0)), (6_000, Act::Heal(0))];
    happens(&[Fault::Revoked], [0, 1_000, 9_000], &acts);
}

/// The hub forgets the keys with which the region signed, and what it signed.
#[test]
fn what_was_signed_with_keys_that_the_hub_lost_comes_back() {
    let acts = [(5_000, Act::CopyHub), (6_000, Act::Revoke(0)), (28_000, Act::RestoreHub)];
    happens(&[Fault::Revoked, Fault::RestoredHub], [0, 1_000, 24_000], &acts);
}

/// Keys are revoked and an operator opens an epoch on a chain that lacks what the region has yet to hand back.
#[test]
fn an_epoch_opened_too_early_makes_way_for_what_comes_back() {
    let acts = [
        (3_000, Act::CopyHub),
        (12_000, Act::CrashNode(0)),
        (12_000, Act::RestoreHub),
        (12_500, Act::Revoke(0)),
        (24_000, Act::StartNode(0)),
    ];
    happens(&[Fault::Revoked, Fault::RestoredHub], [0, 4_000, 8_000], &acts);
}

#[test]
fn a_release_given_twice_is_taken_whole() {
    let acts = [
        (8_000, Act::CopyHub),
        (8_000, Act::Release),
        (14_000, Act::RestoreHub),
        (26_000, Act::Release),
        (34_000, Act::Release),
    ];
    happens(&[Fault::RestoredHub], [0, 1_000, 2_000], &acts);
}
