//! What is taken back at once: all that one command imported, however many sources it read.

use anyhow::{Context as _, ensure};
use dtsen_node::home::{Home, Work};
use dtsen_tests::{
    faults::place::{Engine, Place},
    federation::Node,
};
use serde_json::Value;

use super::{FAMILIES, LIST, SITI, corrected, text, workbook::imported};

/// The people of [`LIST`] as others, in another family.
fn others() -> String {
    let names = [("BUDI UJI", "JOKO UJI"), ("SITI UJI", "RINI UJI"), ("ANI UJI", "DEWI UJI")];
    let numbers = [("09001,", "09011,"), ("92900,", "92901,"), ("59003,", "59013,")];
    names.iter().chain(&numbers).fold(LIST.to_owned(), |list, (from, to)| list.replace(from, to))
}
const RINI: &str = "5271014101929012";

/// A node with two sources that were not read yet.
fn with_sources(place: &Place) -> anyhow::Result<Node> {
    let node = Node::create(&place.path("node"), "52.71".parse()?)?;
    for (name, list) in [("lokal-lain", others()), ("lokal-warga", LIST.to_owned())] {
        let file = place.path(&format!("{name}.csv"));
        std::fs::write(&file, list)?;
        node.run(&["source", "add", name, text(&file)?])?;
    }
    Ok(node)
}

fn pending(node: &Node) -> anyhow::Result<u64> {
    node.json(&["status"])?["pending"].as_u64().context("a number")
}

fn states(node: &Node) -> anyhow::Result<Vec<Value>> {
    let answered = node.json(&["findings", "answered"])?;
    Ok(answered.as_array().context("a list")?.iter().map(|one| one["state"].clone()).collect())
}

#[test]
fn a_command_over_several_sources_is_taken_back_as_one() -> anyhow::Result<()> {
    crate::scenario("way_back_undo_sources", Engine::Sqlite, several_sources)
}

fn several_sources(place: &Place) -> anyhow::Result<()> {
    let node = with_sources(place)?;
    node.run(&["source", "run"])?;
    let all = pending(&node)?;
    let told = node.json(&["undo"])?;
    ensure!(told["done"]["sources"] == serde_json::json!(["lokal-lain", "lokal-warga"]), "{told}");
    ensure!(told["done"]["pending"] == all && pending(&node)? == 0, "{told}");
    // Two commands are taken back one by one.
    node.run(&["source", "run", "lokal-lain"])?;
    let first = pending(&node)?;
    node.run(&["source", "run", "lokal-warga"])?;
    ensure!(pending(&node)? == all && first < all, "{first} of {all}");
    let told = node.json(&["undo"])?;
    ensure!(told["done"]["sources"] == serde_json::json!(["lokal-warga"]), "{told}");
    ensure!(pending(&node)? == first, "{told}");
    Ok(())
}

#[test]
fn corrections_of_several_sources_are_taken_back_as_one() -> anyhow::Result<()> {
    crate::scenario("way_back_undo_corrections", Engine::Sqlite, corrections)
}

fn corrections(place: &Place) -> anyhow::Result<()> {
    let node = with_sources(place)?;
    node.run(&["source", "run"])?;
    // Two commands of one source, of which one describes another day.
    let families = place.path("keluarga.csv");
    std::fs::write(&families, FAMILIES)?;
    node.run(&["import", text(&families)?, "--as-of", "2026-01-01"])?;
    let people = place.path("anggota.csv");
    std::fs::write(
        &people,
        "nomor_induk_kependudukan|nomor_kartu_keluarga|nama|status_kawin\n\
         527101410192902|5271010101209001|WATI UJI|1\n",
    )?;
    node.command(&["import", text(&people)?, "--as-of", "2026-02-01"])?.output()?;
    let before = pending(&node)?;

    let (out, back) = (place.path("temuan.xlsx"), place.path("perbaikan.xlsx"));
    node.run(&["findings", "export", text(&out)?])?;
    corrected(&out, &back, "NIK", "SITI UJI", SITI)?;
    corrected(&back, &back, "NIK", "RINI UJI", RINI)?;
    corrected(&back, &back, "nomor_kartu_keluarga", "CONTOH DUA", "5271010101209002")?;
    corrected(&back, &back, "nomor_induk_kependudukan", "WATI UJI", "5271014101929021")?;
    let (code, told, error) = imported(&node, &back)?;
    ensure!(code == 3 && told["corrected"] == 4, "{code} {told} {error}");
    let days: Vec<_> = told["imported"].as_array().into_iter().flatten().collect();
    ensure!(days.len() == 4 && days[0]["reference_day"] != days[1]["reference_day"], "{told}");
    ensure!(pending(&node)? == before + 4, "{} after {before}", pending(&node)?);
    ensure!(states(&node)?.iter().all(|state| state == "waiting"), "{:?}", states(&node)?);

    let told = node.json(&["undo"])?;
    ensure!(told["done"]["sources"] == serde_json::json!(["dtsen", "lokal-lain", "lokal-warga"]), "{told}");
    ensure!(pending(&node)? == before, "half of it is left: {} after {before}, {told}", pending(&node)?);
    ensure!(states(&node)?.iter().all(|state| state == "open"), "{:?}", states(&node)?);
    // The same once more, the files by their days as before.
    let (_, told, _) = imported(&node, &back)?;
    ensure!(pending(&node)? == before + 4, "{told}");
    let (_, again, _) = imported(&node, &back)?;
    ensure!(pending(&node)? == before + 4, "{again}");
    let day = |told: &Value, at: usize| told["imported"][at]["reference_day"].clone();
    ensure!((day(&again, 0), day(&again, 1)) == (day(&told, 0), day(&told, 1)), "{again}");
    // Beside another import the corrections wait, all of them.
    let _importing = Home::at(&place.path("node")).lock(Work::Import)?;
    let (code, told, error) = imported(&node, &back)?;
    ensure!(code == 0 && told["imported"].as_array().is_some_and(Vec::is_empty), "{code} {told} {error}");
    ensure!(told["waiting"].as_object().is_some_and(|waiting| waiting.len() == 3), "{told}");
    Ok(())
}
