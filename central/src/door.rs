//! The door: TLS 1.3 in front of tonic. Handshakes run beside the accept loop, bounded in number and time; a certificate
//! must name a region. One that is not registered gets in too, to be told so, but neither for long nor with much.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use dtsen_kit::{
    net::{Io, Listen},
    tls,
};
use dtsen_proto::region::Region;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Sleep,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;

use crate::{
    authority,
    hub::Hub,
    store::{RegionRow, Status},
};

/// Handshakes under way at once. Each costs about 1 ms of processor time and 20 KiB.
const HANDSHAKES: usize = 64;
/// Time for one handshake; a 2G link with 2 s round trips needs about six.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections that may wait for tonic to take them.
const WAITING: usize = 64;
/// Connections at once whose certificate is not registered. They come for one refusal; honest nodes are never among them.
const STRANGERS: usize = 16;
/// Life of such a connection: time for the refusal on a link with 2 s round trips.
const STRANGER: Duration = Duration::from_secs(10);
/// Bytes taken from such a connection: a Hello has 3 KiB, and a batch is never read.
const STRANGER_BYTES: usize = 64 * 1024;

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The region that the certificate names; `None` at the enrolment listener.
    pub region: Option<Region>,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
}

/// A connection through the door.
pub struct Guest {
    stream: TlsStream<Box<dyn Io>>,
    peer: Peer,
    stranger: Option<Stranger>,
}

/// What is left to a connection whose certificate is not registered. Every call on it is refused; this bounds what it can
/// hold until then.
struct Stranger {
    end: Pin<Box<Sleep>>,
    bytes: usize,
    _place: OwnedSemaphorePermit,
}

impl Stranger {
    fn new(place: OwnedSemaphorePermit) -> Self {
        Self { end: Box::pin(tokio::time::sleep(STRANGER)), bytes: STRANGER_BYTES, _place: place }
    }

    /// Whether nothing more is read from it.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.bytes == 0 || self.end.as_mut().poll(cx).is_ready()
    }
}

impl Connected for Guest {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, stranger, .. } = &mut *self;
        if stranger.as_mut().is_some_and(|stranger| stranger.is_over(cx)) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        let read = Pin::new(stream).poll_read(cx, buf);
        if let Some(stranger) = stranger {
            stranger.bytes = stranger.bytes.saturating_sub(buf.filled().len() - before);
        }
        read
    }
}

impl AsyncWrite for Guest {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Who may come in.
#[derive(Clone)]
pub enum Policy {
    /// Regions, by their certificate. [`is_registered`] is asked again at every call.
    Regions(Arc<Hub>),
    /// Anybody, server-authenticated: enrolment.
    Anybody,
}

/// Opens a door on a listener: a stream of connections for tonic.
pub fn open(
    mut listener: Box<dyn Listen>,
    tls: Arc<ServerConfig>,
    policy: Policy,
) -> mpsc::Receiver<io::Result<Guest>> {
    let (send, receive) = mpsc::channel(WAITING);
    let acceptor = TlsAcceptor::from(tls);
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    let strangers = Arc::new(Semaphore::new(STRANGERS));
    tokio::spawn(async move {
        while let Ok(place) = places.clone().acquire_owned().await {
            let stream = match listener.accept().await {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    continue;
                }
            };
            if send.is_closed() {
                break;
            }
            let (acceptor, policy, send) = (acceptor.clone(), policy.clone(), send.clone());
            let strangers = strangers.clone();
            tokio::spawn(async move {
                if let Some(guest) = handshake(acceptor, stream, &policy, strangers).await {
                    drop(place);
                    // The server is going down: the connection goes with it.
                    let _ = send.send(Ok(guest)).await;
                }
            });
        }
    });
    receive
}

async fn handshake(
    acceptor: TlsAcceptor,
    stream: Box<dyn Io>,
    policy: &Policy,
    strangers: Arc<Semaphore>,
) -> Option<Guest> {
    let stream = match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::info!(%error, "handshake failed");
            return None;
        }
        Err(_) => {
            tracing::info!("handshake took too long");
            return None;
        }
    };
    let Policy::Regions(hub) = policy else {
        let peer = Peer { region: None, fingerprint: [0; 32] };
        return Some(Guest { stream, peer, stranger: None });
    };
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    let peer = Peer { region: authority::region_of(certificate), fingerprint: tls::fingerprint(certificate) };
    let Some(region) = peer.region else {
        tracing::warn!("a certificate names no region");
        return None;
    };
    match hub.store.region(region).await {
        Ok(Some(row)) if is_registered(&row, &peer) => Some(Guest { stream, peer, stranger: None }),
        Ok(_) => {
            tracing::warn!(%region, "the certificate is not the one registered, or revoked");
            let place = strangers.try_acquire_owned().ok()?;
            Some(Guest { stream, peer, stranger: Some(Stranger::new(place)) })
        }
        Err(error) => {
            tracing::error!(%error, "the register of regions cannot be read");
            None
        }
    }
}

/// Whether the certificate is the one registered for the region, or the one before while a renewal is under way.
pub fn is_registered(row: &RegionRow, peer: &Peer) -> bool {
    let fits = |hash: &Option<Vec<u8>>| hash.as_deref() == Some(peer.fingerprint.as_slice());
    row.status != Status::Revoked && (fits(&row.certificate_hash) || fits(&row.previous_hash))
}
