//! A hub whose connection to PostgreSQL breaks at commits: once before the server hears of it, once before the hub hears
//! that it is done. A proxy between them reads just enough of the protocol to see transactions end.

mod proxy;
mod session;

use std::{fmt::Write as _, time::Duration};

use anyhow::{Context as _, ensure};

use self::proxy::Proxy;
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
