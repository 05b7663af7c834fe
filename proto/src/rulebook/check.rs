//! Checks of one record: what it addresses, and the form of every value.

use jiff::civil::Date;

use super::{CheckContext, Findings, Owner, Shape, reason, rules, wilayah};
use crate::{
    column::{self, BlockNo, Column},
    limits::MAX_TEXT_BYTES,
    nik,
    record::{Action, Block, Day, Delta, RecordKind, Value},
};

/// Nobody on record was born before this year; an earlier date is a mistake of form, not an old person.
const FIRST_YEAR: i16 = 1850;

pub(super) fn delta(out: &mut Findings<'_>, delta: &Delta, ctx: CheckContext) {
    for block in &delta.blocks {
        if block.provenance.reference > ctx.today {
            out.add(reason::REFERENCE_FUTURE, None);
        }
    }
    addressed(out, delta);
    if matches!(delta.action, Action::MoveOut | Action::MoveIn) {
        transfer(out, delta, ctx);
    }
    if matches!(delta.action, Action::Gone | Action::MoveOut) {
        return;
    }
    for block in &delta.blocks {
        form(out, delta.kind, block, ctx);
    }
    match delta.kind {
        RecordKind::Keluarga => {
            family_number(out, delta);
            domicile(out, delta, column::K_DOMISILI, column::K_KODE_WILAYAH, ctx);
            rules::family(out, delta);
        }
        RecordKind::Individu => {
            person(out, delta);
            domicile(out, delta, column::I_DOMISILI, column::I_KODE_WILAYAH, ctx);
            rules::person(out, delta);
        }
    }
}

/// A record is addressed by the hub's id or by its number; a new one needs its identity, even without a number. What waits at
/// the hub without either is addressed by its place.
fn addressed(out: &mut Findings<'_>, delta: &Delta) {
    let known = delta.record.is_some() || delta.natural_key().is_some();
    let says = match delta.action {
        Action::Gone => known || delta.answers.is_some(),
        Action::MoveOut => known,
        Action::Upsert | Action::MoveIn => {
            !delta.blocks.is_empty() && (known || delta.block(delta.kind.identity()).is_some())
        }
    };
    if !says {
        out.add(reason::DELTA_INCOMPLETE, None);
    }
}

fn transfer(out: &mut Findings<'_>, delta: &Delta, ctx: CheckContext) {
    let Some(transfer) = delta.transfer else {
        return out.add(reason::DELTA_INCOMPLETE, None);
    };
    if transfer.day > ctx.today {
        out.add(reason::DATE_FUTURE, None);
    }
    let other = transfer.other;
    let known = out.book.wilayah().has(wilayah::region_key(other));
    if !other.is_regency() || other == ctx.region || !known {
        out.add(reason::MOVE_REGION, None);
    }
}

/// Every value is in a column of the block, and fits it.
fn form(out: &mut Findings<'_>, kind: RecordKind, block: &Block, ctx: CheckContext) {
    let book = out.book;
    match book.block(block.number) {
        None => return out.add(reason::COLUMN_UNKNOWN, None),
        Some(info) if info.kind != kind => return out.add(reason::KIND_DIFFERS, None),
        Some(info) if info.owner == Owner::Hub => out.add(reason::HUB_COLUMN, None),
        Some(_) => {}
    }
    for (column, value) in &block.cells {
        let Some(info) = book.column(*column) else {
            out.add(reason::COLUMN_UNKNOWN, *column);
            continue;
        };
        if book.block(info.block).is_some_and(|b| b.owner == Owner::Hub) {
            out.add(reason::HUB_COLUMN, *column);
        }
        if info.block != block.number {
            out.add(reason::COLUMN_MISPLACED, *column);
            continue;
        }
        cell(out, *column, info.shape, value, ctx);
    }
}

fn cell(out: &mut Findings<'_>, column: Column, shape: Shape, value: &Value, ctx: CheckContext) {
    if let Value::Text(text) | Value::Unmapped(text) = value {
        if text.len() > MAX_TEXT_BYTES {
            return out.add(reason::TEXT_TOO_LONG, column);
        }
        // A NUL stops PostgreSQL, and with it the batch; the others have no place in a cell either.
        if text.chars().any(char::is_control) {
            return out.add(reason::TEXT_CONTROL, column);
        }
    }
    match (shape, value) {
        (_, Value::Unmapped(_)) => out.add(reason::CODE_UNMAPPED, column),
        (Shape::Code(_), Value::Number(code)) => {
            if !out.book.is_code(column, *code) {
                out.add(reason::CODE_RANGE, column);
            }
        }
        (Shape::Count { max }, Value::Number(count)) => {
            if !(0..=max).contains(count) {
                out.add(reason::COUNT_RANGE, column);
            }
        }
        (Shape::Date, Value::Number(days)) => match date(*days) {
            None => out.add(reason::DATE_IMPOSSIBLE, column),
            Some((day, _)) if day > ctx.today => out.add(reason::DATE_FUTURE, column),
            Some(_) => {}
        },
        (Shape::Nik, Value::Text(text)) => {
            if let Err(fault) = nik::parse(text, nik::Number::Nik) {
                out.add(nik_reason(fault), column);
            }
        }
        (Shape::Kk, Value::Text(text)) => {
            if let Err(fault) = nik::parse(text, nik::Number::Kk) {
                out.add(kk_reason(fault), column);
            }
        }
        // The code of the domicile has a rule of its own, which holds the record instead.
        (Shape::Area, Value::Text(text)) if !is_domicile(column) => match wilayah::key(text) {
            None => out.add(reason::AREA_FORMAT, column),
            Some(key) if !out.book.wilayah().has(key) => out.add(reason::AREA_UNKNOWN, column),
            Some(_) => {}
        },
        (Shape::Bps, Value::Text(text)) => {
            if !wilayah::is_bps(text) {
                out.add(reason::BPS_FORMAT, column);
            }
        }
        (Shape::Text, Value::Text(text)) => {
            if is_name(column) && !text.chars().all(fits_name) {
                out.add(reason::NAME_CHARACTERS, column);
            }
        }
        (_, Value::Cleared) | (Shape::Area, Value::Text(_)) => {}
        (_, Value::Number(_) | Value::Text(_)) => out.add(reason::SHAPE_DIFFERS, column),
    }
}

/// The day and date of a value, if it may be one.
pub(super) fn date(days: i64) -> Option<(Day, Date)> {
    let day = Day(i32::try_from(days).ok()?);
    let date = day.date()?;
    (date.year() >= FIRST_YEAR).then_some((day, date))
}

fn is_domicile(column: Column) -> bool {
    column == column::K_KODE_WILAYAH || column == column::I_KODE_WILAYAH
}

fn is_name(column: Column) -> bool {
    column == column::I_NAMA || column == column::K_NAMA_KEPALA
}

/// Real names have more than the letters and spaces of the BPS validator: `H. Ma'ruf`, `Siti-Aisyah, S.Pd`.
fn fits_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, ' ' | '.' | ',' | '\'' | '’' | '`' | '-' | '/')
}

fn nik_reason(fault: nik::Fault) -> &'static str {
    match fault {
        nik::Fault::Format => reason::NIK_FORMAT,
        nik::Fault::Area => reason::NIK_AREA,
        nik::Fault::Date => reason::NIK_DATE,
        nik::Fault::Serial => reason::NIK_SERIAL,
    }
}

fn kk_reason(fault: nik::Fault) -> &'static str {
    match fault {
        nik::Fault::Format => reason::KK_FORMAT,
        nik::Fault::Area => reason::KK_AREA,
        nik::Fault::Date => reason::KK_DATE,
        nik::Fault::Serial => reason::KK_SERIAL,
    }
}

/// Whether the block leaves the record without this value. A column that is absent keeps what a known record had.
fn lacks(block: &Block, column: Column, known: bool) -> bool {
    match block.get(column) {
        None => !known,
        Some(Value::Cleared | Value::Unmapped(_)) => true,
        // Another shape has its own finding.
        Some(Value::Number(_)) => false,
        Some(Value::Text(text)) => text.trim().is_empty(),
    }
}

fn family_number(out: &mut Findings<'_>, delta: &Delta) {
    let Some(block) = delta.block(column::K_IDENTITAS) else { return };
    if lacks(block, column::K_NOMOR_KARTU_KELUARGA, delta.record.is_some()) {
        out.add(reason::KK_MISSING, column::K_NOMOR_KARTU_KELUARGA);
    }
}

fn person(out: &mut Findings<'_>, delta: &Delta) {
    let Some(block) = delta.block(column::I_IDENTITAS) else { return };
    let known = delta.record.is_some();
    for (column, code) in [
        (column::I_NIK, reason::NIK_MISSING),
        (column::I_NAMA, reason::NAME_MISSING),
        (column::I_NOMOR_KARTU_KELUARGA, reason::MEMBER_WITHOUT_FAMILY),
    ] {
        if lacks(block, column, known) {
            out.add(code, column);
        }
    }
    let Some(Value::Text(text)) = block.get(column::I_NIK) else { return };
    let Ok(parts) = nik::parse(text, nik::Number::Nik) else { return };
    if !out.book.wilayah().has(wilayah::district_key(parts.area)) {
        out.add(reason::NIK_AREA_UNKNOWN, column::I_NIK);
    }
    if let Some(Value::Number(days)) = block.get(column::I_TANGGAL_LAHIR)
        && date(*days).is_some_and(|(_, born)| !parts.matches(born))
    {
        out.add(reason::NIK_BIRTH_DIFFERS, column::I_TANGGAL_LAHIR);
    }
    if let Some(Value::Number(sex)) = block.get(column::I_JENIS_KELAMIN)
        && matches!((sex, parts.female), (1, true) | (2, false))
    {
        out.add(reason::NIK_SEX_DIFFERS, column::I_JENIS_KELAMIN);
    }
}

/// The village of domicile is one of today's, and the sender's.
fn domicile(out: &mut Findings<'_>, delta: &Delta, number: BlockNo, column: Column, ctx: CheckContext) {
    let Some(block) = delta.block(number) else { return };
    let named =
        [column::K_KODE_KELURAHAN_DESA, column::K_KELURAHAN_DESA].iter().any(|c| block.get(*c).is_some());
    match block.get(column) {
        // A new name without a new code would leave the record in its old village.
        None if delta.record.is_none() || named => out.add(reason::VILLAGE_UNRESOLVED, column),
        Some(Value::Cleared | Value::Unmapped(_)) => out.add(reason::VILLAGE_UNRESOLVED, column),
        Some(Value::Text(code)) => match wilayah::village_key(code) {
            Some(key) if out.book.wilayah().has(key) => {
                if !wilayah::within(key, ctx.region) {
                    out.add(reason::VILLAGE_ELSEWHERE, column);
                }
            }
            _ => out.add(reason::VILLAGE_UNRESOLVED, column),
        },
        None | Some(Value::Number(_)) => {}
    }
}
