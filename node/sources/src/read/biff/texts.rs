//! How long the texts of an XLS are, which its cells share in the file, but not in memory.

use super::{records, u16_at, u32_at};

/// Bytes that keep a text, besides its own.
const KEPT_BYTES: u64 = 40;

/// Texts by their place in the list.
#[derive(Default)]
pub(super) struct Texts {
    lengths: Vec<u32>,
}

impl Texts {
    /// The list of texts, as far as it can be followed: behind that the library ends with an error.
    pub(super) fn of(stream: &[u8]) -> Self {
        let mut texts = Self::default();
        let mut all = records(stream).take_while(|(kind, _)| *kind != 0x000A).peekable();
        while let Some((kind, record)) = all.next() {
            if kind != 0x00FC {
                continue;
            }
            let mut rest = vec![record.get(8..).unwrap_or_default()];
            while let Some((_, more)) = all.next_if(|(kind, _)| *kind == 0x003C) {
                rest.push(more);
            }
            rest.reverse();
            let mut list = List { part: rest.pop().unwrap_or_default(), rest };
            while !list.part.is_empty() || list.go_on() {
                let Some(length) = list.text() else { break };
                texts.lengths.push(length);
            }
        }
        texts
    }

    /// Bytes of a text.
    pub(super) fn length(&self, at: u32) -> u64 {
        let length = usize::try_from(at).ok().and_then(|at| self.lengths.get(at));
        length.copied().map_or(0, u64::from)
    }

    /// Bytes of all in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.lengths.iter().map(|length| u64::from(*length) + KEPT_BYTES).sum()
    }
}

/// A record and those that continue it, the last first.
struct List<'a> {
    part: &'a [u8],
    rest: Vec<&'a [u8]>,
}

impl<'a> List<'a> {
    fn go_on(&mut self) -> bool {
        let next = self.rest.pop();
        self.part = next.unwrap_or_default();
        next.is_some()
    }

    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.part.split_at_checked(bytes)?;
        self.part = left;
        Some(taken)
    }

    /// The next text: its bytes as UTF-8.
    fn text(&mut self) -> Option<u32> {
        let head = self.take(3)?;
        let (mut letters, flags) = (usize::from(u16_at(head, 0)?), head[2]);
        let runs = if flags & 8 == 0 { 0 } else { usize::from(u16_at(self.take(2)?, 0)?) };
        let more = if flags & 4 == 0 { 0 } else { usize::try_from(u32_at(self.take(4)?, 0)?).ok()? };
        let (mut wide, mut length) = (flags & 1 != 0, 0_usize);
        loop {
            let size = if wide { 2 } else { 1 };
            let here = letters.min(self.part.len() / size);
            let taken = self.take(here * size)?;
            length +=
                if wide { 3 * here } else { here + taken.iter().filter(|byte| !byte.is_ascii()).count() };
            letters -= here;
            if letters == 0 {
                break;
            }
            // Where a text goes on its letters may have another size.
            wide = self.go_on().then(|| self.take(1)).flatten()?[0] & 1 != 0;
        }
        let mut skipped = runs * 4 + more;
        while skipped > self.part.len() {
            skipped -= self.part.len();
            self.go_on().then_some(())?;
        }
        self.take(skipped)?;
        u32::try_from(length).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::record, *};

    #[test]
    fn texts_are_measured_over_records() {
        let stream = [
            record(0x00FC, b"\0\0\0\0\0\0\0\0\x03\x00\x00ABC\x02\x00\x09\x01\x00A\0B\0rrrr\x04\x00\x00A\xE9"),
            // The last one goes on in letters of two bytes, with nothing behind it.
            record(0x003C, b"\x01C\0D\0\x01\x00\x04\x02\x00\x00\x00Axx"),
            record(0x000A, b""),
        ]
        .concat();
        let texts = Texts::of(&stream);
        assert_eq!(texts.lengths, [3, 6, 9, 1]);
        assert_eq!((texts.length(2), texts.length(9), texts.bytes()), (9, 0, 4 * KEPT_BYTES + 19));
    }

    #[test]
    fn lists_that_lie_are_followed_as_far_as_they_go() {
        for content in [
            &b""[..],
            b"\0\0\0\0\0\0\0\0\xFF",
            b"\0\0\0\0\0\0\0\0\xFF\xFF\x00A",
            b"\0\0\0\0\0\0\0\0\x01\x00\x0CA",
        ] {
            assert!(Texts::of(&record(0x00FC, content)).lengths.is_empty());
        }
    }
}
