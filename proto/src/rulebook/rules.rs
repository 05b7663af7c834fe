//! Rules over several values of one record, after the BPS Regsosek validator. The rule's id stands at each.
//!
//! A rule speaks only when the delta states every value that it concerns: a partial delta trips none.

use super::{Findings, check::date, reason};
use crate::{
    column::{self, BlockNo, Column},
    record::{Block, Day, Delta, Value},
};

macro_rules! named {
    ($all:ident: $kind:ident; $($name:ident = $number:literal $text:literal;)*) => {
        $(const $name: $kind = $kind($number);)*
        /// What the rules name, with the name that the table must give it.
        pub(super) const $all: &[($kind, &str)] = &[$(($name, $text)),*];
    };
}

named! { NAMED: Column;
    LIGHTING = 25 "sumber_penerangan_utama";
    POWER = 26 "daya_terpasang";
    FUEL = 27 "bahan_bakar_utama_memasak";
    TOILET = 28 "fasilitas_bab";
    BOWL = 29 "jenis_kloset";
    DISPOSAL = 30 "pembuangan_akhir_tinja";
    GAS_CYLINDER = 32 "aset_bergerak_tabung_gas";
    FRIDGE = 33 "aset_bergerak_lemari_es";
    AIR_CONDITIONER = 34 "aset_bergerak_ac";
    WATER_HEATER = 35 "aset_bergerak_pemanas_air";
    TELEVISION = 37 "aset_bergerak_tv_datar";
    COMPUTER = 39 "aset_bergerak_komputer_laptop_tablet";
    MARITAL = 109 "status_kawin";
    ATTENDANCE = 110 "partisipasi_sekolah";
    LEVEL = 111 "jenjang_tertinggi_yang_diduduki";
    CLASS = 112 "kelas_tertinggi_yang_diduduki";
    CERTIFICATE = 113 "ijazah_tertinggi_yang_dimiliki";
    WORKS = 114 "status_bekerja";
    INDUSTRY = 115 "lapangan_usaha_dari_pekerjaan_utama";
    POSITION = 116 "status_dalam_pekerjaan_utama";
    OWNS_BUSINESS = 117 "kepemilikan_usaha";
    BUSINESSES = 118 "jumlah_usaha";
    BUSINESS_INDUSTRY = 119 "lapangan_usaha_dari_usaha_utama";
    PAID_WORKERS = 120 "jumlah_pekerja_yang_dibayar_dari_usaha_utama";
    UNPAID_WORKERS = 121 "jumlah_pekerja_yang_tidak_dibayar_dari_usaha_utama";
    TURNOVER = 122 "omzet_usaha_utama";
    NUTRITION = 123 "kondisi_gizi";
    SEEING = 124 "penglihatan";
    HEARING = 125 "pendengaran";
    WALKING = 126 "berjalan_atau_naik_tangga";
    HANDS = 127 "menggunakan_tangan_jari";
    LEARNING = 128 "belajar_kemampuan_intelektual";
    BEHAVIOUR = 129 "pengendalian_perilaku";
    SPEAKING = 130 "berbicara_komunikasi";
    SELF_CARE = 131 "mengurus_diri";
    REMEMBERING = 132 "mengingat_berkonsentrasi";
    SADNESS = 133 "kesedihan_depresi";
}

named! { NAMED_BLOCKS: BlockNo;
    HOUSING = 3 "perumahan";
    ELECTRICITY = 4 "listrik";
    ASSETS = 5 "aset";
    EDUCATION = 24 "pendidikan";
    WORK = 25 "pekerjaan";
    BUSINESS = 26 "usaha";
    HEALTH = 27 "kesehatan";
    DISABILITY = 28 "disabilitas";
}

const YES: i64 = 1;
/// Elpiji 5.5 kg and 12 kg; 12 "listrik/gas" of DTSEN v3 says nothing about the cylinder.
const FUEL_GAS: [i64; 2] = [2, 3];
const FUEL_MERGED: i64 = 12;
const PLN_METER: i64 = 1;
const NO_ELECTRICITY: i64 = 4;
const HEAD: i64 = 1;
/// D4/S1, Profesi, S2, S3.
const DEGREES: std::ops::RangeInclusive<i64> = 19..=22;

/// The number that a block states for a column.
fn number(block: &Block, column: Column) -> Option<i64> {
    match block.get(column)? {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

/// The columns are answered if and only if the condition holds. A count of 0 is as good as no answer.
fn answered_iff(
    out: &mut Findings<'_>,
    code: &'static str,
    holds: bool,
    block: &Block,
    columns: impl IntoIterator<Item = Column>,
) {
    for column in columns {
        let wrong = match block.get(column) {
            Some(Value::Number(number)) => !holds && *number != 0,
            Some(Value::Cleared) => holds,
            _ => false,
        };
        if wrong {
            out.add(code, column);
        }
    }
}

/// Rules over a family's record.
pub(super) fn family(out: &mut Findings<'_>, delta: &Delta) {
    let Some(housing) = delta.block(HOUSING) else { return };
    // R-R1: 309b and 310 are asked when 309a is 1, 2 or 3.
    if let Some(toilet) = number(housing, TOILET) {
        let used = (1..=3).contains(&toilet);
        answered_iff(out, reason::SKIP_HOUSING, used, housing, [BOWL, DISPOSAL]);
    }
    let lighting = number(housing, LIGHTING);
    if let (Some(lighting), Some(electricity)) = (lighting, delta.block(ELECTRICITY)) {
        // R-R1: 307b is asked when 307a is 1; R-X: an answer without a meter is an error.
        match electricity.get(POWER) {
            Some(Value::Number(_)) if lighting != PLN_METER => out.add(reason::POWER_WITHOUT_METER, POWER),
            Some(Value::Cleared) if lighting == PLN_METER => out.add(reason::SKIP_HOUSING, POWER),
            _ => {}
        }
    }
    let Some(assets) = delta.block(ASSETS) else { return };
    // R-A1: a cylinder from 5.5 kg if and only if it is what the family cooks with.
    if let (Some(fuel), Some(cylinder)) = (number(housing, FUEL), number(assets, GAS_CYLINDER))
        && fuel != FUEL_MERGED
        && FUEL_GAS.contains(&fuel) != (cylinder == YES)
    {
        out.add(reason::GAS_DIFFERS, GAS_CYLINDER);
    }
    // R-A2: these need electricity.
    if lighting == Some(NO_ELECTRICITY) {
        for appliance in [FRIDGE, AIR_CONDITIONER, WATER_HEATER, TELEVISION, COMPUTER] {
            if number(assets, appliance) == Some(YES) {
                out.add(reason::ASSET_WITHOUT_POWER, appliance);
            }
        }
    }
}

/// Rules over a person's record.
pub(super) fn person(out: &mut Findings<'_>, delta: &Delta) {
    let born = delta.block(column::I_IDENTITAS).and_then(|b| number(b, column::I_TANGGAL_LAHIR));
    let age = |block: &Block| age(born?, block.provenance.reference);
    if let Some(block) = delta.block(column::I_IDENTITAS) {
        identity(out, block, age(block));
    }
    if let Some(block) = delta.block(EDUCATION) {
        education(out, block, age(block));
    }
    if let Some(block) = delta.block(WORK) {
        let works = number(block, WORKS);
        // R-W1
        if let Some(works) = works {
            answered_iff(out, reason::SKIP_WORK, works == YES, block, [INDUSTRY, POSITION]);
        }
        if works == Some(YES) && below(age(block), 10) {
            out.add(reason::AGE_WORK, WORKS);
        }
    }
    if let Some(block) = delta.block(BUSINESS) {
        let owns = number(block, OWNS_BUSINESS);
        // R-W2
        if let Some(owns) = owns {
            let details = [BUSINESSES, BUSINESS_INDUSTRY, PAID_WORKERS, UNPAID_WORKERS, TURNOVER];
            answered_iff(out, reason::SKIP_BUSINESS, owns == YES, block, details);
        }
        if owns == Some(YES) && below(age(block), 10) {
            out.add(reason::AGE_WORK, OWNS_BUSINESS);
        }
    }
    // R-H1
    if let Some((block, age)) = delta.block(HEALTH).and_then(|b| Some((b, age(b)?))) {
        answered_iff(out, reason::SKIP_HEALTH, age < 5, block, [NUTRITION]);
    }
    if let Some((block, age)) = delta.block(DISABILITY).and_then(|b| Some((b, age(b)?))) {
        let from_two = [SEEING, HEARING, WALKING, HANDS, LEARNING, BEHAVIOUR];
        let from_five = [SPEAKING, SELF_CARE, REMEMBERING, SADNESS];
        answered_iff(out, reason::SKIP_HEALTH, age >= 2, block, from_two);
        answered_iff(out, reason::SKIP_HEALTH, age >= 5, block, from_five);
    }
}

fn identity(out: &mut Findings<'_>, block: &Block, age: Option<i16>) {
    if age.is_some_and(|age| age > 120) {
        out.add(reason::AGE_UNLIKELY, column::I_TANGGAL_LAHIR);
    }
    if number(block, column::I_STATUS_HUBUNGAN) == Some(HEAD) && below(age, 10) {
        out.add(reason::AGE_HEAD, column::I_STATUS_HUBUNGAN);
    }
    if number(block, MARITAL).is_some_and(|status| (2..=4).contains(&status)) {
        // UU 16/2019 sets 19; below 12 it is more likely a wrong date.
        if below(age, 12) {
            out.add(reason::AGE_MARRIED, MARITAL);
        } else if below(age, 19) {
            out.add(reason::MARRIED_UNDER_19, MARITAL);
        }
    }
}

fn education(out: &mut Findings<'_>, block: &Block, age: Option<i16>) {
    if let Some(attendance) = number(block, ATTENDANCE) {
        let attended = matches!(attendance, 2 | 3);
        // R-E1
        answered_iff(out, reason::SKIP_EDUCATION, attended, block, [LEVEL, CLASS, CERTIFICATE]);
        if attended && below(age, 5) {
            out.add(reason::AGE_SCHOOL, ATTENDANCE);
        }
    }
    if number(block, CERTIFICATE).is_some_and(|code| DEGREES.contains(&code)) && below(age, 18) {
        out.add(reason::AGE_DEGREE, CERTIFICATE);
    }
}

fn below(age: Option<i16>, limit: i16) -> bool {
    age.is_some_and(|age| age < limit)
}

/// Completed years on a day; `None` if the birth is later or no date.
fn age(born: i64, at: Day) -> Option<i16> {
    let (day, born) = date(born)?;
    let at = (day <= at).then(|| at.date()).flatten()?;
    let before_birthday = (at.month(), at.day()) < (born.month(), born.day());
    Some(at.year() - born.year() - i16::from(before_birthday))
}
