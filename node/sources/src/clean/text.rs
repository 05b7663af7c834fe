//! Repairs that lose nothing: blanks, invisible characters, the apostrophe of a spreadsheet's text cell.

use std::borrow::Cow;

/// Words that stand for no value, in any column.
const MISSING: &[&str] = &[
    "", "-", "--", "NaN", "nan", "NULL", "null", "Null", "None", "none", "N/A", "#N/A", "\\N", "NaT", "<NA>",
];

/// Whether a cleaned text says that there is no value.
pub fn is_missing(text: &str) -> bool {
    MISSING.contains(&text)
}

/// Characters that nobody sees and no cell means.
fn invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{AD}')
}

/// Blanks of every kind, line breaks inside a field, and control characters.
fn blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Full-width forms of ASCII, as East Asian keyboards give them, begin here, so far behind the plain ones.
const FULL_WIDTH: std::ops::RangeInclusive<char> = '\u{FF01}'..='\u{FF5E}';
const FULL_WIDTH_SHIFT: u32 = 0xFEE0;

/// The plain form of a full-width letter, digit or mark.
fn narrow(c: char) -> char {
    let plain = || char::from_u32(u32::from(c) - FULL_WIDTH_SHIFT);
    if FULL_WIDTH.contains(&c) { plain().unwrap_or(c) } else { c }
}

/// The text without invisible characters, outer blanks and outer quotes; blanks inside become spaces,
/// full-width forms plain ones.
pub fn clean(text: &str) -> Cow<'_, str> {
    let plain = |c: char| (c == ' ' || !blank(c)) && !invisible(c) && !FULL_WIDTH.contains(&c);
    let text = if text.chars().all(plain) {
        Cow::Borrowed(text.trim())
    } else {
        let spaced: String =
            text.chars().filter(|c| !invisible(*c)).map(|c| if blank(c) { ' ' } else { narrow(c) }).collect();
        Cow::Owned(spaced.trim().to_owned())
    };
    // A delimiter with blanks around it leaves the quotes in the field.
    let text = match text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => Cow::Owned(inner.trim().to_owned()),
        None => text,
    };
    // 'Aisyah is a name, '0812 is a number that a spreadsheet keeps as text.
    match text.strip_prefix(['\'', '’', '‘', '`']) {
        Some(rest) if rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()) => {
            Cow::Owned(rest.trim().to_owned())
        }
        _ => text,
    }
}

/// `3.0`, `3,00` -> `3`; anything else as it is. `3.000` is three thousand.
pub fn without_zero_fraction(text: &str) -> &str {
    match text.split_once(['.', ',']) {
        Some((whole, fraction))
            if !whole.is_empty()
                && whole.bytes().all(|b| b.is_ascii_digit())
                && matches!(fraction, "0" | "00") =>
        {
            whole
        }
        _ => text,
    }
}

/// Whether a spreadsheet wrote this number in scientific notation, with either decimal mark.
pub fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let mut marks = 0;
    let mantissa = mantissa.bytes().all(|b| {
        marks += usize::from(matches!(b, b'.' | b','));
        b.is_ascii_digit() || matches!(b, b'.' | b',')
    }) && mantissa.starts_with(|c: char| c.is_ascii_digit());
    mantissa && marks <= 1 && !exponent.is_empty() && exponent.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_what_is_safe() {
        for (raw, expected) in [
            ("  SITI  ", "SITI"),
            ("\u{a0}SITI\u{200b} AMINAH\u{a0}", "SITI AMINAH"),
            ("JL MAWAR\r\nRT 3", "JL MAWAR  RT 3"),
            ("'0812", "0812"),
            ("'Aisyah", "'Aisyah"),
            ("Ma'ruf", "Ma'ruf"),
            (" \"A\" ", "A"),
            ("\u{feff}\t", ""),
            ("'", ""),
            ("ＳＩＴＩ　５２７１", "SITI 5271"),
        ] {
            assert_eq!(clean(raw), expected, "{raw:?}");
        }
    }

    #[test]
    fn fractions_and_exponents() {
        for (text, whole) in [
            ("3.0", "3"),
            ("3,00", "3"),
            ("3.000", "3.000"),
            ("03", "03"),
            ("3.5", "3.5"),
            (".0", ".0"),
            ("3.", "3."),
        ] {
            assert_eq!(without_zero_fraction(text), whole);
        }
        for yes in ["3,40413E+15", "3.40413E+15", "5e15", "5.2E15"] {
            assert!(is_scientific(yes), "{yes}");
        }
        for no in ["E", "e5", "3E", "JL E 5", "3.4.1E+5", "34", "3E+"] {
            assert!(!is_scientific(no), "{no}");
        }
    }
}
