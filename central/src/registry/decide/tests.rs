use dtsen_proto::{
    column::{BlockNo, Column},
    id::Position,
    limits::MAX_CLAIMS_PER_BLOCK,
    record::{Answered, Day, Move, Provenance, RecordKind, Value},
};

use super::*;

/// Education: attendance and level.
const EDUCATION: BlockNo = BlockNo(24);
const ATTENDANCE: Column = Column(110);
const LEVEL: Column = Column(111);
const ELSEWHERE: &str = "52.03";

/// A registry of one region, and where its chain stands.
struct Place {
    view: View,
    sequence: u32,
    /// Sequences of the held deltas that the last decision closed.
    closed: Vec<u32>,
}

impl Place {
    /// With one person.
    fn new() -> Self {
        let mut place = Self { view: View::default(), sequence: 0, closed: Vec::new() };
        let outcome = place.say(&delta(
            "dtsen",
            10,
            column::I_IDENTITAS,
            vec![(column::I_NIK, Value::Text("5271010203859001".into()))],
        ));
        assert_eq!(outcome.judgement, Judgement::Accepted);
        place
    }

    fn id() -> RecordId {
        RecordId::new(at(1), 0)
    }

    fn say(&mut self, delta: &Delta) -> Outcome {
        self.decide(delta, false)
    }

    fn decide(&mut self, delta: &Delta, accepted_by_steward: bool) -> Outcome {
        self.sequence += 1;
        let case = Case {
            at: DeltaRef { position: at(self.sequence), index: 0 },
            delta,
            findings: &[],
            accepted_by_steward,
        };
        let mut effects = Effects::default();
        let outcome = decide(&mut self.view, case, &Rulebook::builtin(), &mut effects);
        self.closed = effects.revisions.iter().map(|revision| revision.delta.position.sequence).collect();
        outcome
    }

    fn record(&self) -> &Record {
        self.view.record(Self::id()).expect("is there")
    }
}

fn at(sequence: u32) -> Position {
    Position { region: "52.71".parse().expect("a region"), epoch: 1, sequence }
}

fn delta(source: &str, day: i32, number: BlockNo, cells: Vec<(Column, Value)>) -> Delta {
    let provenance = Provenance { source: source.into(), reference: Day(day) };
    Delta::new(RecordKind::Individu, Action::Upsert, vec![Block { number, provenance, cells }])
}

/// Of the person that is there.
fn known(source: &str, day: i32, number: BlockNo, cells: Vec<(Column, Value)>) -> Delta {
    Delta { record: Some(Place::id()), ..delta(source, day, number, cells) }
}

fn school(source: &str, day: i32, attendance: i64) -> Delta {
    known(source, day, EDUCATION, vec![(ATTENDANCE, Value::Number(attendance))])
}

fn presence(source: &str, day: i32, code: i64) -> Delta {
    known(source, day, column::I_KEBERADAAN_BLOK, vec![(column::I_KEBERADAAN, Value::Number(code))])
}

fn reasons(outcome: &Outcome) -> Vec<(&str, Option<Column>)> {
    outcome.findings.iter().map(|f| (f.reason.as_ref(), f.column)).collect()
}

#[test]
fn one_source_too_many_is_rejected_until_another_is_gone() {
    let mut place = Place::new();
    for n in 0..MAX_CLAIMS_PER_BLOCK {
        assert_eq!(place.say(&school(&format!("s{n}"), 10, 1)).judgement, Judgement::Accepted, "{n}");
    }
    let before = place.record().clone();
    let too_many = place.say(&school("one-more", 11, 2));
    assert_eq!(too_many.judgement, Judgement::Rejected);
    assert_eq!(reasons(&too_many), [(reason::SOURCES_TOO_MANY, None)]);
    // All blocks of a delta or none.
    let mut two = school("one-more", 11, 2);
    two.blocks.insert(0, known("one-more", 11, column::I_DOMISILI, Vec::new()).blocks.remove(0));
    assert_eq!(place.say(&two).judgement, Judgement::Rejected);
    assert_eq!(place.decide(&two, true).judgement, Judgement::Rejected, "a steward makes no room either");
    assert_eq!(*place.record(), before);
    // A source that is there goes on; other blocks have room of their own.
    assert_eq!(place.say(&school("s7", 12, 3)).judgement, Judgement::Accepted);
    assert_eq!(place.say(&presence("one-more", 12, 1)).judgement, Judgement::Accepted);
    let gone = Delta { action: Action::Gone, ..school("s3", 12, 1) };
    assert_eq!(reasons(&place.say(&gone)), [(reason::GONE_NOTED, None)]);
    assert_eq!(place.say(&school("one-more", 13, 2)).judgement, Judgement::Accepted);
}

#[test]
fn sources_of_equal_standing_that_differ_are_told() {
    let mut place = Place::new();
    assert_eq!(reasons(&place.say(&school("sekolah", 10, 1))), []);
    let outcome = place.say(&school("desa", 10, 2));
    assert_eq!(
        (outcome.judgement, reasons(&outcome)),
        (Judgement::Accepted, vec![(reason::CONTESTED, Some(ATTENDANCE))])
    );
    // The one that is shown is told as well when it says it again otherwise.
    assert_eq!(reasons(&place.say(&school("sekolah", 10, 3))), [(reason::CONTESTED, Some(ATTENDANCE))]);
    assert_eq!(reasons(&place.say(&school("desa", 10, 3))), [], "they agree now");
    assert_eq!(reasons(&place.say(&school("desa", 11, 2))), [], "the newer day stands higher");
    assert_eq!(reasons(&place.say(&school("sekolah", 10, 1))), [], "the older one contradicts nothing shown");
}

#[test]
fn a_source_that_is_silent_contradicts_nobody() {
    let mut place = Place::new();
    place.say(&school("sekolah", 10, 1));
    let level = known("desa", 10, EDUCATION, vec![(LEVEL, Value::Number(3))]);
    assert_eq!(reasons(&place.say(&level)), []);
    assert!(claim::shown(place.record()).iter().all(|shown| !shown.contested));
}

#[test]
fn a_death_waits_for_authority() {
    let mut place = Place::new();
    place.say(&presence("dtsen", 10, 1));
    let before = place.record().clone();
    let dead = presence("dtsen", 11, 2);
    let outcome = place.say(&dead);
    let expected = vec![(reason::DEATH_NEEDS_AUTHORITY, Some(column::I_KEBERADAAN))];
    assert_eq!((outcome.judgement, reasons(&outcome)), (Judgement::Held, expected));
    assert_eq!(*place.record(), before, "nothing is applied");
    // Moved away or not found is no death.
    assert_eq!(place.say(&presence("dtsen", 11, 6)).judgement, Judgement::Accepted);
    assert_eq!(place.decide(&presence("dtsen", 12, 2), true).judgement, Judgement::Accepted, "a steward may");
    assert_eq!(place.say(&presence("desa", 13, 2)).judgement, Judgement::Accepted, "no news any more");
}

#[test]
fn the_civil_registry_may_say_it() {
    let mut place = Place::new();
    place.say(&presence("dtsen", 10, 1));
    assert_eq!(place.say(&presence("dukcapil", 11, 2)).judgement, Judgement::Accepted);
    let shown = claim::shown_value(place.record(), column::I_KEBERADAAN);
    assert_eq!(shown, Some(&Value::Number(2)));
}

#[test]
fn nobody_begins_as_dead_without_authority() {
    let mut place = Place::new();
    let stranger =
        delta("dtsen", 10, column::I_KEBERADAAN_BLOK, vec![(column::I_KEBERADAAN, Value::Number(2))]);
    assert_eq!(place.say(&stranger).judgement, Judgement::Held);
    assert!(place.view.record(RecordId::new(at(2), 0)).is_none());
    let mut enters = Delta { action: Action::MoveIn, ..presence("dtsen", 10, 2) };
    enters.transfer = Some(Move { other: ELSEWHERE.parse().expect("a region"), day: Day(10) });
    assert_eq!(reasons(&place.say(&enters))[0].0, reason::DEATH_NEEDS_AUTHORITY);
}

#[test]
fn a_held_delta_is_closed_by_the_one_that_answers_it() {
    let mut place = Place::new();
    let answering = |sequence| Some(Answered { epoch: 1, sequence, index: 0 });
    assert_eq!(place.say(&unnamed()).judgement, Judgement::Held);
    let number = |serial: &str| vec![(column::I_NIK, Value::Text(format!("527101020385{serial}").into()))];
    let corrected = delta("dtsen", 10, column::I_IDENTITAS, number("9002"));
    let elsewise = Delta { action: Action::MoveOut, answers: answering(2), ..corrected.clone() };
    place.say(&elsewise);
    assert_eq!(place.closed, [] as [u32; 0], "asks for something else");
    place.say(&Delta { answers: answering(9), ..corrected.clone() });
    assert_eq!(place.closed, [] as [u32; 0], "answers what comes later");
    let corrected = delta("dtsen", 10, column::I_IDENTITAS, number("9003"));
    assert_eq!(
        place.say(&Delta { answers: answering(2), ..corrected.clone() }).judgement,
        Judgement::Accepted
    );
    assert_eq!(place.closed, [2]);
    place.say(&Delta { answers: answering(2), ..delta("dtsen", 11, column::I_IDENTITAS, number("9003")) });
    assert_eq!(place.closed, [] as [u32; 0], "closed once");
}

/// Of nobody that could be named; held.
fn unnamed() -> Delta {
    delta("dtsen", 10, column::I_KEBERADAAN_BLOK, vec![(column::I_KEBERADAAN, Value::Number(2))])
}

fn gone_answering(sequence: u32, of: Delta) -> Delta {
    Delta { action: Action::Gone, answers: Some(Answered { epoch: 1, sequence, index: 0 }), ..of }
}

#[test]
fn who_waits_without_a_number_is_taken_back() {
    let mut place = Place::new();
    assert_eq!(place.say(&unnamed()).judgement, Judgement::Held);
    let gone = gone_answering(2, delta("dtsen", 11, column::I_IDENTITAS, Vec::new()));
    let outcome = place.say(&gone);
    assert_eq!(
        (outcome.judgement, reasons(&outcome)),
        (Judgement::Accepted, vec![(reason::GONE_NOTED, None)])
    );
    assert_eq!(place.closed, [2]);
    let again = place.say(&gone);
    assert_eq!(reasons(&again), [(reason::RECORD_UNKNOWN, None)], "nobody waits any more");
}

#[test]
fn taking_back_a_disputed_number_leaves_its_holder_alone() {
    let mut place = Place::new();
    place.say(&school("dtsen", 10, 1));
    let person = |name: &str, day| {
        let number = Value::Text("5271010203859001".into());
        let name = Value::Text(name.into());
        vec![(column::I_NIK, number), (column::I_NAMA, name), (column::I_TANGGAL_LAHIR, Value::Number(day))]
    };
    place.say(&known("dtsen", 10, column::I_IDENTITAS, person("PEMILIK", 4)));
    let other = delta("dtsen", 10, column::I_IDENTITAS, person("ORANG LAIN", 5));
    let held = place.say(&other);
    assert_eq!(reasons(&held), [(reason::DUPLICATE_NIK, None)]);
    let before = place.record().clone();
    let waits = place.sequence;
    assert_eq!(place.say(&gone_answering(waits, other)).judgement, Judgement::Accepted);
    assert_eq!(place.closed, [waits]);
    assert_eq!(*place.record(), before);
}

#[test]
fn what_answers_someone_whom_a_steward_accepted_meanwhile_is_about_the_record_made_of_it() {
    let mut place = Place::new();
    assert_eq!(place.decide(&unnamed(), true).judgement, Judgement::Accepted);
    let made = RecordId::new(at(2), 0);
    let number = vec![(column::I_NIK, Value::Text("5271010203859002".into()))];
    let mut named = delta("dtsen", 11, column::I_IDENTITAS, number);
    named.answers = Some(Answered { epoch: 1, sequence: 2, index: 0 });
    let outcome = place.say(&named);
    assert_eq!((outcome.judgement, outcome.record), (Judgement::Accepted, Some(made)));
    let outcome = place.say(&gone_answering(2, delta("dtsen", 12, column::I_IDENTITAS, Vec::new())));
    assert_eq!(reasons(&outcome), [(reason::GONE_NOTED, None)]);
    assert!(place.view.record(made).expect("is there").claims.iter().all(|claim| claim.cells.is_empty()));
}
