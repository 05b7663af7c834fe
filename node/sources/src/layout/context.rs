//! What stands outside the table and holds for the rows below: `No. KK : …`, `Desa : …`, titles.

use std::collections::BTreeMap;

use super::heading::{Role, role};

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
}

impl Context {
    /// What was said.
    pub fn get(&self, role: Role) -> Option<&str> {
        self.said.get(&role).map(String::as_str)
    }

    /// Everything that was said.
    pub fn all(&self) -> impl Iterator<Item = (&Role, &String)> {
        self.said.iter()
    }

    /// Says something; of a family's own lines, the number begins a new one.
    pub fn say(&mut self, role: Role, value: &str) {
        let value = value.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | ','));
        if role == Role::NoKk {
            self.said.retain(|role, _| !is_of_family(*role));
        }
        if !value.is_empty() {
            self.said.insert(role, value.to_owned());
        }
    }

    /// Says all of these.
    pub fn say_all(&mut self, pairs: Vec<(Role, String)>) {
        // The number first, wherever it stands in the line: it begins a family.
        let (numbers, others): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(role, _)| *role == Role::NoKk);
        for (role, value) in numbers.into_iter().chain(others) {
            self.say(role, &value);
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
            if any {
                found.pop();
            }
            open = Some(role);
        }
    }
    found
}

/// A value, and the label behind it that belongs to the next one: `JL MAWAR, RT/RW`.
fn split_label(text: &str) -> (&str, Option<Role>) {
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
            context.say_all(said(cells));
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
