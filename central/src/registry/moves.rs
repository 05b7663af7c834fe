//! Domicile crosses regions by a completed pair: MOVE_OUT of one region and MOVE_IN of the other.

use dtsen_proto::{
    id::{DeltaRef, RecordId},
    record::{Action, Delta},
    region::Region,
    rulebook::{Rulebook, reason},
};

use super::{
    claim,
    decide::{Case, Effects, Judgement, Notice, Outcome, Revision, fold_blocks, held, rejected, settled},
    identity,
    record::{Direction, Half, Record},
    view::View,
};

/// One half of a move arrives.
pub(super) fn half(
    view: &mut View,
    case: Case<'_>,
    id: RecordId,
    rulebook: &Rulebook,
    effects: &mut Effects,
) -> Outcome {
    let Some(transfer) = case.delta.transfer else {
        return rejected(vec![rulebook.finding(reason::DELTA_INCOMPLETE, None)]);
    };
    let direction = match case.delta.action {
        Action::MoveOut => Direction::Out,
        _ => Direction::In,
    };
    let record = view.change(id).expect("found in this view");
    let (from, to) = match direction {
        Direction::Out => (case.region(), transfer.other),
        Direction::In => (transfer.other, case.region()),
    };
    if record.domicile() == to {
        // Already there, by a decision or an earlier pair.
        if claim::has_room(record, case.region(), &case.delta.blocks) {
            fold_blocks(record, case);
        }
        return settled(case, rulebook, Some(id));
    }
    if record.domicile() != from {
        return held(vec![rulebook.finding(reason::MOVE_UNKNOWN, None)]);
    }
    let own = Half {
        direction,
        delta: case.at,
        other: transfer.other,
        day: transfer.day,
        blocks: if direction == Direction::In { case.delta.blocks.clone() } else { Vec::new() },
    };
    if case.accepted_by_steward {
        complete(record, to, &own, None);
        return settled(case, rulebook, Some(id));
    }
    let Some(other) = take_counterpart(record, &own) else {
        record.halves.push(own);
        effects.notices.push(Notice { region: transfer.other, record: id, reason: reason::MOVE_HALF });
        return held(vec![rulebook.finding(reason::MOVE_HALF, None)]);
    };
    complete(record, to, &own, Some(&other));
    let outcome = Outcome { judgement: Judgement::Accepted, findings: Vec::new(), record: Some(id) };
    effects.revisions.push(Revision { delta: other.delta, revision: 2, outcome, note: <_>::default() });
    settled(case, rulebook, Some(id))
}

/// The waiting half that fits, taken out.
fn take_counterpart(record: &mut Record, own: &Half) -> Option<Half> {
    let fits = |half: &Half| {
        half.direction != own.direction
            && half.other == own.delta.position.region
            && half.delta.position.region == own.other
    };
    let at = record.halves.iter().position(fits)?;
    Some(record.halves.remove(at))
}

/// The later day of the two halves counts, whichever came first.
fn complete(record: &mut Record, to: Region, own: &Half, other: Option<&Half>) {
    let day = other.map_or(own.day, |other| own.day.max(other.day));
    record.settle(to, day);
    for half in [Some(own), other].into_iter().flatten().filter(|h| h.direction == Direction::In) {
        let position = half.delta.position;
        for block in &half.blocks {
            // It had room when it came; sources that came since then may have taken it.
            if !claim::has_room(record, position.region, std::slice::from_ref(block)) {
                continue;
            }
            let stamp = claim::Stamp {
                reference: block.provenance.reference,
                epoch: position.epoch,
                sequence: position.sequence,
                index: half.delta.index,
            };
            claim::fold(record, position.region, block, stamp);
        }
    }
}

/// Takes a waiting half out of the record, when its delta is superseded or rejected.
pub(super) fn forget(view: &mut View, half: DeltaRef, delta: &Delta) {
    let Ok(Some(id)) = identity::find(view, half.position.region, delta) else { return };
    let waits = |record: &Record| record.halves.iter().any(|h| h.delta == half);
    if view.record(id).is_some_and(waits)
        && let Some(record) = view.change(id)
    {
        record.halves.retain(|h| h.delta != half);
    }
}
