//! Text out of bytes that mean to be UTF-8 and sometimes are not.

use std::borrow::Cow;

/// Text of a field, and whether its bytes had to be mended.
///
/// Bytes that are no UTF-8 are read as Windows-1252 if every one of them then is what a name or an address may
/// hold; otherwise they become U+FFFD. Half a UTF-8 character is not taken for Windows-1252: `Ã` is no letter here.
pub fn decode(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    if let Ok(text) = str::from_utf8(bytes) {
        return (Cow::Borrowed(text), false);
    }
    let replaced = String::from_utf8_lossy(bytes);
    let mixed = replaced.chars().any(|c| !c.is_ascii() && c != char::REPLACEMENT_CHARACTER);
    let windows = if mixed { None } else { windows_1252(bytes) };
    (Cow::Owned(windows.unwrap_or_else(|| replaced.into_owned())), true)
}

fn windows_1252(bytes: &[u8]) -> Option<String> {
    let letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let mut text = String::with_capacity(bytes.len() + 8);
    for (at, byte) in bytes.iter().enumerate() {
        text.push(match *byte {
            ascii @ 0..=0x7F => char::from(ascii),
            0x85 => '…',
            0x91 => '‘',
            0x92 => '’',
            0x93 => '“',
            0x94 => '”',
            0x96 => '–',
            0x97 => '—',
            // Blank, guillemets, degree, squared, acute, ½.
            sign @ (0xA0 | 0xAB | 0xB0 | 0xB2 | 0xB4 | 0xBB | 0xBD) => char::from(sign),
            // First bytes of UTF-8's two-byte letters, and the signs × ÷.
            0xC2 | 0xC3 | 0xD7 | 0xF7 => return None,
            // A letter stands beside a letter.
            accented @ 0xC0.. if letter(at.checked_sub(1)) || letter(Some(at + 1)) => char::from(accented),
            _ => return None,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_what_can_be_and_marks_the_rest() {
        for (bytes, text, broken) in [
            (&b"SITI AMINAH"[..], "SITI AMINAH", false),
            ("Ren\u{e9}".as_bytes(), "René", false),
            (b"Ren\xE9", "René", true),
            (b"MA\x92RUF", "MA’RUF", true),
            (b"BLOK A \x96 3", "BLOK A – 3", true),
            (b"5271\xA0", "5271\u{a0}", true),
            // Half of a UTF-8 character.
            (b"Ren\xC3", "Ren\u{fffd}", true),
            (b"MA\xE2\x80RUF", "MA\u{fffd}RUF", true),
            // Good UTF-8 beside a bad byte.
            (b"Ren\xC3\xA9 \x92", "René \u{fffd}", true),
            (b"\xFF\xFE\x00", "\u{fffd}\u{fffd}\0", true),
        ] {
            assert_eq!(decode(bytes), (Cow::Borrowed(text), broken), "{bytes:?}");
        }
    }
}
