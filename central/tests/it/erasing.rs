//! Erasing one delta of a stored body.

use dtsen_central::{
    audit,
    erasure::{self, Erased, ErasureError},
    registry::decide::Judgement,
    replay,
    store::Store,
};
use dtsen_proto::{
    batch::{self, Frame},
    id::{DeltaRef, Position},
    limits, pb,
    record::Delta,
};
use prost::Message as _;

use crate::{
    people::{self, HERE, Written as _},
    place::Place,
    world::{World, by, hub_on, story},
};

async fn erase(world: &World, position: Position, index: u32) -> Result<Erased, ErasureError> {
    erasure::erase(&world.hub, DeltaRef { position, index }, &by("petugas")).await
}

/// The stored body, checked against its signed header, in the place of what its frames hold: bytes, or none.
async fn frames(store: &dyn Store, position: Position) -> Vec<Option<Vec<u8>>> {
    let row = store.batch(position).await.expect("reads").expect("is there");
    let envelope = pb::Envelope::decode(row.header.as_slice()).expect("an envelope");
    let header = batch::peek(&envelope).expect("a header");
    let body = row.body.expect("is kept");
    let plain = batch::decode_body(row.encoding, &body, limits::MAX_BODY_BYTES).expect("unpacks");
    let frames = batch::check_frames(&header, &plain).expect("has the signed root");
    let bytes = |frame: &Frame<'_>| match frame {
        Frame::Delta(bytes) => Some(bytes.to_vec()),
        Frame::Erased(_) => None,
    };
    frames.iter().map(bytes).collect()
}

async fn faults(world: &World) -> Vec<String> {
    audit::verify(&world.hub).await.expect("reads").faults
}

pub(crate) async fn an_erased_delta_leaves_everything_verifiable(place: Place) {
    let world = World::new(place.open().await).await;
    let told = story(&world).await;
    assert_eq!(faults(&world).await, [""; 0]);
    let store = &*world.hub.store;
    let before = [frames(store, told.first).await, frames(store, told.second).await];
    let state = replay::state_hash(store).await.expect("reads");
    for (at, (position, index)) in
        [(told.first, 2), (told.first, 4), (told.second, 1)].into_iter().enumerate()
    {
        let erased = erase(&world, position, index).await.expect("erases");
        let Erased::Now { decision, record, values_left } = erased else { panic!("{erased:?}") };
        // The second person is shown by the region that he moved to; the unreadable one was never anybody.
        assert_eq!((record.is_some(), values_left > 0), [(true, true), (false, false), (true, false)][at]);
        let (number, apply_no, entry) =
            store.decisions(decision - 1, 1).await.expect("reads").pop().expect("is there");
        let entry = pb::Envelope::decode(entry.as_slice()).expect("an envelope");
        let read = pb::Decision::decode(entry.payload.as_slice()).expect("a decision");
        assert_eq!((number, apply_no, read.actor.as_str()), (decision, None, "petugas"));
        assert!(matches!(read.act, Some(pb::decision::Act::Erase(act)) if act.index == index));
        assert_eq!(erase(&world, position, index).await.expect("asks"), Erased::Already);
    }
    let mut after = before.clone();
    (after[0][2], after[0][4], after[1][1]) = (None, None, None);
    assert_eq!([frames(store, told.first).await, frames(store, told.second).await], after);
    assert_eq!(replay::state_hash(store).await.expect("reads"), state, "the registry stays");
    world.log().await;
    assert_eq!(faults(&world).await, [""; 0]);
    // What goes on afterwards goes on as before.
    world.send(HERE, vec![people::person(9, "CONTOH SEMBILAN")]).await;
    world.decide().await;
    world.log().await;
    assert_eq!(faults(&world).await, [""; 0]);
}

pub(crate) async fn what_cannot_be_erased_is_refused(place: Place) {
    let world = World::new(place.open().await).await;
    let told = story(&world).await;
    let waiting = world.send(HERE, vec![people::person(9, "CONTOH SEMBILAN").without_village()]).await;
    let before = world.hub.store.counts().await.expect("reads").decisions;
    let refused = |result: Result<Erased, ErasureError>| result.expect_err("is refused");
    assert!(
        matches!(refused(erase(&world, waiting, 0).await), ErasureError::NotApplied(at) if at == waiting)
    );
    let body = refused(erase(&world, told.refused, 0).await);
    assert!(matches!(body, ErasureError::BodyRefused(at) if at == told.refused));
    assert!(matches!(refused(erase(&world, told.first, 6).await), ErasureError::Absent(_)));
    let nowhere = Position { sequence: 99, ..told.first };
    assert!(matches!(refused(erase(&world, nowhere, 0).await), ErasureError::Absent(_)));
    world.decide().await;
    let held = refused(erase(&world, waiting, 0).await);
    assert!(matches!(held, ErasureError::Held(_)));
    assert!(held.to_string().contains(&format!("held reject {waiting}/0")), "{held}");
    assert_eq!(world.hub.store.counts().await.expect("reads").decisions, before, "nothing was decided");
    world.steward(waiting, 0, false).await;
    assert!(matches!(erase(&world, waiting, 0).await, Ok(Erased::Now { .. })));
    let verdict = world.hub.store.verdict(DeltaRef { position: waiting, index: 0 }).await.expect("reads");
    let verdict = verdict.expect("is there");
    assert_eq!((verdict.judgement, verdict.subject), (Judgement::Rejected, None), "no number stays");
    world.log().await;
    assert_eq!(faults(&world).await, [""; 0]);
}

/// Two operators erase in one body at once: neither brings back what the other erased.
pub(crate) async fn two_erasures_in_one_body_both_stand(place: Place) {
    let world = World::new(place.open().await).await;
    let people = (10..18).map(|serial| people::person(serial, "CONTOH")).collect();
    let position = world.send(HERE, people).await;
    world.decide().await;
    let mut erasures = tokio::task::JoinSet::new();
    for index in 0..8 {
        let world = World { hub: hub_on(place.open().await) };
        erasures.spawn(async move { erase(&world, position, index).await });
    }
    let done = erasures.join_all().await;
    let mut stood = 0;
    for (index, frame) in (0..).zip(frames(&*world.hub.store, position).await) {
        stood += usize::from(frame.is_none());
        if frame.is_some() {
            erase(&world, position, index).await.expect("erases when nobody else does");
        }
    }
    let now = done.iter().filter(|erased| matches!(erased, Ok(Erased::Now { .. }))).count();
    assert_eq!(stood, now, "exactly those that were told so: {done:?}");
    assert!(now > 0);
    world.log().await;
    assert_eq!(faults(&world).await, [""; 0]);
}

pub(crate) async fn a_rebuild_after_an_erasure_tells_what_it_explains(place: Place) {
    let world = World::new(place.open().await).await;
    let told = story(&world).await;
    let here = &*world.hub.store;
    // A claim that a newer one replaced: the registry does not need it.
    erase(&world, told.first, 3).await.expect("erases");
    let there = place.other_sqlite("one").await;
    let replayed = replay::rebuild(here, &*there, &world.hub.engine).await.expect("rebuilds");
    assert_eq!(replayed.erased, 1);
    let compared = replay::compare(here, &*there).await.expect("compares");
    assert!(compared.same && compared.state_hash == compared.replayed_hash, "{compared:?}");
    // The delta that created a record: a later claim on its number makes another one.
    erase(&world, told.first, 1).await.expect("erases");
    erase(&world, told.claims, 0).await.expect("erases");
    erase(&world, told.last, 0).await.expect("erases");
    let there = place.other_sqlite("two").await;
    let replayed = replay::rebuild(here, &*there, &world.hub.engine).await.expect("rebuilds");
    assert_eq!(replayed.erased, 4);
    let compared = replay::compare(here, &*there).await.expect("compares");
    assert!(!compared.same && compared.state_hash != compared.replayed_hash);
    assert!(compared.differing > 0 && compared.differing_holders > 0);
    assert_eq!((compared.unexplained, compared.first_unexplained.len()), (0, 0), "{compared:?}");
    // What no erasure named is not explained by one.
    let other = world.send(HERE, vec![people::person(9, "CONTOH SEMBILAN")]).await;
    world.decide().await;
    let compared = replay::compare(here, &*there).await.expect("compares");
    assert_eq!(compared.unexplained, 2, "a record and its number: {compared:?}");
    let id = dtsen_proto::id::RecordId::new(other, 0).to_string();
    assert_eq!(compared.first_unexplained, [id]);
}

/// An erased claim that another delta on the same person followed: the replay makes the record from that one.
pub(crate) async fn a_record_made_anew_by_a_replay_is_explained(place: Place) {
    let world = World::new(place.open().await).await;
    let first = world.send(HERE, vec![people::person(1, "CONTOH SATU")]).await;
    let newer: Delta = people::person(1, "CONTOH SATU").at(HERE, 20_410);
    world.send(HERE, vec![newer]).await;
    world.decide().await;
    let erased = erase(&world, first, 0).await.expect("erases");
    assert!(matches!(erased, Erased::Now { values_left: 0, .. }), "{erased:?}");
    let there = place.other_sqlite("one").await;
    replay::rebuild(&*world.hub.store, &*there, &world.hub.engine).await.expect("rebuilds");
    let compared = replay::compare(&*world.hub.store, &*there).await.expect("compares");
    assert_eq!((compared.differing, compared.differing_holders, compared.unexplained), (2, 1, 0));
}
