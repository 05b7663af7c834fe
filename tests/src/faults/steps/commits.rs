//! A hub whose connection to PostgreSQL breaks at commits: once before the server hears of it, once before the hub hears
//! that it is done. A proxy between them reads just enough of the protocol (PostgreSQL documentation, "Message Formats")
//! to see transactions end.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};

use super::{Matrix, Way};
use crate::{
    faults::{
        contents, ledger,
        place::Place,
        source::{self, Source},
        wait,
    },
    federation::{Hub, Node},
};

/// Every transaction fails this way at its first, its second time; later it comes through.
const WAYS: [Way; 2] = Way::ALL;
/// A message longer than this is no message.
const MAX_MESSAGE_BYTES: usize = 1 << 30;

/// A proxy on a port of its own; its connections end with the processes that made them.
#[derive(Debug)]
pub struct Proxy {
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
    pub fn start(to: u16) -> io::Result<Self> {
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
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What failed so far.
    pub fn matrix(&self) -> Matrix {
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

/// What is known of a connection.
#[derive(Debug, Default)]
struct Session {
    /// Prepared statements by their names.
    prepared: BTreeMap<String, String>,
    /// Between BEGIN and its end.
    open: bool,
    /// What the transaction writes, in order.
    writes: Vec<String>,
}

/// Texts that end with a zero byte, one after the other.
fn texts(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned())
}

/// What a statement writes, as `INSERT batch`; `None`: nothing.
fn writes(statement: &str) -> Option<String> {
    let words: Vec<&str> =
        statement.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let at = words.iter().position(|word| ["INSERT", "UPDATE", "DELETE", "COPY"].contains(word))?;
    let table = words[at + 1..].iter().find(|word| !["INTO", "FROM"].contains(word))?;
    Some(format!("{} {table}", words[at]))
}

impl Session {
    /// The transaction that ends with this message of the hub, if it wrote anything.
    fn ends(&mut self, kind: u8, bytes: &[u8]) -> Option<String> {
        let mut texts = texts(bytes);
        match kind {
            b'P' => {
                let (name, text) = (texts.next()?, texts.next()?);
                self.prepared.insert(name, text);
                None
            }
            b'B' => {
                let statement = self.prepared.get(&texts.nth(1)?)?.clone();
                self.runs(&statement);
                None
            }
            b'Q' => {
                let statement = texts.next()?;
                self.runs(&statement);
                self.closes(&statement)
            }
            // The end of a statement without a transaction of its own.
            b'S' if !self.open => self.take(),
            _ => None,
        }
    }

    fn runs(&mut self, statement: &str) {
        if statement.starts_with("BEGIN") {
            (self.open, self.writes) = (true, Vec::new());
        }
        if let Some(write) = writes(statement)
            && !self.writes.contains(&write)
        {
            self.writes.push(write);
        }
    }

    fn closes(&mut self, statement: &str) -> Option<String> {
        if statement.starts_with("ROLLBACK") {
            (self.open, self.writes) = (false, Vec::new());
        }
        if statement.starts_with("COMMIT") {
            self.open = false;
        }
        if self.open { None } else { self.take() }
    }

    fn take(&mut self) -> Option<String> {
        let writes = std::mem::take(&mut self.writes);
        (!writes.is_empty()).then(|| writes.join(", "))
    }
}

/// The region, and its families.
const REGION: (&str, u64) = ("52.71", 12);
/// Days that it sends; after each the hub publishes a release.
const DAYS: u32 = 6;
/// Times that a command is given before it has to come through: each of its transactions fails twice.
const TRIES: u32 = 40;
/// Time for a node to come through.
const PATIENCE: Duration = Duration::from_mins(1);
/// An exchange that may fail.
const SHORT: Duration = Duration::from_secs(5);

/// Gives a command until it comes through.
fn again<T>(mut command: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    for _ in 1..TRIES {
        if let Ok(done) = command() {
            return Ok(done);
        }
    }
    command()
}

/// Exchanges until everything is judged.
fn exchange(node: &Node) -> anyhow::Result<()> {
    wait::until(PATIENCE, || {
        let exchange = node.try_sync(SHORT).map_err(|e| format!("{e:#}"))?;
        let left = ledger::totals(node).map_err(|e| format!("{e:#}"))?;
        let done = exchange.well && left.pending + left.sealed + left.waiting == 0;
        if done { Ok(()) } else { Err(format!("{left:?} {}", exchange.told)) }
    })
}

/// Families of another region, in a village that no list has: held until a person decides.
const HELD: u32 = 4;

/// What operators do to a region: its held data is rejected and erased, its epoch closed, its keys revoked and others given.
fn decides(hub: &Hub, place: &Place) -> anyhow::Result<()> {
    let node = Node::create(&place.path("lain"), "52.03".parse()?)?;
    again(|| hub.enrol(&node))?;
    let mut rows = String::from(
        "nomor_kartu_keluarga|jumlah_anggota_keluarga|nama_kepala_keluarga|kabupaten_kota|kecamatan|kelurahan_desa\n",
    );
    for number in 0..HELD {
        let nomor = 9_001 + number;
        writeln!(rows, "520301010110{nomor}|1|CONTOH|KAB. LOMBOK TIMUR|SELONG|CONTOH BARU")?;
    }
    let file = place.path("keluarga.csv");
    std::fs::write(&file, rows)?;
    node.run(&["import", file.to_str().context("a path in UTF-8")?, "--as-of", "2026-01-01"])?;
    exchange(&node)?;
    let held = hub.json(&["held", "list"])?;
    let held: Vec<&str> =
        held.as_array().into_iter().flatten().filter_map(|row| row["delta"].as_str()).collect();
    ensure!(held.len() == HELD as usize, "held: {held:?}");
    for delta in held {
        for decide in [&["held", "reject", delta][..], &["batch", "erase", delta]] {
            again(|| hub.run(&[decide, &["--by", "petugas", "--reason", "uji"]].concat()))?;
            exchange(&node)?;
        }
    }
    for _ in Way::ALL {
        again(|| hub.run(&["region", "new-epoch", "52.03", "--by", "petugas"]))?;
        exchange(&node)?;
        again(|| hub.run(&["region", "revoke", "52.03", "--by", "petugas"]))?;
        again(|| hub.enrol(&node))?;
        exchange(&node)?;
    }
    node.run(&["verify"])?;
    Ok(())
}

/// One run; the registry must come out as if nothing had happened.
pub fn run(place: &Place) -> anyhow::Result<Matrix> {
    let (host, name) = place.database().rsplit_once('/').context("an address with a database")?;
    let (server, port) = host.rsplit_once(':').context("an address with a port")?;
    let proxy = Proxy::start(port.parse()?)?;
    let address = format!("{server}:{}/{name}?sslmode=disable", proxy.port());
    let plans = source::plans(place.seed(), &[REGION])?;
    let mut hub = again(|| Hub::create(&place.path("pusat"), &address))?;
    again(|| hub.start())?;
    let region = plans[0].region;
    let node = Node::create(&place.path("node"), region)?;
    again(|| hub.enrol(&node))?;
    let source = Source::of(node, &plans[0], &place.path("berkas"));
    let code = region.to_string();
    for day in 0..DAYS {
        source.load(day)?;
        exchange(&source.node)?;
        again(|| hub.release())?;
        for what in ["suspend", "resume"] {
            again(|| hub.run(&["region", what, &code, "--by", "petugas"]))?;
        }
        exchange(&source.node)?;
    }
    decides(&hub, place)?;
    exchange(&source.node)?;
    ledger::check(&hub, &[&source.node])?;
    let expected = source::undisturbed(&place.path("tenang"), &plans, &[DAYS])?;
    contents::compare(&contents::of_database(&hub.database())?, &expected)?;
    hub.stop()?;
    Ok(proxy.matrix())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_known_by_what_it_writes() {
        assert_eq!(writes("INSERT INTO batch (region) VALUES ($1)").as_deref(), Some("INSERT batch"));
        assert_eq!(writes("WITH a AS (SELECT 1) UPDATE head SET b = 1").as_deref(), Some("UPDATE head"));
        assert_eq!(writes("SELECT a FROM b FOR UPDATE").as_deref(), None);
        let mut session = Session::default();
        assert_eq!(session.ends(b'P', b"s1\0INSERT INTO batch VALUES ($1)\0\0\0"), None);
        assert_eq!(session.ends(b'Q', b"BEGIN\0"), None);
        for _ in 0..2 {
            assert_eq!(session.ends(b'B', b"\0s1\0rest"), None);
            assert_eq!(session.ends(b'S', b""), None, "a transaction is open");
        }
        assert_eq!(session.ends(b'Q', b"COMMIT\0").as_deref(), Some("INSERT batch"));
        assert_eq!(session.ends(b'B', b"\0s1\0rest"), None);
        assert_eq!(session.ends(b'S', b"").as_deref(), Some("INSERT batch"), "without a transaction");
        assert_eq!(session.ends(b'S', b""), None);
    }
}
