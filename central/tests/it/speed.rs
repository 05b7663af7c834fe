//! How fast the lane writes: `cargo nextest run -p dtsen-central --release --run-ignored only --no-capture speed`.

use std::time::Duration;

use dtsen_central::{
    registry::{
        claim::{Cell, Claim, Stamp},
        codec,
        record::Record,
        view::{HolderKey, Touch, View, Wanted},
    },
    store::{Application, Applied, LaneState, RecordRow, Store, Writes},
};
use dtsen_proto::{
    column::{BlockNo, Column},
    id::{Position, RecordId},
    merkle::leaf_hash,
    record::{Day, RecordKind, Value},
};
use tokio::time::Instant;

use crate::{
    intake::take,
    place::{self, Place},
    regions::{lease, start},
};

const STEPS: u32 = 25;
const DELTAS: u32 = 8_000;

/// A person with thirty values, about 600 bytes.
fn person(at: Position, index: u32) -> Record {
    let mut record = Record::new(RecordId::new(at, index), RecordKind::Individu, at.region);
    let stamp = Stamp { reference: Day(20_000), epoch: at.epoch, sequence: at.sequence, index };
    for block in 21..24_u8 {
        let text = |column: u16| Value::Text(format!("nilai {column} dari {index}"));
        let cells =
            (0..10).map(|column| Cell { column: Column(column), value: text(column), stamp }).collect();
        record.claims.push(Claim { block: BlockNo(block), region: at.region, source: "siks".into(), cells });
    }
    record
}

fn key(at: Position, index: u32) -> HolderKey {
    HolderKey::new(RecordKind::Individu, &format!("{:08}{index:08}", at.sequence))
}

fn write(mut view: View, state: &LaneState, at: Position, from: Position) -> Writes {
    for index in 0..DELTAS {
        match view.holder(&key(from, index)) {
            Some(id) => {
                let record = view.change(id).expect("a holder has a record");
                record.claims[0].cells[0].value = Value::Number(at.sequence.into());
            }
            None => {
                view.create(person(at, index));
                view.hold(key(at, index), RecordId::new(at, index));
            }
        }
    }
    let (records, holders) = view.into_changes();
    let records = records.into_iter().map(|(record, touch)| {
        let body = codec::encode(&record);
        let (region, hash) = (record.domicile(), codec::hash(&body).to_vec());
        (RecordRow { id: record.id, region, kind: record.kind, hash, body }, touch == Touch::Created)
    });
    let feed = state.feeds[&at.region] + 1;
    Writes {
        records: records.collect(),
        holders,
        batches: vec![(at, Some(state.apply_no), [DELTAS.into(), 0, 0, 0])],
        feed: vec![(at.region, feed, vec![0; 100], leaf_hash(&feed.to_be_bytes()))],
        applications: vec![Application { apply_no: state.apply_no, what: Applied::Batch(at) }],
        ..Writes::default()
    }
}

/// Makes a step and returns how long the decision took in it.
async fn step(store: &dyn Store, at: Position, from: Position) -> Duration {
    let fence = lease(store, "lane", "one").await;
    let wanted = Wanted {
        holders: (0..DELTAS).map(|i| key(from, i)).collect(),
        subjects: (0..DELTAS).map(|i| (at.region, key(from, i).as_str().to_owned())).collect(),
        ..Wanted::default()
    };
    let mut took = Duration::ZERO;
    let mut decide = |view: View, state: LaneState| {
        let begun = Instant::now();
        let writes = write(view, &state, at, from);
        took = begun.elapsed();
        writes
    };
    store.apply(&fence, &wanted, &mut decide).await.expect("applies");
    took
}

async fn measure(place: Place) {
    let store = place.open().await;
    let region = start(&*store, "52.71").await;
    let mut first = Vec::new();
    for name in ["new", "changed"] {
        let mut batches = Vec::new();
        for _ in 0..STEPS {
            batches.push(take(&*store, region, DELTAS.into()).await);
        }
        let begun = Instant::now();
        let mut deciding = Duration::ZERO;
        for (n, at) in batches.iter().enumerate() {
            deciding += step(&*store, *at, *first.get(n).unwrap_or(at)).await;
        }
        let whole = begun.elapsed();
        let rate = |took: Duration| f64::from(STEPS * DELTAS) / took.as_secs_f64();
        println!(
            "{}: {name}, {} bytes each: {:.0} deltas/s with deciding, {:.0} deltas/s in the store",
            &place.address[..6],
            codec::encode(&person(batches[0], 9)).len(),
            rate(whole),
            rate(whole.saturating_sub(deciding)),
        );
        first = batches;
    }
    assert_eq!(store.counts().await.expect("reads").individu, u64::from(STEPS * DELTAS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_on_sqlite() {
    place::on_sqlite(measure).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_on_postgres() {
    place::on_postgres("speed", measure).await;
}
