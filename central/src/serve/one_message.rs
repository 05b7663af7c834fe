//! Every call of the exchange brings one message. tonic would read on until the stream ends, and look at each of millions of
//! empty ones.

use bytes::Bytes;
use futures::StreamExt as _;
use http::Request;
use http_body_util::{BodyStream, StreamBody};
use tonic::{Status, body::Body};

/// A message begins with a flag and its length in four bytes.
const PREFIX: usize = 5;

/// What came of a call so far.
#[derive(Default)]
struct Seen {
    prefix: Vec<u8>,
    /// Bytes after the prefix.
    bytes: u64,
}

impl Seen {
    /// Whether these bytes still belong to the first message.
    fn fits(&mut self, data: &[u8]) -> bool {
        let (prefix, rest) = data.split_at(data.len().min(PREFIX - self.prefix.len()));
        self.prefix.extend_from_slice(prefix);
        self.bytes += rest.len() as u64;
        match self.prefix.as_slice() {
            [_, length @ ..] if length.len() == PREFIX - 1 => {
                let length = length.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
                self.bytes <= length
            }
            _ => true,
        }
    }
}

/// Ends a call with the first byte after its message.
pub(super) fn only(request: Request<Body>) -> Request<Body> {
    request.map(|body| {
        let mut seen = Seen::default();
        let frames = BodyStream::new(body).map(move |frame| {
            let frame = frame?;
            if frame.data_ref().is_none_or(|data: &Bytes| seen.fits(data)) {
                Ok(frame)
            } else {
                Err(Status::out_of_range("a call brings one message"))
            }
        });
        Body::new(StreamBody::new(frames))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_fits_however_it_is_cut_and_nothing_after_it() {
        let message = [&[0, 0, 0, 1, 2][..], &[7; 258]].concat();
        for cut in 1..message.len() {
            let mut seen = Seen::default();
            assert!(message.chunks(cut).all(|piece| seen.fits(piece)), "{cut}");
            assert!(seen.fits(&[]) && !seen.fits(&[0]), "{cut}");
        }
        assert!(!Seen::default().fits(&[&message[..], &[0]].concat()));
        let mut empty = Seen::default();
        assert!(empty.fits(&[0; 5]) && !empty.fits(&[0]), "no bytes are a message too");
    }
}
