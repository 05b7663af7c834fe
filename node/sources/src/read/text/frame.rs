//! Physical lines of a reader, in bounded memory whatever the file holds.

use std::io::{self, Read};

/// Bytes of the longest record that is read. A full DTSEN row takes about 600.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// Bytes asked of the file at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// A window over the bytes not yet taken, which grows to one record and one chunk at most.
pub(super) struct Frame<R> {
    inner: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    line: u64,
    taken: u64,
}

/// Where a line of the window ends, counted from the start of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// After its newline.
    At(usize),
    /// With the file, which ends without a newline.
    Cut(usize),
    /// Beyond [`MAX_RECORD_BYTES`].
    TooLong,
    /// There is no further line.
    None,
}

impl<R: Read> Frame<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, buffer: Vec::new(), start: 0, end: 0, at_end: false, line: 1, taken: 0 }
    }

    /// Number of the line at the start of the window, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Bytes taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes of the window, which [`Self::line_end`] has loaded.
    pub(super) fn window(&self, from: usize, to: usize) -> &[u8] {
        &self.buffer[self.start + from..self.start + to]
    }

    /// End of the line that begins `from` bytes into the window.
    pub(super) fn line_end(&mut self, from: usize) -> io::Result<LineEnd> {
        let mut searched = from;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start + searched..self.end]) {
                let end = searched + at + 1;
                return Ok(if end > MAX_RECORD_BYTES { LineEnd::TooLong } else { LineEnd::At(end) });
            }
            searched = self.end - self.start;
            if searched > MAX_RECORD_BYTES {
                return Ok(LineEnd::TooLong);
            }
            if !self.fill()? {
                return Ok(if searched == from { LineEnd::None } else { LineEnd::Cut(searched) });
            }
        }
    }

    /// Takes bytes that hold so many lines.
    pub(super) fn take(&mut self, bytes: usize, lines: u64) {
        self.start += bytes;
        self.line += lines;
        self.taken += u64::try_from(bytes).expect("a window is small");
    }

    /// Drops the rest of the first line without keeping it, and tells its length.
    pub(super) fn skip_line(&mut self) -> io::Result<u64> {
        let before = self.taken;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.take(at + 1, 1);
                break;
            }
            self.take(self.end - self.start, 0);
            if !self.fill()? {
                self.line += 1;
                break;
            }
        }
        Ok(self.taken - before)
    }

    /// Reads on; `false` at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        if self.buffer.len() - self.end < CHUNK_BYTES {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.buffer.len() - self.end < CHUNK_BYTES {
                self.buffer.resize(self.end + 2 * CHUNK_BYTES, 0);
            }
        }
        loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(false);
                }
                Ok(read) => {
                    self.end += read;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, with interruptions.
    struct Slow<'a>(&'a [u8], bool);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let take = self.0.len().min(1);
            into[..take].copy_from_slice(&self.0[..take]);
            self.0 = &self.0[take..];
            Ok(take)
        }
    }

    #[test]
    fn lines_come_whole_from_a_slow_reader() {
        let mut frame = Frame::new(Slow(b"ab\n\nc", false));
        assert_eq!(frame.line_end(0).expect("reads"), LineEnd::At(3));
        assert_eq!(frame.line_end(3).expect("reads"), LineEnd::At(4));
        assert_eq!(frame.window(0, 3), b"ab\n");
        frame.take(4, 2);
        assert_eq!((frame.line(), frame.line_end(0).expect("reads")), (3, LineEnd::Cut(1)));
        frame.take(1, 1);
        assert_eq!((frame.taken(), frame.line_end(0).expect("reads")), (5, LineEnd::None));
    }

    #[test]
    fn a_line_beyond_the_limit_is_dropped_in_constant_memory() {
        let long = io::repeat(0).take(50 * 1024 * 1024);
        let mut frame = Frame::new(long.chain(&b"\nnext\n"[..]));
        assert_eq!(frame.line_end(0).expect("reads"), LineEnd::TooLong);
        assert_eq!(frame.skip_line().expect("reads"), 50 * 1024 * 1024 + 1);
        assert!(frame.buffer.len() < MAX_RECORD_BYTES + 3 * CHUNK_BYTES, "{}", frame.buffer.len());
        let LineEnd::At(end) = frame.line_end(0).expect("reads") else { panic!("no line") };
        assert_eq!((frame.line(), frame.window(0, end)), (2, &b"next\n"[..]));
    }
}
