//! A hub's answers for tests of what follows from them.

use dtsen_proto::{
    batch,
    envelope::{self, PayloadType},
    key::Signer,
    pb,
};

use super::{BatchRow, Sealing, Store};

/// Seals everything and lets the hub accept it.
pub(crate) async fn accept_all(store: &Store) {
    answer(store, pb::Judgement::Accepted).await;
}

/// Seals everything and lets the hub reject it.
pub(crate) async fn reject_all(store: &Store) {
    answer(store, pb::Judgement::Rejected).await;
}

async fn answer(store: &Store, judgement: pb::Judgement) {
    let signer = Signer::from_seed(&[1; 32]);
    let sealing = Sealing {
        now_ms: 5,
        max_deltas: 10_000,
        max_bytes: usize::MAX,
        rulebook: 1,
        generation: 1,
        log: (0, [0; 32]),
        salt: &|| [9; 16],
        seal: &|draft, deltas| batch::seal(&signer, draft, deltas),
    };
    let sealed = store.seal(&sealing).await.expect("seals").expect("something was pending");
    let entry = verdicts(&sealed, judgement, store.feed_end().await.expect("reads") + 1);
    let envelope = envelope::sign_message(&signer, PayloadType::VERDICTS, &entry);
    let verified = envelope::verify(&envelope, PayloadType::VERDICTS, &signer.public()).expect("good");
    store.apply_feed(&[(verified, envelope)]).await.expect("applies");
}

fn verdicts(sealed: &BatchRow, judgement: pb::Judgement, position: u64) -> pb::Verdicts {
    let accepted = judgement == pb::Judgement::Accepted;
    let verdict =
        |index| pb::Verdict { index, revision: 1, judgement: judgement.into(), ..Default::default() };
    pb::Verdicts {
        position,
        epoch: sealed.position.epoch,
        sequence: sealed.position.sequence.into(),
        batch_id: sealed.id.as_bytes().to_vec(),
        verdicts: if accepted { Vec::new() } else { (0..sealed.deltas).map(verdict).collect() },
        accepted: if accepted { sealed.deltas } else { 0 },
        rejected: if accepted { 0 } else { sealed.deltas },
        ..Default::default()
    }
}
