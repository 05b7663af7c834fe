//! What a column is likely to be for, by its heading and its own cells, before others are compared with it.

use dtsen_proto::nik::Number;

use super::{
    ACTIVE, Guess, HALF, MOST,
    column::{Cells, DECADES, is_marriage, is_name, is_of_area, is_word, parts},
    words::{self, WORDS},
};
use crate::{
    clean::words::{relation, sex},
    layout::heading::{Role, role_name},
};

/// Numbers without a woman's among them from which they are rather of families.
const NO_WOMAN: usize = 8;
/// Different cells, in percent, below which a column repeats what it says.
const REPEATS: usize = 90;

/// How sure the words of a heading make, and how sure the cells.
const KNOWN: u8 = 95;
const HALF_KNOWN: u8 = 70;
const LIES: u8 = 30;
const NAMED: u8 = 75;
const UNNAMED: u8 = 45;
const WORDS_OF_A_LIST: u8 = 80;

/// A column by itself. `known` is what its heading alone means.
pub(super) fn guess(key: &str, known: Option<Role>, cells: &Cells<'_>) -> Guess {
    match known {
        Some(Role::Lain) => Guess::none("judulnya dikenal, tidak dipakai"),
        Some(role) if cells.filled().next().is_none() => {
            Guess::of(role, HALF_KNOWN, "judulnya dikenal, isinya kosong")
        }
        Some(role) => by_heading(key, role, cells),
        None if cells.filled().next().is_none() => Guess::none("tidak dikenal, isinya kosong"),
        None => by_cells(key, cells),
    }
}

fn by_heading(key: &str, role: Role, cells: &Cells<'_>) -> Guess {
    match cells.like(role) {
        MOST.. => Guess::of(role, KNOWN, "judulnya dikenal"),
        like @ HALF.. => Guess::of(role, HALF_KNOWN, format!("judulnya dikenal; {like} % isinya cocok")),
        like => {
            let lies = format!("judulnya seperti {}, tetapi hanya {like} % isinya cocok", role_name(role));
            let other = by_cells(key, cells);
            // A lying heading gives no hint: only what words of a list say by themselves.
            let telling = [Role::JenisKelamin, Role::StatusKawin];
            match other.role.filter(|other| telling.contains(other)) {
                Some(_) if other.confidence >= ACTIVE => {
                    Guess { why: format!("{lies}; {}", other.why), ..other }
                }
                _ => Guess::of(role, LIES, lies),
            }
        }
    }
}

/// By what stands in it, the most telling first.
fn by_cells(key: &str, cells: &Cells<'_>) -> Guess {
    let others = words::others(key);
    let guess = number(key, cells)
        .or_else(|| birth(key, cells))
        .or_else(|| of_a_list(cells))
        .or_else(|| name(key, cells))
        .unwrap_or_else(|| Guess::none("tidak dikenal"));
    match others {
        Some(word) if guess.role.is_some() => Guess {
            confidence: guess.confidence.min(LIES),
            why: format!("milik orang lain ({word})"),
            ..guess
        },
        _ => guess,
    }
}

fn number(key: &str, cells: &Cells<'_>) -> Option<Guess> {
    let nik = |cell: &_| parts(cell, Number::Nik).is_some_and(|nik| is_of_area(&nik));
    if cells.share(nik) < MOST {
        return None;
    }
    let is_nik = words::first(&WORDS.nik, key).is_some();
    let is_kk = words::first(&WORDS.kk, key).is_some() && !is_nik;
    if let (Some(word), false, false) = (words::first(&WORDS.numbers, key), is_nik, is_kk) {
        return Some(Guess::of(Role::Nik, LIES, format!("mirip NIK, tetapi judulnya nomor lain ({word})")));
    }
    let women = cells.niks().iter().flatten().any(|nik| nik.female);
    let many = cells.filled().count() >= NO_WOMAN;
    Some(match (is_nik, is_kk) {
        (true, _) => Guess::of(Role::Nik, NAMED, "judulnya memuat NIK atau KTP, isinya mungkin NIK"),
        (_, true) if !women => Guess::of(Role::NoKk, NAMED, "judulnya memuat KK, isinya mungkin No. KK"),
        (_, true) => Guess::of(Role::NoKk, LIES, "judulnya memuat KK, tetapi isinya memuat NIK perempuan"),
        _ if cells.different() < REPEATS && !women => {
            Guess::of(Role::NoKk, HALF_KNOWN, "16 angka yang berulang, seperti No. KK")
        }
        _ if !women && many => {
            Guess::of(Role::NoKk, UNNAMED, "16 angka, tidak satu pun NIK perempuan: mungkin No. KK")
        }
        _ => Guess::of(Role::Nik, UNNAMED, "16 angka yang mungkin NIK, belum terbukti"),
    })
}

/// A date of birth is spread over generations, or called so. What others agree with it is looked at later.
fn birth(key: &str, cells: &Cells<'_>) -> Option<Guess> {
    let role = if cells.share(|cell| cells.is_day(cell)) >= MOST {
        Role::TanggalLahir
    } else if cells.share(|cell| cells.is_place_and_day(cell)) >= MOST {
        Role::TempatTanggalLahir
    } else {
        return None;
    };
    let days = cells.days();
    let years = (days.iter().map(|day| day.year()).min()?, days.iter().map(|day| day.year()).max()?);
    if let Some(word) = words::first(&WORDS.events, key) {
        return Some(Guess::of(role, LIES, format!("tanggal, tetapi judulnya peristiwa lain ({word})")));
    }
    if words::first(&WORDS.born, key).is_some() {
        return Some(Guess::of(role, NAMED, "judulnya memuat kata lahir, isinya tanggal"));
    }
    let span = format!("tanggal dari tahun {} sampai {}", years.0, years.1);
    let spread = years.1 - years.0 >= DECADES;
    Some(Guess::of(role, if spread { 60 } else { 40 }, span))
}

fn of_a_list(cells: &Cells<'_>) -> Option<Guess> {
    if cells.share(|cell| is_word(cell, sex)) >= MOST {
        return Some(Guess::of(Role::JenisKelamin, WORDS_OF_A_LIST, "kata jenis kelamin"));
    }
    if cells.share(|cell| is_word(cell, relation)) >= MOST {
        // Relations to somebody else have no head of a family among them.
        let head = cells.filled().any(|cell| relation(&cell.text()) == Some(1));
        return Some(if head {
            Guess::of(Role::Hubungan, WORDS_OF_A_LIST, "kata hubungan keluarga")
        } else {
            Guess::of(
                Role::Hubungan,
                40,
                "kata hubungan keluarga, tetapi tanpa kepala keluarga: mungkin dengan orang lain",
            )
        });
    }
    (cells.share(is_marriage) >= MOST)
        .then(|| Guess::of(Role::StatusKawin, WORDS_OF_A_LIST, "kata status kawin"))
}

fn name(key: &str, cells: &Cells<'_>) -> Option<Guess> {
    if words::first(&WORDS.things, key).is_some() || cells.share(is_name) < MOST {
        return None;
    }
    // The same few words again and again are no people.
    if words::first(&WORDS.names, key).is_some() && cells.different() >= HALF {
        return Some(Guess::of(Role::Nama, 65, "judulnya memuat nama, isinya mirip nama"));
    }
    let several = cells.share(|cell| cell.text().split_whitespace().count() > 1) >= HALF;
    (several && cells.different() >= REPEATS).then(|| Guess::of(Role::Nama, 55, "mirip nama"))
}
