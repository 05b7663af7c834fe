//! The way back: what was refused goes out in a workbook, what an operator corrected in it comes back, and an import that
//! was a mistake is taken back while nothing of it was sent.

mod copies;
mod corrections;
mod held;
mod undone;
mod workbook;

use std::path::Path;

use anyhow::{Context as _, ensure};
use calamine::Reader as _;
use dtsen_tests::{
    faults::{
        ledger,
        place::{Engine, Place},
    },
    federation::{Hub, Node},
};
use serde_json::Value;

const LIST: &str = "\
NIK,No KK,Nama,Jenis Kelamin,Tanggal Lahir,Hubungan Keluarga,Status Kawin,Alamat,RT,RW,Kode Desa
5271010101909001,5271010101209001,BUDI UJI,L,01-01-1990,Kepala Keluarga,Kawin,JL CONTOH 1,001,002,52.71.01.1004
527101410192900,5271010101209001,SITI UJI,P,01-01-1992,Istri,Kawin,JL CONTOH 1,001,002,52.71.01.1004
5271014503159003,5271010101209001,ANI UJI,P,05-03-2015,Anak,Belum Kawin,JL CONTOH 1,001,002,52.71.01.1004
,,,L,,,,JL CONTOH 9,001,002,52.71.01.1004
";
const SITI: &str = "5271014101929002";

const FAMILIES: &str = "\
nomor_kartu_keluarga|jumlah_anggota_keluarga|nama_kepala_keluarga|kabupaten_kota|kecamatan|kelurahan_desa
5271010101209001|1|CONTOH SATU|KOTA MATARAM|AMPENAN|AMPENAN SELATAN
52710101012|1|CONTOH DUA|KOTA MATARAM|AMPENAN|AMPENAN SELATAN
5271010101209003|1|CONTOH TIGA|KOTA MATARAM|AMPENAN|AMPENAN SELATAN
";

#[test]
fn rows_of_a_source_come_back_corrected() -> anyhow::Result<()> {
    crate::scenario("way_back_source", Engine::Sqlite, of_a_source)
}

#[test]
fn rows_of_a_file_come_back_corrected() -> anyhow::Result<()> {
    crate::scenario("way_back_file", Engine::Sqlite, of_a_file)
}

#[test]
fn an_import_is_taken_back_until_it_is_sent() -> anyhow::Result<()> {
    crate::scenario("way_back_undo", Engine::Sqlite, undo)
}

/// A region and its hub.
fn begin(place: &Place) -> anyhow::Result<(Hub, Node)> {
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let node = Node::create(&place.path("node"), "52.71".parse()?)?;
    hub.enrol(&node)?;
    Ok((hub, node))
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path in UTF-8")
}

/// Saves a workbook as a spreadsheet program would after somebody wrote into the cell of a row that has this in another.
/// Tells how many cells of the sheet are marked.
fn corrected(from: &Path, to: &Path, column: &str, row_with: &str, value: &str) -> anyhow::Result<()> {
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(from)?;
    let mut out = rust_xlsxwriter::Workbook::new();
    let mut written = 0;
    for (name, range) in book.worksheets() {
        let sheet = out.add_worksheet().set_name(&name)?;
        let heading: Vec<String> =
            range.rows().next().unwrap_or_default().iter().map(ToString::to_string).collect();
        for (line, row) in (0..).zip(range.rows()) {
            let is_it = line > 0 && row.iter().any(|cell| cell == row_with);
            for (at, cell) in (0_u16..).zip(row) {
                let here = is_it && heading.get(usize::from(at)).is_some_and(|name| name == column);
                written += usize::from(here);
                sheet.write_string(line, at, if here { value.to_owned() } else { cell.to_string() })?;
            }
        }
    }
    ensure!(written == 1, "{written} cells of {column} in rows with {row_with}");
    Ok(out.save(to)?)
}

fn reasons(node: &Node) -> anyhow::Result<Vec<String>> {
    let found = node.json(&["findings"])?;
    let found = found.as_array().context("a list")?;
    Ok(found.iter().filter_map(|one| Some(one["reason"].as_str()?.to_owned())).collect())
}

/// Deltas that the last import made.
fn queued(returned: &Value) -> u64 {
    let files = returned["imported"][0]["files"].as_array().into_iter().flatten();
    files.filter_map(|file| file["queued"].as_u64()).sum()
}

fn of_a_source(place: &Place) -> anyhow::Result<()> {
    let (mut hub, node) = begin(place)?;
    let list = place.path("warga.csv");
    std::fs::write(&list, LIST)?;
    node.run(&["source", "add", "lokal-warga", text(&list)?])?;
    node.run(&["source", "run"])?;
    let pending = node.json(&["status"])?["pending"].clone();
    node.run(&["undo"])?;
    ensure!(node.json(&["status"])?["pending"] == 0, "{}", node.json(&["status"])?);
    node.run(&["source", "run"])?;
    ensure!(node.json(&["status"])?["pending"] == pending, "what was taken back is not read again");
    node.sync()?;
    let found = reasons(&node)?;
    ensure!(
        found.iter().any(|code| code == "NIK_FORMAT") && found.iter().any(|code| code == "ROW_NOBODY"),
        "{found:?}"
    );

    let (out, back) = (place.path("temuan.xlsx"), place.path("perbaikan.xlsx"));
    let told = node.json(&["findings", "export", text(&out)?])?;
    ensure!(told["rows"] == 2 && told["others"] == 0, "{told}");
    corrected(&out, &back, "NIK", "SITI UJI", SITI)?;
    let told = node.json(&["findings", "import", text(&back)?])?;
    ensure!(told["corrected"] == 1 && told["unchanged"] == 1, "{told}");
    ensure!(queued(&told) == 1, "only the corrected row becomes a delta: {told}");
    let answered = node.json(&["findings", "answered"])?;
    ensure!(answered[0]["state"] == "waiting", "{answered}");
    ensure!(
        answered[0]["answers"].as_array().is_some_and(|codes| codes.iter().any(|c| c == "NIK_FORMAT")),
        "{answered}"
    );
    node.sync()?;
    ensure!(reasons(&node)? == ["ROW_NOBODY"], "what was solved is still listed: {:?}", reasons(&node)?);
    let answered = node.json(&["findings", "answered"])?;
    ensure!(answered[0]["state"] == "accepted", "{answered}");
    ensure!(hub.json(&["held", "list"])?.as_array().is_some_and(Vec::is_empty), "something is still held");
    ensure!(hub.json(&["status"])?["individu"] == 3, "one person twice: {}", hub.json(&["status"])?);

    // The same again, and the source as it was, change nothing.
    let told = node.json(&["findings", "import", text(&back)?])?;
    ensure!(queued(&told) == 0, "{told}");
    ensure!(
        node.run(&["source", "run"])?.contains("tidak ada yang berubah"),
        "the source is read as changed"
    );
    // Another row changes: the corrected one stays.
    std::fs::write(&list, LIST.replace("ANI UJI", "ANI BARU"))?;
    node.run(&["source", "run"])?;
    ensure!(node.json(&["status"])?["pending"] == 1, "{}", node.json(&["status"])?);
    // The source says it right by itself: that is nothing new.
    std::fs::write(
        &list,
        LIST.replace("ANI UJI", "ANI BARU").replace("527101410192900,", &format!("{SITI},")),
    )?;
    node.run(&["source", "run"])?;
    ensure!(node.json(&["status"])?["pending"] == 1, "{}", node.json(&["status"])?);
    node.sync()?;
    ledger::check(&hub, &[&node])?;
    hub.stop()
}

fn of_a_file(place: &Place) -> anyhow::Result<()> {
    let (mut hub, node) = begin(place)?;
    let file = place.path("keluarga.csv");
    std::fs::write(&file, FAMILIES)?;
    node.run(&["import", text(&file)?, "--as-of", "2026-01-01"])?;
    node.sync()?;
    ensure!(node.json(&["status"])?["accepted"] == 2, "{}", node.json(&["status"])?);
    let (out, back) = (place.path("temuan.xlsx"), place.path("perbaikan.xlsx"));
    let told = node.json(&["findings", "export", text(&out)?])?;
    ensure!(told["rows"] == 1, "{told}");
    corrected(&out, &back, "nomor_kartu_keluarga", "CONTOH DUA", "5271010101209002")?;
    let told = node.json(&["findings", "import", text(&back)?])?;
    ensure!(told["corrected"] == 1 && queued(&told) == 1, "{told}");
    node.sync()?;
    ensure!(reasons(&node)?.is_empty(), "{:?}", reasons(&node)?);
    // The file as it was is read with its correction.
    node.run(&["import", text(&file)?, "--as-of", "2026-01-01"])?;
    let status = node.json(&["status"])?;
    ensure!(status["pending"] == 0 && status["accepted"] == 3, "{status}");
    ensure!(reasons(&node)?.is_empty(), "{:?}", reasons(&node)?);
    std::fs::remove_file(&file)?;
    let told = node.json(&["findings", "import", text(&back)?])?;
    ensure!(told["waiting"].as_object().is_some_and(|waiting| waiting.contains_key("dtsen")), "{told}");
    ledger::check(&hub, &[&node])?;
    hub.stop()
}

fn undo(place: &Place) -> anyhow::Result<()> {
    let (mut hub, node) = begin(place)?;
    let file = place.path("keluarga.csv");
    std::fs::write(&file, FAMILIES)?;
    let import = |text: &str| -> anyhow::Result<String> {
        std::fs::write(&file, text)?;
        node.run(&["import", self::text(&file)?, "--as-of", "2026-01-01"])
    };
    let fails = |arguments: &[&str]| -> anyhow::Result<String> {
        let output = node.command(arguments)?.output()?;
        ensure!(output.status.code() == Some(1), "{arguments:?} went well");
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    ensure!(
        fails(&["undo"])?.contains("tidak ada impor yang dapat dibatalkan"),
        "undone before there was anything"
    );
    import(FAMILIES)?;
    let told = node.json(&["undo"])?;
    ensure!(told["done"]["new"] == 2 && told["done"]["pending"] == 2, "{told}");
    let status = node.json(&["status"])?;
    ensure!(status["pending"] == 0, "{status}");
    import(FAMILIES)?;
    node.sync()?;
    ensure!(fails(&["undo"])?.contains("sudah dikirim"), "undone after it was sent");
    let changed = FAMILIES.replace("CONTOH SATU", "CONTOH SALAH").replace("CONTOH TIGA", "CONTOH KELIRU");
    let new = "5271010101209004|1|CONTOH EMPAT|KOTA MATARAM|AMPENAN|AMPENAN SELATAN\n";
    import(&format!("{changed}{new}"))?;
    ensure!(node.json(&["status"])?["pending"] == 3, "{}", node.json(&["status"])?);
    // The same again changes nothing, and takes nothing away.
    import(&format!("{changed}{new}"))?;
    let told = node.json(&["undo"])?;
    ensure!(
        told["done"]["new"] == 1 && told["done"]["changed"] == 2 && told["done"]["pending"] == 3,
        "{told}"
    );
    // What was before is known again: the first file is nothing new.
    import(FAMILIES)?;
    ensure!(node.json(&["status"])?["pending"] == 0, "{}", node.json(&["status"])?);
    node.run(&["verify"])?;
    ledger::check(&hub, &[&node])?;
    hub.stop()
}
