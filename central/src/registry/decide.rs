//! The decision on one delta: data in, data out.

use dtsen_proto::{
    column,
    id::{DeltaRef, RecordId},
    record::{Action, Block, Delta, Text},
    region::Region,
    rulebook::{Finding, Rulebook, Severity, reason},
};

use super::{
    claim::{self, Folded, Stamp},
    death, identity, moves,
    record::Record,
    view::{HolderKey, OpenHold, View, subject},
};

/// What became of a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// In the registry.
    Accepted,
    /// In the registry, with warnings.
    Warned,
    /// Waits for a person, or for the other half of a move.
    Held,
    /// Not in the registry.
    Rejected,
}

/// Judgement with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What became of it.
    pub judgement: Judgement,
    /// Why.
    pub findings: Vec<Finding>,
    /// The record, where the region may know it.
    pub record: Option<RecordId>,
}

/// A later verdict on a delta that was judged before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Which delta.
    pub delta: DeltaRef,
    /// Revision that it gets.
    pub revision: u32,
    /// Its new verdict.
    pub outcome: Outcome,
    /// Why, in the steward's words; empty if none decided.
    pub note: Text,
}

/// Word to a region about one of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// To whom.
    pub region: Region,
    /// About which record.
    pub record: RecordId,
    /// Reason code.
    pub reason: &'static str,
}

/// What a decision causes beside its own outcome.
#[derive(Debug, Default)]
pub struct Effects {
    /// Earlier deltas that get a new verdict.
    pub revisions: Vec<Revision>,
    /// Word to other regions.
    pub notices: Vec<Notice>,
}

/// A delta to decide.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Where it stands.
    pub at: DeltaRef,
    /// What it says.
    pub delta: &'a Delta,
    /// What the rulebook says of it.
    pub findings: &'a [Finding],
    /// A steward accepts what would be held.
    pub accepted_by_steward: bool,
}

impl Case<'_> {
    /// The region that speaks.
    pub(super) fn region(&self) -> Region {
        self.at.position.region
    }

    /// How new a block's values are.
    pub(super) fn stamp(&self, reference: dtsen_proto::record::Day) -> Stamp {
        let position = self.at.position;
        Stamp { reference, epoch: position.epoch, sequence: position.sequence, index: self.at.index }
    }
}

/// Decides a delta and changes the view accordingly.
pub fn decide(view: &mut View, case: Case<'_>, rulebook: &Rulebook, effects: &mut Effects) -> Outcome {
    let worst = case.findings.iter().map(|f| f.severity).max();
    if worst == Some(Severity::Error) {
        return rejected(case.findings.to_vec());
    }
    let withdrawn = close_earlier_holds(view, case, rulebook, effects);
    let outcome = if worst == Some(Severity::Hold) && !case.accepted_by_steward {
        held(case.findings.to_vec())
    } else {
        apply(view, case, withdrawn, rulebook, effects)
    };
    if outcome.judgement == Judgement::Held {
        let hold = OpenHold { delta: case.at, action: case.delta.action, revision: 1 };
        view.note_hold(subject(case.delta), hold);
    }
    outcome
}

/// A newer delta answers the earlier ones of the same kind that still wait: those on the same subject, and the one that it
/// names. Only the region itself is asked, and only about what came before. Tells whether a GONE took back what waited: it has
/// to name that, because on the same subject another source may have spoken.
fn close_earlier_holds(view: &mut View, case: Case<'_>, rulebook: &Rulebook, effects: &mut Effects) -> bool {
    let mut withdrawn = false;
    if view.has_no_holds() {
        return withdrawn;
    }
    let answered = case.delta.answers.map(|answered| answered.of(case.region()));
    for hold in view.open_holds(case.region(), subject(case.delta).as_deref(), answered) {
        let takes_back = (case.delta.action, hold.action) == (Action::Gone, Action::Upsert)
            && answered == Some(hold.delta);
        if hold.delta >= case.at || hold.action != case.delta.action && !takes_back {
            continue;
        }
        withdrawn |= takes_back;
        view.close_hold(hold.delta);
        let outcome = rejected(vec![rulebook.finding(reason::SUPERSEDED, None)]);
        moves::forget(view, hold.delta, case.delta);
        let (revision, note) = (hold.revision + 1, Text::default());
        effects.revisions.push(Revision { delta: hold.delta, revision, outcome, note });
    }
    withdrawn
}

fn apply(
    view: &mut View,
    case: Case<'_>,
    withdrawn: bool,
    rulebook: &Rulebook,
    effects: &mut Effects,
) -> Outcome {
    let found = match identity::find(view, case.region(), case.delta) {
        Ok(found) => found,
        Err(code) => return rejected(vec![rulebook.finding(code, None)]),
    };
    let record = found.and_then(|id| view.record(id));
    if !case.accepted_by_steward && death::needs_authority(record, case.delta) {
        let mut findings = case.findings.to_vec();
        findings.push(rulebook.finding(reason::DEATH_NEEDS_AUTHORITY, Some(column::I_KEBERADAAN)));
        return held(findings);
    }
    let claims = matches!(case.delta.action, Action::Upsert | Action::MoveIn);
    if claims && record.is_some_and(|r| !claim::has_room(r, case.region(), &case.delta.blocks)) {
        return rejected(vec![rulebook.finding(reason::SOURCES_TOO_MANY, None)]);
    }
    match (case.delta.action, found) {
        (Action::Upsert, Some(id)) => update(view, case, id, rulebook, effects),
        (Action::Upsert, None) => create(view, case, rulebook),
        (Action::Gone, Some(id)) => gone(view, case, id, withdrawn, rulebook),
        (Action::Gone, None) if withdrawn => accepted(vec![rulebook.finding(reason::GONE_NOTED, None)], None),
        (Action::Gone, None) => rejected(vec![rulebook.finding(reason::RECORD_UNKNOWN, None)]),
        (Action::MoveOut | Action::MoveIn, Some(id)) => moves::half(view, case, id, rulebook, effects),
        (Action::MoveIn, None) if case.accepted_by_steward => create(view, case, rulebook),
        (Action::MoveOut | Action::MoveIn, None) => held(vec![rulebook.finding(reason::MOVE_UNKNOWN, None)]),
    }
}

fn create(view: &mut View, case: Case<'_>, rulebook: &Rulebook) -> Outcome {
    let id = RecordId::created_by(case.at);
    let mut record = Record::new(id, case.delta.kind, case.region());
    fold_blocks(&mut record, case);
    if let Some(number) = case.delta.natural_key() {
        view.hold(HolderKey::new(case.delta.kind, number), id);
    }
    view.create(record);
    settled(case, rulebook, Some(id))
}

fn update(
    view: &mut View,
    case: Case<'_>,
    id: RecordId,
    rulebook: &Rulebook,
    effects: &mut Effects,
) -> Outcome {
    let record = view.record(id).expect("found in this view");
    let domicile = record.domicile();
    let at_home = domicile == case.region();
    if !at_home && !case.accepted_by_steward {
        return elsewhere(view, case, id, domicile, rulebook, effects);
    }
    let doubtful = identity::is_somebody_else(record, case.delta) || identity::is_taken(view, id, case.delta);
    if doubtful && !case.accepted_by_steward {
        return held(vec![rulebook.finding(reason::DUPLICATE_NIK, None)]);
    }
    let record = view.change(id).expect("found in this view");
    if !at_home {
        let reference = case.delta.blocks.iter().map(|b| b.provenance.reference).max();
        record.settle(case.region(), reference.expect("an upsert has blocks"));
        effects.notices.push(Notice { region: domicile, record: id, reason: reason::MOVED_BY_STEWARD });
    }
    let folded = fold_blocks(record, case);
    if folded == Folded::Stale {
        return rejected(vec![rulebook.finding(reason::STALE, None)]);
    }
    let contested = contested(record, case, rulebook);
    identity::renumber(view, id, case.delta);
    let mut outcome = settled(case, rulebook, Some(id));
    outcome.findings.extend(contested);
    outcome
}

/// Columns in which another source of equal standing says otherwise.
fn contested(record: &Record, case: Case<'_>, rulebook: &Rulebook) -> Vec<Finding> {
    let of =
        |block: &Block| claim::contradicted(record, block.number, case.region(), &block.provenance.source);
    let columns = case.delta.blocks.iter().flat_map(of);
    columns.map(|column| rulebook.finding(reason::CONTESTED, Some(column))).collect()
}

/// A person known elsewhere: the claims are kept, not shown, and both regions are told.
fn elsewhere(
    view: &mut View,
    case: Case<'_>,
    id: RecordId,
    domicile: Region,
    rulebook: &Rulebook,
    effects: &mut Effects,
) -> Outcome {
    let record = view.change(id).expect("found in this view");
    let lived_here = |day| record.domicile_on(day) == case.region();
    // Late word about the time when the record still lived here is no dispute.
    let about_the_past = case.delta.blocks.iter().all(|b| lived_here(b.provenance.reference));
    if fold_blocks(record, case) == Folded::Stale {
        return rejected(vec![rulebook.finding(reason::STALE, None)]);
    }
    if about_the_past {
        return settled(case, rulebook, Some(id));
    }
    effects.notices.push(Notice { region: domicile, record: id, reason: reason::CLAIMED_ELSEWHERE });
    let mut findings = case.findings.to_vec();
    findings.push(rulebook.finding(reason::CLAIMED_ELSEWHERE, None));
    held(findings)
}

fn gone(view: &mut View, case: Case<'_>, id: RecordId, withdrawn: bool, rulebook: &Rulebook) -> Outcome {
    let record = view.record(id).expect("found in this view");
    // What waited at home was never folded; its number is perhaps another's, which is why it waited.
    let untouched = withdrawn && case.delta.record.is_none() && record.domicile() == case.region();
    let mut any = withdrawn;
    for block in case.delta.blocks.iter().filter(|_| !untouched) {
        let stamp = case.stamp(block.provenance.reference);
        let record = view.change(id).expect("found in this view");
        any |= claim::withdraw(record, case.region(), &block.provenance.source, stamp);
    }
    let code = if any { reason::GONE_NOTED } else { reason::STALE };
    let findings = vec![rulebook.finding(code, None)];
    if any { accepted(findings, None) } else { rejected(findings) }
}

/// Folds all blocks; stale if each of them is.
pub(super) fn fold_blocks(record: &mut Record, case: Case<'_>) -> Folded {
    let mut folded = Folded::Stale;
    for block in &case.delta.blocks {
        let stamp = case.stamp(block.provenance.reference);
        if claim::fold(record, case.region(), block, stamp) == Folded::Newer {
            folded = Folded::Newer;
        }
    }
    folded
}

/// Accepted, with the rulebook's warnings, and the record told where the delta did not address it.
pub(super) fn settled(case: Case<'_>, rulebook: &Rulebook, id: Option<RecordId>) -> Outcome {
    let mut findings = case.findings.to_vec();
    if case.accepted_by_steward {
        findings.push(rulebook.finding(reason::STEWARD_ACCEPTED, None));
    }
    let own = RecordId::created_by(case.at);
    let told = id.filter(|id| case.delta.record.is_none() && *id != own);
    accepted(findings, told)
}

fn accepted(findings: Vec<Finding>, record: Option<RecordId>) -> Outcome {
    let warned = findings.iter().any(|f| f.severity >= Severity::Warning);
    let judgement = if warned { Judgement::Warned } else { Judgement::Accepted };
    Outcome { judgement, findings, record }
}

/// Held, for these reasons.
pub(super) fn held(findings: Vec<Finding>) -> Outcome {
    Outcome { judgement: Judgement::Held, findings, record: None }
}

/// Rejected, for these reasons.
pub fn rejected(findings: Vec<Finding>) -> Outcome {
    Outcome { judgement: Judgement::Rejected, findings, record: None }
}

#[cfg(test)]
mod tests;
