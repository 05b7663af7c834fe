//! What became of corrections: told honestly, taken back when they were wrong, one for equal rows.

use std::os::unix::fs::PermissionsExt as _;

use anyhow::ensure;
use dtsen_tests::faults::place::{Engine, Place};

use super::{
    LIST, SITI, begin, reasons, text,
    workbook::{Book, exported, imported, states},
};

#[test]
fn a_wrong_correction_is_taken_back() -> anyhow::Result<()> {
    crate::scenario("way_back_taken_back", Engine::Sqlite, taken_back)
}

fn taken_back(place: &Place) -> anyhow::Result<()> {
    let (node, _, out) = exported(place, LIST)?;
    ensure!(out.metadata()?.permissions().mode().trailing_zeros() >= 7, "others may read it");
    let (back, shown) = (place.path("perbaikan.xlsx"), place.path("diperbaiki.xlsx"));
    let mut book = Book::open(&out)?;
    book.set("NIK", "SITI UJI", "5271014101929009");
    book.save(&back)?;
    ensure!(imported(&node, &back)?.1["corrected"] == 1);
    let answered = node.json(&["findings", "answered"])?;
    ensure!(answered[0]["file"] == "warga.csv" && answered[0]["line"] == 3, "{answered}");
    ensure!(answered[0]["number"] == "••••9009" && answered[0]["state"] == "waiting", "{answered}");
    // The first workbook again: nobody can know that the correction is to end, but it is told that it is in force.
    let (code, told, _) = imported(&node, &out)?;
    ensure!(code == 0 && told["taken_back"] == 0 && told["still_corrected"]["count"] == 1, "{told}");
    // What was corrected goes out with what the source has, and as it went out it changes nothing.
    let told = node.json(&["findings", "export", text(&shown)?, "--corrected"])?;
    ensure!(told["rows"] == 1, "{told}");
    let (code, told, _) = imported(&node, &shown)?;
    ensure!(code == 0 && told["unchanged"] == 1 && told["still_corrected"]["count"] == 0, "{told}");
    let mut book = Book::open(&shown)?;
    let (line, nik) = (book.line("SITI UJI"), book.at("NIK"));
    ensure!(book.rows()[line][1].contains("menurut sumber: 527101410192900"), "{:?}", book.rows()[line]);
    ensure!(book.rows()[line][nik] == "5271014101929009");
    book.set("NIK", "SITI UJI", "527101410192900");
    book.save(&back)?;
    let (_, told, error) = imported(&node, &back)?;
    ensure!(told["taken_back"] == 1 && told["corrected"] == 0, "{told} {error}");
    ensure!(states(&node)?[&3] == "taken_back", "{:?}", states(&node)?);
    ensure!(reasons(&node)?.iter().any(|code| code == "NIK_FORMAT"), "{:?}", reasons(&node)?);
    ensure!(node.json(&["findings", "export", text(&place.path("0.xlsx"))?, "--corrected"])?["rows"] == 0);
    // And now the right one.
    node.run(&["findings", "export", text(&out)?, "--replace"])?;
    let mut book = Book::open(&out)?;
    book.set("NIK", "SITI UJI", SITI);
    book.save(&back)?;
    ensure!(imported(&node, &back)?.1["corrected"] == 1);
    ensure!(reasons(&node)? == ["ROW_NOBODY"], "{:?}", reasons(&node)?);
    Ok(())
}

#[test]
fn a_correction_is_accepted_only_once_it_was_sent() -> anyhow::Result<()> {
    crate::scenario("way_back_states", Engine::Sqlite, honest)
}

fn honest(place: &Place) -> anyhow::Result<()> {
    let (mut hub, node) = begin(place)?;
    let file = place.path("warga.csv");
    std::fs::write(&file, LIST)?;
    node.run(&["source", "add", "lokal-warga", text(&file)?, "--partial"])?;
    node.run(&["source", "run"])?;
    node.sync()?;
    let (out, back) = (place.path("temuan.xlsx"), place.path("perbaikan.xlsx"));
    node.run(&["findings", "export", text(&out)?])?;
    let mut book = Book::open(&out)?;
    book.set("NIK", "SITI UJI", SITI);
    book.save(&back)?;
    imported(&node, &back)?;
    ensure!(states(&node)?[&3] == "waiting", "{:?}", states(&node)?);
    node.run(&["undo"])?;
    ensure!(states(&node)?[&3] == "open", "taken back by undo: {:?}", states(&node)?);
    node.run(&["source", "run"])?;
    ensure!(states(&node)?[&3] == "waiting", "{:?}", states(&node)?);
    node.sync()?;
    ensure!(states(&node)?[&3] == "accepted", "{:?}", states(&node)?);
    // The same workbook again says nothing new.
    ensure!(imported(&node, &back)?.1["corrected"] == 1);
    ensure!(states(&node)?[&3] == "accepted", "{:?}", states(&node)?);
    // Once more, with a value that is refused here.
    book.set("Jenis Kelamin", "SITI UJI", "L");
    book.set("Tanggal Lahir", "SITI UJI", "01-01-2035");
    book.set("Nama", "SITI UJI", "");
    book.save(&back)?;
    imported(&node, &back)?;
    ensure!(states(&node)?[&3] == "refused", "{:?} {:?}", states(&node)?, reasons(&node)?);
    hub.stop()
}

#[test]
fn equal_rows_are_one_person_once_they_are_corrected() -> anyhow::Result<()> {
    crate::scenario("way_back_twins", Engine::Sqlite, equal_rows)
}

fn equal_rows(place: &Place) -> anyhow::Result<()> {
    let row = LIST.lines().find(|line| line.contains("SITI UJI")).expect("a row");
    let (node, _, out) = exported(place, &format!("{LIST}{row}\n"))?;
    ensure!(node.json(&["status"])?["individu"] == 3, "{}", node.json(&["status"])?);
    let back = place.path("perbaikan.xlsx");
    let mut book = Book::open(&out)?;
    ensure!(book.rows().iter().filter(|row| row.iter().any(|cell| cell == "SITI UJI")).count() == 1);
    book.set("NIK", "SITI UJI", SITI);
    book.save(&back)?;
    let (_, told, error) = imported(&node, &back)?;
    ensure!(told["corrected"] == 1 && told["unfit"]["count"] == 0, "{told} {error}");
    ensure!(node.json(&["status"])?["individu"] == 3, "twice: {}", node.json(&["status"])?);
    ensure!(reasons(&node)? == ["ROW_NOBODY"], "{:?}", reasons(&node)?);
    let told = node.json(&["findings", "export", text(&out)?, "--replace"])?;
    ensure!(told["rows"] == 1, "the corrected row is exported again: {told}");
    Ok(())
}

#[test]
fn people_who_share_a_number_are_corrected_one_by_one() -> anyhow::Result<()> {
    crate::scenario("way_back_shared", Engine::Sqlite, shared)
}

fn shared(place: &Place) -> anyhow::Result<()> {
    let wrong =
        LIST.replace("527101410192900,", "5271010101909001,").replace("5271014503159003", "5271010101909001");
    let (node, _, out) = exported(place, &wrong)?;
    ensure!(node.json(&["status"])?["individu"] == 3, "{}", node.json(&["status"])?);
    let back = place.path("perbaikan.xlsx");
    let mut book = Book::open(&out)?;
    book.set("NIK", "SITI UJI", SITI);
    book.save(&back)?;
    let (_, told, error) = imported(&node, &back)?;
    ensure!(told["corrected"] == 1 && told["unchanged"] == 2, "{told} {error}");
    ensure!(node.json(&["status"])?["individu"] == 3, "{}", node.json(&["status"])?);
    ensure!(
        reasons(&node)?.iter().filter(|code| *code == "NIK_SHARED").count() == 1,
        "{:?}",
        reasons(&node)?
    );
    Ok(())
}

#[test]
fn a_family_without_a_village_is_mended_in_the_rows_of_its_members() -> anyhow::Result<()> {
    crate::scenario("way_back_village", Engine::Sqlite, village)
}

fn village(place: &Place) -> anyhow::Result<()> {
    let list = "\
NIK,No KK,Nama,Jenis Kelamin,Tanggal Lahir,Hubungan Keluarga,Status Kawin,Alamat,RT,RW,Desa,Kecamatan
5271010101909001,5271010101209001,BUDI UJI,L,01-01-1990,Kepala Keluarga,Kawin,JL CONTOH 1,001,002,DESA ANTAH,AMPENAN
5271014101929002,5271010101209001,SITI UJI,P,01-01-1992,Istri,Kawin,JL CONTOH 1,001,002,AMPENAN SELATAN,AMPENAN
";
    let (node, _, out) = exported(place, list)?;
    let mut book = Book::open(&out)?;
    let line = book.line("BUDI UJI");
    ensure!(book.rows()[line][1].contains("Desa: ") && book.rows().len() == 2, "{:?}", book.rows());
    let (name, others) = book.sheets.last().expect("a sheet");
    ensure!(name == "Lain-lain" && others.len() == 2, "{others:?}");
    ensure!(
        (others[0][3].as_str(), others[1][3].as_str()) == ("Baris", "2, 3"),
        "the rows of the members: {others:?}"
    );
    let back = place.path("perbaikan.xlsx");
    book.set("Desa", "BUDI UJI", "AMPENAN SELATAN");
    book.save(&back)?;
    let (code, told, error) = imported(&node, &back)?;
    ensure!(code == 0 && told["corrected"] == 1, "{code} {told} {error}");
    ensure!(reasons(&node)?.is_empty(), "{:?}", reasons(&node)?);
    Ok(())
}

#[test]
fn a_list_that_ends_early_says_so() -> anyhow::Result<()> {
    crate::scenario("way_back_limit", Engine::Sqlite, limit)
}

fn limit(place: &Place) -> anyhow::Result<()> {
    let (node, ..) = exported(place, LIST)?;
    let all = reasons(&node)?.len();
    ensure!(all > 1, "{:?}", reasons(&node)?);
    let told = node.run(&["findings", "--limit", "1"])?;
    ensure!(told.contains(&format!("Masih ada {} lagi", all - 1)), "{told}");
    ensure!(told.contains(&format!("findings --limit {all}")), "{told}");
    ensure!(!node.run(&["findings"])?.contains("Masih ada"), "nothing is left");
    ensure!(node.command(&["findings", "--limit", "0"])?.output()?.status.code() == Some(2));
    Ok(())
}
