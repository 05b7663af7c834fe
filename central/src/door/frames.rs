//! Frames of HTTP/2 that are work and bring nothing: a connection has an allowance of them, and what is sent to it and
//! what it brings add to it. A peer that floods with them is sent away before they cost others the processors.

use std::time::Duration;

use tokio::time::Instant;

/// What a client says before its first frame (RFC 9113 §3.4).
const PREFACE: usize = 24;
/// Length, type, flags, stream (RFC 9113 §4.1).
const HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
/// Idle frames that may come at once: a node's connection has some twenty before its first call.
const AT_ONCE: u32 = 1_000;
/// Another one is allowed after so long.
const EVERY: Duration = Duration::from_millis(10);
/// And for so many bytes, brought or taken: windows are opened and round trips measured by frames of their own.
const BYTES: u32 = 4 * 1024;

/// What is known of a connection's frames.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes of the preface, or of a payload, that are still to come.
    skip: usize,
    /// The frame's header so far.
    header: Vec<u8>,
    allowed: u32,
    since: Instant,
    /// Bytes that have added nothing yet.
    bytes: u32,
}

/// A connection has sent more idle frames than it may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl Frames {
    /// Of a connection that begins now.
    pub(super) fn new(now: Instant) -> Self {
        Self { skip: PREFACE, header: Vec::with_capacity(HEADER), allowed: AT_ONCE, since: now, bytes: 0 }
    }

    /// Looks at what was read.
    pub(super) fn read(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), TooMany> {
        self.carried(bytes.len());
        self.wait(now);
        loop {
            let passed = self.skip.min(bytes.len());
            self.skip -= passed;
            bytes = &bytes[passed..];
            let wanted = (HEADER - self.header.len()).min(bytes.len());
            self.header.extend_from_slice(&bytes[..wanted]);
            bytes = &bytes[wanted..];
            let [a, b, c, kind, ..] = self.header[..] else { return Ok(()) };
            if self.header.len() < HEADER {
                return Ok(());
            }
            self.skip = u32::from_be_bytes([0, a, b, c]) as usize;
            self.header.clear();
            let brings = kind == HEADERS || (kind == DATA && self.skip > 0);
            if !brings {
                self.allowed = self.allowed.checked_sub(1).ok_or(TooMany)?;
            }
        }
    }

    /// Bytes went one way or the other.
    pub(super) fn carried(&mut self, bytes: usize) {
        let all = self.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.allow(all / BYTES);
        self.bytes = all % BYTES;
    }

    fn wait(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since).as_micros() / EVERY.as_micros();
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        self.allow(passed);
        self.since += EVERY.saturating_mul(passed);
    }

    fn allow(&mut self, more: u32) {
        self.allowed = self.allowed.saturating_add(more).min(AT_ONCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: usize) -> Vec<u8> {
        let length = u32::try_from(payload).expect("small").to_be_bytes();
        [&length[1..], &[kind, 0, 0, 0, 0, 0], &vec![7; payload]].concat()
    }

    fn begun() -> (Frames, Instant) {
        let now = Instant::now();
        let mut frames = Frames::new(now);
        assert_eq!(frames.read(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", now), Ok(()));
        (frames, now)
    }

    #[test]
    fn idle_frames_are_counted_however_they_are_cut() {
        const PING: u8 = 6;
        for piece in [1, 7, 100_000] {
            let (mut frames, now) = begun();
            // What the bytes of the frames themselves bring in.
            let own = AT_ONCE * 17 / BYTES;
            let flood = frame(PING, 8).repeat(AT_ONCE as usize + own as usize + 2);
            let taken = flood.chunks(piece).take_while(|piece| frames.read(piece, now).is_ok());
            let taken: usize = taken.map(<[u8]>::len).sum();
            assert!(taken < flood.len(), "in pieces of {piece}");
        }
        let (mut frames, now) = begun();
        assert_eq!(frames.read(&frame(PING, 8).repeat(900), now), Ok(()));
        let later = now + EVERY * 800;
        assert_eq!(frames.read(&frame(PING, 8).repeat(890), later), Ok(()), "time allows more");
        assert_eq!(frames.read(&frame(PING, 8).repeat(900), later), Err(TooMany));
    }

    #[test]
    fn what_brings_something_is_not_idle() {
        const WINDOW_UPDATE: u8 = 8;
        let (mut frames, now) = begun();
        for _ in 0..10_000 {
            assert_eq!(frames.read(&frame(HEADERS, 100), now), Ok(()));
            assert_eq!(frames.read(&frame(DATA, 16), now), Ok(()));
        }
        for _ in 0..10_000 {
            frames.carried(BYTES as usize);
            assert_eq!(frames.read(&frame(WINDOW_UPDATE, 4), now), Ok(()), "windows of what was sent");
        }
        assert_eq!(frames.read(&frame(DATA, 0).repeat(2 * AT_ONCE as usize), now), Err(TooMany));
    }
}
