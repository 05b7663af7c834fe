//! What stands outside the table and holds for the rows below: `No. KK : …`, `Desa : …`, titles.

use std::collections::{BTreeMap, BTreeSet};

use super::heading::{Role, role};
use crate::clean::address;

/// Words of the longest label: "Nama Kepala Keluarga".
const LABEL_WORDS: usize = 5;
/// Words in titles that a place's name follows.
const PLACES: &[(&str, Role)] = &[
    ("PROVINSI", Role::Provinsi),
    ("PROPINSI", Role::Provinsi),
    ("PROV", Role::Provinsi),
    ("KABUPATEN", Role::Kabupaten),
    ("KAB", Role::Kabupaten),
    ("KOTA", Role::Kabupaten),
    ("KECAMATAN", Role::Kecamatan),
    ("KEC", Role::Kecamatan),
    ("KELURAHAN", Role::Desa),
    ("KEL", Role::Desa),
    ("DESA", Role::Desa),
];
/// Words in titles with which a place's name has ended.
const ENDS: &[&str] = &[
    "TAHUN", "TH", "PER", "BULAN", "PERIODE", "TANGGAL", "TGL", "SEMESTER", "TA", "DAFTAR", "DATA", "DUSUN",
    "RT", "RW", "TOTAL",
];

/// What has been said so far, by role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    said: BTreeMap<Role, String>,
    /// Of these, what the lines of the last family said.
    form: BTreeSet<Role>,
    /// RT, RW and dusun of the rows below, of several families.
    group: BTreeMap<Role, String>,
}

/// What a group may be of, the widest first.
const GROUPS: [Role; 3] = [Role::Dusun, Role::Rw, Role::Rt];

impl Context {
    /// What was said.
    pub fn get(&self, role: Role) -> Option<&str> {
        self.said.get(&role).or_else(|| self.group.get(&role)).map(String::as_str)
    }

    /// Everything that was said.
    pub fn all(&self) -> impl Iterator<Item = (&Role, &String)> {
        self.said.iter().chain(self.group.iter().filter(|(role, _)| !self.said.contains_key(role)))
    }

    /// Says something; of a place its name, without its code before it.
    pub fn say(&mut self, role: Role, value: &str) {
        let value =
            without_code(role, value.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | ',')));
        if !value.is_empty() {
            self.said.insert(role, value.to_owned());
        }
    }

    /// Whether something was said of a family, rather than of all.
    fn is_open(&self) -> bool {
        [Role::NoKk, Role::NamaKepala, Role::Alamat].iter().any(|role| self.get(*role).is_some())
    }

    /// Ends what was said of a family, if anything was.
    pub fn end_family(&mut self) {
        if self.is_open() {
            self.end_open();
        }
    }

    /// Says the RT, RW or dusun of the rows below: what was said of narrower areas ends, of all if nothing can be read.
    pub fn say_group(&mut self, pairs: &[(Role, String)]) {
        let level = |role: Role| GROUPS.iter().position(|group| *group == role);
        let again = |(role, value): &(Role, String)| self.group.get(role) == Some(value);
        if !pairs.is_empty() && pairs.iter().all(again) {
            return;
        }
        let widest = pairs.iter().filter_map(|(role, _)| level(*role)).min().unwrap_or_default();
        let stays = |role: Role| role != Role::RtRw && level(role).is_none_or(|level| level < widest);
        self.end_family();
        self.said.retain(|role, _| stays(*role));
        self.group.retain(|role, _| stays(*role));
        self.group.extend(pairs.iter().cloned());
    }

    fn end_open(&mut self) {
        let form = std::mem::take(&mut self.form);
        self.said.retain(|role, _| !is_of_family(*role) && !form.contains(role));
    }

    /// Says what one line says; `follows` if people came since the last such line. What a family's lines said, its place
    /// too, ends where the next family begins: at a number, or at the first line of a form, wherever that has its number.
    pub fn say_all(&mut self, pairs: &[(Role, String)], follows: bool) {
        let number = pairs.iter().any(|(role, _)| *role == Role::NoKk);
        let family = pairs.iter().any(|(role, _)| is_of_family(*role));
        let open = self.is_open();
        if (number && self.get(Role::NoKk).is_some()) || (family && follows && open) {
            self.end_open();
        }
        for (role, value) in pairs {
            self.say(*role, value);
            if family {
                self.form.insert(*role);
            }
        }
    }
}

pub(super) fn is_of_family(role: Role) -> bool {
    matches!(
        role,
        Role::NoKk | Role::NamaKepala | Role::Alamat | Role::Dusun | Role::Rt | Role::Rw | Role::RtRw
    )
}

pub(super) fn is_place(role: Role) -> bool {
    matches!(role, Role::Desa | Role::Kecamatan | Role::Kabupaten | Role::Provinsi | Role::KodeDesa)
}

/// Digits of the codes of an area, alone and with those of the areas above it. Other numbers are of the name: `13 ULU`.
fn code_digits(role: Role) -> &'static [usize] {
    match role {
        Role::Provinsi => &[2],
        Role::Kabupaten => &[2, 4],
        Role::Kecamatan => &[2, 6],
        Role::Desa => &[4, 10],
        _ => &[],
    }
}

/// The name of a place behind its code: `2006 SENGGIGI`, `52.01 - LOMBOK BARAT`. `50 KOTA` is a name.
fn without_code(role: Role, value: &str) -> &str {
    let begins = value.find(|c: char| !(c.is_ascii_digit() || c == '.'));
    let (code, rest) = value.split_at(begins.unwrap_or_default());
    let name = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '–' | '/'));
    let parted = name.len() < rest.len() && name.starts_with(char::is_alphabetic);
    let is_level = PLACES.iter().any(|(word, _)| word.eq_ignore_ascii_case(name));
    let digits = code.bytes().filter(u8::is_ascii_digit).count();
    if parted && !is_level && code_digits(role).contains(&digits) { name } else { value }
}

/// The role that a label names. Of persons none is told outside the table.
fn label(text: &str) -> Option<Role> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | '.' | '-'));
    role(text).filter(|role| is_of_family(*role) || is_place(*role))
}

/// Labels with values in one line of a sheet; none if it is no such line.
pub fn labelled(cells: &[String]) -> Vec<(Role, String)> {
    let mut found: Vec<(Role, String)> = Vec::new();
    let mut open: Option<Role> = None;
    for cell in cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty() && *cell != ":") {
        let mut parts = cell.split(':');
        let head = parts.next().unwrap_or_default();
        // "No. KK" in one cell, ": 5271…" or "5271…" in the next.
        if let Some(role) = open.take()
            && label(head).is_none()
            && split_label(head).1.is_none()
        {
            found.push((role, cell.trim_start_matches(':').trim().to_owned()));
            continue;
        }
        let Some(mut role) = label(head).or_else(|| split_label(head).1) else { continue };
        let mut any = false;
        for part in parts {
            any = true;
            let (value, next) = split_label(part);
            found.push((role, value.to_owned()));
            match next {
                Some(next) => role = next,
                None => break,
            }
        }
        let whole = label(head).is_some();
        if (!any && whole) || (any && found.last().is_some_and(|(_, value)| value.trim().is_empty())) {
            // "No. KK :" with nothing behind it says that there is none, unless the next cell has it.
            open = Some(role);
        }
    }
    found
}

/// Whether a line is one of a form: a label that stands alone, with its colon, is no cell of a table.
pub fn is_form(cells: &[String]) -> bool {
    let mut filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).peekable();
    while let Some(cell) = filled.next() {
        let alone = match cell.split_once(':') {
            Some((head, rest)) => rest.trim().is_empty() && label(head).is_some(),
            None => filled.peek().is_some_and(|next| next.starts_with(':')) && label(cell).is_some(),
        };
        if alone {
            return true;
        }
    }
    false
}

/// What a line of a form says that has nothing but labels and their values, each in a cell of its own; none if it is no
/// such line. A label without a value says that there is none.
pub fn paired(cells: &[String]) -> Vec<(Role, String)> {
    let mut filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).peekable();
    let mut found = Vec::new();
    let mut valued = false;
    while let Some(cell) = filled.next() {
        let Some(role) = label(cell).filter(|_| !cell.contains(':')) else { return Vec::new() };
        let value = filled.next_if(|next| label(next).is_none());
        valued |= value.is_some();
        found.push((role, value.unwrap_or_default().to_owned()));
    }
    // Several labels without values are headings.
    if valued || found.len() == 1 { found } else { Vec::new() }
}

/// What stands beside the number of a family in its row: labels, places, an address; never the head's name.
pub fn beside_number(cells: &[String]) -> Vec<(Role, String)> {
    let mut found = labelled(cells);
    for cell in cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()) {
        let own = !labelled(std::slice::from_ref(&cell.to_owned())).is_empty();
        let before = if own { split_label(cell.split(':').next().unwrap_or_default()).0 } else { cell };
        let places = titled(before);
        let plain = places.is_empty() && label(before).is_none() && address::is_one(before);
        found.extend(places);
        if plain && found.iter().all(|(role, _)| *role != Role::Alamat) {
            found.push((Role::Alamat, before.to_owned()));
        }
    }
    found
}

/// A value, and the label behind it that belongs to the next one: `JL MAWAR, RT/RW`.
fn split_label(text: &str) -> (&str, Option<Role>) {
    // "NO 5, Nama Dusun", "003/- DUSUN", "-/003 DUSUN": the number is the value's, not the label's.
    let label = |text: &str| {
        let bare = text.trim_start_matches(|c: char| c.is_whitespace() || c == '-');
        if bare.starts_with(|c: char| c.is_ascii_digit() || c == '/') { None } else { label(text) }
    };
    if let Some(role) = label(text) {
        return ("", Some(role));
    }
    let starts: Vec<usize> = text
        .char_indices()
        .filter(|(at, c)| {
            !c.is_whitespace() && (*at == 0 || text[..*at].ends_with(|c: char| c.is_whitespace() || c == ','))
        })
        .map(|(at, _)| at)
        .collect();
    for words in (1..=LABEL_WORDS.min(starts.len())).rev() {
        let at = starts[starts.len() - words];
        if let Some(role) = label(&text[at..]) {
            return (&text[..at], Some(role));
        }
    }
    (text, None)
}

/// Places that a title names: `DATA PENDUDUK DESA SENGGIGI KECAMATAN BATULAYAR TAHUN 2024`.
pub fn titled(text: &str) -> Vec<(Role, String)> {
    let upper = text.to_uppercase();
    let mut found: Vec<(Role, Vec<&str>)> = Vec::new();
    let mut open = false;
    for word in upper.split(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | '(' | ')')) {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
        if plain.is_empty() {
            continue;
        }
        if let Some((_, role)) = PLACES.iter().find(|(name, _)| *name == plain) {
            // "DESA/KELURAHAN" and "KOTA" of a kabupaten's name say nothing new.
            let words = if matches!(plain, "KABUPATEN" | "KAB" | "KOTA") { vec![plain] } else { Vec::new() };
            found.push((*role, words));
            open = true;
        } else if ENDS.contains(&plain) || plain.starts_with(|c: char| c.is_ascii_digit()) {
            open = false;
        } else if open && let Some((_, words)) = found.last_mut() {
            words.push(word);
        }
    }
    let whole = |(role, words): (Role, Vec<&str>)| {
        let least = if role == Role::Kabupaten { 2 } else { 1 };
        (words.len() >= least).then(|| (role, words.join(" ")))
    };
    found.into_iter().filter_map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(cells: &[&str]) -> Vec<(Role, String)> {
        labelled(&cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>())
    }

    fn pairs(pairs: &[(Role, &str)]) -> Vec<(Role, String)> {
        pairs.iter().map(|(role, value)| (*role, (*value).to_owned())).collect()
    }

    #[test]
    fn labels_in_one_cell_or_two() {
        let trimmed = |cells: &[&str]| {
            let mut context = Context::default();
            context.say_all(&said(cells), false);
            context.said.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(
            trimmed(&[
                "No. KK : 5202010101019001 ",
                "",
                "Alamat : JL MAWAR, Nama Dusun : SELATAN, RT/RW : 003/001"
            ]),
            pairs(&[
                (Role::NoKk, "5202010101019001"),
                (Role::Alamat, "JL MAWAR"),
                (Role::Dusun, "SELATAN"),
                (Role::RtRw, "003/001")
            ])
        );
        assert_eq!(
            trimmed(&["No. KK", ": 5202010101019001", "RT/RW", "003/001"]),
            pairs(&[(Role::NoKk, "5202010101019001"), (Role::RtRw, "003/001")])
        );
        assert_eq!(trimmed(&["Desa/Kelurahan :", "SENGGIGI"]), pairs(&[(Role::Desa, "SENGGIGI")]));
        assert_eq!(trimmed(&["1", "5202010101019001", "SITI", "ANAK"]), []);
        for half in ["003/-", "-/003", "- / 003"] {
            let cell = format!("DESA SENGGIGI RT/RW : {half} DUSUN : LOCO");
            assert_eq!(trimmed(&[&cell]), pairs(&[(Role::Dusun, "LOCO"), (Role::RtRw, half)]), "{half}");
        }
    }

    #[test]
    fn a_code_before_the_name_of_a_place_goes() {
        for (role, text, name) in [
            (Role::Provinsi, "52 NUSA TENGGARA BARAT", "NUSA TENGGARA BARAT"),
            (Role::Kabupaten, "01 - LOMBOK BARAT", "LOMBOK BARAT"),
            (Role::Kabupaten, "52.01 LOMBOK BARAT", "LOMBOK BARAT"),
            (Role::Kecamatan, "52.01.14 BATULAYAR", "BATULAYAR"),
            (Role::Desa, ": 2006 SENGGIGI", "SENGGIGI"),
            (Role::Desa, "52.01.14.2006 - SENGGIGI", "SENGGIGI"),
            (Role::Desa, "13 ULU", "13 ULU"),
            (Role::Kabupaten, "50 KOTA", "50 KOTA"),
            (Role::Kecamatan, "2 X 11 KAYU TANAM", "2 X 11 KAYU TANAM"),
            (Role::KodeDesa, "2006 SENGGIGI", "2006 SENGGIGI"),
            (Role::Desa, "2006", "2006"),
        ] {
            let mut context = Context::default();
            context.say(role, text);
            assert_eq!(context.get(role), Some(name), "{text}");
        }
    }

    #[test]
    fn titles_name_places() {
        assert_eq!(
            titled("DATA PENDUDUK DESA SENGGIGI KECAMATAN BATULAYAR TAHUN 2024"),
            pairs(&[(Role::Desa, "SENGGIGI"), (Role::Kecamatan, "BATULAYAR")])
        );
        assert_eq!(titled("PEMERINTAH KOTA MATARAM"), pairs(&[(Role::Kabupaten, "KOTA MATARAM")]));
        assert_eq!(titled("DAFTAR WARGA"), []);
    }
}
