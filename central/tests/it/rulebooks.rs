//! Versions of the rulebook: the table, and that custody says which of them judges.

use std::sync::Arc;

use dtsen_central::{
    audit,
    hub::Hub,
    registry::decide::Judgement,
    replay,
    rulebook::{self, Change, Outcome},
    store::{Store, TABLES},
};
use dtsen_proto::{
    envelope, pb,
    rulebook::{Files, Rulebook},
};
use prost::Message as _;

use crate::{
    people::{self, HERE, Written as _},
    place::Place,
    regions::entry,
    world::{World, by, hub_on},
};

/// A village that nobody knows before it is loaded.
const NEW: &str = "52.71.01.1099";

/// The list of areas with the new village in its place.
fn areas() -> String {
    let mut text = Files::builtin().wilayah.into_owned();
    let at = text.find("52.71.02\t").expect("the next kecamatan");
    text.insert_str(at, &format!("{NEW}\tContoh Baru\n"));
    text
}

async fn load(hub: &Hub, files: Vec<(&'static str, String)>) -> Outcome {
    rulebook::load(hub, Change::Files(files), by("petugas")).await.expect("loads")
}

async fn refused(hub: &Hub, change: Change) -> String {
    rulebook::load(hub, change, by("petugas")).await.expect_err("is refused").to_string()
}

pub(crate) async fn versions_are_added_and_never_replaced(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    assert_eq!(one.last_rulebook().await.expect("reads"), None);
    assert_eq!(one.rulebook(1).await.expect("reads"), None);
    one.put_rulebook(3, b"three", &entry).await.expect("adds");
    for version in [2, 3] {
        let again = two.put_rulebook(version, b"other", &entry).await;
        assert!(again.expect_err("is not above").is_conflict(), "{version}");
    }
    two.put_rulebook(4, b"four", &entry).await.expect("adds");
    assert_eq!(one.last_rulebook().await.expect("reads"), Some(4));
    assert_eq!(one.rulebook_versions().await.expect("reads"), [3, 4]);
    assert_eq!(one.rulebook(3).await.expect("reads").as_deref(), Some(&b"three"[..]));
    assert_eq!(one.decisions(0, 10).await.expect("reads").len(), 2, "a refused version leaves no decision");
}

pub(crate) async fn of_two_processes_one_loads_a_version(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let (first, second) =
        tokio::join!(one.put_rulebook(2, b"one", &entry), two.put_rulebook(2, b"two", &entry));
    assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
    let kept = if first.is_ok() { b"one" } else { b"two" };
    assert_eq!(one.rulebook(2).await.expect("reads").as_deref(), Some(&kept[..]));
    // A process that runs takes up what another one loaded.
    let (here, there) = (hub_on(one), hub_on(two));
    assert!(here.rulebook().await.is_err(), "not a rulebook");
    place.execute("DELETE FROM rulebook WHERE version = $1", &[2_u32.into()]).await;
    assert_eq!(there.rulebook().await.expect("reads").version(), 1);
    assert_eq!(load(&here, vec![("wilayah.tsv", areas())]).await, Outcome::Loaded(2));
    let now = there.rulebook().await.expect("reads");
    assert_eq!((now.version(), now.book.wilayah().name(NEW)), (2, Some("Contoh Baru")));
    assert_eq!(now.digest, here.rulebook().await.expect("reads").digest);
}

async fn rows(store: &dyn Store, name: &str) -> Vec<Vec<dtsen_central::store::Cell>> {
    let table = TABLES.iter().find(|t| t.name == name).expect("is a table");
    store.read_table(table, None, 10_000).await.expect("reads")
}

/// Versions that the entries of a region name, in order.
async fn judged_by(store: &dyn Store) -> Vec<u32> {
    let feed = store.feed_after(HERE.parse().expect("a region"), 0, 100).await.expect("reads");
    let entries = feed.iter().map(|bytes| {
        let envelope = pb::Envelope::decode(bytes.as_slice()).expect("an envelope");
        pb::Verdicts::decode(envelope.payload.as_slice()).expect("an entry").rulebook
    });
    entries.collect()
}

pub(crate) async fn a_replay_judges_each_batch_by_its_own_version(place: Place) {
    let (store, other) = (place.open().await, place.open().await);
    let world = World::new(store.clone()).await;
    let person = |serial, name| people::person(serial, name).in_village(NEW);
    let before = world.send(HERE, vec![person(1, "CONTOH SATU"), person(2, "CONTOH DUA")]).await;
    world.decide().await;
    // Taken before, decided after, by another process, which read the version before.
    let between = world.send(HERE, vec![person(3, "CONTOH TIGA")]).await;
    assert_eq!(load(&world.hub, vec![("wilayah.tsv", areas())]).await, Outcome::Loaded(2));
    let world = World { hub: hub_on(other) };
    let after = world.send(HERE, vec![person(4, "CONTOH EMPAT")]).await;
    world.decide().await;
    world.steward(before, 0, true).await;
    world.steward(before, 1, false).await;
    for (position, version, totals) in
        [(before, 1, [0, 1, 0, 1]), (between, 1, [0, 0, 1, 0]), (after, 2, [1, 0, 0, 0])]
    {
        let row = world.hub.store.batch(position).await.expect("reads").expect("is there");
        let receipt = pb::Envelope::decode(row.receipt.as_slice()).expect("an envelope");
        let receipt = pb::Receipt::decode(receipt.payload.as_slice()).expect("a receipt");
        assert_eq!((row.rulebook, receipt.rulebook, row.totals), (version, version, totals), "{position}");
    }
    assert_eq!(judged_by(&*store).await, [1, 1, 2, 1, 1]);
    world.log().await;
    let there = place.other_sqlite("there").await;
    replay::rebuild(&*store, &*there, &world.hub.engine).await.expect("rebuilds");
    let compared = replay::compare(&*store, &*there).await.expect("compares");
    assert!(compared.same && compared.unexplained == 0, "{compared:?}");
    assert!(rows(&*there, "verdict").await == rows(&*store, "verdict").await);
    for checked in [store, there] {
        assert_eq!(audit::verify(&hub_on(checked)).await.expect("reads").faults, [""; 0]);
    }
    let held = world.hub.store.held(None, 10).await.expect("reads");
    let held: Vec<_> = held.iter().map(|v| (v.delta.position, v.judgement)).collect();
    assert_eq!(held, [(between, Judgement::Held)]);
}

pub(crate) async fn what_is_no_rulebook_is_refused_with_its_line(place: Place) {
    let hub: Arc<Hub> = hub_on(place.open().await);
    let files = |name, text: String| Change::Files(vec![(name, text)]);
    let builtin = Files::builtin();
    let mut unsorted = builtin.wilayah.clone().into_owned();
    unsorted.push_str("11\tAceh lagi\n");
    let last = unsorted.lines().count();
    let told = refused(&hub, files("wilayah.tsv", unsorted)).await;
    assert!(told.contains(&format!("wilayah.tsv baris {last}: tidak urut")), "{told}");
    let told = refused(&hub, files("bridge.csv", "kode_bps,kode_dagri\n52,52\nx,52\n".into())).await;
    assert!(told.contains("bridge.csv baris 3: bukan kode BPS"), "{told}");
    let broken = format!("{}\n[[lists\n", builtin.codes);
    let last = broken.lines().count();
    let told = refused(&hub, files("codes.toml", broken)).await;
    assert!(told.contains(&format!("codes.toml baris {last}: ")), "{told}");
    let told = refused(&hub, Change::Bundle(b"not a bundle".to_vec())).await;
    assert!(told.contains("rulebook export"), "{told}");
    let nobody = builtin.rulebook.replace("\"umum\"", "\"lain\"");
    let told = refused(&hub, files("rulebook.toml", nobody)).await;
    assert!(told.contains("profil umum"), "{told}");
    // What changes nothing is no version, also under another number.
    let same = builtin.clone().numbered(7).expect("states its version").rulebook.into_owned();
    assert_eq!(load(&hub, vec![("rulebook.toml", same)]).await, Outcome::Same(1));
    let bundle = Change::Bundle(Rulebook::builtin_bundle());
    assert_eq!(rulebook::load(&hub, bundle, by("petugas")).await.expect("reads"), Outcome::Same(1));
    let mut other = Files { wilayah: areas().into(), ..builtin };
    let told = refused(&hub, Change::Bundle(other.pack().expect("packs"))).await;
    assert!(told.contains("versi 1; versi berikutnya harus 2"), "{told}");
    other = other.numbered(5).expect("states its version");
    let bundle = Change::Bundle(other.pack().expect("packs"));
    assert_eq!(rulebook::load(&hub, bundle, by("petugas")).await.expect("loads"), Outcome::Loaded(5));
    assert_eq!(load(&hub, vec![("wilayah.tsv", areas())]).await, Outcome::Same(5));
    // A restored hub gives no number twice.
    hub.store.set_setting("generation", 2_u64.to_be_bytes().to_vec()).await.expect("writes");
    let bridge = vec![("bridge.csv", "kode_bps,kode_dagri\n5271,52.71\n".to_owned())];
    assert_eq!(load(&hub, bridge).await, Outcome::Loaded(1_000_001));
    let decision = hub.store.decisions(2, 1).await.expect("reads").remove(0).2;
    let decision = pb::Envelope::decode(decision.as_slice()).expect("an envelope");
    let key = hub.keys.receipt.public();
    let kind = envelope::PayloadType::DECISION;
    let decision = envelope::verify::<pb::Decision>(&decision, kind, &key).expect("is signed").into_inner();
    let digest = hub.rulebook().await.expect("reads").digest.to_vec();
    let act = pb::RulebookAct { version: 1_000_001, digest };
    assert_eq!(decision.act, Some(pb::decision::Act::Rulebook(act)));
}
