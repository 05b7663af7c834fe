//! The parts of an XLSX, inflated once without keeping them: what an archive claims of its sizes proves nothing.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufReader, Read},
    ops::ControlFlow,
    path::Path,
};

use quick_xml::events::BytesStart;
use zip::{ZipArchive, read::ZipFile};

use super::{
    ReadError, guard,
    guard::{MAX_KEPT_BYTES, MAX_SHEETS_BYTES, damaged},
    xml::{self, Piece, Stop, number},
};

/// Texts in the list of a workbook: with what keeps them, each takes at least 56 bytes.
const MAX_TEXTS: u64 = 3_000_000;
/// Elements of the formats and of the list of sheets. Excel has 65 490 formats of some elements each; in memory an
/// element takes up to 250 bytes.
const MAX_KEPT_ELEMENTS: u64 = 300_000;
/// Sheets of a workbook. A village each, a Kabupaten has less than 500.
const MAX_SHEETS: u64 = 1_000;
/// Folders of parts that are streamed or not read at all. What is kept must not stand there.
const STREAMED: [&str; 4] = ["worksheets/", "media/", "drawings/", "embeddings/"];
/// First elements of parts that are kept.
const KEPT: [&str; 3] = ["sst", "styleSheet", "workbook"];

/// What was met in the parts so far.
#[derive(Default)]
struct Met {
    /// Bytes of what is kept, and of what is streamed.
    kept: u64,
    sheets: u64,
    /// Texts, and how many the list claims: the library makes room for them.
    texts: u64,
    claimed: u64,
    /// Elements of parts that are kept, besides texts.
    elements: u64,
    listed: u64,
    /// Where the sheets are, and what the list of sheets calls these places.
    places: HashSet<String>,
    /// What is wrong, if anything is.
    wrong: Option<String>,
}

/// Looks at all parts.
pub(super) fn check(path: &Path) -> Result<(), ReadError> {
    let mut archive: ZipArchive<BufReader<File>> = guard::open(path)?;
    let mut met = Met::default();
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(|cause| guard::of_archive(path, &cause))?;
        met.part(path, part)?;
        if let Some(wrong) = met.wrong {
            return Err(damaged(path, &wrong));
        }
    }
    Ok(())
}

impl Met {
    fn part<R: Read>(&mut self, path: &Path, part: ZipFile<'_, R>) -> Result<(), ReadError> {
        let name = part.name().map_err(|cause| damaged(path, &cause))?.to_ascii_lowercase();
        let streamed = STREAMED.iter().any(|folder| name.contains(folder));
        let (what, most) = if streamed {
            ("isi lembar", MAX_SHEETS_BYTES - self.sheets)
        } else {
            ("teks di dalam buku kerja", MAX_KEPT_BYTES - self.kept)
        };
        let of_book = name.ends_with("workbook.xml.rels");
        let mut root = None;
        let each = |piece: Piece<'_>| {
            if let Piece::Start(start) = piece {
                let kind = KEPT.iter().find(|kind| **kind == start.local_name().as_ref()).copied();
                root = root.or(kind);
                if streamed && kind.is_some() {
                    self.wrong = Some("bagian di tempat yang salah".to_owned());
                }
                self.element(root, of_book, start);
            }
            if self.wrong.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let bytes = match xml::read(BufReader::new(part), most, each) {
            // What is no XML the library meets at the same place, and says so itself, or never reads it.
            Ok(bytes) | Err(Stop::Damaged(bytes, _)) => bytes,
            Err(stop) => return Err(guard::too_long(path, &stop, what, most)),
        };
        *(if streamed { &mut self.sheets } else { &mut self.kept }) += bytes;
        Ok(())
    }

    /// An element of a part that begins with `root`.
    fn element(&mut self, root: Option<&str>, of_book: bool, start: &BytesStart<'_>) {
        let name = start.local_name();
        self.texts += u64::from(name.as_ref() == "si");
        if name.as_ref() == "sst" {
            self.claimed = self.claimed.max(number(start, "uniqueCount").unwrap_or(0));
        }
        self.elements += u64::from(matches!(root, Some("styleSheet" | "workbook")));
        self.listed += u64::from(root == Some("workbook") && name.as_ref() == "sheet");
        // One part as a thousand sheets would be read a thousand times.
        let place = match name.as_ref() {
            "sheet" if root == Some("workbook") => attribute(start, "id"),
            "Relationship"
                if of_book && attribute(start, "Type").is_some_and(|kind| kind.ends_with("/worksheet")) =>
            {
                attribute(start, "Target")
            }
            _ => None,
        };
        if place.is_some_and(|place| !self.places.insert(place)) {
            self.wrong = Some("dua lembar dari satu bagian".to_owned());
        }
        let texts = self.texts.max(self.claimed);
        for (what, found, most) in [
            ("teks", texts, MAX_TEXTS),
            ("format", self.elements, MAX_KEPT_ELEMENTS),
            ("lembar", self.listed, MAX_SHEETS),
        ] {
            if found > most {
                self.wrong = Some(format!("{found} {what}, batasnya {most}"));
            }
        }
    }
}

/// An attribute, in whatever namespace.
fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut all = start.attributes().flatten();
    all.find(|found| found.key.local_name().as_ref() == name).map(|found| found.value.into_owned())
}
