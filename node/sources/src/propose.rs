//! What the columns of an unknown table may be for: by the words above them, else by what stands in them. A proposal, for a
//! person to look at.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::civil::Date;

use crate::{
    cell::{Cell, Row},
    clean::{
        date,
        number::{self, Cell as Number},
        text::is_missing,
        words::{self, folded},
    },
    layout::{
        column,
        find::holds_data,
        heading::{Names, Role, role_name},
    },
};

/// Rows by which a column is judged.
pub const ROWS: usize = 500;
/// Share of the filled cells, in percent, that must have a shape.
const MOST: usize = 80;
/// Text cells from which a row may be a heading.
const WORDS_AT_LEAST: usize = 3;

/// A proposal for one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The row of the heading, from 1.
    pub row: u64,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The headings of day, month and year, if the birth date stands in three columns.
    pub born: Option<[String; 3]>,
}

/// What one column may be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub heading: String,
    /// The role, if any is likely.
    pub role: Option<Role>,
    /// How sure that is, in percent.
    pub confidence: u8,
    /// Why, for people.
    pub why: &'static str,
}

/// Proposes what the columns of the rows of one sheet are for.
pub fn propose(rows: &[Row], today: Date) -> Option<Proposal> {
    let texts: Vec<Vec<String>> =
        rows.iter().map(|row| row.cells.iter().map(|cell| cell.text().into_owned()).collect()).collect();
    let at = heading(&texts)?;
    let names = Names::default();
    let body = &rows[at + 1..];
    let mut columns: Vec<Column> = texts[at]
        .iter()
        .enumerate()
        .filter(|(_, heading)| !heading.is_empty())
        .map(|(place, heading)| match names.meaning(heading).map(|meaning| meaning.role) {
            Some(role) => {
                Column { heading: heading.clone(), role: Some(role), confidence: 95, why: "judulnya dikenal" }
            }
            None => by_values(heading, body.iter().map(|row| row.cell(place)), today),
        })
        .collect();
    let born = born(&mut columns);
    only_the_surest(&mut columns);
    Some(Proposal { row: rows[at].number, columns, born })
}

/// Day, month and year of birth in columns of their own, each of which is nothing by itself.
fn born(columns: &mut [Column]) -> Option<[String; 3]> {
    let folded: Vec<String> = columns.iter().map(|column| folded(&column.heading)).collect();
    let parts = column::parts_of_birth(&folded)?;
    for at in parts {
        let (heading, why) =
            (std::mem::take(&mut columns[at].heading), "bagian dari tanggal lahir, di bawah");
        columns[at] = Column { heading, role: None, confidence: 0, why };
    }
    Some(parts.map(|at| folded[at].clone()))
}

/// The row with most words among those that hold no data, above rows that do.
fn heading(texts: &[Vec<String>]) -> Option<usize> {
    let words = |row: &Vec<String>| row.iter().filter(|cell| cell.chars().any(char::is_alphabetic)).count();
    let may_be = |at: &usize| {
        let row = &texts[*at];
        words(row) >= WORDS_AT_LEAST
            && !holds_data(row)
            && texts[at + 1..].iter().take(3).any(|next| holds_data(next))
    };
    (0..texts.len()).filter(may_be).max_by_key(|at| (words(&texts[*at]), std::cmp::Reverse(*at)))
}

/// A role, how sure it is, why, and what a cell of it looks like.
type Shape<'a> = (Role, u8, &'static str, &'a dyn Fn(&Cell) -> bool);

/// Shapes by which a column is known, the most telling first.
fn by_values<'a>(heading: &str, cells: impl Iterator<Item = &'a Cell>, today: Date) -> Column {
    let filled: Vec<&Cell> =
        cells.filter(|cell| !cell.is_empty() && !is_missing(&cell.text())).take(ROWS).collect();
    let context = date::Context { today, nik: None, adult: false, month_first: false };
    let share = |fits: &dyn Fn(&Cell) -> bool| {
        filled.iter().filter(|cell| fits(cell)).count() * 100 / filled.len().max(1)
    };
    let is_number = |cell: &Cell| {
        matches!(
            number::read_cell(cell, number::Column::default(), true),
            Number::Sound(_) | Number::AsNumber
        )
    };
    let is_day = |cell: &Cell| match cell {
        Cell::Day(_) => true,
        Cell::Text(text) => {
            matches!(date::read(text, &context), date::Reading::Day(_) | date::Reading::Swapped(_))
        }
        _ => false,
    };
    let is_ttl = |cell: &Cell| {
        let text = cell.text();
        let (place, day) = date::split_place(&text, &context);
        place.chars().any(char::is_alphabetic)
            && matches!(day, date::Reading::Day(_) | date::Reading::Swapped(_))
    };
    let word = |read: fn(&str) -> Option<i64>| {
        move |cell: &Cell| {
            let text = cell.text();
            text.chars().any(char::is_alphabetic) && read(&text).is_some()
        }
    };
    let repeated = {
        let mut all: Vec<String> = filled.iter().map(|cell| cell.text().into_owned()).collect();
        let before = all.len();
        all.sort_unstable();
        all.dedup();
        all.len() * 10 < before * 9
    };
    let is_name = |cell: &Cell| {
        let text = cell.text();
        text.len() > 3 && text.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | ',' | '\'' | '-'))
    };
    let shapes: [Shape<'_>; 7] = [
        (Role::NoKk, 70, "16 angka yang berulang", &|cell| repeated && is_number(cell)),
        (Role::Nik, 75, "16 angka", &is_number),
        (Role::TanggalLahir, 60, "tanggal", &is_day),
        (Role::TempatTanggalLahir, 70, "tempat dan tanggal", &is_ttl),
        (Role::JenisKelamin, 80, "kata jenis kelamin", &word(words::sex)),
        (Role::Hubungan, 80, "kata hubungan keluarga", &word(words::relation)),
        (Role::StatusKawin, 80, "kata status kawin", &word(words::marriage)),
    ];
    let found = shapes.into_iter().find(|(_, _, _, fits)| !filled.is_empty() && share(*fits) >= MOST);
    let (role, confidence, why) = match found {
        Some((role, confidence, why, _)) => (Some(role), confidence, why),
        None if !filled.is_empty() && !repeated && share(&is_name) >= MOST => {
            (Some(Role::Nama), 40, "mirip nama")
        }
        None => (None, 0, "tidak dikenal"),
    };
    Column { heading: heading.to_owned(), role, confidence, why }
}

/// One role stands above one column: the surest, the first of equals.
fn only_the_surest(columns: &mut [Column]) {
    let mut surest: BTreeMap<Role, usize> = BTreeMap::new();
    for (at, column) in columns.iter().enumerate() {
        let Some(role) = column.role.filter(|role| *role != Role::Lain) else { continue };
        let best = surest.entry(role).or_insert(at);
        if column.confidence > columns[*best].confidence {
            *best = at;
        }
    }
    for (at, column) in columns.iter_mut().enumerate() {
        if column.role.and_then(|role| surest.get(&role)).is_some_and(|best| *best != at) {
            (column.role, column.confidence) = (None, 0);
            column.why = "peran ini sudah dipakai kolom lain";
        }
    }
}

impl Proposal {
    /// As a mapping file for a person to read and change.
    pub fn to_toml(&self, name: &str) -> String {
        let mut text = format!(
            "# Usulan pemetaan. Periksa tiap kolom, ubah bila perlu, lalu coba: dtsen-node preview BERKAS --mapping BERKAS-INI\n\
             # Peran: nik, no_kk, nama, nama_kepala, jenis_kelamin, tempat_lahir, tanggal_lahir, tempat_tanggal_lahir, hubungan,\n\
             # status_kawin, alamat, dusun, rt, rw, rt_rw, desa, kecamatan, kabupaten, provinsi, kode_desa, pekerjaan, pendidikan,\n\
             # status_dasar; kolom:NAMA_KOLOM_DTSEN untuk kolom lain; - untuk diabaikan.\n\n\
             name = \"{name}\"\ntitle = \"Pemetaan sendiri\"\nsource = \"lokal\"\n\n[columns]\n"
        );
        for column in &self.columns {
            let target =
                column.role.filter(|role| *role != Role::Lain).map_or_else(|| "-".to_owned(), role_name);
            let heading = toml::Value::String(folded(&column.heading));
            let _ = writeln!(text, "{heading} = \"{target}\"  # {} %: {}", column.confidence, column.why);
        }
        text.push_str(
            "\n# Arti angka: dtsen, shdk (Dukcapil), dukcapil. Hapus tanda # bila dipakai.\n\
             # [codes]\n# hubungan = \"shdk\"\n# pekerjaan = \"dukcapil\"\n\n\
             # Kata sendiri: \"jk\" = \"jenis_kelamin@kelamin\" di atas, dan di sini artinya.\n\
             # [tables.kelamin]\n# pria = 1\n# wanita = 2\n\n\
             # Yang tidak ditulis di kolom mana pun.\n# [constants]\n# desa = \"NAMA DESA\"\n\n\
             # Baris yang dilewati.\n# [[skip]]\n# column = \"keterangan\"\n# is = [\"batal\"]\n\n\
             # Kolom yang dibuat dari kolom lain: join (gabung), split dan part (bagian ke-n), expression (rumus), bila perlu\n\
             # dengan syarat when. Kolom asalnya diberi - di atas bila tidak dipakai sendiri.\n\
             # [[derive]]\n# for = \"alamat\"\n# from = [\"jalan\", \"nomor\"]\n# join = \" \"\n\
             # [[derive]]\n# for = \"rt\"\n# from = \"rt rw\"\n# split = \"/\"\n# part = 1\n\
             # when = { column = \"rt rw\", empty = false }\n\
             # [[derive]]\n# for = \"jenis_kelamin\"\n# from = \"sapaan\"\n\
             # expression = 'if kolom(\"sapaan\") == \"Ibu\" { \"P\" } else { () }'\n",
        );
        if let Some(born) = &self.born {
            let from = toml::Value::from(born.to_vec());
            let _ = write!(text, "\n[[derive]]\nfor = \"tanggal_lahir\"\nfrom = {from}\njoin = \"-\"\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn words_first_then_shapes() {
        let text = "DAFTAR\nIdentitas;Kartu;Orang;Lhr;Gol;Posisi;RT;Warna\n\
            5271010101809001;5271010101109001;AHMAD YANI;01-02-1980;L;Kepala Keluarga;1;MERAH TUA\n\
            5271014203829002;5271010101109001;SITI AMINAH;02-03-1982;P;Istri;1;MERAH TUA\n\
            5271010505109003;5271010101109001;BUDI SANTOSO;05-05-2010;L;Anak;1;MERAH TUA";
        let rows: Vec<Row> = (1..)
            .zip(text.lines())
            .map(|(number, line)| Row {
                number,
                cells: line.split(';').map(|cell| Cell::Text(cell.to_owned())).collect(),
                ..Row::default()
            })
            .collect();
        let proposal = propose(&rows, date(2026, 11, 23)).expect("a heading");
        let roles: Vec<Option<Role>> = proposal.columns.iter().map(|column| column.role).collect();
        assert_eq!(proposal.row, 2);
        assert_eq!(
            roles,
            [
                Some(Role::Nik),
                Some(Role::NoKk),
                Some(Role::Nama),
                Some(Role::TanggalLahir),
                Some(Role::JenisKelamin),
                Some(Role::Hubungan),
                Some(Role::Rt),
                None
            ]
        );
        let book = dtsen_proto::rulebook::Rulebook::builtin();
        let mapping = crate::preset::Preset::mapping(&proposal.to_toml("uji"), &book).expect("a mapping");
        assert_eq!(mapping.columns.get("identitas").map(String::as_str), Some("nik"));
    }

    #[test]
    fn a_birth_date_in_three_columns_is_joined() {
        let text = "NIK;Nama;Tgl. Lahir;Bln. Lahir;Thn. Lahir\n5271010101809001;AHMAD YANI;1;1;1980";
        let rows: Vec<Row> = (1..)
            .zip(text.lines())
            .map(|(number, line)| Row {
                number,
                cells: line.split(';').map(|cell| Cell::Text(cell.to_owned())).collect(),
                ..Row::default()
            })
            .collect();
        let written = propose(&rows, date(2026, 11, 23)).expect("a heading").to_toml("uji");
        let book = dtsen_proto::rulebook::Rulebook::builtin();
        let mapping = crate::preset::Preset::mapping(&written, &book).expect("a mapping");
        let [born] = &mapping.derive[..] else { panic!("{written}") };
        assert_eq!(
            (&*born.target, born.from.join("+")),
            ("tanggal_lahir", "tgl lahir+bln lahir+thn lahir".into())
        );
        assert_eq!(mapping.columns.get("tgl lahir").map(String::as_str), Some("-"));
        // What it shows as an example is one.
        let example = written.split_once("bila tidak dipakai sendiri.\n").expect("an example").1;
        let example = example.split("\n\n").next().unwrap_or_default().replace("# ", "");
        let head = "name = \"a\"\ntitle = \"a\"\nsource = \"lokal\"\n";
        assert!(crate::preset::Preset::mapping(&format!("{head}{example}"), &book).is_ok(), "{example}");
    }
}
