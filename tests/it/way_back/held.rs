//! Of what the hub holds: a row that waits there and goes, and why a steward did not take one.

use std::path::Path;

use anyhow::{Context as _, ensure};
use dtsen_tests::faults::place::{Engine, Place};
use serde_json::Value;

use super::{LIST, begin, text, workbook::Book};

const WHY: &str = "Lampirkan KTP, lalu kirim lagi";
/// Whoever has this name has a number that is no NIK.
const UNNUMBERED: &str = "SITI UJI";

#[test]
fn who_waits_and_goes_is_taken_back() -> anyhow::Result<()> {
    crate::scenario("way_back_gone", Engine::Sqlite, goes)
}

#[test]
fn a_steward_says_why() -> anyhow::Result<()> {
    crate::scenario("way_back_why", Engine::Sqlite, why)
}

#[test]
fn who_was_withdrawn_is_in_no_slice() -> anyhow::Result<()> {
    crate::scenario("way_back_withdrawn", Engine::Sqlite, withdrawn)
}

fn without(list: &Path, name: &str) -> anyhow::Result<()> {
    let left: Vec<&str> = LIST.lines().filter(|line| !line.contains(name)).collect();
    Ok(std::fs::write(list, left.join("\n") + "\n")?)
}

fn goes(place: &Place) -> anyhow::Result<()> {
    let (mut hub, node) = begin(place)?;
    let list = place.path("warga.csv");
    let held = |hub: &dtsen_tests::federation::Hub| {
        hub.json(&["held", "list"]).map(|held| held.as_array().map_or(0, Vec::len))
    };
    std::fs::write(&list, LIST)?;
    node.run(&["source", "add", "lokal-warga", text(&list)?])?;
    // Sent and judged; sent in one batch with what takes it back.
    for at_once in [false, true] {
        std::fs::write(&list, LIST)?;
        node.run(&["source", "run"])?;
        if !at_once {
            node.sync()?;
            ensure!(held(&hub)? == 1, "nobody waits at the hub");
        }
        without(&list, UNNUMBERED)?;
        node.run(&["source", "run", "lokal-warga", "--confirm-gone", "1"])?;
        node.sync()?;
        ensure!(held(&hub)? == 0, "who is gone still waits at the hub");
        let found = node.json(&["findings"])?;
        let by_hub = |one: &&Value| one["origin"] == "pusat";
        ensure!(found.as_array().is_some_and(|all| !all.iter().any(|one| by_hub(&one))), "{found}");
    }
    ensure!(hub.json(&["status"])?["individu"] == 2, "{}", hub.json(&["status"])?);
    hub.stop()
}

fn why(place: &Place) -> anyhow::Result<()> {
    let (mut hub, node) = begin(place)?;
    let list = place.path("warga.csv");
    std::fs::write(&list, LIST)?;
    node.run(&["source", "add", "lokal-warga", text(&list)?])?;
    node.run(&["source", "run"])?;
    node.sync()?;
    let held = hub.json(&["held", "list"])?;
    let delta = held[0]["delta"].as_str().context("a held delta")?;
    let reject = |reason: &str| hub.run(&["held", "reject", delta, "--by", "petugas", "--reason", reason]);
    let told =
        reject("NIK 5271014101929002 salah").err().map(|error| format!("{error:#}")).unwrap_or_default();
    ensure!(told.contains("tanpa data pribadi"), "a NIK was taken into the log: {told}");
    reject(WHY)?;
    node.sync()?;
    let found = node.json(&["findings"])?;
    let rejected =
        found.as_array().and_then(|all| all.iter().find(|one| one["reason"] == "STEWARD_REJECTED"));
    ensure!(rejected.is_some_and(|one| one["note"] == WHY), "{found}");
    ensure!(node.run(&["findings"])?.contains("KTP"), "the list does not say why");
    let out = place.path("temuan.xlsx");
    node.run(&["findings", "export", text(&out)?])?;
    let mut book = Book::open(&out)?;
    let (line, at) = (book.line(UNNUMBERED), book.at("Masalah"));
    ensure!(book.rows()[line][at].contains(&format!("Pusat: {WHY}")), "{:?}", book.rows()[line]);
    hub.stop()
}

fn withdrawn(place: &Place) -> anyhow::Result<()> {
    let (mut hub, node) = begin(place)?;
    let list = place.path("warga.csv");
    without(&list, UNNUMBERED)?;
    node.run(&["source", "add", "lokal-warga", text(&list)?])?;
    node.run(&["source", "run"])?;
    node.sync()?;
    let people = || -> anyhow::Result<(Value, usize)> {
        hub.release()?;
        node.sync()?;
        let out = place.path("irisan.csv");
        node.run(&["slice", "export", "--anggota", text(&out)?, "--purpose", "uji"])?;
        Ok((
            node.json(&["status"])?["slice"]["individu"].clone(),
            std::fs::read_to_string(&out)?.lines().count(),
        ))
    };
    // With the heading.
    ensure!(people()? == (Value::from(2), 3), "{:?}", people()?);
    let left: Vec<&str> =
        LIST.lines().filter(|line| !line.contains(UNNUMBERED) && !line.contains("ANI UJI")).collect();
    std::fs::write(&list, left.join("\n") + "\n")?;
    node.run(&["source", "run", "lokal-warga", "--confirm-gone", "1"])?;
    node.sync()?;
    ensure!(people()? == (Value::from(1), 2), "{:?}", people()?);
    hub.stop()
}
