//! A hub with two regions, their keys and a clock that stands still, and a story in which everything happens once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dtsen_central::{
    authority::Authority,
    engine::Engine,
    hub::{Decided, Hub, Keys},
    intake, journal, lane, release,
    rulebook::{self, Rulebooks},
    stewardship,
    store::{ChainChange, RegionChange, RegionRow, Session, Status, Store},
};
use dtsen_kit::ambient::{Ambient, Clock, Entropy};
use dtsen_proto::{
    batch::{self, Draft},
    chain::Head,
    id::{DeltaRef, Position},
    key::Signer,
    limits, pb,
    record::{Day, Delta},
    region::Region,
};
use tokio::sync::Notify;

use crate::people::{self, HERE, THERE, Written as _};

/// 2026-11-22, in the morning.
const NOW_MS: i64 = 1_795_312_800_000;
const NAME: &str = "hub.dtsen.test";

struct Still;

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }
}

/// Counts, so that no two values are the same.
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, from) in bytes.iter_mut().zip(next.iter().cycle()) {
            *byte = *from;
        }
    }
}

/// A hub and the signing keys of its regions.
pub(crate) struct World {
    pub(crate) hub: Arc<Hub>,
}

/// Opens a hub on a store. Every hub of the tests has the same keys.
pub(crate) fn hub_on(store: Arc<dyn Store>) -> Arc<Hub> {
    let key = |seed| Signer::from_seed(&[seed; 32]);
    Arc::new(Hub {
        name: NAME.into(),
        exchange_url: "https://127.0.0.1:1".into(),
        store,
        engine: Engine { signer: key(0x22) },
        keys: Keys { receipt: key(0x22), log: key(0x33), release: Some(key(0x44)) },
        authority: Authority::create(NAME, Day::of_ms(NOW_MS)).expect("makes an authority"),
        release_key: *key(0x44).public().as_bytes(),
        rulebooks: Rulebooks::default(),
        ambient: Ambient::new(Arc::new(Still), Arc::new(Counting(AtomicU64::new(1)))),
        lane_work: Notify::new(),
        log_work: Notify::new(),
    })
}

/// Signing key of a region.
fn signer(region: Region) -> Signer {
    Signer::from_seed(&[u8::try_from(region.number() % 251).expect("small"); 32])
}

pub(crate) fn by(actor: &str) -> Decided {
    Decided { actor: actor.into(), reason: "uji".into() }
}

impl World {
    /// A hub on an empty store, with both regions.
    pub(crate) async fn new(store: Arc<dyn Store>) -> Self {
        let hub = hub_on(store);
        for code in [HERE, THERE] {
            let region = code.parse().expect("a region");
            let public = signer(region).public();
            let row = RegionRow {
                status: Status::Active,
                signing_key: Some(public.as_bytes().to_vec()),
                ..RegionRow::new(region)
            };
            let change = RegionChange {
                key: Some((public.id().as_bytes().to_vec(), public.as_bytes().to_vec())),
                chain: Some(ChainChange::Start(Head::start(region))),
                session: Some(Session::new(vec![0; 16])),
                ..RegionChange::default()
            };
            hub.store.put_region(&row, change).await.expect("starts a region");
        }
        Self { hub }
    }

    /// Sends deltas of a region as one batch, as they are.
    pub(crate) async fn send_bytes(&self, code: &str, deltas: &[Vec<u8>]) -> Position {
        let region: Region = code.parse().expect("a region");
        let head = self.hub.store.head(region).await.expect("reads").expect("has a chain");
        let draft = Draft {
            position: Position { sequence: head.position.sequence + 1, ..head.position },
            previous: head.id,
            rulebook: self.hub.rulebook().await.expect("reads").version(),
            generation: 1,
            log: (0, [0; 32]),
            created_ms: NOW_MS,
        };
        let sealed = batch::seal(&signer(region), &draft, deltas);
        // Both encodings are stored as they came.
        let (encoding, data) = match draft.position.sequence % 2 {
            0 => (pb::BodyEncoding::Identity, sealed.body),
            _ => batch::encode_body(&sealed.body),
        };
        let request = pb::SubmitRequest {
            header: Some(sealed.envelope),
            encoding: encoding.into(),
            encoded_length: data.len() as u64,
            data,
            ..Default::default()
        };
        let row = self.hub.store.region(region).await.expect("reads").expect("is there");
        let taken = intake::submit(&self.hub, &row, &request).await.expect("takes custody");
        assert!(taken.receipt.is_some());
        draft.position
    }

    /// Sends deltas of a region as one batch, with salts of their own.
    pub(crate) async fn send(&self, code: &str, deltas: Vec<Delta>) -> Position {
        let salted = deltas.into_iter().map(|delta| Delta { salt: self.hub.ambient.bytes(), ..delta });
        let encoded: Vec<Vec<u8>> = salted.map(|delta| delta.encode()).collect();
        self.send_bytes(code, &encoded).await
    }

    /// Lets the lane decide whatever waits.
    pub(crate) async fn decide(&self) {
        let store = &self.hub.store;
        let fence = store.take_lease(lane::LEASE, "test", NOW_MS, NOW_MS + 1).await.expect("asks");
        let fence = fence.expect("takes the lane");
        let mut ahead = lane::Ahead::default();
        while lane::step(&self.hub, &fence, &mut ahead, lane::BATCHES).await.expect("decides") {}
        store.give_lease(&fence).await.expect("gives back");
    }

    /// A steward decides a held delta.
    pub(crate) async fn steward(&self, position: Position, index: u32, accept: bool) {
        let at = DeltaRef { position, index };
        stewardship::decide(&self.hub, at, accept, by("petugas")).await.expect("is held");
    }

    /// Lets the log take whatever waits.
    pub(crate) async fn log(&self) {
        let store = &self.hub.store;
        let fence = store.take_lease(journal::LEASE, "test", NOW_MS, NOW_MS + 1).await.expect("asks");
        let fence = fence.expect("takes the log");
        while journal::step(&self.hub, &fence).await.expect("places") > 0 {}
        store.give_lease(&fence).await.expect("gives back");
    }

    /// Prepares and publishes a release.
    pub(crate) async fn release(&self) {
        let version = release::prepare(&self.hub, "penyusun").await.expect("prepares").version;
        release::publish(&self.hub, version, by("penyetuju")).await.expect("publishes");
    }
}

/// Batches of the story, by what happens in them.
pub(crate) struct Story {
    /// Of 52.71: a family, two people, one held by the rulebook and superseded later, one unreadable, one with an error.
    pub(crate) first: Position,
    /// Of 52.03: claims on both people (accepted and rejected by a steward), a person of its own.
    pub(crate) claims: Position,
    /// Of 52.71: a move out, a newer delta for the held one, another that stays held.
    pub(crate) second: Position,
    /// Of 52.71: a body that the hub refused.
    pub(crate) refused: Position,
    /// Of 52.71: another person under a known NIK (accepted), a corrected NIK, a source that is gone.
    pub(crate) last: Position,
}

/// Everything that can happen, once.
pub(crate) async fn story(world: &World) -> Story {
    rulebook::ensure_first(&world.hub).await.expect("keeps the built-in rulebook");
    let unsettled = || people::person(5, "CONTOH LIMA").without_village();
    let first = [
        people::family(1).encode(),
        people::person(1, "CONTOH SATU").encode(),
        people::person(2, "CONTOH DUA").encode(),
        unsettled().encode(),
        b"no delta at all, only bytes of some length".to_vec(),
        people::person(6, "CONTOH ENAM").with_sex(9).encode(),
    ];
    let first = world.send_bytes(HERE, &first).await;
    world.decide().await;
    let claims = vec![
        people::person(1, "CONTOH SATU").at(THERE, 20_500),
        people::person(2, "CONTOH DUA").at(THERE, 20_500),
        people::person(3, "CONTOH TIGA").at(THERE, 20_400),
    ];
    let claims = world.send(THERE, claims).await;
    world.decide().await;
    world.steward(claims, 0, true).await;
    world.steward(claims, 1, false).await;
    world.release().await;
    let second = vec![
        people::leaves(2, THERE, 20_600),
        people::person(5, "CONTOH LIMA"),
        people::person(7, "CONTOH TUJUH").without_village(),
        people::person(4, "CONTOH EMPAT"),
    ];
    let second = world.send(HERE, second).await;
    world.decide().await;
    world.send(THERE, vec![people::person(2, "CONTOH DUA").enters(HERE, THERE, 20_600)]).await;
    let refused = world.send_bytes(HERE, &[vec![0; limits::MAX_DELTA_BYTES + 1]]).await;
    let other = people::person(4, "ORANG LAIN").born(3_000).of_source("sekolah");
    let corrected = people::person(8, "CONTOH LIMA").addressed(second, 1);
    let last = world.send(HERE, vec![other, corrected, people::gone(5, "dtsen")]).await;
    world.decide().await;
    world.steward(last, 0, true).await;
    world.release().await;
    world.log().await;
    Story { first, claims, second, refused, last }
}
