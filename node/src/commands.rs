//! The command line, one file a command.

mod care;
mod enrol;
mod findings;
mod import;
mod init;
mod map;
mod moves;
mod preview;
mod serve;
mod slice;
mod source;
mod status;
mod sync;
mod undo;
mod verify;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use dtsen_kit::{
    progress::Progress,
    secret::masked,
    telemetry,
    terminal::{print_json, table},
};
use futures::future::LocalBoxFuture;
use serde::Serialize;

use crate::{
    home::Home,
    import::{FileSummary, GoneOutcome, ImportSummary},
};

/// Node daerah Pertukaran DTSEN: memasukkan data lokal, memeriksanya, mengirim perubahan bertanda tangan ke pusat,
/// dan menerima irisan data daerah yang terverifikasi.
///
/// Kode keluar: 0 berhasil · 1 gagal · 2 perintah salah · 3 selesai, tetapi ada baris yang bermasalah.
#[derive(Debug, Parser)]
#[command(name = "dtsen-node", version)]
pub struct Cli {
    /// Folder node
    #[arg(long, global = true, default_value = "dtsen-node", value_name = "FOLDER")]
    home: PathBuf,
    /// Tingkat log: error, warn, info, debug
    #[arg(long, global = true, default_value = "warn", value_name = "TINGKAT")]
    log: String,
    /// Log sebagai JSON
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Membuat node untuk sebuah kab/kota
    Init(init::Init),
    /// Mendaftarkan node ke pusat dengan token sekali pakai
    Enrol(enrol::Enrol),
    /// Pratinjau: apa yang akan diambil dari sebuah berkas, tanpa menyimpan dan tanpa jaringan
    Preview(preview::Preview),
    /// Sumber data daerah yang dibaca berulang: OpenSID, basis data lain, berkas
    #[command(subcommand)]
    Source(source::Source),
    /// Memasukkan berkas data; hanya yang baru atau berubah yang akan dikirim
    Import(import::Import),
    /// Membatalkan impor terakhir selama belum ada yang dikirim
    ///
    /// Yang dibatalkan adalah semua yang dimasukkan oleh satu perintah, berapa pun sumbernya: import, source run, findings import.
    /// Yang dibaca sendiri oleh serve dibatalkan satu pembacaan demi satu pembacaan. Bila sebagian saja sudah dikirim, tidak ada
    /// yang dibatalkan. Perbaikan dari findings import tetap disimpan.
    Undo(undo::Undo),
    /// Menyatakan keluarga pindah ke atau dari daerah lain
    #[command(subcommand)]
    Move(moves::Moves),
    /// Bertukar dengan pusat: kirim perubahan, terima putusan dan irisan
    Sync(sync::Sync),
    /// Temuan yang perlu diperbaiki, dari node ini dan dari pusat
    Findings(findings::Findings),
    /// Irisan data yang diterima dari pusat
    #[command(subcommand)]
    Slice(slice::Slice),
    /// Keadaan node
    Status(status::Status),
    /// Terus berjalan: bertukar dengan pusat dan melayani aplikasi daerah
    Serve(serve::Serve),
    /// Mencadangkan basis data ke satu berkas, juga saat node berjalan
    Backup(care::Backup),
    /// Memulihkan basis data dari cadangan
    Restore(care::Restore),
    /// Memeriksa kesehatan node dan menyebut perbaikannya
    Doctor(care::Doctor),
    /// Memeriksa rantai kiriman, tanda terima, putusan, dan irisan terhadap tanda tangannya
    Verify(verify::Verify),
}

/// A bar for every file that an import reads, one after the other.
#[derive(Default)]
struct Bars(Option<(String, Progress)>);

impl Bars {
    fn at(&mut self, file: &str, read: u64, total: u64) {
        if self.0.as_ref().is_none_or(|(name, _)| name != file) {
            self.0 = Some((file.to_owned(), Progress::new(file, total)));
        }
        if let Some((_, bar)) = &mut self.0 {
            bar.at(read);
        }
    }

    fn finish(self) {
        if let Some((_, bar)) = self.0 {
            bar.finish();
        }
    }
}

/// What a command did, for machines: the same keys whether it went well or not.
#[derive(Serialize)]
struct Document<T> {
    #[serde(flatten)]
    done: T,
    /// Why it failed.
    error: Option<String>,
}

impl<T> Document<T> {
    fn new(done: T, error: Option<&anyhow::Error>) -> Self {
        Self { done, error: error.map(|error| masked(&format!("{error:#}"))) }
    }
}

/// Prints what a command did; a failure with what nothing done looks like. The failure goes on to standard error.
fn print_result<T: Serialize + Default>(result: &anyhow::Result<T>) -> anyhow::Result<()> {
    match result {
        Ok(done) => print_json(&Document::new(done, None)),
        Err(error) => print_json(&Document::new(T::default(), Some(error))),
    }
}

/// What one reading did, for machines.
#[derive(Default, Serialize)]
struct Imported {
    source: String,
    unchanged: bool,
    reference_day: Option<i32>,
    files: Vec<FileSummary>,
    gone: Option<GoneOutcome>,
}

impl From<&ImportSummary> for Imported {
    fn from(summary: &ImportSummary) -> Self {
        Self {
            source: summary.source.clone(),
            unchanged: false,
            reference_day: Some(summary.reference_day),
            files: summary.files.clone(),
            gone: Some(summary.gone),
        }
    }
}

/// What a command ended with.
enum Done {
    /// Everything as asked.
    Well,
    /// Done, but there are rows with errors.
    WithErrors,
}

/// Exit code for rows with errors.
const ROWS_WITH_ERRORS: u8 = 3;

/// Runs a command.
pub fn run(cli: Cli) -> LocalBoxFuture<'static, anyhow::Result<ExitCode>> {
    Box::pin(async move {
        telemetry::init(&cli.log, cli.log_json);
        let home = Home::at(&cli.home);
        let done = match cli.command {
            Command::Init(command) => command.run(&home).await,
            Command::Enrol(command) => command.run(&home).await,
            Command::Preview(command) => command.run(&home).await,
            Command::Source(command) => command.run(&home).await,
            Command::Import(command) => command.run(&home).await,
            Command::Undo(command) => command.run(&home).await,
            Command::Move(command) => command.run(&home).await,
            Command::Sync(command) => command.run(&home).await,
            Command::Findings(command) => command.run(&home).await,
            Command::Slice(command) => command.run(&home).await,
            Command::Status(command) => command.run(&home).await,
            Command::Serve(command) => command.run(&home).await,
            Command::Backup(command) => command.run(&home).await,
            Command::Restore(command) => command.run(&home).await,
            Command::Doctor(command) => command.run(&home).await,
            Command::Verify(command) => command.run(&home).await,
        };
        Ok(match done? {
            Done::Well => ExitCode::SUCCESS,
            Done::WithErrors => ExitCode::from(ROWS_WITH_ERRORS),
        })
    })
}

#[cfg(test)]
mod tests;
