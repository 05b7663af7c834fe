//! A row that stood there without number while its person was known: once somebody says who it is, the copy goes.

use anyhow::ensure;
use dtsen_tests::faults::place::{Engine, Place};

use super::{LIST, SITI, begin, corrected, text, workbook::imported};

#[test]
fn a_copy_that_was_found_out_needs_no_confirmation() -> anyhow::Result<()> {
    crate::scenario("way_back_copy", Engine::Sqlite, found_out)
}

fn found_out(place: &Place) -> anyhow::Result<()> {
    let (mut hub, node) = begin(place)?;
    let list = place.path("warga.csv");
    let damaged: Vec<&str> = LIST.lines().filter(|line| !line.starts_with(",,,")).collect();
    let damaged = damaged.join("\n") + "\n";
    let sound = damaged.replace("527101410192900,", &format!("{SITI},"));
    std::fs::write(&list, sound)?;
    node.run(&["source", "add", "lokal-warga", text(&list)?])?;
    node.run(&["source", "run"])?;
    node.sync()?;
    std::fs::write(&list, damaged)?;
    ensure!(node.run(&["source", "run"]).is_err(), "she may be the one without a number");
    node.sync()?;
    ensure!(hub.json(&["held", "list"])?.as_array().is_some_and(|held| held.len() == 1), "a copy of her");
    let (out, back) = (place.path("temuan.xlsx"), place.path("perbaikan.xlsx"));
    node.run(&["findings", "export", text(&out)?])?;
    corrected(&out, &back, "NIK", "SITI UJI", SITI)?;
    let (code, told, error) = imported(&node, &back)?;
    ensure!(code == 0 && told["corrected"] == 1, "{code} {told} {error}");
    ensure!(told["imported"][0]["gone"]["withdrawn"] == 0, "nobody is missing: {told}");
    ensure!(node.json(&["source", "list"])?[0]["alarm"].is_null(), "{}", node.json(&["source", "list"])?);
    node.sync()?;
    ensure!(hub.json(&["held", "list"])?.as_array().is_some_and(Vec::is_empty), "the copy still waits");
    ensure!(hub.json(&["status"])?["individu"] == 3, "{}", hub.json(&["status"])?);
    hub.stop()
}
