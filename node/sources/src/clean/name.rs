//! Names: capitals, without titles and aliases. What may be part of a name stays.

/// A name, and what was taken off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    /// In capitals, single blanks.
    pub name: String,
    /// Titles were taken off.
    pub titles: bool,
    /// An alias or a remark was taken off.
    pub alias: bool,
    /// The words say that there is no name.
    pub nameless: bool,
}

/// What people write where they know no name.
const NAMELESS: &[&str] = &[
    "TIDAK ADA",
    "TDK ADA",
    "TIDAK ADA NAMA",
    "TANPA NAMA",
    "BELUM ADA",
    "BELUM ADA NAMA",
    "BELUM DIBERI NAMA",
    "TIDAK DIKETAHUI",
    "TIDAK TAHU",
    "KOSONG",
    "NO NAME",
    "NN",
    "N N",
    "X",
    "XX",
    "XXX",
];

/// Titles before a name that need a dot or a long word behind them.
const BEFORE: &[&str] = &[
    "H",
    "HJ",
    "HAJI",
    "HAJJAH",
    "HJH",
    "KH",
    "K H",
    "KHJ",
    "USTADZ",
    "USTAD",
    "UST",
    "USTADZAH",
    "DR",
    "DRG",
    "DRH",
    "DRS",
    "DRA",
    "IR",
    "PROF",
    "TGH",
    "KYAI",
    "KIAI",
    "SDR",
    "SDRI",
    "BPK",
    "BAPAK",
    "IBU",
    "TN",
    "TUAN",
    "NY",
    "NYONYA",
    "NN",
    "ALMARHUM",
    "ALMARHUMAH",
    "ALM",
    "ALMH",
];
/// Titles behind a name that nobody is called by, with or without dots.
const BEHIND: &[&str] = &[
    "SH", "SE", "SKM", "SIP", "SAG", "SPD", "SPDI", "SPDSD", "SSOS", "SSOSI", "SKEP", "NERS", "NS", "SKOM",
    "SSI", "SPT", "SP", "SPSI", "SFARM", "APT", "STP", "SHI", "SEI", "SKED", "SIKOM", "SHUT", "SPI",
    "STRKEB", "STRKEP", "STRKES", "SST", "SSTP", "STHI", "SHUM", "SDS", "SIKOM", "SAP", "SSN", "SPAR", "SGZ",
    "SAK", "MM", "MH", "MSI", "MPD", "MPDI", "MKES", "MKEP", "MKOM", "MAG", "MSC", "MENG", "MT", "MAP",
    "MIP", "MHUM", "MAK", "MPH", "MKN", "MSOS", "PHD", "AMD", "AMDKEB", "AMDKEP", "AMKEB", "AMK", "AMDPD",
    "AMAPD", "AMDKOM", "AMDGZ", "LC", "BBA", "BSC", "SPOG", "SPA", "SPPD", "SPB", "SPKJ", "SIK", "SARS",
    "DIPL", "CPA",
];
/// Only after a comma, or with dots: names end like this too.
const BEHIND_DOTTED: &[&str] =
    &["ST", "BA", "MA", "SI", "SS", "BE", "SM", "MBA", "DRS", "DRA", "IR", "DR", "H", "HJ"];
/// What follows these is another name of the same person.
const ALIASES: &[&str] = &["ALIAS", "ALS", "ALIYAS", "AKA", "A.K.A", "AL.", "ALS."];
/// Remarks in brackets or behind a name.
const REMARKS: &[&str] = &["ALM", "ALMH", "ALMARHUM", "ALMARHUMAH"];
/// Parts of the longest title: A. Md. Keb.
const TITLE_PARTS: usize = 4;
/// Digits of a word that is the number of somebody or something: NIK, telephone, date. No name has so many.
const NUMBER_DIGITS: usize = 8;
/// What stands before such a number.
const NUMBERS: &[&str] = &["NIK", "NO", "NOMOR", "NIKNO", "NONIK", "KTP", "KK", "NKK", "NOKK", "NOKTP"];
/// A word so long is no abbreviation.
const LONG: usize = 3;

/// Letters of a word, in capitals.
fn letters(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether a text numbers several names: `1. RUDI 2. HALIMAH`.
pub fn several(text: &str) -> bool {
    let spaced = text.replace(['.', ')'], ". ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let behind = |number: &str| {
        words.windows(2).any(|pair| pair[0] == number && pair[1].starts_with(char::is_alphabetic))
    };
    behind("1.") && behind("2.")
}

/// Reads a name.
pub fn read(text: &str) -> Name {
    let mut read = Name::default();
    let upper = text.to_uppercase().replace(['’', '‘', '`', '´'], "'");
    let spaced = upper.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    if NAMELESS.contains(&spaced.collect::<Vec<_>>().join(" ").as_str()) {
        return Name { nameless: true, ..read };
    }
    let upper = without_number(upper, &mut read);
    // A spreadsheet keeps a text as one by an apostrophe in front.
    let text = without_alias(upper.trim_start_matches('\'').trim_start(), &mut read);
    // "NAMA, S.Pd., M.M.": what stands behind a comma is a title, or part of the name.
    let mut pieces = text.split(',');
    let mut words: Vec<&str> = pieces.next().unwrap_or_default().split_whitespace().collect();
    for piece in pieces {
        if are_titles(piece) {
            read.titles = true;
            continue;
        }
        for word in piece.split_whitespace() {
            if is_behind(word, true) {
                read.titles = true;
            } else {
                words.push(word);
            }
        }
    }
    front(&mut words, &mut read);
    back(&mut words, &mut read);
    words
        .join(" ")
        .trim_matches(|c: char| matches!(c, '.' | ',' | '-' | '/' | ' '))
        .clone_into(&mut read.name);
    read
}

/// The name before a number of many digits, which is no part of it and more private than it; a number in front of a name
/// goes alone.
fn without_number(text: String, read: &mut Name) -> String {
    let digits = |word: &str| word.chars().filter(char::is_ascii_digit).count();
    let Some(start) = text.find(|c: char| c.is_ascii_digit()).filter(|_| digits(&text) >= NUMBER_DIGITS)
    else {
        return text;
    };
    read.alias = true;
    let before = text[..start].trim_end_matches(|c: char| !c.is_alphanumeric());
    let mut words: Vec<&str> = before.split_whitespace().collect();
    while words.last().is_some_and(|word| NUMBERS.contains(&letters(word).as_str())) {
        words.pop();
    }
    if words.is_empty() {
        text[start..].trim_start_matches(|c: char| !c.is_alphabetic()).to_owned()
    } else {
        words.join(" ")
    }
}

/// The name before an alias, and without brackets.
fn without_alias(text: &str, read: &mut Name) -> String {
    let mut kept = String::new();
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => read.alias = true,
        }
    }
    let spaced: Vec<String> = kept.replace(',', " , ").split_whitespace().map(parted).collect();
    let spaced = spaced.join(" ");
    let mut words: Vec<&str> = Vec::new();
    for word in spaced.split_whitespace() {
        if !words.is_empty() && (ALIASES.contains(&word) || word == "/" || word == "@") {
            read.alias = true;
            break;
        }
        // "BUDI/BAMBANG", but not "D/H".
        if let Some((first, _)) = word.split_once(['/', '@'])
            && letters(first).len() >= LONG
        {
            words.push(first);
            read.alias = true;
            break;
        }
        words.push(word);
    }
    words.join(" ")
}

/// Titles and initials that are written together with the name: `DRS.H.AHMAD` is three words, `H.M.ALI` too, `A.MD.KEB`
/// is one title, which stands behind a comma in `AHMAD.A.MD.KEB`.
fn parted(word: &str) -> String {
    let Some((first, rest)) = word.split_once('.').filter(|_| !BEHIND.contains(&letters(word).as_str()))
    else {
        return word.to_owned();
    };
    let long = |text: &str| text.split('.').any(|piece| letters(piece).len() >= LONG);
    if BEFORE.contains(&first) && long(rest) {
        return format!("{first}. {}", parted(rest));
    }
    if long(first) && BEHIND.contains(&letters(rest).as_str()) {
        return format!("{first} , {rest}");
    }
    match word.rsplit_once('.') {
        Some((before, name)) if letters(name).len() >= LONG => format!("{before}. {name}"),
        _ => word.to_owned(),
    }
}

/// Whether a piece behind a comma is titles and nothing else, however they are spaced: `S. H.`, `S.KEP.NS`.
fn are_titles(piece: &str) -> bool {
    let parts: Vec<String> = piece
        .split(|c: char| c.is_whitespace() || c == '.')
        .map(letters)
        .filter(|part| !part.is_empty())
        .collect();
    let mut at = 0;
    while at < parts.len() {
        let title = |parts: &[String]| {
            let joined = parts.concat();
            BEHIND.contains(&joined.as_str()) || BEHIND_DOTTED.contains(&joined.as_str())
        };
        let longest = (1..=TITLE_PARTS.min(parts.len() - at)).rev().find(|long| title(&parts[at..at + long]));
        match longest {
            Some(long) => at += long,
            None => return false,
        }
    }
    at > 0
}

fn front(words: &mut Vec<&str>, read: &mut Name) {
    while words.len() > 1 {
        let (word, next) = (words[0], words[1]);
        // "K.H." and "K. H.".
        let plain = letters(word);
        let dotted = word.ends_with('.');
        let followed = letters(next).len() >= LONG || BEFORE.contains(&letters(next).as_str());
        if !BEFORE.contains(&plain.as_str()) || !(dotted || followed) {
            break;
        }
        words.remove(0);
        read.titles = true;
    }
}

fn back(words: &mut Vec<&str>, read: &mut Name) {
    while words.len() > 1 {
        let word = words[words.len() - 1];
        if REMARKS.contains(&letters(word).as_str()) {
            read.alias = true;
        } else if is_behind(word, false) {
            read.titles = true;
        } else {
            break;
        }
        words.pop();
    }
}

fn is_behind(word: &str, after_comma: bool) -> bool {
    let plain = letters(word);
    let dotted = word.trim_end_matches('.').contains('.');
    BEHIND.contains(&plain.as_str())
        && (after_comma || dotted || plain.len() != 2 || plain == "SH" || plain == "MM" || plain == "MH")
        || ((after_comma || dotted) && BEHIND_DOTTED.contains(&plain.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_and_aliases_go() {
        for (text, expected) in [
            ("siti aminah", "SITI AMINAH"),
            ("  Siti   Aminah ", "SITI AMINAH"),
            ("H. AHMAD YANI", "AHMAD YANI"),
            ("H AHMAD YANI", "AHMAD YANI"),
            ("H.AHMAD YANI", "AHMAD YANI"),
            ("Hj. Siti Aminah", "SITI AMINAH"),
            ("Drs. H. Ahmad Yani, M.Si", "AHMAD YANI"),
            ("Dr. Ir. H. JOKO SUSILO, M.M., Ph.D", "JOKO SUSILO"),
            ("KH. ABDUL WAHID", "ABDUL WAHID"),
            ("K.H. ABDUL WAHID", "ABDUL WAHID"),
            ("AHMAD YANI, SH", "AHMAD YANI"),
            ("AHMAD YANI SH", "AHMAD YANI"),
            ("AHMAD YANI S.H.", "AHMAD YANI"),
            ("DEWI LESTARI S.Pd", "DEWI LESTARI"),
            ("DEWI LESTARI A.Md.Keb", "DEWI LESTARI"),
            ("BUDI SANTOSO, ST", "BUDI SANTOSO"),
            ("BUDI SANTOSO S.T.", "BUDI SANTOSO"),
            ("SITI AMINAH alias MINAH", "SITI AMINAH"),
            ("SITI AMINAH als. MINAH", "SITI AMINAH"),
            ("BUDI / BAMBANG", "BUDI"),
            ("BUDI/BAMBANG", "BUDI"),
            ("BUDI (ALM)", "BUDI"),
            ("BUDI SANTOSO ALM", "BUDI SANTOSO"),
            ("SITI (MINAH)", "SITI"),
        ] {
            assert_eq!(read(text).name, expected, "{text}");
        }
    }

    #[test]
    fn a_number_is_no_part_of_a_name() {
        for (text, expected) in [
            ("YANTO NIK. 5201140101809001", "YANTO"),
            ("Yanto 5201140101809001", "YANTO"),
            ("YANTO (5201140101809001)", "YANTO"),
            ("YANTO, NO. KTP: 5201 1401 0180 9001", "YANTO"),
            ("5201140101809001 YANTO", "YANTO"),
            ("NIK 5201140101809001", ""),
        ] {
            let read = read(text);
            assert_eq!((read.name.as_str(), read.alias), (expected, true), "{text}");
        }
        assert_eq!(read("YANTO 2").name, "YANTO 2");
    }

    #[test]
    fn titles_go_however_they_are_written() {
        for (text, expected) in [
            ("Drs.H.Subari", "SUBARI"),
            ("H.Moh.Subari", "MOH. SUBARI"),
            ("KH.M.Ali", "M. ALI"),
            ("Hj.St.Aminah", "ST. AMINAH"),
            ("Dr.Hj.Siti Aminah,M.Pd", "SITI AMINAH"),
            ("H.Subari,S.Pd.,M.Pd", "SUBARI"),
            ("H.Subari,SE", "SUBARI"),
            ("SUBARI.S.Pd", "SUBARI"),
            ("Subari, S. H., M. H.", "SUBARI"),
            ("Subari, S. Pd.", "SUBARI"),
            ("Subari, S.PdI", "SUBARI"),
            ("Dewi, Amd. Keb", "DEWI"),
            ("SUBARI, S.Kep.Ns", "SUBARI"),
            ("SUBARI, S. Kep. Ns", "SUBARI"),
            ("SUBARI, DRS. H.", "SUBARI"),
            ("'SUBARI", "SUBARI"),
        ] {
            assert_eq!(read(text).name, expected, "{text}");
        }
    }

    #[test]
    fn what_may_be_part_of_a_name_stays() {
        for (text, expected) in [
            ("AHMAD, SUBARI", "AHMAD SUBARI"),
            ("S.PARMAN", "S. PARMAN"),
            ("R.H.BAMBANG", "R.H. BAMBANG"),
            ("T.H.ISKANDAR", "T.H. ISKANDAR"),
            ("A.A.GEDE RAI", "A.A. GEDE RAI"),
            ("I G. A. SUTA", "I G. A. SUTA"),
            ("S.H. MINTARDJA", "S.H. MINTARDJA"),
            ("ST. AMINAH", "ST. AMINAH"),
            ("M. YUSUF", "M. YUSUF"),
            ("T. ISKANDAR", "T. ISKANDAR"),
            ("R. BAMBANG", "R. BAMBANG"),
            ("RR. SRI", "RR. SRI"),
            ("A.A. GEDE", "A.A. GEDE"),
            ("I MADE WIRA", "I MADE WIRA"),
            ("NI LUH AYU", "NI LUH AYU"),
            ("LALU AHMAD", "LALU AHMAD"),
            ("CUT NYAK", "CUT NYAK"),
            ("MA'RUF", "MA'RUF"),
            ("MA’RUF", "MA'RUF"),
            ("SUHARTO", "SUHARTO"),
            ("H", "H"),
            ("IBU", "IBU"),
            ("AHMAD BIN ALI", "AHMAD BIN ALI"),
            ("YOHANES S", "YOHANES S"),
            ("", ""),
        ] {
            assert_eq!(read(text).name, expected, "{text}");
        }
        for text in ["TIDAK ADA", "Tanpa Nama", "N.N."] {
            assert!(read(text).nameless, "{text}");
        }
        assert!(!read("ADA").nameless && !read("").nameless);
    }

    #[test]
    fn numbered_names_are_of_several_people() {
        for text in ["1. RUDI 2. HALIMAH", "1.RUDI  2.HALIMAH 3.UMAR", "1) Rudi 2) Halimah"] {
            assert!(several(text), "{text}");
        }
        for text in ["RUDI", "1. RUDI", "RUDI 1.2", "1. RUDI NO 2", "H. RUDI, S.Pd", "ANAK 2. RUDI"] {
            assert!(!several(text), "{text}");
        }
    }
}
