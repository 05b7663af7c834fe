//! Power cuts of the unmodified release programs: one run is recorded by its system calls, and from it any number of
//! cuts is replayed. After each the real code opens what the disk may hold, and everything said before must be there.

pub mod acks;
pub mod control;
pub mod cut;
pub mod disk;
pub mod line;
pub mod record;
pub mod trace;

use anyhow::ensure;

use self::{
    acks::Ack,
    cut::{Side, Tape},
    trace::What,
};
use super::{place::Place, wait};

/// What many cuts came to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Events of the recorded run that concern the disks: of the hub, and of the node.
    pub events: (usize, usize),
    /// Things said: by the hub, and by the node.
    pub said: (usize, usize),
    /// Calls that were made to fail: of the hub, and of the node.
    pub failed: (usize, usize),
    /// Cuts of the hub.
    pub hub: u64,
    /// Cuts of the node.
    pub node: u64,
    /// Things said before the cuts, and found after them.
    pub checked: u64,
}

fn failed(tape: &Tape<Ack>) -> usize {
    let failed = |event: &&trace::Event| matches!(event.what, What::Failed(_) | What::SyncFailed(_));
    tape.events.iter().filter(failed).count()
}

/// A recorded run, ready to be cut.
pub struct Tapes {
    hub: Tape<Ack>,
    node: Tape<Ack>,
    region: dtsen_proto::region::Region,
    seed: u64,
}

impl Tapes {
    /// Records a run, in which calls may be made to fail.
    pub fn record(place: &Place, inject: Option<&str>) -> anyhow::Result<Self> {
        let recording = record::record(place, inject)?;
        let said = acks::of(&recording)?;
        let tape = |home: &std::path::Path, acks| Tape::new(home, &recording.before, &recording.events, acks);
        Ok(Self {
            hub: tape(recording.hub.home(), said.hub),
            node: tape(recording.source.node.home(), said.node),
            region: recording.source.node.region,
            seed: place.seed(),
        })
    }

    /// Cuts one side and adds to the tally.
    pub fn cut(&self, side: Side, cuts: std::ops::Range<u64>, tally: &mut Tally) -> anyhow::Result<()> {
        let (tape, count) = match side {
            Side::Hub => (&self.hub, &mut tally.hub),
            Side::Node => (&self.node, &mut tally.node),
        };
        let (mut done, mut checked) = (0, 0);
        let result = tape.cut(self.seed, cuts, None, |home, said, _| {
            (done, checked) = (done + 1, checked + said.len() as u64);
            wait::block_on(async {
                match side {
                    Side::Hub => Box::pin(cut::check_hub(home, self.region, said)).await,
                    Side::Node => cut::check_node(home, said).await,
                }
            })
        });
        *count += done;
        tally.checked += checked;
        tally.events = (self.hub.events.len(), self.node.events.len());
        tally.failed = (failed(&self.hub), failed(&self.node));
        tally.said = (self.hub.acks.len(), self.node.acks.len());
        result
    }

    /// Cuts both sides, the first half of the cuts the hub's.
    pub fn cut_both(&self, cuts: std::ops::Range<u64>) -> anyhow::Result<Tally> {
        let middle = u64::midpoint(cuts.start, cuts.end);
        let (mut hub, mut node) = (Tally::default(), Tally::default());
        let (of_hub, of_node) = std::thread::scope(|scope| {
            let other = scope.spawn(|| self.cut(Side::Hub, cuts.start..middle, &mut hub));
            (other.join(), self.cut(Side::Node, middle..cuts.end, &mut node))
        });
        of_hub.map_err(|_| anyhow::anyhow!("the hub's cuts panicked"))??;
        of_node?;
        ensure!(hub.hub + node.node == cuts.end - cuts.start, "{hub:?} {node:?}");
        Ok(Tally { node: node.node, checked: hub.checked + node.checked, ..hub })
    }

    /// Cuts of the hub as if flushes of the log ahead of its database did nothing: how many of them lose something.
    pub fn losses_without_flush(&self, cuts: std::ops::Range<u64>) -> anyhow::Result<u64> {
        let mut lost = 0;
        self.hub.cut(self.seed, cuts, Some("-wal"), |home, said, _| {
            let found = wait::block_on(Box::pin(cut::check_hub(home, self.region, said)));
            lost += u64::from(found.is_err());
            Ok(())
        })?;
        Ok(lost)
    }
}

/// The form of `tests/run`: half the cuts are the hub's, half the node's; both controls must lose something.
pub fn run(place: &Place, cuts: u64) -> anyhow::Result<(Tally, control::Losses)> {
    let tapes = Tapes::record(place, None)?;
    let tally = tapes.cut_both(0..cuts)?;
    let losses = control::run(place, &tapes)?;
    Ok((tally, losses))
}

/// Cuts of a run in which calls failed.
const FAULTY_CUTS: u64 = 100;

/// A run in which calls fail again and again, by strace's hand; then cuts of it. What a failed flush should have
/// flushed never comes to the disk, so whoever believes in it is found out.
pub fn with_failing(place: &Place, inject: &str) -> anyhow::Result<Tally> {
    let tapes = Tapes::record(place, Some(inject))?;
    let tally = tapes.cut_both(0..FAULTY_CUTS)?;
    ensure!(tally.failed.0 > 0 && tally.failed.1 > 0, "nothing failed: {tally:?}");
    Ok(tally)
}
