//! The command line, one file a command.

mod findings;
mod import;
mod init;
mod moving;
mod status;
mod version;

use std::{io::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use dtsen_kit::{ambient::Ambient, telemetry};
use dtsen_proto::{record::Day, region::Region, rulebook::Rulebook};
use jiff::civil::Date;

use crate::{
    config::Config,
    home::Home,
    store::{Store, setting},
};

/// Exit codes, told by `--help`.
const AFTER_HELP: &str = "Kode keluar: 0 berhasil · 1 gagal · 2 perintah salah tulis · 3 selesai, tetapi ada baris \
    yang bermasalah dan tidak dikirim (lihat dtsen-node findings)";

/// Node daerah Pertukaran DTSEN: mengimpor data daerah, memeriksa, menandatangani, mengirim perubahan ke pusat,
/// dan menerima kembali hasil serta irisan data.
#[derive(Debug, Parser)]
#[command(name = "dtsen-node", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// Folder node [bawaan: ~/.dtsen-node]
    #[arg(long, global = true, value_name = "FOLDER", env = "DTSEN_NODE_HOME")]
    home: Option<PathBuf>,
    /// Tingkat log: error, warn, info, debug
    #[arg(long, global = true, default_value = "info", value_name = "TINGKAT")]
    log: String,
    /// Log sebagai JSON
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Membuat node baru untuk satu kabupaten/kota
    Init(init::Init),
    /// Mengimpor berkas keluarga dan/atau anggota keluarga
    Import(import::Import),
    /// Mencatat keluarga yang pindah ke atau dari daerah lain
    #[command(subcommand)]
    Move(moving::Move),
    /// Menampilkan baris bermasalah dan hasil pemeriksaan pusat
    Findings(findings::Findings),
    /// Menampilkan keadaan node
    Status(status::Status),
    /// Menampilkan versi program, protokol, dan buku aturan
    Version(version::Version),
}

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All done.
    Done,
    /// Nothing that was asked for could be done; the command has told why.
    Refused,
    /// Done, but rows had errors and stay here.
    WithErrors,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Refused => Self::FAILURE,
            Outcome::WithErrors => Self::from(3),
        }
    }
}

/// Runs a command.
pub async fn run(cli: Cli) -> anyhow::Result<Outcome> {
    telemetry::init(&cli.log, cli.log_json);
    let home = cli.home.as_deref().map_or_else(Home::usual, Home::at);
    match cli.command {
        Command::Init(command) => command.run(&home).await,
        Command::Import(command) => command.run(&home).await,
        Command::Move(command) => command.run(&home).await,
        Command::Findings(command) => command.run(&home).await,
        Command::Status(command) => command.run(&home).await,
        Command::Version(command) => command.run(&home).await,
    }
}

/// A node that was opened.
struct Node {
    config: Config,
    store: Store,
    region: Region,
    rulebook: Arc<Rulebook>,
    ambient: Ambient,
}

impl Node {
    async fn open(home: &Home) -> anyhow::Result<Self> {
        let config = home.config()?;
        let store = home.open().await?;
        let region = store.region().await?.with_context(|| {
            format!(
                "pembuatan node di {0} terputus; hapus {0} lalu jalankan: dtsen-node init",
                home.path().display()
            )
        })?;
        let rulebook = match store.setting(setting::RULEBOOK).await? {
            Some(bundle) => Arc::new(Rulebook::from_bundle(&bundle).context("buku aturan tersimpan rusak")?),
            None => Rulebook::builtin(),
        };
        Ok(Self { config, store, region, rulebook, ambient: Ambient::system() })
    }

    fn importer(&self) -> crate::import::Importer<'_> {
        crate::import::Importer {
            store: &self.store,
            rulebook: Arc::clone(&self.rulebook),
            region: self.region,
            ambient: self.ambient.clone(),
        }
    }
}

/// A date as an operator types it.
fn date(text: &str) -> Result<Day, String> {
    let date: Result<Date, _> = text.parse();
    date.map(Day::from_date)
        .map_err(|_| "tulis tanggal sebagai TAHUN-BULAN-HARI, misalnya 2026-11-22".to_owned())
}

/// A kab/kota as an operator types it.
fn regency(text: &str) -> Result<Region, String> {
    let region = text.parse::<Region>().ok().filter(|region| region.is_regency());
    region.ok_or_else(|| "tulis kode Kemendagri kabupaten/kota dengan titik, misalnya 52.71".to_owned())
}

/// Prints a text that may be long. A reader that has seen enough (`| head`) is no failure.
fn say(text: &impl std::fmt::Display) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Prints a value as JSON.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value)?)
}

/// A table for people.
fn table(headings: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header(headings);
    table
}

/// A time as people read it, in western Indonesia.
fn time(ms: i64) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7));
    let time = jiff::Timestamp::from_millisecond(ms).map(|time| time.to_zoned(zone));
    time.map_or_else(|_| "-".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M WIB").to_string())
}

#[cfg(test)]
mod tests;
