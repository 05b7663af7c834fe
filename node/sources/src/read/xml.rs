//! The XML of a workbook, event by event, none longer than is kept: the library that reads XLSX holds an event, and all
//! text of a cell, whole.

use std::{
    borrow::Cow,
    io::{self, BufRead, ErrorKind, Read},
    ops::ControlFlow,
};

use quick_xml::{
    Error, Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
};

use super::guard::MEGABYTE;

/// Bytes from one row of a sheet, or one text of the list of texts, to the next, and of an event elsewhere. A row of 512
/// full cells has as many.
pub(super) const MAX_STRETCH_BYTES: u64 = 16 * MEGABYTE;

/// Elements within elements that a workbook has at most: names of open ones are kept, too.
const MAX_DEPTH: usize = 256;

/// Why a part is not read to its end.
pub(super) enum Stop {
    /// One row, text or event is too long.
    Stretch,
    /// All of it is.
    Total,
    /// It is no XML behind so many bytes.
    Damaged(u64, String),
}

/// A part that ends with an error where a stretch of it, or all of it, is too long.
struct Bounded<R> {
    inner: R,
    stretch: u64,
    total: u64,
    most: u64,
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.stretch > MAX_STRETCH_BYTES || self.total > self.most {
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.inner.consume(bytes);
        let bytes = u64::try_from(bytes).expect("64 bits");
        self.stretch += bytes;
        self.total += bytes;
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// A piece of the part.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    /// `<a>`; what is written `<a/>` is followed by its end.
    Start(&'a BytesStart<'a>),
    /// `</a>`.
    End(&'a str),
    /// Text between tags, as it is read.
    Text(&'a str),
}

/// Reads a part to its end, or until somebody has had enough, and gives its length, which is at most `most`.
pub(super) fn read(
    part: impl BufRead,
    most: u64,
    mut each: impl FnMut(Piece<'_>) -> ControlFlow<()>,
) -> Result<u64, Stop> {
    let mut reader = Reader::from_reader(Bounded { inner: part, stretch: 0, total: 0, most });
    let config = reader.config_mut();
    // As the library has it: what is an event to one is an event to the other.
    config.check_end_names = false;
    config.expand_empty_elements = true;
    // Of sheets and of the list of texts a row or text counts as one, whatever it is made of.
    let mut unit: Option<&str> = None;
    let mut depth = 0_usize;
    let mut event = Vec::new();
    loop {
        event.clear();
        let read = reader.read_event_into(&mut event);
        let mut ends = unit.is_none();
        let goes_on = match &read {
            Ok(Event::Start(start)) => {
                let name = start.local_name();
                ends |= unit == Some(name.as_ref());
                unit = match name.as_ref() {
                    "sheetData" => Some("row"),
                    "sst" => Some("si"),
                    "table" => Some("table-row"),
                    _ => unit,
                };
                depth += 1;
                each(Piece::Start(start))
            }
            Ok(Event::End(end)) => {
                depth = depth.saturating_sub(1);
                each(Piece::End(end.name().as_ref()))
            }
            Ok(Event::Text(text)) => each(Piece::Text(&text.xml10_content())),
            Ok(Event::CData(text)) => each(Piece::Text(text)),
            Ok(Event::GeneralRef(name)) => each(Piece::Text(&resolved(name))),
            Ok(Event::Eof) => return Ok(reader.get_ref().total),
            Ok(_) => ControlFlow::Continue(()),
            Err(Error::Io(cause)) if cause.kind() == ErrorKind::FileTooLarge => {
                let all = reader.get_ref().total > most;
                return Err(if all { Stop::Total } else { Stop::Stretch });
            }
            Err(cause) => return Err(Stop::Damaged(reader.get_ref().total, cause.to_string())),
        };
        if goes_on.is_break() {
            return Ok(reader.get_ref().total);
        }
        if ends && depth <= MAX_DEPTH {
            reader.get_mut().stretch = 0;
        }
    }
}

/// What `&amp;` or `&#65;` stands for. Entities that a file declares itself are not followed: some hold each other.
fn resolved(name: &BytesRef<'_>) -> Cow<'static, str> {
    if let Some(text) = resolve_predefined_entity(name) {
        return Cow::Borrowed(text);
    }
    let letter = name.resolve_char_ref().ok().flatten().unwrap_or(char::REPLACEMENT_CHARACTER);
    Cow::Owned(letter.to_string())
}

/// An attribute that is a whole number.
pub(super) fn number(start: &BytesStart<'_>, name: &str) -> Option<u64> {
    start.try_get_attribute(name).ok().flatten()?.value.trim().parse().ok()
}
