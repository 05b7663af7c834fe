//! Which record a delta is about: the hub's id, else a valid NIK or No. KK.

use dtsen_proto::{
    column,
    id::RecordId,
    record::{Delta, RecordKind, Value},
    region::Region,
    rulebook::reason,
};

use super::{
    claim::shown_value,
    record::Record,
    view::{HolderKey, View},
};

/// The record that a delta of a region addresses, that the delta which it answers created, or that it names; `Ok(None)` if
/// there is none.
///
/// A node answers before it knows that a steward accepted what was held: that made the record.
pub fn find(view: &View, region: Region, delta: &Delta) -> Result<Option<RecordId>, &'static str> {
    if let Some(id) = delta.record {
        let record = view.record(id).ok_or(reason::RECORD_UNKNOWN)?;
        return if record.kind == delta.kind { Ok(Some(id)) } else { Err(reason::KIND_DIFFERS) };
    }
    let created = delta.answers.map(|answered| RecordId::created_by(answered.of(region)));
    let created = created.filter(|id| view.record(*id).is_some_and(|record| record.kind == delta.kind));
    let key = delta.natural_key().map(|number| HolderKey::new(delta.kind, number));
    Ok(created.or_else(|| key.and_then(|key| view.holder(&key))))
}

/// One NIK on two different people: neither name nor birth date agree with the record that holds it.
///
/// One of the two may be wrong in an honest correction; both at once is another person behind a mistyped number.
pub fn is_somebody_else(record: &Record, delta: &Delta) -> bool {
    if delta.record.is_some() || delta.kind != RecordKind::Individu {
        return false;
    }
    let differs = |column| match (shown_value(record, column), delta.get(column)) {
        (Some(Value::Text(one)), Some(Value::Text(other))) => letters(one) != letters(other),
        (Some(one), Some(other)) => one != other,
        _ => false,
    };
    differs(column::I_NAMA) && differs(column::I_TANGGAL_LAHIR)
}

/// A name for comparing: its letters, in upper case.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_uppercase).collect()
}

/// Whether another record holds the number that a delta addressed by id states.
pub fn is_taken(view: &View, id: RecordId, delta: &Delta) -> bool {
    let key = delta.natural_key().map(|number| HolderKey::new(delta.kind, number));
    key.and_then(|key| view.holder(&key)).is_some_and(|holder| holder != id)
}

/// Gives the record the number that a delta states, if it is free. An old number stays its own too: somebody may still
/// send it.
pub fn renumber(view: &mut View, id: RecordId, delta: &Delta) {
    let Some(number) = delta.natural_key() else { return };
    let key = HolderKey::new(delta.kind, number);
    if view.holder(&key).is_none() {
        view.hold(key, id);
    }
}
