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
