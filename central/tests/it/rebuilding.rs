//! Rebuilds and copies: the same evidence gives the same registry, on either database.

use dtsen_central::{
    audit::{self, Audit},
    registry::codec,
    replay,
    store::{Cell, Store, TABLES},
};

use crate::{
    people::{self, HERE, Written as _},
    place::Place,
    world::{World, hub_on, story},
};

/// What `verify` finds of a store.
async fn verified(store: std::sync::Arc<dyn Store>) -> Audit {
    audit::verify(&hub_on(store)).await.expect("reads")
}

async fn rows(store: &dyn Store, name: &str) -> Vec<Vec<Cell>> {
    let table = TABLES.iter().find(|t| t.name == name).expect("is a table");
    store.read_table(table, None, 10_000).await.expect("reads")
}

pub(crate) async fn a_rebuild_gives_the_same_registry(place: Place) {
    // Built here and rebuilt there, and the other way round: once of the two across databases.
    for turn in 0..2 {
        let stores = [place.open().await, place.other_sqlite(&format!("beside{turn}")).await];
        let (from, to) = (stores[turn].clone(), stores[1 - turn].clone());
        let world = World::new(from.clone()).await;
        story(&world).await;
        let counts = from.counts().await.expect("reads");
        let replayed = replay::rebuild(&*from, &*to, &world.hub.engine).await.expect("rebuilds");
        assert_eq!((replayed.applications, replayed.erased), (counts.applications, 0));
        let compared = replay::compare(&*from, &*to).await.expect("compares");
        assert!(compared.same && compared.unexplained == 0, "{compared:?}");
        assert_eq!(compared.state_hash, compared.replayed_hash);
        for table in ["record", "holder", "verdict"] {
            let rebuilt = rows(&*to, table).await;
            assert!(rebuilt == rows(&*from, table).await && !rebuilt.is_empty(), "{table}");
        }
        let found = verified(to.clone()).await;
        assert_eq!(found.faults, [""; 0]);
        assert_eq!(found.state_hash, compared.state_hash);
        let again = replay::rebuild(&*from, &*to, &world.hub.engine).await;
        assert!(matches!(again, Err(replay::ReplayError::NotEmpty)), "only into an empty one");
        if turn == 0 {
            place.clear().await;
        }
    }
}

pub(crate) async fn a_backup_there_and_back_is_the_same_hub(place: Place) {
    let built = place.other_sqlite("built").await;
    story(&World::new(built.clone()).await).await;
    let (middle, back) = (place.open().await, place.other_sqlite("back").await);
    let expected = verified(built.clone()).await;
    assert_eq!(expected.faults, [""; 0]);
    for (from, to) in [(&built, &middle), (&middle, &back)] {
        replay::copy(&**from, &**to, |table| table.name == "lease").await.expect("copies");
        assert_eq!(verified(to.clone()).await, expected);
    }
    // A restored hub goes on.
    let world = World { hub: hub_on(middle.clone()) };
    world.send(HERE, vec![people::person(9, "CONTOH SEMBILAN").at(HERE, 20_700)]).await;
    world.decide().await;
    world.log().await;
    let after = verified(middle).await;
    assert_eq!((after.faults.len(), after.records), (0, expected.records + 1));
}

/// What no signature covers is found by a rebuild: a record edited together with its hash, a number given away.
pub(crate) async fn a_rebuild_finds_what_verify_cannot(place: Place) {
    let world = World::new(place.open().await).await;
    let told = story(&world).await;
    let store = world.hub.store.clone();
    let id = dtsen_proto::id::RecordId::new(told.claims, 2);
    let page = store.records_after(&[], 100).await.expect("reads");
    let row = page.into_iter().find(|row| row.id == id).expect("is there");
    let mut record = codec::decode(&row.body).expect("a record");
    record.stays[0].from.0 += 1;
    let body = codec::encode(&record);
    let values = [Cell::from(body.clone()), Cell::from(codec::hash(&body).to_vec())];
    let key = Cell::from(id.as_bytes().to_vec());
    let text = "UPDATE record SET body = $1, hash = $2 WHERE id = $3";
    assert_eq!(place.execute(text, &[&values[..], &[key]].concat()).await, 1);
    let moved = dtsen_proto::id::RecordId::new(told.first, 2).as_bytes().to_vec();
    let text = "UPDATE holder SET id = $1 WHERE id = $2";
    let other = Cell::from(id.as_bytes().to_vec());
    assert_eq!(place.execute(text, &[other, Cell::from(moved)]).await, 1);
    assert_eq!(verified(store.clone()).await.faults, [""; 0], "it fits everything beside it");
    let there = place.other_sqlite("there").await;
    replay::rebuild(&*store, &*there, &world.hub.engine).await.expect("rebuilds");
    let compared = replay::compare(&*store, &*there).await.expect("compares");
    assert_eq!((compared.differing, compared.differing_holders, compared.unexplained), (1, 1, 2));
    assert_eq!(compared.first_unexplained, [id.to_string()]);
}
