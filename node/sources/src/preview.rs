//! What would be taken over from a source, one JSON object a row.

use std::collections::BTreeMap;

use dtsen_proto::{
    column::{self, Column},
    record::{Day, Provenance, Value},
    region::Region,
    rulebook::{Rulebook, Severity, Shape, reason},
};
use serde::Serialize;
use serde_json::json;

use crate::{
    delivery::check_context,
    record::{Record, Told},
};

/// The name under which a village's Kemendagri code is shown, whichever address has it.
const VILLAGE: &str = "kode_kelurahan_desa";

/// A row as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The sheet or table.
    pub sheet: Option<String>,
    /// The row in it, or the line in the file, from 1.
    pub row: u64,
    /// Values by the names of DTSEN's columns.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// What is to be told.
    pub findings: Vec<ShownFinding>,
}

/// A finding as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownFinding {
    /// Code in the catalogue of reasons.
    pub code: String,
    /// The DTSEN column.
    pub field: Option<String>,
    /// How grave it is.
    pub severity: Severity,
    /// One Indonesian sentence: what, and what to do.
    pub message: String,
    /// The first fifteen digits of a number that lost its last one: never completed, kept for whoever reviews it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// Shows a record, with what the rulebook says of it.
pub fn show(record: &Record, rulebook: &Rulebook, region: Option<Region>, today: jiff::civil::Date) -> Shown {
    let mut fields = BTreeMap::new();
    for (column, value) in &record.values {
        if let Some(info) = rulebook.column(*column)
            && let Some(value) = json_of(value, info.shape)
        {
            fields.insert(info.name.clone(), value);
        }
    }
    let texts =
        [("rt", record.rt.as_deref()), ("rw", record.rw.as_deref()), (VILLAGE, record.village.as_deref())];
    for (name, text) in texts {
        match text {
            Some(text) => fields.insert(name.to_owned(), json!(text)),
            // A BPS code must not stand in its place.
            None => fields.remove(name),
        };
    }
    Shown {
        sheet: record.sheet.as_ref().map(ToString::to_string),
        row: record.row,
        fields,
        findings: findings(record, rulebook, region, today),
    }
}

fn json_of(value: &Value, shape: Shape) -> Option<serde_json::Value> {
    match value {
        Value::Number(day) if shape == Shape::Date => {
            let day = i32::try_from(*day).ok().and_then(|day| Day(day).date())?;
            Some(json!(day.to_string()))
        }
        Value::Number(number) => Some(json!(number)),
        Value::Text(text) => Some(json!(text.as_str())),
        Value::Unmapped(_) | Value::Cleared => None,
    }
}

/// What intake and the rulebook tell of a record, gravest first.
pub fn findings(
    record: &Record,
    rulebook: &Rulebook,
    region: Option<Region>,
    today: jiff::civil::Date,
) -> Vec<ShownFinding> {
    let mut found: Vec<ShownFinding> = record.told.iter().map(|told| shown(told, rulebook)).collect();
    let broken = record.told.iter().any(|told| told.broken.is_some());
    // Of nobody there is no identity to be sent: that is the source's, not the application's.
    let none = [reason::ROW_NOBODY, reason::ROW_SEVERAL, reason::KK_MISSING];
    let nobody = record.told.iter().any(|told| none.contains(&told.code));
    if !broken {
        let context = check_context(record, region, today);
        let delta = record.delta(rulebook, &Provenance { source: "".into(), reference: context.today });
        for finding in rulebook.check(&delta, &context) {
            let field =
                finding.column.and_then(|column| rulebook.column(column)).map(|info| info.name.clone());
            let message = message(rulebook, &finding.reason, None, None);
            let code = finding.reason.into_owned();
            if nobody && code == reason::DELTA_INCOMPLETE {
                continue;
            }
            if found.iter().all(|before| (&before.code, &before.field) != (&code, &field)) {
                found.push(ShownFinding { code, field, severity: finding.severity, message, prefix: None });
            }
        }
    }
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

fn shown(told: &Told, rulebook: &Rulebook) -> ShownFinding {
    let name = |column: Column| rulebook.column(column).map(|info| info.name.clone());
    ShownFinding {
        code: told.code.to_owned(),
        field: told.column.and_then(name),
        severity: severity(told, rulebook),
        message: message(rulebook, told.code, told.heading.as_deref(), told.broken.map(detail)),
        prefix: told.prefix.clone(),
    }
}

/// How grave a finding is. What cannot be read is left out, and the row goes on without it: only a row that as a whole
/// says nothing, or nothing that still holds, is an error. Without a number somebody has to look.
pub fn severity(told: &Told, rulebook: &Rulebook) -> Severity {
    let own = rulebook.reason(told.code).map_or(Severity::Notice, |reason| reason.severity);
    let numbers = [column::I_NIK, column::I_NOMOR_KARTU_KELUARGA, column::K_NOMOR_KARTU_KELUARGA];
    match told.column {
        None => own,
        Some(_) if told.code == reason::ROW_SUPERSEDED => own,
        // A family goes on without the name of its head.
        Some(column::I_NAMA) if told.code == reason::NAME_MISSING => own,
        // Told by intake only of a family that has no name either: it would be nobody's at the hub.
        Some(_) if told.code == reason::KK_MISSING => Severity::Error,
        Some(column) if numbers.contains(&column) => own.min(Severity::Hold),
        Some(_) => own.min(Severity::Warning),
    }
}

fn detail(broken: crate::read::text::Broken) -> String {
    use crate::read::text::Broken;
    match broken {
        Broken::Fields { expected, found } | Broken::LastLineCut { expected, found } => {
            format!("baris lain {expected} kolom, baris ini {found} kolom")
        }
        Broken::OpenQuote => "tanda kutip dibuka tetapi tidak ditutup".to_owned(),
        Broken::TooLong { bytes } => format!("panjang baris {bytes} bita"),
    }
}

fn message(rulebook: &Rulebook, code: &str, heading: Option<&str>, detail: Option<String>) -> String {
    let Some(reason) = rulebook.reason(code) else { return code.to_owned() };
    let heading = heading.map_or_else(String::new, |heading| format!("kolom {heading}: "));
    let detail = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
    format!("{heading}{}{detail}. {}", reason.text_id, reason.fix_id)
}
