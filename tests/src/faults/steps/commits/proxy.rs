//! A proxy that breaks connections to PostgreSQL at commits.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::session::Session;
use crate::faults::steps::{Matrix, Way};

/// Every transaction fails this way at its first, its second time; later it comes through.
const WAYS: [Way; 2] = Way::ALL;
/// A message longer than this is no message.
const MAX_MESSAGE_BYTES: usize = 1 << 30;

/// A proxy on a port of its own; its connections end with the processes that made them.
#[derive(Debug)]
pub(super) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    matrix: Mutex<Matrix>,
}

impl Shared {
    /// What is to become of this transaction.
    fn fate(&self, step: &str) -> Option<Way> {
        let mut matrix = self.matrix.lock().unwrap_or_else(PoisonError::into_inner);
        let times: u32 = matrix.0.get(step).map_or(0, |ways| ways.iter().sum());
        let way = *WAYS.get(times as usize)?;
        matrix.add(step, way);
        Some(way)
    }
}

impl Proxy {
    /// A proxy to a server on loopback.
    pub(super) fn start(to: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::<Shared>::default();
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for hub in listener.incoming().flatten() {
                if let Err(error) = carry(hub, to, &accepting) {
                    eprintln!("proxy: {error}");
                }
            }
        });
        Ok(Self { port, shared })
    }

    /// Its port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What failed so far.
    pub(super) fn matrix(&self) -> Matrix {
        self.shared.matrix.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn carry(hub: TcpStream, to: u16, shared: &Arc<Shared>) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", to))?;
    hub.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let silent = Arc::new(AtomicBool::new(false));
    let (hub_too, server_too, silent_too) = (hub.try_clone()?, server.try_clone()?, silent.clone());
    std::thread::spawn(move || {
        let _ = answers(&server_too, &hub_too, &silent_too);
        end(&hub_too, &server_too);
    });
    let shared = shared.clone();
    std::thread::spawn(move || {
        let _ = asks(&hub, &server, &silent, &shared);
        end(&hub, &server);
    });
    Ok(())
}

fn end(hub: &TcpStream, server: &TcpStream) {
    let _ = hub.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

/// A message with its kind: the byte, the length with itself, the rest.
fn message(mut from: &TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    Ok((kind[0], untyped(from)?))
}

/// A message as the first one is: without a kind.
fn untyped(mut from: &TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let whole = u32::from_be_bytes(length) as usize;
    if !(4..=MAX_MESSAGE_BYTES).contains(&whole) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = length.to_vec();
    bytes.resize(whole, 0);
    from.read_exact(&mut bytes[4..])?;
    Ok(bytes)
}

fn send(mut to: &TcpStream, kind: u8, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&[&[kind], bytes].concat())
}

/// From the server to the hub. When the hub is to hear no more, until the server is ready again.
fn answers(server: &TcpStream, hub: &TcpStream, silent: &AtomicBool) -> io::Result<()> {
    loop {
        let (kind, bytes) = message(server)?;
        match (silent.load(Ordering::SeqCst), kind) {
            (true, b'Z') => return Ok(()),
            (true, _) => {}
            (false, _) => send(hub, kind, &bytes)?,
        }
    }
}

/// From the hub to the server, until a transaction is to fail.
fn asks(hub: &TcpStream, mut server: &TcpStream, silent: &AtomicBool, shared: &Shared) -> io::Result<()> {
    server.write_all(&untyped(hub)?)?;
    let mut session = Session::default();
    loop {
        let (kind, bytes) = message(hub)?;
        match session.ends(kind, &bytes[4..]).and_then(|step| shared.fate(&step)) {
            Some(Way::NotStored) => return Ok(()),
            Some(Way::NotReported) => silent.store(true, Ordering::SeqCst),
            None => {}
        }
        send(server, kind, &bytes)?;
    }
}
