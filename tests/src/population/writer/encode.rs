//! Rows as bytes of a line.

use crate::population::{
    faults::FaultKind,
    row::{Row, Value},
};

/// How yes and no of `pbi_*` are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pbi {
    /// `"YA"` and `"TIDAK"`.
    #[default]
    YesNo,
    /// `1` and nothing.
    OneOrEmpty,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileOptions {
    /// Between fields; `|` in DTSEN. With `|` every text is quoted, otherwise only where needed.
    pub delimiter: u8,
    /// Codes that may be empty carry `.0`, as after a round trip through pandas.
    pub float_tails: bool,
    /// windows-1252 instead of UTF-8.
    pub latin1: bool,
    /// Header names in upper case.
    pub header_upper: bool,
    /// Yes and no of `pbi_*`.
    pub pbi: Pbi,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self { delimiter: b'|', float_tails: false, latin1: false, header_upper: false, pbi: Pbi::YesNo }
    }
}

pub(super) fn header(columns: &[&str], options: FileOptions, line: &mut Vec<u8>) {
    let names: Vec<String> = columns
        .iter()
        .map(|name| if options.header_upper { name.to_uppercase() } else { (*name).to_owned() })
        .collect();
    line.clear();
    line.extend(names.join(&char::from(options.delimiter).to_string()).bytes());
    line.push(b'\n');
}

/// Replaces the buffer by the line of this row.
pub(super) fn row(row: &Row, options: FileOptions, line: &mut Vec<u8>) {
    line.clear();
    for (at, value) in row.values().iter().enumerate() {
        if at > 0 {
            line.push(options.delimiter);
        }
        match value {
            Value::Empty => {}
            Value::Number(number) => {
                digits(*number, line);
                if options.float_tails && row.may_be_empty(at) {
                    line.extend(b".0");
                }
            }
            Value::Word("YA") if options.pbi == Pbi::OneOrEmpty => line.push(b'1'),
            Value::Word("TIDAK") if options.pbi == Pbi::OneOrEmpty => {}
            Value::Word(word) => text(word.as_bytes(), options.delimiter, line),
            Value::Text(string) if options.latin1 && !string.is_ascii() => {
                text(&windows_1252(string), options.delimiter, line);
            }
            Value::Text(string) => text(string.as_bytes(), options.delimiter, line),
            Value::Bytes(bytes) => text(bytes, options.delimiter, line),
            Value::Bare(string) => line.extend(string.bytes()),
        }
    }
    line.push(b'\n');
}

/// Cuts the line as the fault says.
pub(super) fn damage(kind: FaultKind, delimiter: u8, line: &mut Vec<u8>) {
    let field = |line: &[u8], nth: usize| {
        line.iter().enumerate().filter(|(_, byte)| **byte == delimiter).nth(nth - 1).expect("a field").0
    };
    match kind {
        FaultKind::HalfRow => line.truncate(field(line, 24)),
        FaultKind::QuoteOpen => {
            line.truncate(field(line, 2) + 1);
            line.extend(b"\"TERPUTU");
        }
        _ => return,
    }
    line.push(b'\n');
}

fn digits(mut number: u64, line: &mut Vec<u8>) {
    let from = line.len();
    loop {
        line.push(b'0' + u8::try_from(number % 10).expect("a digit"));
        number /= 10;
        if number == 0 {
            break;
        }
    }
    line[from..].reverse();
}

fn text(bytes: &[u8], delimiter: u8, line: &mut Vec<u8>) {
    let special = bytes.iter().any(|byte| matches!(byte, b'"' | b'\n') || *byte == delimiter);
    if delimiter != b'|' && !special {
        return line.extend(bytes);
    }
    line.push(b'"');
    if special {
        for byte in bytes {
            if *byte == b'"' {
                line.push(b'"');
            }
            line.push(*byte);
        }
    } else {
        line.extend(bytes);
    }
    line.push(b'"');
}

fn windows_1252(string: &str) -> Vec<u8> {
    let byte = |letter: char| match letter {
        '’' => 0x92,
        '‘' => 0x91,
        _ => u8::try_from(u32::from(letter)).unwrap_or(b'?'),
    };
    string.chars().map(byte).collect()
}
