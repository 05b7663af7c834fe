//! The lane: one at a time in the whole federation decides and writes, under a lease fenced in every transaction.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dtsen_kit::telemetry::chain;
use dtsen_proto::{id::Position, region::Region};
use tokio_util::sync::CancellationToken;

use crate::{
    engine::{Engine, PreparedBatch},
    hub::Hub,
    intake::Gate,
    lease::Lease,
    registry::view::Wanted,
    store::{Fence, Parts, StoreError},
};

/// Name of the lease.
pub const LEASE: &str = "lane";
/// Batches decided in one transaction: enough to make the commit cheap, few enough to keep it short.
pub const BATCHES: u32 = 8;
/// The same while regions stand in line at the gate: on SQLite nobody's batch comes into custody meanwhile.
const BATCHES_IN_A_CROWD: u32 = 2;
/// How often an idle lane looks for batches that another hub process took.
const IDLE: Duration = Duration::from_millis(250);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// What is made ready for the next step while the database works on this one.
#[derive(Default)]
pub struct Ahead {
    batches: Vec<PreparedBatch>,
    wanted: Wanted,
    /// The batches before, of no use any more: giving back their memory takes time too.
    done: Vec<PreparedBatch>,
}

/// A step that failed.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A body in custody cannot be read.
    #[error(transparent)]
    Body(#[from] crate::engine::BodyLost),
}

/// Decides until told to stop. `holder` names this process.
pub async fn run(hub: Arc<Hub>, gate: Arc<Gate>, holder: String, stop: CancellationToken) {
    let mut lease = Lease::new(LEASE, holder);
    let mut ahead = Ahead::default();
    while !stop.is_cancelled() {
        let most = if gate.has_a_line() { BATCHES_IN_A_CROWD } else { BATCHES };
        let pause = match turn(&hub, &mut lease, &mut ahead, most).await {
            Ok(Turn::Worked) => continue,
            Ok(Turn::Idle) => IDLE,
            Ok(Turn::NotMine) => PAUSE,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the lane pauses");
                lease.doubt();
                ahead = Ahead::default();
                PAUSE
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = hub.lane_work.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    lease.give(&hub).await;
}

enum Turn {
    Worked,
    Idle,
    NotMine,
}

async fn turn(hub: &Arc<Hub>, lease: &mut Lease, ahead: &mut Ahead, most: u32) -> Result<Turn, LaneError> {
    if lease.renew(hub).await? {
        // Another process may have decided them.
        *ahead = Ahead::default();
    }
    let Some(fence) = lease.fence() else { return Ok(Turn::NotMine) };
    Ok(if step(hub, fence, ahead, most).await? { Turn::Worked } else { Turn::Idle })
}

/// Decides the next batches, and decodes and checks those after them while the database works. Returns whether there were
/// any. What is ready, `most` batches, stays in `ahead` for the next step under the same lease.
pub async fn step(hub: &Arc<Hub>, fence: &Fence, ahead: &mut Ahead, most: u32) -> Result<bool, LaneError> {
    let mut now = std::mem::take(ahead);
    if now.batches.is_empty() {
        now = ready(hub.clone(), BTreeMap::new(), most, now.done).await?;
    }
    let Ahead { batches, wanted, done } = now;
    if batches.is_empty() {
        return Ok(false);
    }
    let last: BTreeMap<Region, Position> =
        batches.iter().map(PreparedBatch::position).map(|at| (at.region, at)).collect();
    let mut decide = |view, state| -> Parts<'_> { Box::new(hub.engine.decide(&batches, view, state)) };
    // A task of its own: on another processor, where there is one.
    let next = tokio::spawn(ready(hub.clone(), last, most, done));
    hub.store.apply(fence, &wanted, &mut decide).await?;
    // What fails here fails again in the next step, alone.
    *ahead = next.await.map_or_else(|_| Ahead::default(), Result::unwrap_or_default);
    ahead.done = batches;
    hub.log_work.notify_one();
    Ok(true)
}

/// The next batches after these places, decoded and checked.
async fn ready(
    hub: Arc<Hub>,
    after: BTreeMap<Region, Position>,
    most: u32,
    done: Vec<PreparedBatch>,
) -> Result<Ahead, LaneError> {
    drop(done);
    let waiting = hub.store.waiting(&after, most).await?;
    let mut batches = Vec::with_capacity(waiting.len());
    for batch in waiting {
        let rulebook = hub.rulebooks.version(&*hub.store, batch.rulebook).await?;
        batches.push(Engine::prepare(&batch, rulebook.book.clone())?);
        // So that the database is answered between two of them.
        tokio::task::yield_now().await;
    }
    let wanted = Engine::wanted(&batches);
    Ok(Ahead { batches, wanted, done: Vec::new() })
}
