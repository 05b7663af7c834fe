//! A weak link: so many bytes a second both ways together, and every connection cut from time to time.

use std::{
    io::{self, Read, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::wait;

/// Bytes carried at once: small, so that the rate is even.
const PIECE: usize = 2 * 1024;
/// How often the proxy looks whether it ends.
const LOOK: Duration = Duration::from_millis(20);

/// What a link can do.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Both ways together.
    pub bytes_per_second: u64,
    /// Every connection is cut when this much time has gone by.
    pub cut_every: Duration,
}

/// A proxy on a port of its own.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    link: Link,
    ended: AtomicBool,
    free_at: Mutex<Instant>,
    open: Mutex<Vec<TcpStream>>,
    up: AtomicU64,
    cuts: AtomicU64,
}

impl Proxy {
    /// A weak link to a port on loopback.
    pub fn start(to: u16, link: Link) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            link,
            ended: AtomicBool::new(false),
            free_at: Mutex::new(wait::now()),
            open: Mutex::new(Vec::new()),
            up: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
        });
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if accepting.ended.load(Ordering::Relaxed) {
                    return;
                }
                if let Err(error) = accepting.carry(&stream, to) {
                    eprintln!("proxy: {error}");
                }
            }
        });
        let cutting = shared.clone();
        std::thread::spawn(move || cutting.cut_from_time_to_time());
        Ok(Self { port, shared })
    }

    /// Where the link begins.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Bytes carried towards the hub.
    pub fn up(&self) -> u64 {
        self.shared.up.load(Ordering::Relaxed)
    }

    /// Times at which connections were cut.
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.shared.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn carry(self: &Arc<Self>, near: &TcpStream, to: u16) -> io::Result<()> {
        let far = TcpStream::connect(("127.0.0.1", to))?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.extend([near.try_clone()?, far.try_clone()?]);
        for (from, to, counts) in
            [(near.try_clone()?, far.try_clone()?, true), (far, near.try_clone()?, false)]
        {
            let shared = self.clone();
            std::thread::spawn(move || shared.pump(from, to, counts));
        }
        Ok(())
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, counts: bool) {
        let mut piece = [0; PIECE];
        while let Ok(length) = from.read(&mut piece) {
            if length == 0 {
                break;
            }
            self.take_turn(length as u64);
            if to.write_all(&piece[..length]).is_err() {
                break;
            }
            if counts {
                self.up.fetch_add(length as u64, Ordering::Relaxed);
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }

    /// Waits until the link has carried what came before.
    fn take_turn(&self, bytes: u64) {
        let time = Duration::from_micros(bytes * 1_000_000 / self.link.bytes_per_second);
        let end = {
            let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
            *free_at = (*free_at).max(wait::now()) + time;
            *free_at
        };
        wait::pass(end.saturating_duration_since(wait::now()));
    }

    fn cut(&self) -> bool {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for stream in &open {
            let _ = stream.shutdown(Shutdown::Both);
        }
        !open.is_empty()
    }

    fn cut_from_time_to_time(&self) {
        let mut next = wait::now() + self.link.cut_every;
        while !self.ended.load(Ordering::Relaxed) {
            wait::pass(LOOK);
            if wait::now() >= next {
                next += self.link.cut_every;
                if self.cut() {
                    self.cuts.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}
