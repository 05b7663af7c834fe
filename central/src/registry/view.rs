//! The part of the registry that a decision may see and change, read beforehand in sets and written back in sets.

use std::collections::{BTreeMap, BTreeSet};

use dtsen_proto::{
    id::{DeltaRef, RecordId},
    record::{Action, Delta, RecordKind, Text},
    region::Region,
};

use super::record::Record;

/// What a NIK or No. KK is called in the table of holders: `i` or `k`, then the number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HolderKey(Text);

impl HolderKey {
    /// The key of a natural number of a kind.
    pub fn new(kind: RecordKind, number: &str) -> Self {
        let mut key = Text::const_new(match kind {
            RecordKind::Keluarga => "k",
            RecordKind::Individu => "i",
        });
        key.push_str(number);
        Self(key)
    }

    /// From the store.
    pub fn from_stored(text: String) -> Self {
        Self(text.into())
    }

    /// For the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For the store.
    pub fn into_text(self) -> String {
        self.0.into_string()
    }
}

/// A delta of this region about the same subject that is still held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHold {
    /// Which.
    pub delta: DeltaRef,
    /// What it asked for.
    pub action: Action,
    /// Revision of its verdict.
    pub revision: u32,
}

/// What a delta is about, for finding earlier held deltas on the same: its natural key, or its record.
pub fn subject(delta: &Delta) -> Option<Text> {
    match (delta.natural_key(), delta.record) {
        (Some(number), _) => Some(HolderKey::new(delta.kind, number).0),
        (None, Some(id)) => Some(id.to_string().into()),
        (None, None) => None,
    }
}

/// What has to be read before a decision.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Natural numbers whose holder is needed, and that holder's record.
    pub holders: BTreeSet<HolderKey>,
    /// Records addressed by id.
    pub records: BTreeSet<RecordId>,
    /// Subjects whose open holds are needed, by region.
    pub subjects: BTreeSet<(Region, Text)>,
    /// Deltas that are answered: needed if they are still held.
    pub answered: BTreeSet<DeltaRef>,
}

impl Wanted {
    /// Adds what a delta of a region needs.
    pub fn add(&mut self, region: Region, delta: &Delta) {
        if let Some(number) = delta.natural_key() {
            self.holders.insert(HolderKey::new(delta.kind, number));
        }
        self.records.extend(delta.record);
        self.subjects.extend(subject(delta).map(|s| (region, s)));
        if let Some(answered) = delta.answers.map(|answered| answered.of(region)) {
            self.answered.insert(answered);
            self.records.insert(RecordId::created_by(answered));
        }
    }
}

/// Records and holders as read, with what a decision changed.
#[derive(Debug, Default)]
pub struct View {
    records: BTreeMap<RecordId, (Record, Touch)>,
    /// Records created or changed and not taken out to be written.
    touched: BTreeSet<RecordId>,
    holders: BTreeMap<HolderKey, RecordId>,
    new_holders: BTreeMap<HolderKey, RecordId>,
    /// Open holds; where those on a subject are.
    open: BTreeMap<DeltaRef, OpenHold>,
    holds: BTreeMap<(Region, Text), Vec<DeltaRef>>,
}

/// What happened to a record in a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// As stored, or as taken out to be written.
    Kept,
    /// Changed.
    Changed,
    /// Created.
    Created,
}

impl View {
    /// Puts in a record as stored.
    pub fn load(&mut self, record: Record) {
        self.records.insert(record.id, (record, Touch::Kept));
    }

    /// Puts in who holds a number, as stored.
    pub fn load_holder(&mut self, key: HolderKey, id: RecordId) {
        self.holders.insert(key, id);
    }

    /// A record.
    pub fn record(&self, id: RecordId) -> Option<&Record> {
        self.records.get(&id).map(|(record, _)| record)
    }

    /// A record to change.
    pub fn change(&mut self, id: RecordId) -> Option<&mut Record> {
        let (record, touch) = self.records.get_mut(&id)?;
        if *touch == Touch::Kept {
            *touch = Touch::Changed;
            self.touched.insert(id);
        }
        Some(record)
    }

    /// Adds a new record.
    pub fn create(&mut self, record: Record) {
        self.touched.insert(record.id);
        self.records.insert(record.id, (record, Touch::Created));
    }

    /// Who holds a number.
    pub fn holder(&self, key: &HolderKey) -> Option<RecordId> {
        self.holders.get(key).copied()
    }

    /// Gives a number that nobody holds to a record, for ever.
    pub fn hold(&mut self, key: HolderKey, id: RecordId) {
        self.holders.insert(key.clone(), id);
        self.new_holders.insert(key, id);
    }

    /// Whether nothing at all is held.
    pub fn has_no_holds(&self) -> bool {
        self.open.is_empty()
    }

    /// The open holds on a subject, and the one that is answered, each once.
    pub fn open_holds(
        &self,
        region: Region,
        subject: Option<&str>,
        answered: Option<DeltaRef>,
    ) -> Vec<OpenHold> {
        let by_subject = subject.and_then(|subject| self.holds.get(&(region, subject.into())));
        let places: BTreeSet<DeltaRef> = by_subject.into_iter().flatten().copied().chain(answered).collect();
        places.into_iter().filter_map(|place| self.open.get(&place).cloned()).collect()
    }

    /// Closes a hold: it is found no more.
    pub fn close_hold(&mut self, delta: DeltaRef) {
        self.open.remove(&delta);
    }

    /// Puts in an open hold: as stored, or made in this view, so that a later delta of the same transaction finds it. One that
    /// is about nothing is found by who answers it.
    pub fn note_hold(&mut self, subject: Option<Text>, hold: OpenHold) {
        if let Some(subject) = subject {
            self.holds.entry((hold.delta.position.region, subject)).or_default().push(hold.delta);
        }
        self.open.insert(hold.delta, hold);
    }

    /// Up to so many of the records that were created or changed, with whether they are new. They stay in the view: one that
    /// changes again is taken out again.
    pub fn take_touched<T>(&mut self, most: usize, mut take: impl FnMut(&Record, bool) -> T) -> Vec<T> {
        let mut taken = Vec::with_capacity(most.min(self.touched.len()));
        while taken.len() < most
            && let Some(id) = self.touched.pop_first()
        {
            let (record, touch) = self.records.get_mut(&id).expect("touched in this view");
            taken.push(take(record, std::mem::replace(touch, Touch::Kept) == Touch::Created));
        }
        taken
    }

    /// The numbers that got a holder.
    pub fn take_new_holders(&mut self) -> BTreeMap<HolderKey, RecordId> {
        std::mem::take(&mut self.new_holders)
    }
}
