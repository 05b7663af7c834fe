//! Stewards' decisions that were lost when the hub was restored. Regions hold the verdicts that these made, signed by this
//! hub; what else was decided is known by its number alone.

use std::collections::{BTreeMap, BTreeSet};

use dtsen_proto::{
    envelope::{self, PayloadType},
    id::{BatchId, DeltaRef, Position},
    limits, pb,
    refusal::Refusal,
    region::Region,
};
use prost::Message;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::{
    hub::{Hub, setting},
    intake::Fault,
    store::StoreError,
};

/// A decision on a delta that stands otherwise now.
#[derive(Debug, Serialize)]
pub struct LostDecision {
    /// Its number in the log that ended.
    pub number: u64,
    /// On which delta.
    #[serde(serialize_with = "as_text")]
    pub delta: DeltaRef,
    /// What it made of it.
    pub judged: Judged,
    /// What it is now; `None` until its region has handed it back and it is decided.
    pub now: Option<Judged>,
}

/// A judgement by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged(pub pb::Judgement);

impl Serialize for Judged {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.as_str_name().trim_start_matches("JUDGEMENT_").to_lowercase())
    }
}

/// What is known of the decisions that were lost before the generation in force began.
#[derive(Debug, Default, Serialize)]
pub struct Lost {
    /// Those that regions hold verdicts of, and that nobody has taken again.
    pub decisions: Vec<LostDecision>,
    /// Numbers of those before the last that a region knows of, of which nobody holds anything.
    pub unknown: Vec<u64>,
}

fn as_text<S: Serializer>(value: &DeltaRef, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// What an envelope of this hub's own says.
fn payload<M: Message + Default>(bytes: &[u8], table: &'static str) -> Result<M, StoreError> {
    let read = pb::Envelope::decode(bytes).and_then(|envelope| M::decode(envelope.payload.as_slice()));
    read.map_err(|_| StoreError::Inconsistent { table, column: "envelope" })
}

/// Evidence of what was lost before a generation.
fn why(generation: u64) -> String {
    format!("lost before generation {generation}")
}

/// What an entry of a region's feed says that this hub signed, and whether it is another one here, or none.
pub async fn weigh(hub: &Hub, region: Region, entry: &pb::Envelope) -> Result<(pb::Verdicts, bool), Fault> {
    let key = hub.keys.receipt.public();
    let told = envelope::verify::<pb::Verdicts>(entry, PayloadType::VERDICTS, &key)?.into_inner();
    if told.region != region.to_string() {
        return Err(Refusal::WrongRegion.into());
    }
    let here = hub.store.feed_after(region, told.position.saturating_sub(1), 1).await?;
    let lost = here.first() != Some(&entry.encode_to_vec());
    Ok((told, lost))
}

/// Keeps what a region shows of decisions that this hub signed and lost. Saying it again changes nothing.
pub async fn keep(hub: &Hub, region: Region, entries: &[pb::Envelope]) -> Result<(), Fault> {
    if entries.len() > limits::MAX_FEED_ENTRIES {
        return Err(Refusal::Malformed { what: "list of verdicts" }.into());
    }
    let generation = hub.generation().await?;
    for entry in entries {
        let (told, lost) = weigh(hub, region, entry).await?;
        if told.decision > 0 && lost {
            let bytes = entry.encode_to_vec();
            let id = BatchId::new(Sha256::digest(&bytes).into());
            hub.store.keep_evidence(region, id, &bytes, hub.ambient.now_ms(), &why(generation)).await?;
        }
    }
    Ok(())
}

/// Lists what is known to be lost and was not decided again.
pub async fn list(hub: &Hub) -> Result<Lost, StoreError> {
    let generation = hub.generation().await?;
    let Some(began) = hub.store.setting(setting::GENERATION_DECISION).await? else {
        return Ok(Lost::default());
    };
    let began: pb::Decision = payload(&began, "setting")?;
    let (mut known, mut judged) = (BTreeSet::new(), BTreeMap::new());
    for region in hub.store.regions().await? {
        for entry in hub.store.evidence(region.region, &why(generation)).await? {
            let told: pb::Verdicts = payload(&entry, "evidence")?;
            known.insert(told.decision);
            let sequence = u32::try_from(told.sequence);
            let sequence =
                sequence.map_err(|_| StoreError::Inconsistent { table: "evidence", column: "sequence" })?;
            let position = Position { region: region.region, epoch: told.epoch, sequence };
            for verdict in told.verdicts {
                let delta = DeltaRef { position, index: verdict.index };
                let last = judged.entry(delta).or_insert((0, 0, pb::Judgement::Unspecified));
                *last = (*last).max((verdict.revision, told.decision, verdict.judgement()));
            }
        }
    }
    let mut decisions = Vec::new();
    for (delta, (_, number, judged)) in judged {
        let now = now(hub, delta).await?;
        if now != Some(judged) {
            let (judged, now) = (Judged(judged), now.map(Judged));
            decisions.push(LostDecision { number, delta, judged, now });
        }
    }
    decisions.sort_by_key(|decision| decision.number);
    // Its number is the first that this hub gave anew.
    let lost = began.number..known.last().map_or(began.number, |last| *last + 1);
    Ok(Lost { decisions, unknown: lost.filter(|number| !known.contains(number)).collect() })
}

/// What a delta is judged now.
async fn now(hub: &Hub, delta: DeltaRef) -> Result<Option<pb::Judgement>, StoreError> {
    if let Some(verdict) = hub.store.verdict(delta).await? {
        let detail = pb::Verdict::decode(verdict.detail.as_slice()).map(|detail| detail.judgement());
        return Ok(detail.ok());
    }
    let batch = hub.store.batch(delta.position).await?;
    Ok(batch.filter(|batch| batch.apply_no.is_some()).map(|_| pb::Judgement::Accepted))
}
