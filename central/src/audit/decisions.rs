//! Decisions: signed, numbered without gaps, and what else must agree with them.

use std::collections::{BTreeMap, BTreeSet};

use dtsen_proto::{
    envelope::{self, PayloadType},
    id::BatchId,
    pb,
};
use prost::Message as _;

use super::{Audit, PAGE, log::Named};
use crate::{hub::Hub, store::StoreError};

/// What decisions say and other tables must agree with; entries go as they are met.
#[derive(Default)]
pub(super) struct Decided {
    /// Erased deltas: leaf, and number of the decision.
    erased: BTreeMap<(Vec<u8>, u32), (Vec<u8>, u64)>,
    /// Decisions that were applied, by application.
    applied: BTreeMap<u64, u64>,
    /// Releases that were published.
    pub(super) released: BTreeSet<u64>,
    /// Rulebooks that were loaded: version and digest.
    pub(super) rulebooks: BTreeMap<u32, Vec<u8>>,
}

impl Decided {
    /// Whether a decision erased this delta.
    pub(super) fn take_erased(&mut self, batch: BatchId, index: u32, leaf: &[u8]) -> bool {
        let act = self.erased.remove(&(batch.as_bytes().to_vec(), index));
        act.is_some_and(|(said, _)| said == leaf)
    }

    /// Whether this decision was applied as this application.
    pub(super) fn take_applied(&mut self, apply_no: u64, number: u64) -> bool {
        self.applied.remove(&apply_no) == Some(number)
    }

    /// What no other table agreed with.
    pub(super) fn report_left(&self, audit: &mut Audit) {
        for (_, number) in self.erased.values() {
            audit.fault(format!("keputusan {number}: data yang dihapus masih ada dalam isi kirimannya"));
        }
        for (apply_no, number) in &self.applied {
            audit.fault(format!("keputusan {number}: penerapan {apply_no} bukan miliknya"));
        }
    }

    fn note(&mut self, number: u64, apply_no: Option<u64>, act: Option<&pb::decision::Act>) -> bool {
        if let Some(apply_no) = apply_no {
            self.applied.insert(apply_no, number);
        }
        match act {
            Some(pb::decision::Act::Erase(act)) => {
                self.erased.insert((act.batch_id.clone(), act.index), (act.leaf.clone(), number));
            }
            Some(pb::decision::Act::Release(act)) => drop(self.released.insert(act.version)),
            Some(pb::decision::Act::Rulebook(act)) => {
                self.rulebooks.insert(act.version, act.digest.clone());
            }
            _ => {}
        }
        // A steward's act is a step of the lane, no other is.
        apply_no.is_some() == matches!(act, Some(pb::decision::Act::Held(_)))
    }
}

pub(super) async fn verify(hub: &Hub, audit: &mut Audit, named: &mut Named) -> Result<Decided, StoreError> {
    let mut decided = Decided::default();
    let key = hub.keys.receipt.public();
    let mut at = 0;
    loop {
        let page = hub.store.decisions(at, PAGE).await?;
        let Some((last, ..)) = page.last() else { return Ok(decided) };
        let last = *last;
        for (number, apply_no, bytes) in page {
            at += 1;
            audit.decisions += 1;
            let entry = pb::Envelope::decode(bytes.as_slice()).unwrap_or_default();
            match envelope::verify::<pb::Decision>(&entry, PayloadType::DECISION, &key) {
                Ok(read) if read.get().number == number && number == at => {
                    named.expect(format!("d/{number:020}"), envelope::log_leaf(&entry));
                    if !decided.note(number, apply_no, read.get().act.as_ref()) {
                        audit.fault(format!("keputusan {number}: penerapannya tidak cocok"));
                    }
                }
                _ => audit.fault(format!("keputusan {number}: tanda tangan atau nomornya tidak sah")),
            }
        }
        // After a gap every later number would be off.
        at = last;
    }
}
