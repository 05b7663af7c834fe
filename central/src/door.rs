//! The door: TLS 1.3 in front of tonic. Handshakes run beside the accept loop, bounded in number and time; a certificate
//! must name a region. One that is not registered gets in too, to be told so, but neither for long nor with much. Nobody
//! keeps others out by sitting: every kind of guest has its `seats`.

mod frames;
mod seats;

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
    time::{Instant, Sleep},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;

use self::{
    frames::Frames,
    seats::{Seat, Seats},
};
use crate::{
    authority,
    hub::Hub,
    store::{RegionRow, Status},
};

/// Handshakes of regions under way at once, each about 20 KiB; the oldest goes. All 552 may come at the same moment without
/// one losing its place.
const HANDSHAKES: usize = 640;
/// The same at the door of enrolment, where a region comes once in its life.
const VISITORS_HANDSHAKES: usize = 160;
/// Time for one handshake; a 2G link with 2 s round trips needs about six.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections that may wait for tonic to take them.
const WAITING: usize = 64;
/// Connections of one region; the oldest goes. A node has one, two while a command runs beside it; the others are those
/// whose link broke. Each can hold some 60 MiB of half-sent calls and answers that it does not read.
const OF_REGION: usize = 4;
/// How long each of them may sit before a new one takes its place: otherwise a region that only connects would make the hub
/// read half-sent calls for nothing as fast as it can. Whose link broke comes back later than that.
const SITS: Duration = Duration::from_secs(2);
/// Connections at the door of enrolment, where anybody may come; the oldest goes.
const VISITORS: usize = 128;
/// Pause when the system gives no connection, most often because it has no descriptor left.
const NOT_ACCEPTED: Duration = Duration::from_millis(100);
/// Connections at once whose certificate is not registered. They come for one refusal; honest nodes are never among them.
const STRANGERS: usize = 16;

/// How long somebody who is not known may stay, and how many bytes are taken meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Visit {
    /// Time from the end of the handshake.
    pub time: Duration,
    /// Bytes.
    pub bytes: usize,
}

impl Visit {
    /// Of a certificate that is not registered: time for the refusal on a link with 2 s round trips, and room for a Hello,
    /// which has 3 KiB. A batch is never read.
    const STRANGER: Self = Self { time: Duration::from_secs(10), bytes: 64 * 1024 };
    /// At the door of enrolment: one call on a bad link; an enrolment has less than 2 KiB.
    pub const ENROLMENT: Self = Self { time: Duration::from_secs(30), bytes: 64 * 1024 };
}

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
    stay: Stay,
    frames: Frames,
}

impl Guest {
    fn new(stream: TlsStream<Box<dyn Io>>, peer: Peer, stay: Stay) -> Self {
        Self { stream, peer, stay, frames: Frames::new(Instant::now()) }
    }
}

/// How long a guest may stay, and with how much.
struct Stay {
    /// For whom is not known: when it ends, and bytes until then.
    visit: Option<(Pin<Box<Sleep>>, usize)>,
    /// Somebody newer needs the seat.
    asked: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    _place: Box<dyn Send>,
}

impl Stay {
    /// Of a registered region.
    fn registered(seat: Seat<Region>) -> Self {
        let asked = Some(Box::pin(seat.asked().cancelled_owned()));
        Self { visit: None, asked, _place: Box::new(seat) }
    }

    /// Of somebody who is not asked for a certificate.
    fn visiting(visit: Visit, seat: Seat<()>) -> Self {
        let asked = Some(Box::pin(seat.asked().cancelled_owned()));
        Self { visit: Some(Self::begin(visit)), asked, _place: Box::new(seat) }
    }

    /// Of a certificate that is not registered: for one refusal.
    fn stranger(place: OwnedSemaphorePermit) -> Self {
        Self { visit: Some(Self::begin(Visit::STRANGER)), asked: None, _place: Box::new(place) }
    }

    fn begin(visit: Visit) -> (Pin<Box<Sleep>>, usize) {
        (Box::pin(tokio::time::sleep(visit.time)), visit.bytes)
    }

    /// An error once nothing more is read or written.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.asked.as_mut().is_some_and(|asked| asked.as_mut().poll(cx).is_ready()) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let Some((end, bytes)) = &mut self.visit else { return Ok(()) };
        if *bytes == 0 || end.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
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
        self.stay.check(cx)?;
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Some((_, bytes)) = &mut self.stay.visit {
            *bytes = bytes.saturating_sub(buf.filled().len() - before);
        }
        if self.frames.read(&buf.filled()[before..], Instant::now()).is_err() {
            tracing::warn!(region = ?self.peer.region, "a flood of frames that bring nothing; the connection ends");
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        read
    }
}

impl AsyncWrite for Guest {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        // A guest that reads nothing is waited for here.
        self.stay.check(cx)?;
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(bytes)) = written {
            self.frames.carried(bytes);
        }
        written
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
    /// Anybody, for a visit; only the server shows who it is.
    Anybody(Visit),
}

/// What is left for those who come.
struct Room {
    handshakes: Arc<Seats<()>>,
    regions: Arc<Seats<Region>>,
    visitors: Arc<Seats<()>>,
    strangers: Arc<Semaphore>,
}

/// Opens a door on a listener: a stream of connections for tonic.
pub fn open(
    mut listener: Box<dyn Listen>,
    tls: Arc<ServerConfig>,
    policy: Policy,
) -> mpsc::Receiver<io::Result<Guest>> {
    let (send, receive) = mpsc::channel(WAITING);
    let acceptor = TlsAcceptor::from(tls);
    let handshakes = match policy {
        Policy::Regions(_) => HANDSHAKES,
        Policy::Anybody(_) => VISITORS_HANDSHAKES,
    };
    let room = Arc::new(Room {
        handshakes: Seats::new(handshakes, Duration::ZERO),
        regions: Seats::new(OF_REGION, SITS),
        visitors: Seats::new(VISITORS, Duration::ZERO),
        strangers: Arc::new(Semaphore::new(STRANGERS)),
    });
    tokio::spawn(async move {
        loop {
            let stream = match listener.accept().await {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(NOT_ACCEPTED).await;
                    continue;
                }
            };
            if send.is_closed() {
                break;
            }
            let Some(seat) = room.handshakes.take((), Instant::now()) else { continue };
            let (acceptor, policy, send, room) =
                (acceptor.clone(), policy.clone(), send.clone(), room.clone());
            tokio::spawn(async move {
                let asked = seat.asked();
                let guest = tokio::select! {
                    biased;
                    () = asked.cancelled() => None,
                    guest = handshake(acceptor, stream, &policy, &room) => guest,
                };
                if let Some(guest) = guest {
                    drop(seat);
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
    room: &Room,
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
    let hub = match policy {
        Policy::Regions(hub) => hub,
        Policy::Anybody(visit) => {
            let peer = Peer { region: None, fingerprint: [0; 32] };
            let seat = room.visitors.take((), Instant::now())?;
            return Some(Guest::new(stream, peer, Stay::visiting(*visit, seat)));
        }
    };
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    let peer = Peer { region: authority::region_of(certificate), fingerprint: tls::fingerprint(certificate) };
    let Some(region) = peer.region else {
        tracing::warn!("a certificate names no region");
        return None;
    };
    match hub.store.region(region).await {
        Ok(Some(row)) if is_registered(&row, &peer) => {
            let seat = room.regions.take(region, Instant::now())?;
            Some(Guest::new(stream, peer, Stay::registered(seat)))
        }
        Ok(_) => {
            tracing::warn!(%region, "the certificate is not the one registered, or revoked");
            let place = room.strangers.clone().try_acquire_owned().ok()?;
            Some(Guest::new(stream, peer, Stay::stranger(place)))
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
