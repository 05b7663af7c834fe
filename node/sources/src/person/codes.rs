//! Sex, relation, marriage, education, occupation, being there: words, or numbers of a list that is known.

use std::{collections::HashMap, sync::LazyLock};

use dtsen_proto::{
    column::{self, Column},
    record::Value,
    rulebook::reason,
};

use super::{Reading, is_nothing};
use crate::{
    clean::words::{self, Standing},
    layout::heading::Role,
    plan::Plan,
    preset::List,
    survey::Marriages,
};

type Tables = HashMap<String, HashMap<String, toml::Value>>;

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/codes.toml")).expect("our own table, which a test reads")
});

/// A code of DTSEN, or none where nothing is said, or the reason why there is none.
pub(crate) type Meaning = Result<Option<i64>, &'static str>;

/// DTSEN's code for a code of another list.
pub(crate) fn crosswalk(table: &str, code: i64) -> Meaning {
    match TABLES.get(table).and_then(|table| table.get(&code.to_string())) {
        Some(toml::Value::Integer(code)) => Ok(Some(*code)),
        Some(toml::Value::String(mark)) if mark == "-" => Ok(None),
        Some(_) => Err(reason::CODE_UNMAPPED),
        None => Err(reason::CODE_RANGE),
    }
}

/// What a text means by a table, the mapping's own or a built-in one. 0 is an empty field of a form.
pub(super) fn meaning(plan: &Plan, table: &str, text: &str) -> Meaning {
    if let Some(code) = plan.looked_up(table, text).or_else(|| worded(table, text)) {
        return Ok(Some(code));
    }
    let number = measured(table, text).parse::<i64>();
    match number {
        _ if is_nothing(text) => Ok(None),
        Ok(0 | -1) if is_crosswalk(table) => Ok(None),
        Ok(number) if is_crosswalk(table) => crosswalk(table, number),
        _ => Err(reason::CODE_UNMAPPED),
    }
}

/// DTSEN's code for words of another list, which stand in its table in the form of `folded`.
fn worded(table: &str, text: &str) -> Option<i64> {
    TABLES.get(table)?.get(&words::folded(text))?.as_integer().filter(|_| text.contains(char::is_alphabetic))
}

/// A number without its unit, if the table has such, and without what parts its thousands: `11.000 VA` is 11000.
fn measured(table: &str, text: &str) -> String {
    let units = TABLES.get(table).and_then(|table| table.get("unit")).and_then(toml::Value::as_array);
    let Some(units) = units else { return text.trim_end_matches(".0").to_owned() };
    let text = text.trim().to_lowercase();
    let unit = units.iter().filter_map(toml::Value::as_str).find_map(|unit| text.strip_suffix(unit));
    let number = unit.unwrap_or(&text).trim_end();
    let number = number.strip_suffix(".0").unwrap_or(number);
    let groups: Vec<&str> = number.split(['.', ',', ' ']).collect();
    let thousands = groups.len() > 1
        && (1..=THOUSAND_DIGITS).contains(&groups[0].len())
        && groups[1..].iter().all(|group| group.len() == THOUSAND_DIGITS);
    if thousands { groups.concat() } else { number.to_owned() }
}

/// Whether there is such a table of codes of another list.
pub(crate) fn is_crosswalk(table: &str) -> bool {
    TABLES.get(table).is_some_and(|table| table.values().any(toml::Value::is_integer))
}

/// The words for a code.
pub(crate) fn label(table: &str, code: i64) -> Option<&'static str> {
    TABLES.get(table)?.get(&code.to_string())?.as_str()
}

/// Digits between two marks of thousands.
const THOUSAND_DIGITS: usize = 3;
/// Regsosek 404: died, and moved within the country.
const DIED: i64 = 2;
const MOVED: i64 = 3;
const NOT_FOUND: i64 = 6;

/// Of these everybody has a code: 0 is none of them, and no empty field.
const NEVER_ZERO: [Role; 4] = [Role::JenisKelamin, Role::Hubungan, Role::StatusKawin, Role::StatusDasar];

/// A number as a code, or the words.
enum Said {
    Nothing,
    Code(i64),
    Words(String),
}

impl Reading<'_> {
    fn said(&self, role: Role) -> Said {
        let text = self.text(role);
        let zero = matches!(&*text, "0" | "00") && !NEVER_ZERO.contains(&role);
        if text.is_empty() || text == "-1" || zero {
            return Said::Nothing;
        }
        // "4. ANAK", "2 - KAWIN": the words say it.
        let digits = text.trim_end_matches(".0");
        if let Ok(code) = digits.parse() {
            return Said::Code(code);
        }
        let mark = |c: char| c.is_ascii_digit() || matches!(c, '.' | ')' | '-' | ' ' | '=');
        let bare = text.trim_start_matches(mark);
        Said::Words(if bare.is_empty() { text.clone() } else { bare.to_owned() })
    }

    pub(super) fn codes(&mut self) {
        self.coded(Role::JenisKelamin, column::I_JENIS_KELAMIN, |_, code| Ok(Some(code)), words::sex);
        self.coded(Role::Hubungan, column::I_STATUS_HUBUNGAN, Self::relation, words::relation);
        let own = self.plan.roles.contains_key(&Role::StatusKawin);
        let of_marriage = !own && self.table.status_is_marriage();
        let marriage = if of_marriage { Role::StatusDasar } else { Role::StatusKawin };
        self.coded(marriage, column::I_STATUS_KAWIN, Self::marriage, words::marriage);
        self.coded(Role::KeberadaanAnggota, column::I_KEBERADAAN, |_, code| Ok(Some(code)), |_| None);
        self.education();
        let occupation = |reading: &Self, code| match reading.plan.preset.codes.pekerjaan {
            List::Dukcapil => label("pekerjaan_dukcapil", code),
            _ => None,
        };
        self.labelled(Role::Pekerjaan, column::I_PEKERJAAN_KTP, occupation);
    }

    fn coded(
        &mut self,
        role: Role,
        column: Column,
        number: impl Fn(&mut Self, i64) -> Meaning,
        word: impl Fn(&str) -> Option<i64>,
    ) {
        if let Some(table) = self.plan.tables.get(&role) {
            let text = self.text(role);
            match self.plan.looked_up(table, &text) {
                Some(code) => self.say_code(column, code),
                None if text.is_empty() => {}
                None => {
                    self.out.values.insert(column, Value::Unmapped(text.into()));
                }
            }
            return;
        }
        match self.said(role) {
            Said::Nothing => {}
            Said::Code(code) => match number(self, code) {
                Ok(Some(code)) => self.say_code(column, code),
                Ok(None) => {}
                Err(code) => self.tell(code, column, role),
            },
            Said::Words(words) => match word(&words) {
                Some(code) => self.say_code(column, code),
                None => {
                    self.out.values.insert(column, Value::Unmapped(words.into()));
                }
            },
        }
    }

    /// The number of a relation means one thing at Dukcapil and another in DTSEN.
    fn relation(&mut self, code: i64) -> Meaning {
        let list = match self.plan.preset.codes.hubungan {
            List::Unknown => self.table.relations(),
            list => list,
        };
        let shdk = crosswalk("shdk_hubungan", code);
        match list {
            List::Shdk => shdk,
            List::Dtsen if (1..=8).contains(&code) => Ok(Some(code)),
            List::Dtsen => Err(reason::CODE_RANGE),
            // The head is 1 in both, and what is in neither is no code.
            _ if code == 1 => Ok(Some(1)),
            _ => shdk.and(Err(reason::CODE_LIST_UNKNOWN)),
        }
    }

    fn marriage(&mut self, code: i64) -> Meaning {
        let list = match self.plan.preset.codes.status_kawin {
            List::Dtsen => Marriages::Four,
            _ => self.table.marriages(),
        };
        match (code, list) {
            (1..=2, _) | (3..=4, Marriages::Four) => Ok(Some(code)),
            // Married and registered, married and not: one more code before the others.
            (3..=5, Marriages::Five) => Ok(Some(code - 1)),
            (3..=5, Marriages::Doubtful) => Err(reason::CODE_LIST_UNKNOWN),
            _ => Err(reason::CODE_RANGE),
        }
    }

    fn schooling(&mut self, code: i64) -> Meaning {
        match self.plan.preset.codes.pendidikan_sedang {
            List::Opensid => crosswalk("pendidikan_sedang_partisipasi", code),
            _ => Err(reason::CODE_LIST_UNKNOWN),
        }
    }

    fn education(&mut self) {
        let dukcapil = self.plan.preset.codes.pendidikan == List::Dukcapil;
        let certificate = match self.said(Role::Pendidikan) {
            // The level is said and, if need be, told beside it.
            Said::Code(code) => crosswalk("pendidikan_dukcapil_ijazah", code).unwrap_or_default(),
            Said::Words(words) => words::certificate(&words),
            Said::Nothing => None,
        };
        if let Some(certificate) = certificate.filter(|_| dukcapil) {
            self.say_code(column::I_IJAZAH, certificate);
        }
        let level = move |_: &Self, code| dukcapil.then(|| label("pendidikan_dukcapil", code)).flatten();
        self.labelled(Role::Pendidikan, column::I_PENDIDIKAN_KTP, level);
        let column = column::I_PARTISIPASI_SEKOLAH;
        self.coded(Role::PendidikanSedang, column, Self::schooling, words::schooling);
    }

    /// A column of text, of which a number is a code of a list.
    fn labelled(&mut self, role: Role, column: Column, label: impl Fn(&Self, i64) -> Option<&'static str>) {
        match self.said(role) {
            Said::Nothing => {}
            Said::Words(_) => self.out.say(column, self.text(role)),
            Said::Code(code) => match label(self, code) {
                Some(text) => self.out.say(column, text),
                None => self.tell(reason::CODE_LIST_UNKNOWN, column, role),
            },
        }
    }

    /// Whether the row says that it is not in force. A death or a move is told as Regsosek 404 has it.
    pub(super) fn standing(&mut self) -> bool {
        let there = match self.stated() {
            _ if self.is_flagged() => return self.not_valid(Role::FlagStatus),
            None | Some(Standing::Alive) => return false,
            Some(Standing::Superseded) => return self.not_valid(Role::StatusDasar),
            Some(Standing::Dead) => DIED,
            Some(Standing::Moved) => MOVED,
            Some(Standing::Away) => NOT_FOUND,
        };
        self.say_code(column::I_KEBERADAAN, there);
        false
    }

    /// What the column of being there says.
    fn stated(&mut self) -> Option<Standing> {
        let role = Role::StatusDasar;
        let opensid = self.plan.preset.codes.status_dasar == List::Opensid;
        match self.said(role) {
            Said::Code(code) if opensid => {
                let standing = by_code(code);
                if standing.is_none() {
                    self.tell(reason::CODE_RANGE, column::I_KEBERADAAN, role);
                }
                standing
            }
            // OpenSID's export writes TIDAK TETAP for the dead, and nothing for who moved: its words of life and death
            // are wrong, and TIDAK VALID is none of them.
            Said::Words(words) if opensid => {
                words::standing(&words).filter(|said| *said == Standing::Superseded)
            }
            Said::Words(words) => words::standing(&words),
            Said::Code(_) | Said::Nothing => None,
        }
    }

    /// Whether SIAK's flag says that the row is not in force: anything but 0, or a word for it.
    fn is_flagged(&self) -> bool {
        match self.said(Role::FlagStatus) {
            Said::Nothing => false,
            Said::Code(code) => code != 0,
            Said::Words(words) => words::standing(&words) != Some(Standing::Alive),
        }
    }

    fn not_valid(&mut self, role: Role) -> bool {
        let heading = self.plan.name(role).map(str::to_owned);
        self.out.tell(reason::ROW_NOT_VALID, None, heading.as_deref());
        true
    }
}

/// OpenSID's status_dasar.
pub(crate) fn by_code(code: i64) -> Option<Standing> {
    match code {
        1 => Some(Standing::Alive),
        2 => Some(Standing::Dead),
        3 => Some(Standing::Moved),
        4 | 6 => Some(Standing::Away),
        9 => Some(Standing::Superseded),
        _ => None,
    }
}
