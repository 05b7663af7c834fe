//! The files of a rulebook as one sequence of bytes, which the hub signs by its digest and every node loads.
//!
//! A bundle is one zstd frame of: the magic, then per file its name's length (one byte), its name, its length
//! (four bytes, little endian) and its bytes, in the order of [`Files`].

use std::{
    borrow::Cow,
    io::{Read, Write},
};

use crate::limits::MAX_RULEBOOK_BYTES;

const MAGIC: &[u8] = b"DTSEN rulebook 1\n";
/// Small enough to pack in a test, good enough for a weak link.
const LEVEL: i32 = 9;
/// A decoder's window, as a power of two: the largest bundle, so that a frame cannot ask for more memory.
const WINDOW_LOG: u32 = 24;

/// Why bytes are no rulebook.
#[derive(Debug, thiserror::Error)]
pub enum RulebookError {
    /// More bytes than a bundle may have, packed or unpacked.
    #[error("a rulebook bundle is larger than {MAX_RULEBOOK_BYTES} bytes")]
    TooLarge,
    /// Not a zstd frame, or a damaged one.
    #[error("decompress the rulebook bundle")]
    Compression(#[source] std::io::Error),
    /// The container is not what it should be.
    #[error("read the rulebook bundle: {0}")]
    Container(&'static str),
    /// A file is no TOML of its kind.
    #[error("read {file} of the rulebook, line {line}")]
    Toml {
        /// Name of the file.
        file: &'static str,
        /// From 1.
        line: usize,
        /// What the parser says.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A line of a table is wrong.
    #[error("read {file} of the rulebook, line {line}: {why}")]
    Line {
        /// Name of the file.
        file: &'static str,
        /// From 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// The files do not fit each other or the code.
    #[error("the rulebook contradicts itself or this program: {0}")]
    Inconsistent(String),
}

/// The files of a rulebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `rulebook.toml`: version, edition, profiles.
    pub rulebook: Cow<'static, str>,
    /// `columns.toml`: blocks and columns.
    pub columns: Cow<'static, str>,
    /// `codes.toml`: code lists.
    pub codes: Cow<'static, str>,
    /// `reasons.toml`: the catalogue of reasons.
    pub reasons: Cow<'static, str>,
    /// `wilayah.tsv`: Kemendagri's areas.
    pub wilayah: Cow<'static, str>,
    /// `bridge.csv`: from BPS codes to Kemendagri codes, if the hub's operator has it.
    pub bridge: Option<Cow<'static, str>>,
}

impl Files {
    /// The files that this program was built with.
    pub fn builtin() -> Self {
        Self {
            rulebook: include_str!("../../data/rulebook/rulebook.toml").into(),
            columns: include_str!("../../data/rulebook/columns.toml").into(),
            codes: include_str!("../../data/rulebook/codes.toml").into(),
            reasons: include_str!("../../data/rulebook/reasons.toml").into(),
            wilayah: include_str!("../../data/wilayah/wilayah.tsv").into(),
            bridge: None,
        }
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("rulebook.toml", Some(&self.rulebook)),
            ("columns.toml", Some(&self.columns)),
            ("codes.toml", Some(&self.codes)),
            ("reasons.toml", Some(&self.reasons)),
            ("wilayah.tsv", Some(&self.wilayah)),
            ("bridge.csv", self.bridge.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?.as_ref())))
    }

    /// Replaces the file of this name; `false` if a bundle has none of that name.
    pub fn replace(&mut self, name: &str, text: String) -> bool {
        match name {
            "rulebook.toml" => self.rulebook = text.into(),
            "columns.toml" => self.columns = text.into(),
            "codes.toml" => self.codes = text.into(),
            "reasons.toml" => self.reasons = text.into(),
            "wilayah.tsv" => self.wilayah = text.into(),
            "bridge.csv" => self.bridge = Some(text.into()),
            _ => return false,
        }
        true
    }

    /// The same files under another version: the line of `rulebook.toml` that states it is written anew.
    pub fn numbered(mut self, version: u32) -> Result<Self, RulebookError> {
        let states = |line: &str| {
            line.trim_start().strip_prefix("version").is_some_and(|rest| rest.trim_start().starts_with('='))
        };
        let missing = || RulebookError::Inconsistent("rulebook.toml: no line states the version".into());
        let text = self.rulebook.as_ref();
        let line = text.split_inclusive('\n').find(|line| states(line)).ok_or_else(missing)?;
        self.rulebook = text.replacen(line, &format!("version = {version}\n"), 1).into();
        Ok(self)
    }

    /// The bundle of these files: the same bytes for the same files and the same zstd.
    pub fn pack(&self) -> Result<Vec<u8>, RulebookError> {
        let mut plain = MAGIC.to_vec();
        for (name, text) in self.named() {
            plain.push(u8::try_from(name.len()).expect("short names"));
            plain.extend_from_slice(name.as_bytes());
            let length = u32::try_from(text.len()).map_err(|_| RulebookError::TooLarge)?;
            plain.extend_from_slice(&length.to_le_bytes());
            plain.extend_from_slice(text.as_bytes());
        }
        if plain.len() > MAX_RULEBOOK_BYTES {
            return Err(RulebookError::TooLarge);
        }
        let packed = compress(&plain).map_err(RulebookError::Compression)?;
        if packed.len() > MAX_RULEBOOK_BYTES { Err(RulebookError::TooLarge) } else { Ok(packed) }
    }

    /// The files of a bundle. At most [`MAX_RULEBOOK_BYTES`] are ever unpacked.
    pub fn unpack(bundle: &[u8]) -> Result<Self, RulebookError> {
        let plain = decompress(bundle)?;
        let mut rest =
            plain.strip_prefix(MAGIC).ok_or(RulebookError::Container("no rulebook of version 1"))?;
        let mut files: Vec<(&[u8], String)> = Vec::new();
        while let Some((length, after)) = rest.split_first() {
            let (name, after) = take(after, usize::from(*length))?;
            let (length, after) = take(after, 4)?;
            let length = u32::from_le_bytes(length.try_into().expect("four bytes"));
            let (text, after) = take(after, usize::try_from(length).expect("32 bits fit"))?;
            let text =
                std::str::from_utf8(text).map_err(|_| RulebookError::Container("a file is not UTF-8"))?;
            files.push((name, text.to_owned()));
            rest = after;
        }
        let mut files = files.into_iter();
        let mut next = |name: &str| match files.next() {
            Some((found, text)) if found == name.as_bytes() => Ok(text.into()),
            _ => Err(RulebookError::Container("a file is missing, unknown or out of order")),
        };
        let all = Self {
            rulebook: next("rulebook.toml")?,
            columns: next("columns.toml")?,
            codes: next("codes.toml")?,
            reasons: next("reasons.toml")?,
            wilayah: next("wilayah.tsv")?,
            bridge: None,
        };
        match files.next() {
            None => Ok(all),
            Some((b"bridge.csv", text)) if files.next().is_none() => {
                Ok(Self { bridge: Some(text.into()), ..all })
            }
            Some(_) => Err(RulebookError::Container("a file is missing, unknown or out of order")),
        }
    }
}

fn take(bytes: &[u8], count: usize) -> Result<(&[u8], &[u8]), RulebookError> {
    bytes.split_at_checked(count).ok_or(RulebookError::Container("cut off"))
}

fn compress(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.write_all(plain)?;
    encoder.finish()
}

fn decompress(bundle: &[u8]) -> Result<Vec<u8>, RulebookError> {
    if bundle.len() > MAX_RULEBOOK_BYTES {
        return Err(RulebookError::TooLarge);
    }
    let mut decoder = zstd::Decoder::with_buffer(bundle).map_err(RulebookError::Compression)?.single_frame();
    decoder.window_log_max(WINDOW_LOG).map_err(RulebookError::Compression)?;
    let mut plain = Vec::new();
    let limit = u64::try_from(MAX_RULEBOOK_BYTES).expect("64 bits fit") + 1;
    decoder.by_ref().take(limit).read_to_end(&mut plain).map_err(RulebookError::Compression)?;
    if plain.len() > MAX_RULEBOOK_BYTES {
        return Err(RulebookError::TooLarge);
    }
    if !decoder.finish().is_empty() {
        return Err(RulebookError::Container("bytes after the end"));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests;
