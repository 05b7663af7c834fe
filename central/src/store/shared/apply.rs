//! One step of the lane: one read per set, one pure decision, one bulk write per table.

use std::collections::{BTreeMap, BTreeSet};

use dtsen_proto::{
    id::{DeltaRef, Position, RecordId},
    pb,
    record::Text,
    region::Region,
};

use super::{Conn, Hold, add, add_totals, answered, blobs, decisions, holds, texts};
use crate::{
    registry::{
        codec,
        view::{HolderKey, OpenHold, View, Wanted},
    },
    store::{
        Applied, BatchTotals, Cell, Fence, LaneState, Parts, RecordRow, Result, StoreError, VerdictRow,
        Writes,
        bulk::Rows,
        copy,
        value::{Of, action_number, judgement_number, kind_number},
    },
};

const RECORD: Of = Of("record");
const VERDICT: Of = Of("verdict");

/// Locks the lease's row until the transaction ends, so that no two processes step at once.
pub(super) async fn hold(conn: &mut Conn, fence: &Fence) -> Result<()> {
    let held = sqlx::query(
        "UPDATE lease SET expires_ms = expires_ms WHERE name = $1 AND holder = $2 AND fence = $3",
    );
    let held = held.bind(fence.name).bind(&fence.holder).bind(fence.fence).execute(conn).await?;
    if held.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost(fence.name)) }
}

/// Reads what is wanted.
pub(super) async fn load(conn: &mut Conn, wanted: &Wanted) -> Result<View> {
    let mut view = View::default();
    let mut ids: BTreeSet<RecordId> = wanted.records.clone();
    if !wanted.holders.is_empty() {
        let found = sqlx::query_as(concat!("SELECT number, id FROM holder WHERE number ", in_texts!(1)));
        let found = found.bind(texts(wanted.holders.iter().map(HolderKey::as_str)));
        let rows: Vec<(String, Vec<u8>)> = found.fetch_all(&mut *conn).await?;
        for (number, id) in rows {
            let id = Of("holder").record_id(&id)?;
            ids.insert(id);
            view.load_holder(HolderKey::from_stored(number), id);
        }
    }
    if !ids.is_empty() {
        let found = sqlx::query_scalar(concat!("SELECT body FROM record WHERE id ", in_blobs!(1)));
        let found = found.bind(blobs(ids.iter().map(|id| id.as_bytes().as_slice())));
        let bodies: Vec<Vec<u8>> = found.fetch_all(&mut *conn).await?;
        for body in bodies {
            view.load(codec::decode(&body).map_err(|_| RECORD.wrong("body"))?);
        }
    }
    if !wanted.subjects.is_empty() {
        note_holds(&mut view, holds(conn, &wanted.subjects).await?)?;
    }
    if !wanted.answered.is_empty() {
        note_holds(&mut view, answered(conn, &wanted.answered).await?)?;
    }
    Ok(view)
}

fn note_holds(view: &mut View, holds: Vec<Hold>) -> Result<()> {
    for (region, epoch, sequence, place, revision, subject, action) in holds {
        let position = VERDICT.position(region, epoch, sequence)?;
        let hold = OpenHold {
            delta: DeltaRef { position, index: VERDICT.number("place", place)? },
            action: VERDICT.action(action)?,
            revision: VERDICT.number("revision", revision)?,
        };
        view.note_hold(subject.map(Text::from), hold);
    }
    Ok(())
}

/// Where the lane stands.
pub(super) async fn state(conn: &mut Conn) -> Result<LaneState> {
    let last = sqlx::query_scalar("SELECT COALESCE(MAX(apply_no), 0) FROM application");
    let last: i64 = last.fetch_one(&mut *conn).await?;
    let decision = decisions::last_number(conn).await? + 1;
    let rows: Vec<(i64, i64)> = sqlx::query_as("SELECT region, feed FROM lane").fetch_all(conn).await?;
    let lane = Of("lane");
    let feeds = rows
        .into_iter()
        .map(|(region, feed)| Ok((lane.region(region)?, lane.number("feed", feed)?)))
        .collect::<Result<_>>()?;
    Ok(LaneState { apply_no: Of("application").number::<u64>("apply_no", last)? + 1, decision, feeds })
}

/// Writes what is decided.
pub(super) async fn write(conn: &mut Conn, mut parts: Parts<'_>) -> Result<()> {
    let mut writes = Writes::default();
    let mut part = parts.next();
    while let Some(mut now) = part {
        let records = std::mem::take(&mut now.records);
        writes.add(now);
        // The next part is decided while the database takes in this one.
        let (written, next) = tokio::join!(write_records(conn, records), async { parts.next() });
        written?;
        part = next;
    }
    let lane = lane_rows(&writes);
    // What was read is given back while the database takes in the numbers.
    let (written, ()) = tokio::join!(write_holders(conn, writes.holders), async { drop(parts) });
    written?;
    write_verdicts(conn, writes.verdicts).await?;
    let batches = joined(writes.batches);
    if !batches.is_empty() && add_totals(conn, &batches).await? != batches.len() as u64 {
        return Err(StoreError::Inconsistent { table: "batch", column: "sequence" });
    }
    let mut feed = Rows::new(&copy::FEED, "");
    let mut queue = Rows::new(&copy::LOG_QUEUE, "");
    for (region, position, entry, leaf) in writes.feed {
        let name = format!("v/{:05}/{position:020}", region.number());
        feed.push([region.into(), position.into(), entry.into()]);
        queue.push([name.into(), kind_cell(pb::LeafKind::Verdicts), leaf.as_slice().into()]);
    }
    if let Some((number, apply_no, entry, leaf)) = writes.decision {
        decisions::put(conn, number, Some(apply_no), &entry).await?;
        queue.push([
            decisions::log_name(number).into(),
            kind_cell(pb::LeafKind::Decision),
            leaf.as_slice().into(),
        ]);
    }
    let mut applications = Rows::new(&copy::APPLICATION, "");
    for application in writes.applications {
        let (at, decision) = match application.what {
            Applied::Batch(at) => (Some(at), None),
            Applied::Decision(number) => (None, Some(number)),
        };
        applications.push([
            application.apply_no.into(),
            at.map(|at| u64::from(at.region.number())).into(),
            at.map(|at| u64::from(at.epoch)).into(),
            at.map(|at| u64::from(at.sequence)).into(),
            decision.into(),
        ]);
    }
    for rows in [feed, queue, applications, lane] {
        add(conn, rows).await?;
    }
    Ok(())
}

fn kind_cell(kind: pb::LeafKind) -> Cell {
    i64::from(i32::from(kind)).into()
}

/// What the lane knows of every region in these writes: the last feed position, the last application.
fn lane_rows(writes: &Writes) -> Rows {
    let mut last: BTreeMap<Region, (u64, u64)> = BTreeMap::new();
    for (region, position, ..) in &writes.feed {
        let (feed, _) = last.entry(*region).or_default();
        *feed = (*feed).max(*position);
    }
    for application in &writes.applications {
        if let Applied::Batch(at) = application.what {
            let (_, apply_no) = last.entry(at.region).or_default();
            *apply_no = (*apply_no).max(application.apply_no);
        }
    }
    let mut rows = Rows::new(
        &copy::LANE,
        "ON CONFLICT (region) DO UPDATE
         SET feed = CASE WHEN excluded.feed > lane.feed THEN excluded.feed ELSE lane.feed END,
             apply_no = CASE WHEN excluded.apply_no > lane.apply_no THEN excluded.apply_no ELSE lane.apply_no END",
    );
    for (region, (feed, apply_no)) in last {
        rows.push([region.into(), feed.into(), apply_no.into()]);
    }
    rows
}

async fn write_records(conn: &mut Conn, records: Vec<(RecordRow, bool)>) -> Result<()> {
    let over =
        "ON CONFLICT (id) DO UPDATE SET region = excluded.region, hash = excluded.hash, body = excluded.body";
    let (mut created, mut changed) = (Rows::new(&copy::RECORD, ""), Rows::new(&copy::RECORD, over));
    for (row, new) in records {
        let rows = if new { &mut created } else { &mut changed };
        rows.push([
            row.id.as_bytes().as_slice().into(),
            row.region.into(),
            kind_number(row.kind).into(),
            row.hash.into(),
            row.body.into(),
        ]);
    }
    add(conn, created).await?;
    add(conn, changed).await
}

async fn write_holders(conn: &mut Conn, holders: BTreeMap<HolderKey, RecordId>) -> Result<()> {
    let mut rows = Rows::new(&copy::HOLDER, "");
    for (number, id) in holders {
        rows.push([number.into_text().into(), id.as_bytes().as_slice().into()]);
    }
    add(conn, rows).await
}

/// A delta that got two verdicts in one step has the later one; what it is about stays known.
async fn write_verdicts(conn: &mut Conn, verdicts: Vec<VerdictRow>) -> Result<()> {
    let mut current: BTreeMap<DeltaRef, VerdictRow> = BTreeMap::new();
    for mut verdict in verdicts {
        if let Some(earlier) = current.remove(&verdict.delta) {
            verdict.subject = verdict.subject.or(earlier.subject);
            verdict.action = earlier.action;
        }
        current.insert(verdict.delta, verdict);
    }
    let mut rows = Rows::new(
        &copy::VERDICT,
        "ON CONFLICT (region, epoch, sequence, place) DO UPDATE
         SET revision = excluded.revision, judgement = excluded.judgement,
             subject = COALESCE(excluded.subject, verdict.subject),
             action = CASE WHEN excluded.revision > 1 THEN verdict.action ELSE excluded.action END,
             detail = excluded.detail",
    );
    for (delta, verdict) in current {
        let at = delta.position;
        rows.push([
            at.region.into(),
            at.epoch.into(),
            at.sequence.into(),
            delta.index.into(),
            verdict.revision.into(),
            judgement_number(verdict.judgement).into(),
            verdict.subject.map(String::from).into(),
            action_number(verdict.action).into(),
            verdict.detail.into(),
        ]);
    }
    add(conn, rows).await
}

/// One difference for every batch.
fn joined(batches: Vec<BatchTotals>) -> Vec<BatchTotals> {
    let mut sums: BTreeMap<Position, (Option<u64>, [i64; 4])> = BTreeMap::new();
    for (at, apply_no, totals) in batches {
        let sum = sums.entry(at).or_default();
        sum.0 = apply_no.or(sum.0);
        for (sum, total) in sum.1.iter_mut().zip(totals) {
            *sum += total;
        }
    }
    sums.into_iter().map(|(at, (apply_no, totals))| (at, apply_no, totals)).collect()
}
