//! Lawful erasure: one delta of a stored body is replaced by its leaf hash, so that header, root, chain, receipt and log
//! still verify. The registry stays as it is: what it shows is changed by the region that says so.

use dtsen_proto::{
    batch::{self, Frame},
    id::{DeltaRef, Position, RecordId},
    limits, pb,
    record::Delta,
};
use futures::future::BoxFuture;

use crate::{
    hub::{Decided, Hub},
    registry::{
        decide::Judgement,
        identity,
        view::{View, Wanted},
    },
    store::{BatchRow, Erasure, StoreError},
};

/// An erasure that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such batch, or no such delta in it.
    #[error("data {0} tidak ada; lihat: dtsen-central batch list")]
    Absent(DeltaRef),
    /// The hub took the header alone.
    #[error("isi kiriman {0} ditolak saat diterima dan tidak pernah disimpan; tidak ada yang dihapus")]
    BodyRefused(Position),
    /// The lane has not decided the batch.
    #[error("kiriman {0} belum diputus; tunggu sampai diputus (dtsen-central serve), lalu ulangi")]
    NotApplied(Position),
    /// The delta waits for a steward or for the other half of a move; without its bytes nobody could accept it.
    #[error("data {0} masih ditahan; putuskan dulu: dtsen-central held reject {0} --by NAMA --reason ALASAN")]
    Held(DeltaRef),
    /// The stored body cannot be read.
    #[error("isi kiriman {0} tidak terbaca; periksa dengan: dtsen-central verify")]
    Unreadable(Position),
    /// The leaf hash would make the body longer than its header allows; so short a delta names nobody.
    #[error("data {0} lebih pendek dari sidiknya dan tidak memuat data pribadi; tidak dihapus")]
    TooShort(DeltaRef),
}

/// What became of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// It was erased before; nothing was written.
    Already,
    /// Erased now.
    Now {
        /// Number of the decision.
        decision: u64,
        /// The record that the delta was about.
        record: Option<RecordId>,
        /// Values of that record in the registry which are still those of this delta.
        values_left: usize,
    },
}

/// How often the body is read again when another erasure in it was first.
const TRIES: u32 = 5;

/// Erases a delta.
pub fn erase<'a>(
    hub: &'a Hub,
    at: DeltaRef,
    decided: &'a Decided,
) -> BoxFuture<'a, Result<Erased, ErasureError>> {
    Box::pin(async move {
        let mut tries = 0;
        loop {
            tries += 1;
            match try_erase(hub, at, decided).await {
                Err(ErasureError::Store(e)) if e.is_conflict() && tries < TRIES => {}
                result => return result,
            }
        }
    })
}

async fn try_erase(hub: &Hub, at: DeltaRef, decided: &Decided) -> Result<Erased, ErasureError> {
    let row = hub.store.batch(at.position).await?.ok_or(ErasureError::Absent(at))?;
    let Some(before) = &row.body else { return Err(ErasureError::BodyRefused(at.position)) };
    let Some(case) = read(&row, before, at)? else { return Ok(Erased::Already) };
    if row.apply_no.is_none() {
        return Err(ErasureError::NotApplied(at.position));
    }
    if hub.store.verdict(at).await?.is_some_and(|v| v.judgement == Judgement::Held) {
        return Err(ErasureError::Held(at));
    }
    let (record, values_left) = match &case.delta {
        Some(delta) => about(&hub.store.view(&wanted(at, delta)).await?, at, delta),
        None => (None, 0),
    };
    let act = pb::decision::Act::Erase(pb::EraseAct {
        batch_id: row.id.as_bytes().to_vec(),
        index: at.index,
        leaf: case.leaf.to_vec(),
        record_id: record.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
    });
    let make = hub.decision_entry(hub.generation().await?, decided.clone(), act);
    let erasure = Erasure { delta: at, before, after: &case.after, make: &make };
    let decision = hub.store.erase(&erasure).await?;
    hub.log_work.notify_one();
    Ok(Erased::Now { decision, record, values_left })
}

/// A delta that can be erased.
struct Case {
    /// What it says; `None` if its bytes are no delta.
    delta: Option<Delta>,
    leaf: [u8; 32],
    /// The body without it, as it will be stored.
    after: Vec<u8>,
}

/// Takes the delta out of the body; `None` if it is erased already.
fn read(row: &BatchRow, body: &[u8], at: DeltaRef) -> Result<Option<Case>, ErasureError> {
    let unreadable = || ErasureError::Unreadable(at.position);
    let plain = batch::decode_body(row.encoding, body, limits::MAX_BODY_BYTES).ok_or_else(unreadable)?;
    let frames = batch::frames(&plain).ok_or_else(unreadable)?;
    let index = at.index as usize;
    let frame = frames.get(index).ok_or(ErasureError::Absent(at))?;
    let Frame::Delta(bytes) = frame else { return Ok(None) };
    let erased = batch::erase(&plain, index).ok_or_else(unreadable)?;
    if bytes.len() < frame.leaf().len() {
        return Err(ErasureError::TooShort(at));
    }
    let after = batch::encode_body_again(row.encoding, erased);
    Ok(Some(Case { delta: Delta::decode(bytes).ok(), leaf: frame.leaf(), after }))
}

fn wanted(at: DeltaRef, delta: &Delta) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.add(at.position.region, delta);
    wanted.records.insert(RecordId::created_by(at));
    wanted
}

/// The record that a delta was about, and how many of its values the registry still has from it.
fn about(view: &View, at: DeltaRef, delta: &Delta) -> (Option<RecordId>, usize) {
    let own = RecordId::created_by(at);
    let id = match view.record(own) {
        Some(created) => Some(created.id),
        None => identity::find(view, at.position.region, delta).unwrap_or(None),
    };
    let Some(record) = id.and_then(|id| view.record(id)) else { return (None, 0) };
    let claims = record.claims.iter().filter(|c| c.region == at.position.region);
    let stamps = claims.flat_map(|c| &c.cells).map(|c| (c.stamp.epoch, c.stamp.sequence, c.stamp.index));
    let own = (at.position.epoch, at.position.sequence, at.index);
    (Some(record.id), stamps.filter(|stamp| *stamp == own).count())
}
