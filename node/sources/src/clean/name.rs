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
}

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
/// A word so long is no abbreviation.
const LONG: usize = 3;

/// Letters of a word, in capitals.
fn letters(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Reads a name.
pub fn read(text: &str) -> Name {
    let mut read = Name::default();
    let upper = text.to_uppercase().replace(['’', '‘', '`', '´'], "'");
    let text = without_alias(&upper, &mut read);
    // "NAMA, S.Pd., M.M.": what stands behind a comma is a title, or part of the name.
    let mut pieces = text.split(',');
    let mut words: Vec<&str> = pieces.next().unwrap_or_default().split_whitespace().collect();
    for piece in pieces {
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
    let spaced: Vec<String> = kept.split_whitespace().map(parted).collect();
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

/// A title or initial that is written together with the name: `H.AHMAD` is two words, `A.MD.KEB` is one title.
fn parted(word: &str) -> String {
    match word.rsplit_once('.') {
        Some((before, name)) if letters(name).len() >= LONG && !BEHIND.contains(&letters(word).as_str()) => {
            format!("{before}. {name}")
        }
        _ => word.to_owned(),
    }
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
    fn titles_and_aliases_go_and_names_stay() {
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
            // No titles.
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
    }
}
