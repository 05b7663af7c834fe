//! What is told about a file or one of its rows. Never a value.

use std::fmt;

use dtsen_proto::{
    column::Column,
    rulebook::{Finding, Rulebook},
};
use dtsen_sources::read::text::Broken;

/// A finding with its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFinding {
    /// What is wrong.
    pub finding: Finding,
    /// The physical line where the row begins, from 1.
    pub line: u64,
    /// The column, or several with commas, as the heading writes them.
    pub column_name: Option<String>,
    /// Figures that help to find the spot.
    pub detail: Option<Detail>,
}

/// Figures of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detail {
    /// The heading has so many columns, the line so many.
    Fields {
        /// Columns of the heading.
        expected: usize,
        /// Columns of the line.
        found: usize,
    },
    /// A quotation mark opens and does not close.
    OpenQuote,
    /// Length of the line.
    Bytes(u64),
    /// The columns mean nothing to DTSEN and are left out.
    Foreign,
}

impl From<Broken> for Detail {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Fields { expected, found } | Broken::LastLineCut { expected, found } => {
                Self::Fields { expected, found }
            }
            Broken::OpenQuote => Self::OpenQuote,
            Broken::TooLong { bytes } => Self::Bytes(bytes),
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields { expected, found } => {
                write!(f, "judul {expected} kolom, baris ini {found} kolom")
            }
            Self::OpenQuote => f.write_str("tanda kutip dibuka tetapi tidak ditutup"),
            Self::Bytes(bytes) => write!(f, "panjang baris {bytes} bita"),
            Self::Foreign => f.write_str("bukan kolom DTSEN, diabaikan"),
        }
    }
}

impl FileFinding {
    pub(super) fn new(rulebook: &Rulebook, code: &'static str, line: u64) -> Self {
        Self { finding: rulebook.finding(code, None), line, column_name: None, detail: None }
    }

    pub(super) fn of(mut self, column: Column, name: &str) -> Self {
        self.finding.column = Some(column);
        self.column_name = Some(name.to_owned());
        self
    }

    /// One Indonesian sentence for the operator, with file, line, column, and what to do.
    pub fn message(&self, rulebook: &Rulebook, file: &str) -> String {
        use fmt::Write as _;
        let mut text = format!("{file} baris {}", self.line);
        if let Some(name) = &self.column_name {
            let _ = write!(text, ", kolom {name}");
        }
        match (rulebook.reason(&self.finding.reason), self.detail) {
            (_, Some(Detail::Foreign)) => text.push_str(": bukan kolom DTSEN, diabaikan"),
            (Some(reason), detail) => {
                let _ = write!(text, ": {}", reason.text_id);
                if let Some(detail) = detail {
                    let _ = write!(text, " ({detail})");
                }
                let _ = write!(text, ". {}", reason.fix_id);
            }
            (None, _) => {
                let _ = write!(text, ": {}", self.finding.reason);
            }
        }
        text
    }
}
