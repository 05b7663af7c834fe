//! Promise 5 and the codes of PROTOCOL §10: a raw client with real keys does everything that it must not. Every refusal has
//! its exact code, nothing changes by it, and the other region goes on.

mod bodies;
mod certificates;
mod chain;
mod floods;
mod headers;
mod mutations;
mod reads;

use dtsen_proto::{
    batch::{self, Draft},
    pb,
};
use dtsen_tests::{
    faults::place::{Engine, Place},
    wire::{client::Refused, peer::Peer},
};

fn run(name: &str, scenario: impl FnOnce(&Place) -> anyhow::Result<()>) -> anyhow::Result<()> {
    crate::scenario(name, Engine::Sqlite, scenario)
}

/// Seals deltas under a draft and sends them.
fn send(peer: &mut Peer, draft: &Draft, deltas: &[Vec<u8>]) -> Result<pb::SubmitReply, Refused> {
    let sealed = batch::seal(&peer.signer, draft, deltas);
    let request = peer.request(&sealed);
    peer.submit(request)
}

#[test]
fn headers_that_do_not_hold_are_refused() -> anyhow::Result<()> {
    run("wire_headers", headers::run)
}

#[test]
fn sessions_that_are_not_the_last_are_refused() -> anyhow::Result<()> {
    run("wire_sessions", headers::sessions)
}

#[test]
fn bodies_that_do_not_fit_are_refused_and_can_be_sent_again() -> anyhow::Result<()> {
    run("wire_bodies", bodies::run)
}

#[test]
fn a_body_over_a_limit_leaves_its_header_in_custody() -> anyhow::Result<()> {
    run("wire_limits", bodies::limits)
}

#[test]
fn a_decile_of_a_region_is_refused_alone() -> anyhow::Result<()> {
    run("wire_decile", bodies::decile)
}

#[test]
fn a_chain_has_one_batch_at_every_number() -> anyhow::Result<()> {
    run("wire_chain", chain::run)
}

#[test]
fn what_was_closed_or_revoked_counts_no_further() -> anyhow::Result<()> {
    run("wire_closed", chain::closed)
}

#[test]
fn certificates_open_the_door_of_their_region_alone() -> anyhow::Result<()> {
    run("wire_certificates", certificates::run)
}

#[test]
fn stalled_and_strange_connections_hold_nobody_up() -> anyhow::Result<()> {
    run("wire_stalled", certificates::stalled)
}

#[test]
fn nobody_reads_what_is_another_regions() -> anyhow::Result<()> {
    run("wire_reads", reads::run)
}

#[test]
fn floods_of_frames_are_sent_away() -> anyhow::Result<()> {
    run("wire_frames", floods::frames)
}

#[test]
fn calls_that_stall_or_never_end_are_bounded() -> anyhow::Result<()> {
    run("wire_calls", floods::calls)
}

#[test]
fn crowds_of_connections_hold_nobody_up() -> anyhow::Result<()> {
    run("wire_crowds", floods::connections)
}

#[test]
fn no_mutated_batch_is_taken_for_another() -> anyhow::Result<()> {
    mutations::run()
}
