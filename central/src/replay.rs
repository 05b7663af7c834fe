//! Rebuild: the registry again from batches and decisions alone, in the order in which they were applied.
//!
//! An erased delta cannot be decided again: it and the decisions on it are left out, its verdict is copied. What differs
//! because of that is told apart from what differs without a reason ([`compare`]).

mod compare;

use dtsen_kit::progress::Progress;
use dtsen_proto::{id::DeltaRef, pb, record::Day, region::Region};
use futures::future::BoxFuture;
use prost::Message as _;
use sha2::{Digest, Sha256};

use crate::{
    engine::{BodyLost, Engine, HeldCase},
    lane,
    registry::view::Wanted,
    rulebook::Rulebooks,
    stewardship::{StewardError, read_delta},
    store::{Applied, BatchRow, Cell, Fence, Parts, Store, StoreError, TABLES, Table, Waiting, Writes},
};

pub use compare::{Comparison, compare};

/// Rows read or copied at once.
const PAGE: u32 = 500;
/// Tables that a replay writes again, beside the derived ones.
const REPLAYED: [&str; 2] = ["verdict", "lease"];

/// A rebuild that failed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A body cannot be read.
    #[error(transparent)]
    Body(#[from] BodyLost),
    /// A held delta cannot be read.
    #[error(transparent)]
    Held(#[from] StewardError),
    /// Something that an application names is missing.
    #[error("penerapan {apply_no} menunjuk {what} yang tidak ada")]
    Missing {
        /// Which application.
        apply_no: u64,
        /// What it names.
        what: &'static str,
    },
    /// The target holds data.
    #[error("basis data tujuan sudah berisi data; pilih yang kosong")]
    NotEmpty,
}

/// Copies tables. `skip` says which not.
pub async fn copy(from: &dyn Store, to: &dyn Store, skip: impl Fn(&Table) -> bool) -> Result<(), StoreError> {
    for table in TABLES.iter().filter(|t| !skip(t)) {
        let mut after: Option<Vec<Cell>> = None;
        loop {
            let rows = from.read_table(table, after.as_deref(), PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last[..table.key].to_vec());
            to.write_table(table, rows).await?;
        }
    }
    Ok(())
}

/// Whether nothing was ever written to a store.
pub async fn is_empty(store: &dyn Store) -> Result<bool, StoreError> {
    for table in TABLES {
        if !store.read_table(table, None, 1).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// SHA-256 over ids and hashes of all records, in order of ids.
pub async fn state_hash(store: &dyn Store) -> Result<[u8; 32], StoreError> {
    let mut hash = Sha256::new();
    let mut after = Vec::new();
    loop {
        let rows = store.records_after(&after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(hash.finalize().into()) };
        after = last.id.as_bytes().to_vec();
        for row in rows {
            hash.update(row.id.as_bytes());
            hash.update(&row.hash);
        }
    }
}

/// What a rebuild went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// Applications.
    pub applications: u64,
    /// Deltas that were erased, and so could not be applied again.
    pub erased: u64,
}

/// Copies the evidence from one store into an empty one and applies all of it again.
pub fn rebuild<'a>(
    from: &'a dyn Store,
    to: &'a dyn Store,
    engine: &'a Engine,
) -> BoxFuture<'a, Result<Replayed, ReplayError>> {
    Box::pin(async move {
        if !is_empty(to).await? {
            return Err(ReplayError::NotEmpty);
        }
        copy(from, to, |t| t.derived || REPLAYED.contains(&t.name)).await?;
        let fence = to.take_lease(lane::LEASE, "rebuild", i64::MAX - 1, i64::MAX).await?;
        let fence = fence.ok_or(StoreError::LeaseLost(lane::LEASE))?;
        let rulebooks = Rulebooks::default();
        let again = Again { from, to, engine, rulebooks: &rulebooks, fence: &fence };
        let total = from.counts().await?.applications;
        let mut progress = Progress::new("Menerapkan ulang", total);
        let (mut done, mut erased) = (0, 0);
        loop {
            let page = to.applications(done, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for application in page {
                match application.what {
                    Applied::Batch(position) => {
                        let row = to.batch(position).await?;
                        let what = "kiriman";
                        let row = row.ok_or(ReplayError::Missing { apply_no: application.apply_no, what })?;
                        erased += batch(again, row).await?;
                    }
                    Applied::Decision(number) => {
                        let missing =
                            || ReplayError::Missing { apply_no: application.apply_no, what: "keputusan" };
                        let entry =
                            to.decisions(number - 1, 1).await?.into_iter().next().ok_or_else(missing)?;
                        let decision = pb::Envelope::decode(entry.2.as_slice()).ok();
                        let decision = decision.and_then(|e| pb::Decision::decode(e.payload.as_slice()).ok());
                        held(again, decision.ok_or_else(missing)?).await?;
                    }
                }
                done = application.apply_no;
                progress.at(done);
            }
        }
        progress.finish();
        to.give_lease(&fence).await?;
        Ok(Replayed { applications: done, erased })
    })
}

/// A replay under way.
#[derive(Clone, Copy)]
struct Again<'a> {
    from: &'a dyn Store,
    to: &'a dyn Store,
    engine: &'a Engine,
    rulebooks: &'a Rulebooks,
    fence: &'a Fence,
}

/// Of what a decision writes, only what is derived: the evidence was copied.
fn derived(writes: Writes) -> Writes {
    Writes {
        records: writes.records,
        holders: writes.holders,
        verdicts: writes.verdicts,
        ..Writes::default()
    }
}

/// Applies a batch again. Returns how many of its deltas are erased.
async fn batch(again: Again<'_>, row: BatchRow) -> Result<u64, ReplayError> {
    let Again { from, to, engine, rulebooks, fence } = again;
    let waiting = Waiting {
        position: row.position,
        id: row.id,
        header: row.header,
        encoding: row.encoding,
        body: row.body.unwrap_or_default(),
        custody_ms: row.custody_ms,
        rulebook: row.rulebook,
    };
    let rulebook = rulebooks.version(to, row.rulebook).await?;
    let batches = [Engine::prepare(&waiting, rulebook.book.clone())?];
    let (mut erased, mut kept) = (0, Vec::new());
    for delta in batches[0].erased() {
        erased += 1;
        kept.extend(from.verdict(delta).await?);
    }
    let wanted = Engine::wanted(&batches);
    let mut decide = |view, state| -> Parts<'_> {
        let kept = Writes { verdicts: std::mem::take(&mut kept), ..Writes::default() };
        Box::new(engine.decide(&batches, view, state).map(derived).chain(std::iter::once(kept)))
    };
    to.apply(fence, &wanted, &mut decide).await?;
    Ok(erased)
}

async fn held(again: Again<'_>, decision: pb::Decision) -> Result<(), ReplayError> {
    let Again { to, engine, rulebooks, fence, .. } = again;
    let Some(pb::decision::Act::Held(act)) = decision.act else { return Ok(()) };
    let missing = ReplayError::Missing { apply_no: 0, what: "data yang ditahan" };
    let region: Region =
        act.region.parse().map_err(|_| ReplayError::Missing { apply_no: 0, what: "daerah" })?;
    let sequence = u32::try_from(act.sequence).unwrap_or(u32::MAX);
    let position = dtsen_proto::id::Position { region, epoch: act.epoch, sequence };
    let at = DeltaRef { position, index: act.index };
    let row = to.batch(position).await?.ok_or(missing)?;
    let delta = match read_delta(&row.body.unwrap_or_default(), row.encoding, at) {
        Err(StewardError::Erased(_)) => return Ok(()),
        delta => delta?,
    };
    let revision = to.verdict(at).await?.map_or(1, |v| v.revision);
    let mut wanted = Wanted::default();
    wanted.add(region, &delta);
    let rulebook = rulebooks.version(to, row.rulebook).await?;
    let case = HeldCase {
        at,
        delta: &delta,
        rulebook: &rulebook.book,
        custody_day: Day::of_ms(row.custody_ms),
        revision,
        accept: act.accept,
        note: &decision.reason,
    };
    let mut decide =
        |view, state| derived(engine.decide_held(&case, view, state, &|_| pb::Envelope::default())).at_once();
    Ok(to.apply(fence, &wanted, &mut decide).await?)
}
