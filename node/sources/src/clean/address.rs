//! RT, RW and dusun, from cells of their own or out of an address.

use super::text::without_zero_fraction;

/// What an address says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// Three digits.
    pub rt: Option<String>,
    /// Three digits.
    pub rw: Option<String>,
    /// In capitals, by how plainly its label says that it is one.
    dusun: [Option<String>; DUSUN.len()],
    /// What is left, in capitals.
    pub rest: String,
}

impl Address {
    /// The dusun that is called so in plain words.
    pub fn plain_dusun(&self) -> Option<&str> {
        self.dusun[0].as_deref()
    }

    /// The dusun, in a village of that name: what stands behind DS may be the village itself.
    pub fn dusun(&self, village: &str) -> Option<&str> {
        let mut names = self.dusun.iter().map(Option::as_deref).enumerate();
        names.find_map(|(rank, name)| name.filter(|name| rank != DS || *name != village))
    }
}

/// Letters that may stand around the number of an RT or RW: with any other it is of something else, a house or a block.
const AROUND: &[&str] = &["", "RT", "RW", "NO"];

/// A number of an RT or RW; `0`, `-` and the like mean that there is none, and of two numbers neither is known.
pub fn number(text: &str) -> Option<String> {
    let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    if !AROUND.contains(&letters.to_uppercase().as_str()) {
        return None;
    }
    let bare = without_zero_fraction(text.trim()).trim_matches(|c: char| !c.is_ascii_digit());
    let number: u32 = bare.parse().ok().filter(|n| (1..=999).contains(n))?;
    Some(format!("{number:03}"))
}

/// A cell with both, RT first unless it names them: `003/005`, `RT 3 RW 5`, `5 RW / 3 RT`, `3/-`.
pub fn both(text: &str) -> (Option<String>, Option<String>) {
    if let Some(named) = labelled(text) {
        return named;
    }
    let parts: Vec<&str> = if text.contains('/') {
        text.split('/').collect()
    } else {
        text.split(['-', '\\', ',', ';', ' ']).filter(|part| !part.trim().is_empty()).collect()
    };
    match parts[..] {
        [rt] => (number(rt), None),
        [rt, rw] => (number(rt), number(rw)),
        // Of three nobody knows which is which.
        _ => (None, None),
    }
}

/// RT and RW of a cell that names one of them, before or behind its number: `RT 03`, `3 RT`.
pub fn labelled(text: &str) -> Option<(Option<String>, Option<String>)> {
    let words = words(text);
    let names = |at: usize| {
        words.get(at).map(|word| &*word.text).filter(|word| RT.contains(word) || RW.contains(word))
    };
    if !(0..words.len()).any(|at| names(at).is_some()) {
        return None;
    }
    let numbers = || (0..words.len()).step_by(2).map(|at| number(&words[at].text));
    let behind =
        words.len().is_multiple_of(2) && words.len() <= 4 && numbers().all(|number| number.is_some());
    let mut found = (None, None);
    match behind.then(|| [names(1), names(3)]) {
        Some([Some(first), second]) if second != Some(first) => {
            for (label, number) in [Some(first), second].into_iter().flatten().zip(numbers()) {
                *(if RT.contains(&label) { &mut found.0 } else { &mut found.1 }) = number;
            }
        }
        _ => {
            let read = read(text);
            found = (read.rt, read.rw);
        }
    }
    Some(found)
}

/// Whether a cell means a number of an RT or RW, be it one that can be read or not.
pub fn is_said(text: &str) -> bool {
    let label = |word: &str| RT.contains(&word) || RW.contains(&word);
    let said = |word: &Word| word.text.chars().any(char::is_alphanumeric) && !is_none(&word.text);
    words(text).iter().any(|word| said(word) && !label(&word.text))
}

/// Labels, and what they name.
const RT: &[&str] = &["RT"];
const RW: &[&str] = &["RW"];
/// Of a dusun, the plainest first: what SIAK writes, `DS`, which is a desa as often, and what is one in some regions only.
const DUSUN: [&[&str]; 3] = [
    &["DUSUN", "DSN"],
    &["DS"],
    &["DUKUH", "DK", "LINGKUNGAN", "LINGK", "LINK", "BANJAR", "BR", "KAMPUNG", "KP"],
];
/// Its place among those of a dusun.
const DS: usize = 1;
/// Words by which an address is known.
const STREETS: &[&str] =
    &["JL", "JLN", "JALAN", "GG", "GANG", "NO", "BLOK", "PERUM", "PERUMAHAN", "BTN", "KOMPLEK"];
/// Where a dusun's name ends, be it empty.
const ENDS: &[&str] =
    &["RT", "RW", "KODEPOS", "KODE", "DESA", "KEL", "KELURAHAN", "KEC", "KECAMATAN", "NO", "JL", "JALAN"];
/// Labels of another dusun, where the name ends too unless it begins so. KAMPUNG, BANJAR and the like, written out, are part
/// of many a name.
const NEXT: &[&str] = &["DUSUN", "DSN", "DS", "DK", "LINGK", "LINK", "BR", "KP"];

/// A word, and whether a stroke stands before it.
struct Word {
    text: String,
    stroke: bool,
}

/// Words, with labels parted from their numbers: `RT003/RW.005` is `RT 003 RW 005`.
fn words(text: &str) -> Vec<Word> {
    let mut spaced = String::new();
    let mut before: Option<char> = None;
    for c in text.to_uppercase().chars() {
        if let Some(b) = before
            && ((b.is_alphabetic() && c.is_ascii_digit()) || (b.is_ascii_digit() && c.is_alphabetic()))
        {
            spaced.push(' ');
        }
        match c {
            '/' | '\\' => spaced.push_str(" / "),
            // "RT.03", "JL. MAWAR".
            ':' | ';' | ',' | '(' | ')' | '.' => spaced.push(' '),
            c => spaced.push(c),
        }
        before = Some(c);
    }
    let mut words: Vec<Word> = Vec::new();
    let mut stroke = false;
    for word in spaced.split_whitespace() {
        if word == "/" {
            stroke = true;
        } else {
            words.push(Word { text: word.to_owned(), stroke: std::mem::take(&mut stroke) });
        }
    }
    words
}

/// Reads a whole address.
pub fn read(text: &str) -> Address {
    let mut address = Address::default();
    let words = words(text);
    let is =
        |labels: &[&str], at: usize| words.get(at).is_some_and(|word| labels.contains(&word.text.as_str()));
    let counts =
        |at: usize| words.get(at).is_some_and(|word| number(&word.text).is_some() || is_none(&word.text));
    let strokes = |at: usize| words.get(at).is_some_and(|word| word.stroke);
    let of = |at: usize| words.get(at).and_then(|word| number(&word.text));
    let mut rest: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if is(RT, at) && is(RW, at + 1) && counts(at + 2) && counts(at + 3) {
            // Both labels, then both numbers.
            (address.rt, address.rw) = (of(at + 2), of(at + 3));
            at += 4;
        } else if is(RT, at) && counts(at + 1) && counts(at + 2) && strokes(at + 2) {
            (address.rt, address.rw) = (of(at + 1), of(at + 2));
            at += 3;
        } else if is(RT, at) && counts(at + 1) {
            address.rt = address.rt.or_else(|| of(at + 1));
            at += 2;
        } else if is(RW, at) && counts(at + 1) {
            address.rw = address.rw.or_else(|| of(at + 1));
            at += 2;
        } else if let Some(rank) = (0..DUSUN.len()).find(|rank| is(DUSUN[*rank], at))
            && address.dusun[rank].is_none()
        {
            let more = words[at + 1..].iter().map(|word| word.text.as_str()).enumerate();
            let name: Vec<&str> = more
                .take_while(|(place, word)| !(ENDS.contains(word) || (*place > 0 && NEXT.contains(word))))
                .map(|(_, word)| word)
                .collect();
            at += 1 + name.len();
            address.dusun[rank] = Some(name.join(" ")).filter(|name| !name.is_empty() && !is_none(name));
        } else {
            rest.push(&words[at].text);
            at += 1;
        }
    }
    rest.join(" ").trim_matches(|c: char| matches!(c, '-' | ' ')).clone_into(&mut address.rest);
    address
}

/// Whether a text is an address rather than somebody's name: it has a word of one, or a number.
pub fn is_one(text: &str) -> bool {
    let words = words(text);
    (has_word(text) || words.iter().any(|word| word.text.bytes().all(|b| b.is_ascii_digit())))
        && words.iter().any(|word| word.text.contains(char::is_alphabetic))
}

/// Whether a text has a word of an address.
pub fn has_word(text: &str) -> bool {
    let labels = || [RT, RW, STREETS].into_iter().chain(DUSUN);
    let known = |word: &str| labels().any(|labels| labels.contains(&word));
    words(text).iter().any(|word| known(&word.text))
}

/// What a text says that names areas and nothing else.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// In capitals.
    pub dusun: Option<String>,
    /// Three digits.
    pub rw: Option<String>,
    /// Three digits.
    pub rt: Option<String>,
}

/// Letters of a label that may be a short word of a name as well: BR, DS, DK, KP.
const SHORT: usize = 2;

/// Reads a text that begins with the label of an area: `RT. 001 / RW. 004`, `DUSUN LOCO (25 KK)`. What has anything else in
/// it says nothing; none is a text that begins otherwise, or that may be somebody's name.
pub fn area(text: &str, among_names: bool) -> Option<Area> {
    let text = text.split('(').next().unwrap_or_default();
    let words = words(text);
    let first = words.first()?.text.as_str();
    let numbered = [RT, RW].iter().any(|labels| labels.contains(&first));
    let named = DUSUN.iter().any(|labels| labels.contains(&first));
    if !numbered && !(named && (!among_names || first.len() > SHORT)) {
        return None;
    }
    let read = read(text);
    let dusun = read.dusun("").map(str::to_owned);
    // "DUSUN LOCO : 25 KK": the number counts something.
    let counts = dusun.as_deref().is_some_and(|name| {
        let mut words = name.split(' ').skip_while(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
        words.next().is_some() && words.next().is_some()
    });
    let whole = read.rest.is_empty() && !counts;
    Some(if whole { Area { dusun, rw: read.rw, rt: read.rt } } else { Area::default() })
}

fn is_none(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| matches!(c, '0' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rt_and_rw_wherever_they_stand() {
        let some = |text: &str| Some(text.to_owned());
        for (text, rt, rw) in [
            ("003/005", some("003"), some("005")),
            ("3/5", some("003"), some("005")),
            ("RT.003/RW.005", some("003"), some("005")),
            ("RT 03 RW 05", some("003"), some("005")),
            ("RT03/RW05", some("003"), some("005")),
            ("RT: 003, RW: 005", some("003"), some("005")),
            ("RT/RW : 003/005", some("003"), some("005")),
            ("003/-", some("003"), None),
            ("002/000", some("002"), None),
            ("RW 05 RT 03", some("003"), some("005")),
            ("3/5/2", None, None),
            ("3 5 2", None, None),
            ("5 RW / 3 RT", some("003"), some("005")),
            ("3 RT / 5 RW", some("003"), some("005")),
            ("5 RW", None, some("005")),
            ("RW 5 / RT 3", some("003"), some("005")),
            ("-", None, None),
            ("", None, None),
        ] {
            assert_eq!(both(text), (rt, rw), "{text}");
        }
        assert_eq!(number("0"), None);
        assert_eq!(number("-"), None);
        assert_eq!(number("3.0"), some("003"));
        assert_eq!(number("3.00"), some("003"));
        assert_eq!(number("012"), some("012"));
        assert_eq!(number("RT. 3"), some("003"));
        for two in ["3/5", "05-06", "1.000", "JL MAWAR NO 5", "Blok C2", "Perum 3"] {
            assert_eq!(number(two), None, "{two}");
        }
        for (text, said) in [("3/5", true), ("III", true), ("RT 000", false), ("-", false), ("0", false)] {
            assert_eq!(is_said(text), said, "{text}");
        }
    }

    #[test]
    fn a_text_that_names_areas_and_nothing_else() {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        for (text, dusun, rw, rt) in [
            ("RT 01", "", "", "001"),
            ("RT. 001 / RW. 004", "", "004", "001"),
            ("RT : 01 RW : 04", "", "004", "001"),
            ("RW 2 (30 KK)", "", "002", ""),
            ("DUSUN LOCO", "LOCO", "", ""),
            ("Dusun : Loco Barat RT 3", "LOCO BARAT", "", "003"),
            ("DUSUN 2", "2", "", ""),
            // What cannot be read says nothing.
            ("RT II", "", "", ""),
            ("RT 01 PAK BUDI", "", "", ""),
            ("DUSUN LOCO : 25 KK", "", "", ""),
            ("DUSUN", "", "", ""),
        ] {
            let read = Area { dusun: some(dusun), rw: some(rw), rt: some(rt) };
            assert_eq!(area(text, true), Some(read), "{text}");
        }
        for name in ["BR SIMANJUNTAK", "DS. SUPARDI", "SITI", "JUMLAH RT 01", "RATNA", ""] {
            assert_eq!(area(name, true), None, "{name}");
        }
        assert!(area("BR. KELOD", false).is_some());
    }

    #[test]
    fn an_address_in_one_cell() {
        let read = read("DUSUN KERANDANGAN, RT:001, RW:002, Kodepos:83355,-");
        assert_eq!((read.rt.as_deref(), read.rw.as_deref()), (Some("001"), Some("002")));
        assert_eq!(read.dusun(""), Some("KERANDANGAN"));
        let read = super::read("JL. MAWAR NO. 3 DSN. SELATAN RT 03/05");
        assert_eq!((read.rt.as_deref(), read.rw.as_deref()), (Some("003"), Some("005")));
        assert_eq!(read.rest, "JL MAWAR NO 3");
        assert_eq!(read.dusun(""), Some("SELATAN"));
    }

    #[test]
    fn the_plainest_label_names_the_dusun() {
        for (text, dusun) in [
            ("KP BABAKAN DUSUN LOCO", "LOCO"),
            ("LINGKUNGAN ASRI DUSUN LOCO", "LOCO"),
            ("BANJAR KELOD DUSUN LOCO", "LOCO"),
            ("DS SENGGIGI DSN LOCO", "LOCO"),
            ("JL KP DALAM DSN LOCO", "LOCO"),
            ("DUSUN LOCO KP BABAKAN", "LOCO"),
            ("DUSUN LOCO DS SENGGIGI", "LOCO"),
            ("PERUM ASRI BLOK A DS LOCO", "LOCO"),
            ("KP BABAKAN DS SENGGIGI", "BABAKAN"),
            ("DUSUN KAMPUNG BARU", "KAMPUNG BARU"),
            ("DUSUN KP. BARU RT 1", "KP BARU"),
            ("DUSUN KARANG KAMPUNG", "KARANG KAMPUNG"),
            ("DUSUN SENGGIGI", "SENGGIGI"),
        ] {
            assert_eq!(read(text).dusun("SENGGIGI"), Some(dusun), "{text}");
        }
    }
}
