//! A steward's decision on a held delta.

use dtsen_proto::rulebook::{Rulebook, reason};

use super::{
    decide::{Case, Effects, Outcome, decide, rejected},
    moves,
    view::View,
};

/// Accepts: what was held goes into the registry as if its holds were not there.
pub fn accept(view: &mut View, case: Case<'_>, rulebook: &Rulebook, effects: &mut Effects) -> Outcome {
    moves::forget(view, case.at, case.delta);
    decide(view, Case { accepted_by_steward: true, ..case }, rulebook, effects)
}

/// Rejects: a waiting half goes; claims of another region stay kept and not shown.
pub fn reject(view: &mut View, case: Case<'_>, rulebook: &Rulebook) -> Outcome {
    moves::forget(view, case.at, case.delta);
    rejected(vec![rulebook.finding(reason::STEWARD_REJECTED, None)])
}
