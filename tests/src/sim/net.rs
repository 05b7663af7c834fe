//! Connections over the simulated network, some of which break in the middle.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use async_trait::async_trait;
use dtsen_kit::net::{Dial, Io, Listen};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::{TcpListener, TcpStream};

use super::{ambient::below, trace::Trace};

/// A connection is cut within so many bytes: a handshake and a Hello take about 4 KiB each way.
const CUT_WITHIN: u64 = 24 * 1024;

/// Where a connection breaks.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// After so many bytes from the hub: the request arrived, its reply does not.
    Reply(u64),
    /// After so many bytes to the hub: the request arrives in part, or not.
    Request(u64),
}

/// A node's way to the hub.
pub(super) struct Dialler {
    pub(super) name: &'static str,
    pub(super) trace: Trace,
    pub(super) faulty: Arc<AtomicBool>,
    pub(super) cut_percent: u64,
    pub(super) dice: Mutex<(ChaCha8Rng, u64)>,
}

impl Dialler {
    fn next(&self) -> (u64, Option<Cut>) {
        let mut inner = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        let (dice, number) = &mut *inner;
        *number += 1;
        let (hit, reply, bytes) = (below(dice, 100), below(dice, 2) == 0, below(dice, CUT_WITHIN));
        let cut = if reply { Cut::Reply(bytes) } else { Cut::Request(bytes) };
        let on = self.faulty.load(Ordering::Relaxed) && hit < self.cut_percent;
        (*number, on.then_some(cut))
    }
}

#[async_trait]
impl Dial for Dialler {
    async fn dial(&self, host: &str, port: u16) -> io::Result<Box<dyn Io>> {
        let (number, cut) = self.next();
        self.trace.tell(self.name, format!("dials {host}:{port} ({number}), to be cut: {cut:?}"));
        let stream = TcpStream::connect((host.to_owned(), port)).await?;
        let wire = Wire { stream, number, cut, name: self.name, trace: self.trace.clone() };
        Ok(Box::new(wire))
    }
}

/// A connection whose every piece is in the trace.
struct Wire {
    stream: TcpStream,
    number: u64,
    cut: Option<Cut>,
    name: &'static str,
    trace: Trace,
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        let read = buf.filled().len() - before;
        self.trace.note(self.name, format!("{} reads {read} {}", self.number, result.is_ok()));
        if let Some(Cut::Reply(left)) = &mut self.cut {
            let Some(rest) = left.checked_sub(read as u64) else {
                *left = 0;
                buf.set_filled(before);
                return Poll::Ready(Err(broken()));
            };
            *left = rest;
        }
        Poll::Ready(result)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let part = match self.cut {
            Some(Cut::Request(0)) => return Poll::Ready(Err(broken())),
            Some(Cut::Request(left)) => &buf[..buf.len().min(usize::try_from(left).unwrap_or(usize::MAX))],
            _ => buf,
        };
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, part))?;
        self.trace.note(self.name, format!("{} writes {written}", self.number));
        if let Some(Cut::Request(left)) = &mut self.cut {
            *left -= written as u64;
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A listener of the hub.
pub(super) struct Listener(TcpListener);

impl Listener {
    pub(super) async fn bind(port: u16) -> io::Result<Box<Self>> {
        Ok(Box::new(Self(TcpListener::bind(("0.0.0.0", port)).await?)))
    }
}

#[async_trait]
impl Listen for Listener {
    async fn accept(&mut self) -> io::Result<Box<dyn Io>> {
        let (stream, _) = self.0.accept().await?;
        Ok(Box::new(stream))
    }
}
