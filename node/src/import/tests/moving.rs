//! Moves that an operator declares.

use dtsen_proto::id::{Position, RecordId};
use futures::future::BoxFuture;

use super::*;

fn gorontalo() -> Region {
    "75.71".parse().expect("a region")
}

fn departure() -> Departure {
    Departure { kk: family(1).kk, to: gorontalo(), day: Day(20_500) }
}

#[tokio::test]
async fn a_family_of_our_own_leaves_with_its_members() {
    let node = Node::new().await;
    node.import(&families(3)).await;
    let before = node.pending().await.len();
    let never = |_| -> BoxFuture<'static, anyhow::Result<Vec<Delta>>> { unreachable!("it is our own") };
    assert_eq!(move_out(&node.importer(), &departure(), &never).await.expect("queues"), 3);
    let deltas = node.pending().await.split_off(before);
    let first = &deltas[0];
    assert_eq!((first.kind, first.action), (RecordKind::Keluarga, Action::MoveOut));
    assert_eq!(first.natural_key(), Some(family(1).kk.as_str()));
    assert!(deltas.iter().all(|delta| delta.transfer.is_some_and(|t| t.other == gorontalo())));
    let wrong = Departure { to: region(), ..departure() };
    let refused = move_out(&node.importer(), &wrong, &never).await.expect_err("refused").to_string();
    assert!(refused.contains("••••") && !refused.contains(&family(1).kk), "{refused}");
}

#[tokio::test]
async fn a_family_of_the_slice_leaves_by_its_ids() {
    let node = Node::new().await;
    let id = RecordId::new(Position { region: region(), epoch: 1, sequence: 4 }, 2);
    let ask = move |_| -> BoxFuture<'static, anyhow::Result<Vec<Delta>>> {
        Box::pin(async move {
            let content =
                Delta { record: Some(id), ..Delta::new(RecordKind::Keluarga, Action::Upsert, Vec::new()) };
            Ok(vec![content])
        })
    };
    assert_eq!(move_out(&node.importer(), &departure(), &ask).await.expect("queues"), 1);
    let pending = node.pending().await;
    assert_eq!((pending[0].record, pending[0].blocks.len()), (Some(id), 0));
    let nobody = |_| -> BoxFuture<'static, anyhow::Result<Vec<Delta>>> { Box::pin(async { Ok(Vec::new()) }) };
    let unknown = Departure { kk: family(2).kk, ..departure() };
    let refused = move_out(&node.importer(), &unknown, &nobody).await;
    assert!(matches!(refused, Err(MoveError::FamilyUnknown(_))));
}

#[tokio::test]
async fn a_family_arrives_in_a_village_of_ours() {
    let node = Node::new().await;
    let (kk, nik) = ("7571010101209001".to_owned(), "7571014101909001".to_owned());
    let named = Person { nik: nik.clone(), name: Some("SITI".into()) };
    let arrival = |person, village: &str| Arrival {
        kk: kk.clone(),
        persons: vec![person],
        village: village.into(),
        from: gorontalo(),
        day: Day(20_500),
    };
    assert_eq!(move_in(&node.importer(), &arrival(named.clone(), "52.71.01.1012")).await.expect("queues"), 2);
    let pending = node.pending().await;
    assert!(pending.iter().all(|delta| delta.action == Action::MoveIn));
    assert_eq!(pending[1].text(column::I_KODE_WILAYAH), Some("52.71.01.1012"));
    let elsewhere = move_in(&node.importer(), &arrival(named, "75.71.01.1001")).await;
    assert!(matches!(elsewhere, Err(MoveError::Refused { .. })), "{elsewhere:?}");
    let unnamed = Person { nik: "7571014101909002".into(), name: None };
    let refused = move_in(&node.importer(), &arrival(unnamed, "52.71.01.1012")).await;
    assert!(matches!(refused, Err(MoveError::NameMissing(_))));
    // The person queued above has a name by now.
    let known = Person { nik, name: None };
    assert_eq!(move_in(&node.importer(), &arrival(known, "52.71.01.1012")).await.expect("queues"), 2);
}
