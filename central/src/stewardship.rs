//! A steward decides a held delta: a step of the lane like any other, from the command line or a screen.

use dtsen_proto::{
    batch::{self, Frame},
    id::DeltaRef,
    limits, pb,
    record::{Day, Delta},
};

use crate::{
    engine::HeldCase,
    hub::{Decided, Hub},
    lane,
    lease::LEASE_MS,
    registry::{decide::Judgement, view::Wanted},
    store::{Fence, StoreError},
};

/// A decision that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum StewardError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not held.
    #[error("data {0} tidak sedang ditahan; lihat: dtsen-central held list")]
    NotHeld(DeltaRef),
    /// Its bytes are gone.
    #[error("isi data {0} tidak dapat dibaca (rusak); periksa dengan: dtsen-central verify")]
    Unreadable(DeltaRef),
    /// Its bytes were erased.
    #[error("data {0} sudah dihapus; isinya tidak ada lagi")]
    Erased(DeltaRef),
    /// Another steward was quicker.
    #[error("jalur keputusan sedang dipakai proses pusat lain; coba lagi sebentar")]
    LaneBusy,
}

/// Decides. False: it was decided so before, perhaps by this very command whose answer was lost; nothing new is written.
pub async fn decide(
    hub: &Hub,
    delta: DeltaRef,
    accept: bool,
    decided: Decided,
) -> Result<bool, StewardError> {
    let fence = borrow_lane(hub).await?;
    let result = decide_under(hub, &fence, delta, accept, decided).await;
    hub.store.give_lease(&fence).await?;
    hub.log_work.notify_one();
    result
}

/// Takes the lane from a running hub process. The fence makes that safe: the process loses at most one step, which it
/// takes again when the lease is free.
async fn borrow_lane(hub: &Hub) -> Result<Fence, StewardError> {
    let holder = format!("steward-{}", hex::encode(hub.ambient.bytes::<8>()));
    let until = hub.ambient.now_ms() + LEASE_MS;
    hub.store.take_lease(lane::LEASE, &holder, i64::MAX, until).await?.ok_or(StewardError::LaneBusy)
}

async fn decide_under(
    hub: &Hub,
    fence: &Fence,
    at: DeltaRef,
    accept: bool,
    decided: Decided,
) -> Result<bool, StewardError> {
    let verdict = hub.store.verdict(at).await?.ok_or(StewardError::NotHeld(at))?;
    match verdict.judgement {
        Judgement::Held => {}
        Judgement::Accepted | Judgement::Warned if accept && verdict.revision > 1 => return Ok(false),
        Judgement::Rejected if !accept && verdict.revision > 1 => return Ok(false),
        _ => return Err(StewardError::NotHeld(at)),
    }
    let row = hub.store.batch(at.position).await?.ok_or(StewardError::NotHeld(at))?;
    let delta = read_delta(&row.body.unwrap_or_default(), row.encoding, at)?;
    let mut wanted = Wanted::default();
    wanted.add(at.position.region, &delta);
    let act = pb::decision::Act::Held(pb::HeldAct {
        region: at.position.region.to_string(),
        epoch: at.position.epoch,
        sequence: at.position.sequence.into(),
        index: at.index,
        accept,
    });
    let note = decided.reason.clone();
    let decision = hub.decision(hub.generation().await?, decided, act);
    let rulebook = hub.rulebooks.version(&*hub.store, row.rulebook).await?;
    let held = HeldCase {
        at,
        delta: &delta,
        rulebook: &rulebook.book,
        custody_day: Day::of_ms(row.custody_ms),
        revision: verdict.revision,
        accept,
        note: &note,
    };
    let mut step = |view, state| hub.engine.decide_held(&held, view, state, &decision).at_once();
    hub.store.apply(fence, &wanted, &mut step).await?;
    Ok(true)
}

/// The delta itself, from the body in custody.
pub fn read_delta(body: &[u8], encoding: i32, at: DeltaRef) -> Result<Delta, StewardError> {
    let unreadable = || StewardError::Unreadable(at);
    let body = batch::decode_body(encoding, body, limits::MAX_BODY_BYTES).ok_or_else(unreadable)?;
    let frames = batch::frames(&body).ok_or_else(unreadable)?;
    match frames.get(at.index as usize) {
        Some(Frame::Delta(bytes)) => Delta::decode(bytes).map_err(|_| unreadable()),
        Some(Frame::Erased(_)) => Err(StewardError::Erased(at)),
        None => Err(unreadable()),
    }
}
