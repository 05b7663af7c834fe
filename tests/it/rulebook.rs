//! A village that the programs were not built with: loaded at a running hub, taken by the node, used by the next import.

use anyhow::ensure;
use dtsen_tests::{
    faults::{
        ledger,
        place::{Engine, Place},
    },
    federation::{Hub, Node},
};

const HEADING: &str = "nomor_kartu_keluarga|jumlah_anggota_keluarga|nama_kepala_keluarga|kabupaten_kota|kecamatan|kelurahan_desa";
/// Lives in the village that is not known yet.
const FAMILY: &str = "5271010101109001|1|CONTOH SATU|KOTA MATARAM|AMPENAN|CONTOH BARU";
/// Code of the invented village.
const VILLAGE: &str = "52.71.01.1099";
const WILAYAH: &str = include_str!("../../proto/data/wilayah/wilayah.tsv");

fn path(place: &Place, name: &str, text: &str) -> anyhow::Result<String> {
    let path = place.path(name);
    std::fs::write(&path, text)?;
    Ok(path.display().to_string())
}

fn with_village() -> String {
    WILAYAH.replacen("52.71.02\t", &format!("{VILLAGE}\tContoh Baru\n52.71.02\t"), 1)
}

#[test]
fn a_new_village_is_used_without_a_new_program() -> anyhow::Result<()> {
    crate::scenario("rulebook", Engine::Sqlite, run)
}

#[test]
fn a_new_village_is_used_without_a_new_program_on_postgres() -> anyhow::Result<()> {
    crate::scenario("rulebook", Engine::Postgres, run)
}

fn run(place: &Place) -> anyhow::Result<()> {
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let node = Node::create(&place.path("node"), "52.71".parse()?)?;
    hub.enrol(&node)?;
    let file = path(place, "keluarga.csv", &format!("{HEADING}\n{FAMILY}\n"))?;
    node.run(&["import", &file, "--as-of", "2026-01-01"])?;
    let report = node.sync()?;
    ensure!(report["rulebook"] == 1 && report["rulebook_taken"] == false, "{report}");
    let status = node.json(&["status"])?;
    ensure!(status["held"] == 1 && status["accepted"] == 0, "not held before: {status}");

    let list = path(place, "wilayah.tsv", &with_village())?;
    let load = ["rulebook", "load", "--wilayah", &list, "--by", "petugas", "--reason", "desa baru"];
    let told = hub.run(&load)?;
    ensure!(told.contains("versi 2 berlaku"), "{told}");
    let told = hub.run(&load)?;
    ensure!(told.contains("versi 2 yang sudah berlaku"), "not told that it is the same: {told}");
    let listed = hub.json(&["rulebook", "list"])?;
    ensure!(listed[1]["by"] == "petugas" && listed[1]["in_force"] == true, "{listed}");

    let report = node.sync()?;
    ensure!(report["rulebook"] == 2 && report["rulebook_taken"] == true, "not taken: {report}");
    let status = node.json(&["status"])?;
    ensure!(status["rulebook"] == 2 && status["rulebook_imported"] == 1, "{status}");
    let shown = node.run(&["status"])?;
    ensure!(shown.contains("impor terakhir diperiksa dengan versi 1"), "{shown}");
    node.run(&["import", &file, "--as-of", "2026-01-02"])?;
    let report = node.sync()?;
    ensure!(report["rulebook_taken"] == false, "taken twice: {report}");
    let status = node.json(&["status"])?;
    ensure!(status["held"] == 0 && status["accepted"] == 1, "not accepted after: {status}");
    ensure!(status["rulebook_imported"] == 2, "{status}");
    node.run(&["doctor"])?;

    let export = place.path("bundel").display().to_string();
    let told = hub.run(&["rulebook", "export", &export])?;
    ensure!(told.contains("ODbL"), "the licence of the list is not told: {told}");
    ledger::check(&hub, &[&node])?;
    hub.stop()?;
    let into = format!("sqlite:{}", place.path("ulang.db").display());
    let rebuilt = hub.json(&["rebuild", "--into", &into])?;
    ensure!(rebuilt["same"] == true && rebuilt["unexplained"] == 0, "{rebuilt}");
    Ok(())
}
