//! HTTP/2 frames by hand over real mTLS: what no client library would send.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::federation::HUB_NAME;

/// Frame types of RFC 9113.
pub mod kind {
    /// Bytes of a stream.
    pub const DATA: u8 = 0;
    /// Opens a stream.
    pub const HEADERS: u8 = 1;
    /// Ends a stream at once.
    pub const RST_STREAM: u8 = 3;
    /// Settings, or their acknowledgement.
    pub const SETTINGS: u8 = 4;
    /// Asks for an answer.
    pub const PING: u8 = 6;
    /// Ends the connection.
    pub const GOAWAY: u8 = 7;
    /// Lets the other side send more.
    pub const WINDOW_UPDATE: u8 = 8;
    /// More headers.
    pub const CONTINUATION: u8 = 9;
}

/// Flag of HEADERS: no CONTINUATION follows.
pub const END_HEADERS: u8 = 4;
/// Flag of SETTINGS and PING: an acknowledgement.
const ACK: u8 = 1;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame's head.
const HEAD: usize = 9;
/// How long the hub may take nothing before that counts as its answer: TCP holds the flood back.
const FULL: Duration = Duration::from_secs(3);

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("small").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A header, literal and not kept in the table.
pub fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).ok().filter(|l| *l < 127).expect("short");
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// Headers of a call of the exchange.
pub fn call_headers(method: &str) -> Vec<u8> {
    let path = format!("/dtsen.v1.Exchange/{method}");
    let pairs = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", &path),
        (":authority", HUB_NAME),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    pairs.iter().flat_map(|(name, value)| literal(name, value)).collect()
}

/// What the hub said on a connection.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// Streams that it reset.
    pub resets: u64,
    /// Heads of answers.
    pub answers: u64,
    /// Reason of its GOAWAY.
    pub goaway: Option<u32>,
    /// Whether it ended the connection.
    pub closed: bool,
}

/// Why no more can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The hub ended the connection.
    Closed,
    /// The hub reads no more.
    Full,
}

/// A connection after its preface.
pub struct Raw {
    write: WriteHalf<TlsStream<TcpStream>>,
    heard: Arc<Mutex<Heard>>,
    closed: watch::Receiver<bool>,
}

/// TLS to a port of the hub.
pub async fn tls(port: u16, config: &Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(HUB_NAME).expect("a name");
    TlsConnector::from(config.clone()).connect(name, stream).await
}

impl Raw {
    /// Connects and takes the hub's settings, as an honest client would.
    pub async fn connect(port: u16, config: &Arc<ClientConfig>) -> io::Result<Self> {
        let (mut read, mut write) = tokio::io::split(tls(port, config).await?);
        let hello = [PREFACE, &frame(kind::SETTINGS, 0, 0, &[])].concat();
        write.write_all(&hello).await?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        hear(&mut read, &heard).await?;
        write.write_all(&frame(kind::SETTINGS, ACK, 0, &[])).await?;
        let (said, closed) = watch::channel(false);
        let listener = heard.clone();
        tokio::spawn(async move {
            while hear(&mut read, &listener).await.is_ok() {}
            listener.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
            let _ = said.send(true);
        });
        Ok(Self { write, heard, closed })
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Over> {
        match tokio::time::timeout(FULL, self.write.write_all(bytes)).await {
            Ok(Ok(())) if !*self.closed.borrow() => Ok(()),
            Ok(_) => Err(Over::Closed),
            Err(_) => Err(Over::Full),
        }
    }

    /// Waits until the hub ended the connection, or for so long.
    pub async fn settle(&mut self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.closed.wait_for(|closed| *closed)).await;
    }

    /// What the hub said so far.
    pub fn heard(&self) -> Heard {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes one frame of the hub.
async fn hear(read: &mut ReadHalf<TlsStream<TcpStream>>, heard: &Mutex<Heard>) -> io::Result<()> {
    let mut start = [0; HEAD];
    read.read_exact(&mut start).await?;
    let length = u32::from_be_bytes([0, start[0], start[1], start[2]]);
    let mut payload = vec![0; usize::try_from(length).expect("three bytes")];
    read.read_exact(&mut payload).await?;
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    match start[3] {
        kind::HEADERS => heard.answers += 1,
        kind::RST_STREAM => heard.resets += 1,
        kind::GOAWAY => {
            let code = payload.get(4..8).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes);
            heard.goaway = Some(heard.goaway.unwrap_or(0).max(code));
        }
        _ => {}
    }
    Ok(())
}
