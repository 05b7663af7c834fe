//! What the signed feed says, against verdicts and totals as they are kept.

use std::collections::BTreeMap;

use dtsen_proto::{
    envelope::{self, PayloadType},
    key::PublicKey,
    pb,
};
use prost::Message as _;

use super::{Audit, PAGE};
use crate::store::{BatchRow, Store, StoreError, VerdictKey};

/// Totals of a batch: accepted, warned, held, rejected.
type Totals = [u32; 4];

/// What the feed says; entries go as they are met.
#[derive(Default)]
pub(super) struct Said {
    totals: BTreeMap<(u32, u32), Totals>,
    verdicts: BTreeMap<VerdictKey, pb::Verdict>,
}

fn place(judgement: pb::Judgement) -> Option<usize> {
    usize::try_from(i32::from(judgement) - 1).ok()
}

impl Said {
    fn hear(&mut self, entry: &pb::Verdicts) {
        let at = (entry.epoch, u32::try_from(entry.sequence).unwrap_or(0));
        if !entry.revision_only {
            self.totals.insert(at, [entry.accepted, entry.warned, entry.held, entry.rejected]);
        }
        for verdict in &entry.verdicts {
            let key = (at.0, at.1, verdict.index);
            let before = self.verdicts.get(&key).map(|v| (v.revision, v.judgement()));
            let (revision, judgement) = before.unwrap_or((0, pb::Judgement::Accepted));
            if verdict.revision <= revision {
                continue;
            }
            if entry.revision_only
                && let Some(totals) = self.totals.get_mut(&at)
                && let (Some(from), Some(to)) = (place(judgement), place(verdict.judgement()))
            {
                totals[from] = totals[from].saturating_sub(1);
                totals[to] += 1;
            }
            self.verdicts.insert(key, verdict.clone());
        }
    }

    /// What is wrong with the totals of a batch, if anything.
    pub(super) fn check_totals(&mut self, row: &BatchRow) -> Option<&'static str> {
        let told = self.totals.remove(&(row.position.epoch, row.position.sequence));
        (told != row.judged).then_some("jumlah putusan tidak cocok dengan umpan yang ditandatangani")
    }
}

/// Reads the feed, checking every entry.
pub(super) async fn feed(store: &Store, hub: &PublicKey, audit: &mut Audit) -> Result<Said, StoreError> {
    let (mut said, mut at) = (Said::default(), 0);
    loop {
        let page = store.feed_after(at, PAGE).await?;
        if page.is_empty() {
            return Ok(said);
        }
        for bytes in page {
            at += 1;
            audit.feed += 1;
            let verified = pb::Envelope::decode(bytes.as_slice())
                .ok()
                .and_then(|entry| envelope::verify::<pb::Verdicts>(&entry, PayloadType::VERDICTS, hub).ok());
            match verified {
                Some(entry) if entry.get().position == at => said.hear(entry.get()),
                _ => audit.faults.push(format!("putusan {at}: tanda tangan atau nomornya tidak sah")),
            }
        }
    }
}

/// The verdicts kept are those of the feed, and all of them.
pub(super) async fn table(store: &Store, mut said: Said, audit: &mut Audit) -> Result<(), StoreError> {
    let mut after = (0, 0, 0);
    loop {
        let page = store.verdicts_after(after, PAGE).await?;
        let Some((last, ..)) = page.last() else { break };
        after = *last;
        for (key, revision, judgement, detail) in page {
            let fits = said.verdicts.remove(&key).is_some_and(|told| {
                (told.revision, told.judgement) == (revision, judgement) && told.encode_to_vec() == detail
            });
            if !fits {
                audit.faults.push(format!("putusan atas data {}: lain dari umpan", name(key)));
            }
        }
    }
    for key in said.verdicts.into_keys() {
        audit.faults.push(format!("putusan atas data {}: ada dalam umpan, tidak ada dalam tabel", name(key)));
    }
    for (epoch, sequence) in said.totals.into_keys() {
        audit.faults.push(format!("kiriman {epoch}/{sequence}: diputus pusat, tetapi tidak ada di sini"));
    }
    Ok(())
}

fn name((epoch, sequence, index): VerdictKey) -> String {
    format!("{epoch}/{sequence}/{index}")
}
