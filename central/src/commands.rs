//! The command line, one file a command.

mod batch;
mod care;
mod generation;
mod held;
mod init;
mod region;
mod release;
mod rulebook;
mod serve;
mod status;

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use dtsen_kit::{
    ambient::Ambient,
    sqlite::Mode,
    telemetry,
    terminal::{print_json, table},
};
use futures::future::LocalBoxFuture;

use crate::{
    home::{Config, Home},
    hub::Hub,
    store::{self, Store},
};

/// Pusat (hub) Pertukaran DTSEN: menerima kiriman bertanda tangan dari daerah, memvalidasi, menggabungkan,
/// dan mengembalikan irisan data yang ditandatangani.
#[derive(Debug, Parser)]
#[command(name = "dtsen-central", version)]
pub struct Cli {
    /// Folder pusat
    #[arg(long, global = true, default_value = "dtsen-central", value_name = "FOLDER")]
    home: PathBuf,
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
    /// Membuat pusat baru: folder, kunci, otoritas sertifikat, basis data
    Init(init::Init),
    /// Undangan, konfirmasi, dan penghentian daerah
    #[command(subcommand)]
    Region(region::Region),
    /// Menjalankan pusat
    Serve(serve::Serve),
    /// Kiriman yang sudah diterima
    #[command(subcommand)]
    Batch(batch::Batch),
    /// Data yang ditahan dan menunggu keputusan petugas
    #[command(subcommand)]
    Held(held::Held),
    /// Keadaan pusat dan tiap daerah
    Status(status::Status),
    /// Menyiapkan dan menerbitkan rilis
    #[command(subcommand)]
    Release(release::Release),
    /// Buku aturan: aturan, kolom, kode, alasan, dan wilayah; diganti tanpa program baru
    #[command(subcommand)]
    Rulebook(rulebook::Rulebook),
    /// Generasi baru setelah pusat dipulihkan dari cadangan
    #[command(subcommand)]
    Generation(generation::Generation),
    /// Memeriksa rantai, log, registri, dan irisan terhadap tanda tangannya dan satu sama lain
    Verify(care::Verify),
    /// Menyusun ulang registri dari kiriman dan keputusan ke basis data kosong, lalu membandingkan sidiknya
    Rebuild(care::Rebuild),
    /// Mencadangkan basis data ke satu berkas
    Backup(care::Backup),
    /// Memulihkan basis data kosong dari cadangan
    Restore(care::Restore),
    /// Memeriksa kesehatan pusat dan menyebut perbaikannya
    Doctor(care::Doctor),
}

/// Characters of a reason: enough for some sentences.
const MAX_REASON_CHARS: usize = 500;
/// Digits of a NIK and of a No. KK.
const NUMBER_DIGITS: usize = 16;

/// Siapa yang memutuskan dan mengapa; dicatat dalam log keputusan
#[derive(Debug, Args)]
struct By {
    /// Nama petugas
    #[arg(long, value_name = "NAMA", env = "DTSEN_OPERATOR")]
    by: String,
    /// Alasan (tanpa data pribadi); untuk data yang ditahan, daerah ikut membacanya
    #[arg(long, value_name = "TEKS", default_value = "")]
    reason: String,
}

impl By {
    fn decided(&self) -> anyhow::Result<crate::hub::Decided> {
        may_be_kept(&self.reason)?;
        Ok(crate::hub::Decided { actor: self.by.clone(), reason: self.reason.clone() })
    }
}

/// A reason stays in the log for good and is signed into what a region reads: short, on one line, without a NIK or No. KK.
fn may_be_kept(reason: &str) -> anyhow::Result<()> {
    let runs = reason.split(|c: char| !c.is_ascii_digit() && !matches!(c, ' ' | '.' | '-'));
    let number = |run: &str| run.chars().filter(char::is_ascii_digit).count() >= NUMBER_DIGITS;
    anyhow::ensure!(
        reason.chars().count() <= MAX_REASON_CHARS,
        "alasan lebih dari {MAX_REASON_CHARS} huruf; tulis lebih singkat"
    );
    anyhow::ensure!(
        !reason.chars().any(char::is_control),
        "tulis alasan dalam satu baris, tanpa karakter kendali"
    );
    anyhow::ensure!(!runs.into_iter().any(number), "alasan memuat NIK atau No. KK; tulis tanpa data pribadi");
    Ok(())
}

/// Runs a command.
pub fn run(cli: Cli) -> LocalBoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        telemetry::init(&cli.log, cli.log_json);
        let home = Home::at(&cli.home);
        match cli.command {
            Command::Init(command) => command.run(&home).await,
            Command::Region(command) => command.run(&home).await,
            Command::Serve(command) => command.run(&home).await,
            Command::Batch(command) => command.run(&home).await,
            Command::Held(command) => command.run(&home).await,
            Command::Status(command) => command.run(&home).await,
            Command::Release(command) => command.run(&home).await,
            Command::Rulebook(command) => command.run(&home).await,
            Command::Generation(command) => command.run(&home).await,
            Command::Verify(command) => command.run(&home).await,
            Command::Rebuild(command) => command.run(&home).await,
            Command::Backup(command) => command.run(&home).await,
            Command::Restore(command) => command.run(&home).await,
            Command::Doctor(command) => command.run(&home).await,
        }
    })
}

/// Opens the hub of a home.
async fn open(home: &Home) -> anyhow::Result<Arc<Hub>> {
    let config = home.config()?;
    open_with(home, &config).await
}

/// Opens a database, or says which one and what to look at.
async fn open_store(address: &str, create: bool) -> anyhow::Result<Arc<dyn Store>> {
    let known = ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| address.starts_with(scheme));
    let shown = without_password(address);
    anyhow::ensure!(known, "alamat basis data {shown} tidak dikenal; tulis sqlite:BERKAS atau postgres://…");
    store::open(address, create, Mode::Production).await.with_context(|| {
        format!("basis data {shown} tidak dapat dibuka; periksa alamatnya dan apakah servernya berjalan")
    })
}

async fn open_with(home: &Home, config: &Config) -> anyhow::Result<Arc<Hub>> {
    let address = home.database(config);
    let store = open_store(&address, false).await?;
    Ok(Arc::new(home.hub(config, store, Ambient::system())?))
}

/// An address as it may be printed.
fn without_password(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => address.to_owned(),
    }
}
