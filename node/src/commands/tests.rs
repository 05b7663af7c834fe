//! The command line as an operator types it.

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_command_line_is_sound_and_tells_its_exit_codes() {
    Cli::command().debug_assert();
    let help = Cli::command().render_long_help().to_string();
    assert!(help.contains("Kode keluar") && help.contains("3 selesai"), "{help}");
}

/// The exit code as a number; `None` if the command failed.
async fn run_line(home: &std::path::Path, line: &[&str]) -> Option<bool> {
    let home = home.display().to_string();
    let words = ["dtsen-node", "--home", &home].into_iter().chain(line.iter().copied());
    let code = run(Cli::try_parse_from(words).expect("parses")).await.ok()?;
    Some(code == ExitCode::SUCCESS)
}

#[tokio::test]
async fn from_init_to_findings() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = dir.path().join("home");
    let (well, with_errors, failed) = (Some(true), Some(false), None);
    assert_eq!(run_line(&home, &["status"]).await, failed, "nothing there");
    assert_eq!(run_line(&home, &["init", "--region", "52.99"]).await, failed, "no such region");
    assert_eq!(run_line(&home, &["init", "--region", "52.71"]).await, well);
    let heading = "nomor_induk_kependudukan|nomor_kartu_keluarga|nama|status_kawin\n";
    let good = "\"5271014101909001\"|\"5271010101209001\"|\"SITI\"|1\n";
    let bad = "\"5271014101909002\"|\"5271010101209001\"|\"AMINAH\"|77\n";
    let file = dir.path().join("anggota.csv");
    std::fs::write(&file, [heading, good, bad].concat()).expect("writes");
    let file = file.display().to_string();
    let import = ["import", file.as_str(), "--as-of", "2026-01-31"];
    assert_eq!(run_line(&home, &import).await, with_errors);
    std::fs::write(&file, [heading, good].concat()).expect("writes");
    assert_eq!(run_line(&home, &import).await, well);
    let other = "\"5271014101909003\"|\"5271010101209001\"|\"NUR\"|1\n";
    std::fs::write(&file, [heading, other].concat()).expect("writes");
    let complete = [&import[..], &["--complete", "semua"]].concat();
    assert_eq!(run_line(&home, &complete).await, failed, "half of the rows gone");
    for line in [&["findings"][..], &["findings", "--json"], &["status"], &["status", "--json"]] {
        assert_eq!(run_line(&home, line).await, well, "{line:?}");
    }
}

const HEADING: &str = "NIK,No KK,Nama,Jenis Kelamin,Tanggal Lahir,Kode Desa\n";

/// A node with a source that was read, one row of which has a finding.
async fn with_source(dir: &std::path::Path) -> PathBuf {
    let (home, file) = (dir.join("home"), dir.join("warga.csv"));
    let rows = "5271010101909001,5271010101209001,BUDI UJI,L,01-01-1990,52.71.01.1004\n\
        527101410192900,5271010101209001,SITI UJI,P,01-01-1992,52.71.01.1004\n";
    std::fs::write(&file, [HEADING, rows].concat()).expect("writes");
    assert_eq!(run_line(&home, &["init", "--region", "52.71"]).await, Some(true));
    let file = file.display().to_string();
    assert_eq!(run_line(&home, &["source", "add", "lokal-warga", &file]).await, Some(true));
    assert!(run_line(&home, &["source", "run"]).await.is_some());
    home
}

async fn findings(home: &std::path::Path) -> usize {
    let (store, _) = Home::at(home).store().await.expect("opens");
    store.to_mend(100).await.expect("reads").len()
}

#[tokio::test]
async fn a_source_that_is_removed_takes_its_findings_along_until_it_is_added_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = with_source(dir.path()).await;
    let before = findings(&home).await;
    assert!(before > 0);
    assert_eq!(run_line(&home, &["source", "remove", "lokal-warga"]).await, Some(true));
    assert_eq!(findings(&home).await, 0, "nobody reads these rows any more");
    let file = dir.path().join("warga.csv").display().to_string();
    run_line(&home, &["source", "add", "lokal-warga", &file]).await.expect("added");
    run_line(&home, &["source", "run"]).await.expect("reads");
    assert_eq!(findings(&home).await, before, "whoever reads them again is told again");
}

#[tokio::test]
async fn a_source_whose_files_cannot_be_deleted_is_not_removed() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = with_source(dir.path()).await;
    // Nobody can delete this as a file, whatever the account.
    std::fs::create_dir(home.join("sources").join("lokal-warga.secret")).expect("a folder");
    assert_eq!(run_line(&home, &["source", "remove", "lokal-warga"]).await, None);
    assert!(findings(&home).await > 0 && home.join("sources").join("lokal-warga.toml").exists());
    std::fs::remove_dir(home.join("sources").join("lokal-warga.secret")).expect("deletes");
    assert_eq!(run_line(&home, &["source", "remove", "lokal-warga"]).await, Some(true));
}

#[test]
fn a_document_has_the_same_keys_whether_it_went_well() {
    let keys = |document: &Document<Imported>| {
        let value = serde_json::to_value(document).expect("texts and numbers");
        value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>()
    };
    let well = Document::new(Imported::default(), None);
    let failed = Document::new(Imported::default(), Some(&anyhow::anyhow!("tidak ada")));
    assert_eq!(keys(&well), keys(&failed));
    assert_eq!(keys(&well), ["error", "files", "gone", "reference_day", "source", "unchanged"]);
}

#[tokio::test]
async fn a_cell_to_mend_says_what_is_wrong_with_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = with_source(dir.path()).await;
    let (list, families) = (dir.path().join("warga.csv"), dir.path().join("keluarga.csv"));
    let row = "9999010101909001,5271010101209001,BUDI UJI,L,01-01-1990,52.71.01.1004\n";
    std::fs::write(&list, [HEADING, row].concat()).expect("writes");
    run_line(&home, &["source", "run", "lokal-warga"]).await;
    let family = "nomor_kartu_keluarga|nama_kepala_keluarga|kabupaten_kota|kecamatan|kelurahan_desa\n\
        5271010101209003|CONTOH|KOTA MATARAM|AMPENAN|ANTAH\n";
    std::fs::write(&families, family).expect("writes");
    run_line(&home, &["import", &families.display().to_string()]).await.expect("imports");
    let out = dir.path().join("temuan.xlsx");
    assert_eq!(run_line(&home, &["findings", "export", &out.display().to_string()]).await, Some(true));
    let mut told = Vec::new();
    let read = dtsen_sources::read::read(&out, &mut |row| {
        told.push(row.cell(1).text().into_owned());
        std::ops::ControlFlow::Continue(())
    });
    read.expect("reads");
    let says = |words: &[&str]| told.iter().any(|told| words.iter().all(|word| told.contains(word)));
    assert!(says(&["NIK: ", "NIK_PLACEHOLDER", "NIK_MISSING"]), "{told:?}");
    assert!(says(&["kelurahan_desa: ", "VILLAGE_UNRESOLVED"]), "{told:?}");
}
