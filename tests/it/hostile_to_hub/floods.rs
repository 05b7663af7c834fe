//! Floods and connections that stand still, against the hub as it is shipped: it refuses or bounds them, its memory stays
//! below 512 MB, and an honest region gets through while they go on.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use dtsen_tests::{
    faults::{place::Place, wait},
    wire::{
        assault::{Aim, Assault, Attack, Counts},
        client,
        flood::Flood,
        stage::Stage,
        stall::Stall,
    },
};

/// The hub's memory never goes above this, whatever comes.
const MEMORY_KIB: u64 = 512 * 1024;
/// Descriptors that the hub may have open: a hostile region and anybody at the door of enrolment cannot bring it near the
/// 8,192 that it asks for.
const DESCRIPTORS: usize = 1_600;
/// How long an attack may need until its effect shows on a slow machine.
const EFFECT: Duration = Duration::from_mins(1);
/// Bytes of an endless call that the hub may take in, on the average: its windows, and no second message.
const ENDLESS_TAKEN: u64 = 512 * 1024;
/// Whether an attack has shown what it should.
type Shows = fn(&Counts) -> bool;

/// Goes on with an attack until it shows what it should and an honest region has exchanged meanwhile.
fn under(place: &Place, attacks: &[(Attack, Shows)]) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    stage.deliver_noise()?;
    let aim = Aim::at(&stage.hub, &stage.peer)?;
    let pid = stage.hub.pid().context("the hub runs")?;
    for (attack, shows) in attacks {
        let assault = Assault::begin(*attack, &aim)?;
        let seen = wait::until(EFFECT, || match assault.counts() {
            counts if shows(&counts) => Ok(counts),
            counts => Err(format!("{counts:?}")),
        });
        seen.with_context(|| format!("{attack:?}: no effect"))?;
        stage.honest_goes_on().with_context(|| format!("{attack:?}: the honest region is held up"))?;
        let peak = client::memory_kib(pid, "VmHWM")?;
        let open = client::descriptors(pid)?;
        eprintln!("{attack:?}: VmHWM {peak} KiB, {open} descriptors, {:?}", assault.counts());
        ensure!(peak < MEMORY_KIB, "{attack:?}: the hub had {peak} KiB");
        ensure!(open < DESCRIPTORS, "{attack:?}: the hub has {open} descriptors open");
        drop(assault);
    }
    stage.end()
}

/// The hub ended a connection with a reason.
fn sent_away(counts: &Counts) -> bool {
    counts.closed > 0 && counts.goaways.keys().any(|code| *code != 0)
}

fn refuses_streams(counts: &Counts) -> bool {
    counts.rounds > 0 && counts.resets > counts.sent / 2
}

/// The hub ended one connection after the other, without a word: an idle frame too many.
fn thrown_out(counts: &Counts) -> bool {
    counts.rounds > 1 && counts.closed == counts.rounds
}

pub(super) fn frames(place: &Place) -> anyhow::Result<()> {
    under(
        place,
        &[
            (Attack::Flood(Flood::Streams), |c| refuses_streams(c) || sent_away(c)),
            (Attack::Flood(Flood::RapidReset), thrown_out),
            (Attack::Flood(Flood::MadeYouReset), sent_away),
            (Attack::Flood(Flood::EmptyData), sent_away),
            (Attack::Flood(Flood::Continuation), sent_away),
            (Attack::Flood(Flood::Ping), thrown_out),
            (Attack::Flood(Flood::Settings), thrown_out),
        ],
    )
}

pub(super) fn calls(place: &Place) -> anyhow::Result<()> {
    under(
        place,
        &[
            (Attack::Stall(Stall::SilentReader), |c| c.answers >= 16),
            (Attack::Stall(Stall::Upload), |c| c.sent >= 8),
            // A call ends with its first message: what flowed meanwhile fits into the windows.
            (Attack::Stall(Stall::EndlessStream), |c| c.answers >= 32 && c.sent < c.answers * ENDLESS_TAKEN),
        ],
    )
}

pub(super) fn connections(place: &Place) -> anyhow::Result<()> {
    under(
        place,
        &[
            (Attack::Stall(Stall::Handshake), |c| c.rounds >= 500),
            (Attack::Stall(Stall::HalfClosed), |c| c.rounds >= 64 && c.closed >= 50),
            (Attack::Stall(Stall::Enrolment), |c| c.rounds >= 300 && c.closed >= 150),
        ],
    )
}
