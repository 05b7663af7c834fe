//! The command line as an operator types it.

use clap::CommandFactory as _;

use super::*;

#[test]
fn the_command_line_is_sound_and_tells_its_exit_codes() {
    Cli::command().debug_assert();
    let help = Cli::command().render_long_help().to_string();
    assert!(help.contains("Kode keluar") && help.contains("3 selesai"), "{help}");
}

#[test]
fn dates_and_regions_are_refused_in_indonesian() {
    assert_eq!(date("1970-01-02"), Ok(Day(1)));
    assert!(date("22/11/2026").expect_err("refused").contains("TAHUN-BULAN-HARI"));
    assert!(regency("52.71").is_ok());
    for wrong in ["52", "5271", "Mataram"] {
        assert!(regency(wrong).expect_err("refused").contains("52.71"), "{wrong}");
    }
}

async fn run_line(home: &std::path::Path, line: &[&str]) -> anyhow::Result<Outcome> {
    let home = home.display().to_string();
    let words = ["dtsen-node", "--home", &home].into_iter().chain(line.iter().copied());
    run(Cli::try_parse_from(words).expect("parses")).await
}

#[tokio::test]
async fn from_init_to_findings() {
    let dir = tempfile::tempdir().expect("a folder");
    let home = dir.path().join("home");
    let told = run_line(&home, &["status"]).await.expect_err("nothing there").to_string();
    assert!(told.contains("dtsen-node init"), "{told}");
    assert!(run_line(&home, &["init", "52.99"]).await.is_err(), "no such region");
    assert_eq!(run_line(&home, &["init", "52.71"]).await.expect("makes"), Outcome::Done);
    let heading = "nomor_induk_kependudukan|nomor_kartu_keluarga|nama|status_kawin\n";
    let good = "\"5271014101909001\"|\"5271010101209001\"|\"SITI\"|1\n";
    let bad = "\"5271014101909002\"|\"5271010101209001\"|\"AMINAH\"|77\n";
    let file = dir.path().join("anggota.csv");
    std::fs::write(&file, [heading, good, bad].concat()).expect("writes");
    let file = file.display().to_string();
    let import = ["import", file.as_str(), "--as-of", "2026-01-31"];
    assert_eq!(run_line(&home, &import).await.expect("imports"), Outcome::WithErrors);
    std::fs::write(&file, [heading, good].concat()).expect("writes");
    assert_eq!(run_line(&home, &import).await.expect("imports"), Outcome::Done);
    let none = [heading, "\"5271014101909003\"|\"5271010101209001\"|\"NUR\"|1\n"].concat();
    std::fs::write(&file, none).expect("writes");
    let complete = [&import[..], &["--complete", "semua"]].concat();
    assert_eq!(run_line(&home, &complete).await.expect("refuses"), Outcome::Refused);
    for line in [&["findings"][..], &["findings", "--json"], &["status"], &["status", "--json"], &["version"]]
    {
        assert_eq!(run_line(&home, line).await.expect("prints"), Outcome::Done, "{line:?}");
    }
}
