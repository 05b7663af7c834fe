//! Values of cells: codes, counts, dates, area codes, text.

use std::collections::HashMap;

use dtsen_proto::{
    record::{Day, Text, Value},
    rulebook::{ColumnInfo, Rulebook, Shape, reason},
};
use jiff::civil::Date;

use crate::clean::{
    date::without_time,
    text::{is_missing, is_scientific, without_zero_fraction},
    words,
};

/// What a cell says.
#[derive(Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing: the column is not stated.
    Missing,
    /// A value.
    Value(Value),
    /// Something that cannot be read: the column is not stated, and the reason told.
    Fault(&'static str),
}

impl Cell {
    fn number(number: i64) -> Self {
        Self::Value(Value::Number(number))
    }
}

/// How the cells of one column are read.
#[derive(Debug)]
pub enum Reading {
    /// Any text.
    Text,
    /// Codes, with the words that mean them.
    Code(Words),
    /// A whole number.
    Count,
    /// A date.
    Date,
    /// A Kemendagri code, with or without dots.
    Area,
    /// A BPS code.
    Bps,
    /// NIK or No. KK; see [`crate::clean::number`].
    Number,
}

/// Words of a code list, lower case, single blanks, none around a stroke.
#[derive(Debug)]
pub struct Words {
    codes: HashMap<String, i64>,
    /// A list of yes and no without a 0 of its own: files with 1 and 0 mean no by it.
    zero_is_no: bool,
    /// The list of sexes, of which [`words::sex`] knows more words.
    sex: bool,
}

/// Yes and no as the sources write them.
const YES_NO: &[(&str, i64)] = &[
    ("ya", 1),
    ("y", 1),
    ("yes", 1),
    ("true", 1),
    ("tidak", 2),
    ("tdk", 2),
    ("n", 2),
    ("no", 2),
    ("false", 2),
];

/// Lower case, single blanks, none around a stroke.
fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase().replace(" / ", "/").replace("/ ", "/").replace(" /", "/")
}

impl Words {
    fn of(rulebook: &Rulebook, column: &ColumnInfo) -> Self {
        let labels = rulebook.codes(column.number);
        let mut codes: HashMap<String, i64> =
            labels.iter().map(|(code, label)| (folded(label), *code)).collect();
        let means = |code, word| codes.get(word) == Some(&code);
        let (yes_no, sex) =
            (means(1, "ya") && means(2, "tidak"), means(1, "laki-laki") && means(2, "perempuan"));
        if yes_no {
            codes.extend(YES_NO.iter().map(|(word, code)| ((*word).to_owned(), *code)));
        }
        Self { codes, zero_is_no: yes_no && !rulebook.is_code(column.number, 0), sex }
    }

    fn code(&self, text: &str) -> Option<i64> {
        let code = self.codes.get(&folded(text)).copied();
        code.or_else(|| self.sex.then(|| words::sex(text)).flatten())
    }

    fn read(&self, text: &str) -> Cell {
        match whole(text) {
            Some(-1) => Cell::Missing,
            Some(0) if self.zero_is_no => Cell::number(2),
            Some(code) => Cell::number(code),
            None => match self.code(text) {
                Some(code) => Cell::number(code),
                None if is_missing(&text.to_uppercase()) => Cell::Missing,
                None => Cell::Value(Value::Unmapped(text.into())),
            },
        }
    }
}

impl Reading {
    /// How the cells of this column are read.
    pub fn of(rulebook: &Rulebook, column: &ColumnInfo) -> Self {
        match column.shape {
            Shape::Text => Self::Text,
            Shape::Code(_) => Self::Code(Words::of(rulebook, column)),
            Shape::Count { .. } => Self::Count,
            Shape::Date => Self::Date,
            Shape::Nik | Shape::Kk => Self::Number,
            Shape::Area => Self::Area,
            Shape::Bps => Self::Bps,
        }
    }

    /// Reads a cleaned cell. Numbers of persons and families are read by [`crate::clean::number`].
    pub fn read(&self, text: &str) -> Cell {
        if is_missing(text) {
            return Cell::Missing;
        }
        match self {
            Self::Code(words) => words.read(text),
            Self::Count => match whole(text) {
                Some(-1) => Cell::Missing,
                Some(count) => Cell::number(count),
                None => Cell::Fault(reason::NUMBER_FORMAT),
            },
            Self::Date => date(text),
            Self::Area => match without_zero_fraction(text) {
                "0" | "-1" => Cell::Missing,
                code => Cell::Value(Value::Text(area(code).map_or_else(|| text.into(), Text::from))),
            },
            Self::Bps => match without_zero_fraction(text) {
                "0" | "-1" => Cell::Missing,
                code => Cell::Value(Value::Text(code.into())),
            },
            // A meter number or the like that has lost its digits is worse than none.
            Self::Text if is_scientific(text) => Cell::Fault(reason::NUMBER_FORMAT),
            Self::Text if matches!(text, "-1" | "-1.0") => Cell::Missing,
            Self::Text | Self::Number => {
                let whole = if text.ends_with(".0") { without_zero_fraction(text) } else { text };
                Cell::Value(Value::Text(whole.into()))
            }
        }
    }
}

/// `3`, `03`, `3.0`, `3,0`, `-1`.
fn whole(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let digits = without_zero_fraction(digits);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse::<i64>().ok()).flatten().map(|number| sign * number)
}

/// A Kemendagri code with its dots; `None` if the text has no length that one may have.
pub fn area(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 2 | 4 | 6 | 10) {
        return None;
    }
    let cuts = [2, 4, 6];
    let mut code = String::with_capacity(13);
    for (at, digit) in digits.chars().enumerate() {
        if cuts.contains(&at) {
            code.push('.');
        }
        code.push(digit);
    }
    // Dots that stand elsewhere mean something else.
    (!text.contains('.') || text == code).then_some(code)
}

/// `YYYY-MM-DD`, `DD-MM-YYYY`, with `-`, `/` or `.`, and a time of day that is left out.
fn date(text: &str) -> Cell {
    let day = without_time(text);
    let Some(mark) = day.chars().find(|c| matches!(c, '-' | '/' | '.')) else {
        return if day.bytes().all(|b| b == b'0') { Cell::Missing } else { Cell::Fault(reason::DATE_FORMAT) };
    };
    let mut parts = day.split(mark);
    let (Some(a), Some(b), Some(c), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Cell::Fault(reason::DATE_FORMAT);
    };
    let (year, month, day) = if a.len() == 4 { (a, b, c) } else { (c, b, a) };
    let number = |part: &str, widths: [usize; 2]| -> Option<i16> {
        let fits = widths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| part.parse().ok()).flatten()
    };
    match (number(year, [4, 4]), number(month, [1, 2]), number(day, [1, 2])) {
        (Some(0), Some(0), Some(0)) => Cell::Missing,
        (Some(year), Some(month), Some(day)) => i8::try_from(month)
            .ok()
            .zip(i8::try_from(day).ok())
            .and_then(|(month, day)| Date::new(year, month, day).ok())
            .map_or(Cell::Fault(reason::DATE_FORMAT), |date| Cell::number(Day::from_date(date).0.into())),
        _ => Cell::Fault(reason::DATE_FORMAT),
    }
}

#[cfg(test)]
mod tests {
    use dtsen_proto::record::RecordKind;

    use super::*;

    fn read(kind: RecordKind, column: &str, text: &str) -> Cell {
        let rulebook = Rulebook::builtin();
        let column = rulebook.column_named(kind, column).expect("a column of the table");
        Reading::of(&rulebook, column).read(text)
    }

    #[test]
    fn codes_as_the_field_writes_them() {
        use RecordKind::{Individu, Keluarga};
        let unmapped = |text: &str| Cell::Value(Value::Unmapped(text.into()));
        for (kind, column, text, expected) in [
            (Keluarga, "jenis_lantai_terluas", "3", Cell::number(3)),
            (Keluarga, "jenis_lantai_terluas", "3.0", Cell::number(3)),
            (Keluarga, "jenis_lantai_terluas", "03", Cell::number(3)),
            (Keluarga, "jenis_lantai_terluas", "99", Cell::number(99)),
            (Keluarga, "jenis_lantai_terluas", "-1", Cell::Missing),
            (Keluarga, "jenis_lantai_terluas", "-1.0", Cell::Missing),
            (Keluarga, "jenis_lantai_terluas", "KAYU / PAPAN", Cell::number(5)),
            (Keluarga, "jenis_lantai_terluas", "lumpur", unmapped("lumpur")),
            (Keluarga, "jenis_lantai_terluas", "3.5", unmapped("3.5")),
            // 0 is an answer here, and no there.
            (Keluarga, "bahan_bakar_utama_memasak", "0", Cell::number(0)),
            (Keluarga, "aset_bergerak_mobil", "0", Cell::number(2)),
            (Keluarga, "aset_bergerak_mobil", "0.0", Cell::number(2)),
            (Keluarga, "aset_bergerak_mobil", "1", Cell::number(1)),
            (Keluarga, "pbi_nas", "YA", Cell::number(1)),
            (Keluarga, "pbi_nas", "TIDAK", Cell::number(2)),
            (Keluarga, "pbi_nas", "", Cell::Missing),
            (Individu, "jenis_kelamin", "L", Cell::number(1)),
            (Individu, "jenis_kelamin", "Perempuan", Cell::number(2)),
            (Individu, "jenis_kelamin", "LAKI - LAKI", Cell::number(1)),
            (Individu, "jenis_kelamin", "banci", unmapped("banci")),
            (Individu, "jenis_kelamin", "m", Cell::number(1)),
            (Individu, "jenis_kelamin", "f", Cell::number(2)),
            (Individu, "jenis_kelamin", "0", Cell::number(0)),
            (Individu, "status_hubungan_keluarga", "Orang Tua/Mertua", Cell::number(6)),
            (Individu, "status_kawin", "99999999999999999999", unmapped("99999999999999999999")),
        ] {
            assert_eq!(read(kind, column, text), expected, "{column} {text}");
        }
    }

    #[test]
    fn counts_dates_and_texts() {
        use RecordKind::{Individu, Keluarga};
        let day = |y, m, d| Cell::number(Day::from_date(jiff::civil::date(y, m, d)).0.into());
        let text = |text: &str| Cell::Value(Value::Text(text.into()));
        for (kind, column, raw, expected) in [
            (Keluarga, "luas_lantai", "45,0", Cell::number(45)),
            (Keluarga, "luas_lantai", "45,5", Cell::Fault(reason::NUMBER_FORMAT)),
            (Keluarga, "luas_lantai", "-5", Cell::number(-5)),
            (Keluarga, "jumlah_ternak_sapi", "1.000", Cell::Fault(reason::NUMBER_FORMAT)),
            (Individu, "rt_ktp", "3.0", text("3")),
            (Individu, "rt_ktp", "-1", Cell::Missing),
            (Individu, "alamat_ktp", "12.00", text("12.00")),
            (Keluarga, "id_pelanggan_pln", "521234567890.0", text("521234567890")),
            (Keluarga, "id_pelanggan_pln", "5,21235E+11", Cell::Fault(reason::NUMBER_FORMAT)),
            (Keluarga, "kode_kelurahan_desa", "5271010001.0", text("5271010001")),
            (Individu, "tanggal_lahir", "1990-01-31", day(1990, 1, 31)),
            (Individu, "tanggal_lahir", "1990-01-31 00:00:00", day(1990, 1, 31)),
            (Individu, "tanggal_lahir", "1990-01-30 17:00:00+00", day(1990, 1, 31)),
            (Individu, "tanggal_lahir", "31-01-1990", day(1990, 1, 31)),
            (Individu, "tanggal_lahir", "31/1/1990", day(1990, 1, 31)),
            (Individu, "tanggal_lahir", "00/00/0000", Cell::Missing),
            (Individu, "tanggal_lahir", "31/02/1990", Cell::Fault(reason::DATE_FORMAT)),
            (Individu, "tanggal_lahir", "31/01/90", Cell::Fault(reason::DATE_FORMAT)),
            (Individu, "tanggal_lahir", "32894", Cell::Fault(reason::DATE_FORMAT)),
            (Individu, "tanggal_lahir", "17 Agustus 1990", Cell::Fault(reason::DATE_FORMAT)),
            (Individu, "kode_kelurahan_desa_ktp", "5271011004", text("52.71.01.1004")),
            (Individu, "kode_kelurahan_desa_ktp", "5271011004.0", text("52.71.01.1004")),
            (Individu, "kode_kelurahan_desa_ktp", "52.71.01.1004", text("52.71.01.1004")),
            (Individu, "kode_kecamatan_ktp", "5271010", text("5271010")),
            (Individu, "kode_kabupaten_kota_ktp", "52.71", text("52.71")),
            (Individu, "kode_kabupaten_kota_ktp", "527.1", text("527.1")),
        ] {
            assert_eq!(read(kind, column, raw), expected, "{column} {raw}");
        }
    }
}
