//! From waiting batches to what the lane writes: decode, check, decide, sign. No I/O.

use std::{collections::BTreeMap, sync::Arc};

use dtsen_proto::{
    batch::{self, Frame},
    envelope::{self, PayloadType},
    id::{BatchId, DeltaRef, Position},
    key::Signer,
    limits, pb,
    record::{Action, Day, Delta, Text},
    region::Region,
    rulebook::{CheckContext, Finding, Rulebook, reason},
};
use prost::Message as _;

use crate::{
    registry::{
        decide::{self, Case, Effects, Judgement, Notice, Outcome, Revision},
        steward,
        view::{View, Wanted, subject},
    },
    store::{Application, Applied, LaneState, VerdictRow, Waiting, Writes},
};

/// Records that are given to the database at once: enough that it works while the next are decided.
const PART: usize = 500;

/// A delta of a batch, decoded and checked by everything that needs no registry.
enum Prepared {
    Delta { delta: Box<Delta>, findings: Vec<Finding> },
    Unreadable,
    Erased,
}

/// A batch, decoded and checked.
pub struct PreparedBatch {
    position: Position,
    id: BatchId,
    rulebook: Arc<Rulebook>,
    deltas: Vec<Prepared>,
}

impl PreparedBatch {
    /// Where it stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Deltas that were erased: nobody can decide them again.
    pub fn erased(&self) -> impl Iterator<Item = DeltaRef> {
        let erased = (0..).zip(&self.deltas).filter(|(_, delta)| matches!(delta, Prepared::Erased));
        erased.map(|(index, _)| DeltaRef { position: self.position, index })
    }
}

/// A body that the hub took and cannot read any more.
#[derive(Debug, thiserror::Error)]
#[error("the stored body of batch {0} cannot be read")]
pub struct BodyLost(Position);

/// Decides batches and stewards' acts.
pub struct Engine {
    /// Signs verdicts.
    pub signer: Signer,
}

impl Engine {
    /// Decodes and checks a batch with the rulebook that judges it.
    pub fn prepare(waiting: &Waiting, rulebook: Arc<Rulebook>) -> Result<PreparedBatch, BodyLost> {
        let lost = || BodyLost(waiting.position);
        let body =
            batch::decode_body(waiting.encoding, &waiting.body, limits::MAX_BODY_BYTES).ok_or_else(lost)?;
        let frames = batch::frames(&body).ok_or_else(lost)?;
        let context = CheckContext { region: waiting.position.region, today: Day::of_ms(waiting.custody_ms) };
        let deltas = frames.iter().map(|frame| prepare_delta(frame, &rulebook, context)).collect();
        Ok(PreparedBatch { position: waiting.position, id: waiting.id, rulebook, deltas })
    }

    /// What has to be read before [`Engine::decide`].
    pub fn wanted(batches: &[PreparedBatch]) -> Wanted {
        let mut wanted = Wanted::default();
        for batch in batches {
            for prepared in &batch.deltas {
                if let Prepared::Delta { delta, .. } = prepared {
                    wanted.add(batch.position.region, delta);
                }
            }
        }
        wanted
    }

    /// Decides batches one after the other over one view, and gives what that writes part by part.
    pub fn decide<'a>(&'a self, batches: &'a [PreparedBatch], view: View, state: LaneState) -> Deciding<'a> {
        Deciding { run: Run::new(self, state), view, batches: batches.iter(), done: false }
    }

    /// Applies a steward's decision on a held delta. `decision` makes the entry from its number.
    pub fn decide_held(
        &self,
        held: &HeldCase<'_>,
        mut view: View,
        state: LaneState,
        decision: &dyn Fn(u64) -> pb::Envelope,
    ) -> Writes {
        let mut run = Run::new(self, state);
        let apply_no = run.next_application();
        let number = run.state.decision;
        let entry = decision(number);
        run.writes.applications.push(Application { apply_no, what: Applied::Decision(number) });
        let leaf = envelope::log_leaf(&entry);
        run.writes.decision = Some((number, apply_no, entry.encode_to_vec(), leaf));
        let context = CheckContext { region: held.at.position.region, today: held.custody_day };
        let rulebook = held.rulebook;
        let findings = rulebook.check(held.delta, &context);
        let case = Case { at: held.at, delta: held.delta, findings: &findings, accepted_by_steward: false };
        let mut effects = Effects::default();
        let outcome = if held.accept {
            steward::accept(&mut view, case, rulebook, &mut effects)
        } else {
            steward::reject(&mut view, case, rulebook)
        };
        let (revision, note) = (held.revision + 1, held.note.into());
        effects.revisions.push(Revision { delta: held.at, revision, outcome, note });
        run.effects(Cause { apply_no, rulebook: rulebook.version(), decision: number }, effects, None);
        run.finish(&mut view)
    }
}

/// Batches while they are decided.
pub struct Deciding<'a> {
    run: Run<'a>,
    view: View,
    batches: std::slice::Iter<'a, PreparedBatch>,
    done: bool,
}

impl Iterator for Deciding<'_> {
    type Item = Writes;

    fn next(&mut self) -> Option<Writes> {
        loop {
            let records = self.view.take_touched(PART, |record, new| (record.into(), new));
            if !records.is_empty() {
                return Some(Writes { records, ..std::mem::take(&mut self.run.writes) });
            }
            let Some(batch) = self.batches.next() else { break };
            self.run.batch(&mut self.view, batch);
        }
        let last = !std::mem::replace(&mut self.done, true);
        last.then(|| self.run.finish(&mut self.view))
    }
}

/// A held delta before its steward.
#[derive(Clone, Copy)]
pub struct HeldCase<'a> {
    /// Which.
    pub at: DeltaRef,
    /// What it says.
    pub delta: &'a Delta,
    /// The rulebook that judges its batch.
    pub rulebook: &'a Rulebook,
    /// Day on which the hub took it.
    pub custody_day: Day,
    /// Revision of its current verdict.
    pub revision: u32,
    /// Accept, or reject.
    pub accept: bool,
    /// Why, in the steward's words; the region reads them.
    pub note: &'a str,
}

fn prepare_delta(frame: &Frame<'_>, rulebook: &Rulebook, context: CheckContext) -> Prepared {
    match frame {
        Frame::Erased(_) => Prepared::Erased,
        Frame::Delta(bytes) => match Delta::decode(bytes) {
            Ok(delta) => {
                let findings = rulebook.check(&delta, &context);
                Prepared::Delta { delta: Box::new(delta), findings }
            }
            Err(_) => Prepared::Unreadable,
        },
    }
}

/// What made a feed entry: the application, the version of the rulebook that judged in it, and the steward's decision if
/// there was one.
#[derive(Clone, Copy)]
struct Cause {
    apply_no: u64,
    rulebook: u32,
    decision: u64,
}

/// Totals by judgement: accepted, warned, held, rejected.
type Tally = [i64; 4];

fn place(judgement: Judgement) -> usize {
    match judgement {
        Judgement::Accepted => 0,
        Judgement::Warned => 1,
        Judgement::Held => 2,
        Judgement::Rejected => 3,
    }
}

/// One step of the lane, gathering what it writes.
struct Run<'a> {
    engine: &'a Engine,
    state: LaneState,
    writes: Writes,
    /// Revision and judgement of deltas decided in this run, so that a later revision in it knows what it replaces.
    tallies: BTreeMap<Position, (Option<u64>, Tally)>,
}

impl<'a> Run<'a> {
    fn new(engine: &'a Engine, state: LaneState) -> Self {
        Self { engine, state, writes: Writes::default(), tallies: BTreeMap::new() }
    }

    fn next_application(&mut self) -> u64 {
        let number = self.state.apply_no;
        self.state.apply_no += 1;
        number
    }

    fn batch(&mut self, view: &mut View, batch: &PreparedBatch) {
        let apply_no = self.next_application();
        self.writes.applications.push(Application { apply_no, what: Applied::Batch(batch.position) });
        let rulebook = &batch.rulebook;
        let mut effects = Effects::default();
        let mut tally = [0; 4];
        let mut verdicts = Vec::new();
        for (index, prepared) in (0..).zip(&batch.deltas) {
            let at = DeltaRef { position: batch.position, index };
            let (outcome, delta) = match prepared {
                Prepared::Erased => continue,
                Prepared::Unreadable => {
                    (decide::rejected(vec![rulebook.finding(reason::DELTA_UNREADABLE, None)]), None)
                }
                Prepared::Delta { delta, findings } => {
                    let case = Case { at, delta, findings, accepted_by_steward: false };
                    (decide::decide(view, case, rulebook, &mut effects), Some(delta))
                }
            };
            tally[place(outcome.judgement)] += 1;
            if outcome.judgement != Judgement::Accepted
                || outcome.record.is_some()
                || !outcome.findings.is_empty()
            {
                let verdict = verdict(index, 1, &outcome);
                let action = delta.map_or(Action::Upsert, |d| d.action);
                let about = delta.and_then(|d| subject(d));
                self.put_verdict(at, 1, outcome.judgement, about, action, &verdict);
                verdicts.push(verdict);
            }
        }
        self.tallies.insert(batch.position, (Some(apply_no), tally));
        let own = Own { batch, tally, verdicts };
        self.effects(Cause { apply_no, rulebook: rulebook.version(), decision: 0 }, effects, Some(own));
    }

    fn put_verdict(
        &mut self,
        delta: DeltaRef,
        revision: u32,
        judgement: Judgement,
        subject: Option<Text>,
        action: Action,
        detail: &pb::Verdict,
    ) {
        let detail = detail.encode_to_vec();
        self.writes.verdicts.push(VerdictRow { delta, revision, judgement, subject, action, detail });
    }

    /// Feed entries: the batch's own, and word to whoever else is concerned.
    fn effects(&mut self, cause: Cause, effects: Effects, own: Option<Own<'_>>) {
        let mut by_region: BTreeMap<Region, Vec<Notice>> = BTreeMap::new();
        for notice in effects.notices {
            by_region.entry(notice.region).or_default().push(notice);
        }
        if let Some(own) = own {
            let position = own.batch.position;
            let notices = by_region.remove(&position.region).unwrap_or_default();
            let entry = pb::Verdicts {
                verdicts: own.verdicts,
                notices: notices.iter().map(notice_out).collect(),
                ..entry(cause, position, own.batch.id.as_bytes(), own.tally)
            };
            self.feed(position.region, entry);
        }
        for revision in effects.revisions {
            self.revise(cause, &revision);
        }
        for (region, notices) in by_region {
            let entry = pb::Verdicts {
                region: region.to_string(),
                apply_no: cause.apply_no,
                rulebook: cause.rulebook,
                revision_only: true,
                decision: cause.decision,
                notices: notices.iter().map(notice_out).collect(),
                ..Default::default()
            };
            self.feed(region, entry);
        }
    }

    fn revise(&mut self, cause: Cause, revision: &Revision) {
        let position = revision.delta.position;
        let told = verdict(revision.delta.index, revision.revision, &revision.outcome);
        let detail = pb::Verdict { note: revision.note.to_string(), ..told };
        let judgement = revision.outcome.judgement;
        self.put_verdict(revision.delta, revision.revision, judgement, None, Action::Upsert, &detail);
        // Only held deltas are ever revised.
        let (_, tally) = self.tallies.entry(position).or_insert((None, [0; 4]));
        tally[place(Judgement::Held)] -= 1;
        tally[place(judgement)] += 1;
        let entry = pb::Verdicts {
            verdicts: vec![detail],
            revision_only: true,
            ..entry(cause, position, &[], [0; 4])
        };
        self.feed(position.region, entry);
    }

    fn feed(&mut self, region: Region, mut entry: pb::Verdicts) {
        let position = self.state.feeds.entry(region).or_default();
        *position += 1;
        entry.position = *position;
        let envelope = envelope::sign_message(&self.engine.signer, PayloadType::VERDICTS, &entry);
        let leaf = envelope::log_leaf(&envelope);
        self.writes.feed.push((region, *position, envelope.encode_to_vec(), leaf));
    }

    /// What is left to write.
    fn finish(&mut self, view: &mut View) -> Writes {
        let mut writes = std::mem::take(&mut self.writes);
        let tallies = std::mem::take(&mut self.tallies).into_iter();
        writes.batches.extend(tallies.map(|(position, (no, tally))| (position, no, tally)));
        writes.records = view.take_touched(usize::MAX, |record, new| (record.into(), new));
        writes.holders = view.take_new_holders();
        writes
    }
}

fn entry(cause: Cause, position: Position, batch_id: &[u8], tally: Tally) -> pb::Verdicts {
    let [accepted, warned, held, rejected] = tally.map(|n| u32::try_from(n).unwrap_or(0));
    pb::Verdicts {
        region: position.region.to_string(),
        apply_no: cause.apply_no,
        epoch: position.epoch,
        sequence: position.sequence.into(),
        batch_id: batch_id.to_vec(),
        rulebook: cause.rulebook,
        decision: cause.decision,
        accepted,
        warned,
        held,
        rejected,
        ..Default::default()
    }
}

/// The feed entry of a batch itself.
struct Own<'a> {
    batch: &'a PreparedBatch,
    tally: Tally,
    verdicts: Vec<pb::Verdict>,
}

fn verdict(index: u32, revision: u32, outcome: &Outcome) -> pb::Verdict {
    let judgement = match outcome.judgement {
        Judgement::Accepted => pb::Judgement::Accepted,
        Judgement::Warned => pb::Judgement::Warned,
        Judgement::Held => pb::Judgement::Held,
        Judgement::Rejected => pb::Judgement::Rejected,
    };
    pb::Verdict {
        index,
        revision,
        judgement: judgement.into(),
        findings: outcome.findings.iter().map(Finding::to_wire).collect(),
        record_id: outcome.record.map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
        note: String::new(),
    }
}

fn notice_out(notice: &Notice) -> pb::Notice {
    pb::Notice { record_id: notice.record.as_bytes().to_vec(), reason: notice.reason.to_owned() }
}
