//! Connections and calls that stand still or never end: one each, until the hub ends it.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use dtsen_proto::{limits, pb};
use h2::{Reason, SendStream, client::SendRequest};
use prost::Message as _;
use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::{
    assault::{Aim, Tally},
    raw,
};
use crate::federation::HUB_NAME;

/// Calls of one connection: as many as the hub lets in.
const CALLS: usize = 16;
/// What is left of a stalled upload to drip.
const DRIP: usize = 4_096;
const DROP_EVERY: Duration = Duration::from_millis(500);
/// Bytes of one piece of an endless stream.
const PIECE: usize = 16 * 1024;

/// A way to stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stall {
    /// Asks for much and takes nothing.
    SilentReader,
    /// Uploads that stop just before their end.
    Upload,
    /// A call with message after message.
    EndlessStream,
    /// TCP connections that say nothing, half a `ClientHello`, or a whole one and then nothing.
    Handshake,
    /// TLS, and then nothing, or the end of what is written.
    HalfClosed,
    /// The same at the door of enrolment, where nobody shows a certificate.
    Enrolment,
}

impl Stall {
    /// Connections at once.
    pub(super) fn connections(self) -> usize {
        match self {
            Self::SilentReader | Self::Upload => 8,
            Self::EndlessStream => 4,
            Self::Handshake => 500,
            Self::HalfClosed => 64,
            Self::Enrolment => 300,
        }
    }

    /// One connection, until the hub ends it.
    pub(super) async fn hold(self, nth: usize, aim: &Aim, tally: &Tally) -> io::Result<()> {
        match self {
            Self::SilentReader => calls(aim, tally, 0, read_nothing).await?,
            Self::Upload => calls(aim, tally, 65_535, upload).await?,
            Self::EndlessStream => calls(aim, tally, 65_535, endless).await?,
            Self::Handshake => handshake(nth, aim, tally).await?,
            Self::HalfClosed => silent(nth, aim.port, &aim.tls, tally).await?,
            Self::Enrolment => silent(nth, aim.enrol_port, &aim.anonymous, tally).await?,
        }
        Ok(())
    }
}

/// Reads until the hub ends the connection.
async fn until_ended(mut stream: impl tokio::io::AsyncRead + Unpin, tally: &Tally) {
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await.is_ok_and(|n| n > 0) {}
    tally.add(|t| t.closed += 1);
}

async fn handshake(nth: usize, aim: &Aim, tally: &Tally) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", aim.port)).await?;
    let name = ServerName::try_from(HUB_NAME).expect("a name");
    let mut client = ClientConnection::new(aim.tls.clone(), name).map_err(io::Error::other)?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello)?;
    let part = [0, hello.len() / 2, hello.len()][nth % 3];
    stream.write_all(&hello[..part]).await?;
    tally.add(|t| t.rounds += 1);
    until_ended(stream, tally).await;
    Ok(())
}

async fn silent(nth: usize, port: u16, config: &Arc<ClientConfig>, tally: &Tally) -> io::Result<()> {
    let mut stream = raw::tls(port, config).await?;
    tally.add(|t| t.rounds += 1);
    if nth % 2 == 1 {
        stream.shutdown().await?;
    }
    until_ended(stream, tally).await;
    Ok(())
}

/// A connection full of calls.
async fn calls<F: Future<Output = Result<(), h2::Error>> + Send + 'static>(
    aim: &Aim,
    tally: &Tally,
    window: u32,
    call: fn(Aim, SendRequest<Bytes>, Tally) -> F,
) -> io::Result<()> {
    let stream = raw::tls(aim.port, &aim.tls).await?;
    let (send, connection) = h2::client::Builder::new()
        .initial_window_size(window)
        .handshake(stream)
        .await
        .map_err(io::Error::other)?;
    tally.add(|t| t.rounds += 1);
    let mut all = JoinSet::new();
    for _ in 0..CALLS {
        all.spawn(call(aim.clone(), send.clone(), tally.clone()));
    }
    let ended = connection.await;
    tally.add(|t| {
        t.closed += 1;
        if let Some(reason) = ended.as_ref().err().and_then(h2::Error::reason) {
            *t.goaways.entry(reason.into()).or_default() += 1;
        }
    });
    Ok(())
}

/// Opens a call; gives its answer and where its bytes go.
async fn open(
    mut send: SendRequest<Bytes>,
    method: &str,
) -> Result<(h2::client::ResponseFuture, SendStream<Bytes>), h2::Error> {
    let request = http::Request::post(format!("https://{HUB_NAME}/dtsen.v1.Exchange/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .expect("a request");
    futures::future::poll_fn(|cx| send.poll_ready(cx)).await?;
    send.send_request(request, false)
}

/// A message as gRPC frames it; `claimed` bytes, whatever there are.
fn framed(claimed: usize, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(claimed).expect("small").to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// Writes as fast as the hub takes it.
async fn write(stream: &mut SendStream<Bytes>, mut bytes: Bytes) -> Result<(), h2::Error> {
    while !bytes.is_empty() {
        stream.reserve_capacity(bytes.len());
        let free = futures::future::poll_fn(|cx| stream.poll_capacity(cx)).await;
        let free = free.ok_or(Reason::CANCEL)??;
        stream.send_data(bytes.split_to(free.min(bytes.len())), false)?;
    }
    Ok(())
}

/// Counts what became of a call.
async fn answered(answer: h2::client::ResponseFuture, tally: &Tally) -> Option<h2::RecvStream> {
    match answer.await {
        Ok(head) => {
            tally.add(|t| t.answers += 1);
            Some(head.into_body())
        }
        Err(error) => {
            tally.add(|t| t.resets += u64::from(error.is_reset()));
            None
        }
    }
}

async fn read_nothing(aim: Aim, send: SendRequest<Bytes>, tally: Tally) -> Result<(), h2::Error> {
    let asked = pb::ReadBackRequest { epoch: 1, after: 0, session: aim.session.clone(), offset: 0 };
    let asked = asked.encode_to_vec();
    let (answer, mut stream) = open(send, "ReadBack").await?;
    write(&mut stream, framed(asked.len(), &asked).into()).await?;
    stream.send_data(Bytes::new(), true)?;
    let body = answered(answer, &tally).await;
    // The window stays shut as long as the connection lives.
    std::future::pending::<()>().await;
    drop(body);
    Ok(())
}

async fn upload(_: Aim, send: SendRequest<Bytes>, tally: Tally) -> Result<(), h2::Error> {
    let (answer, mut stream) = open(send, "Submit").await?;
    let dripping = async {
        let most = limits::MAX_MESSAGE_BYTES;
        write(&mut stream, framed(most, &vec![0; most - DRIP]).into()).await?;
        tally.add(|t| t.sent += 1);
        loop {
            tokio::time::sleep(DROP_EVERY).await;
            write(&mut stream, Bytes::from_static(&[0])).await?;
        }
    };
    tokio::select! {
        _ = answered(answer, &tally) => Ok(()),
        ended = dripping => ended,
    }
}

async fn endless(_: Aim, send: SendRequest<Bytes>, tally: Tally) -> Result<(), h2::Error> {
    loop {
        let (answer, mut stream) = open(send.clone(), "Submit").await?;
        // Messages of no bytes, each of which is a good request without anything in it.
        let piece = Bytes::from(framed(0, &[]).repeat(PIECE / 5));
        let flowing = async {
            loop {
                write(&mut stream, piece.clone()).await?;
                tally.add(|t| t.sent += piece.len() as u64);
            }
        };
        let ended: Result<(), h2::Error> = tokio::select! {
            _ = answered(answer, &tally) => Ok(()),
            ended = flowing => ended,
        };
        ended?;
    }
}
