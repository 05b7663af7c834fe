//! `deploy/demo` builds and starts this.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use dtsen_tests::demo;

/// Peragaan: satu pusat dan tiga node (52.71, 52.03, 75.71) sebagai proses terpisah di komputer ini.
#[derive(Parser)]
struct Arguments {
    /// Berhenti setelah selesai, kode keluar 0 bila semuanya cocok
    #[arg(long)]
    once: bool,
    /// Tulis hasilnya ke berkas JSON
    #[arg(long, value_name = "BERKAS")]
    json: Option<PathBuf>,
    /// Keluarga di daerah pertama; dua daerah lain 1,4 dan 0,6 kalinya
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(200..))]
    families: u64,
    /// Simpan folder kerja di sini (bawaan: folder sementara yang dihapus)
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir()?;
    let folder = arguments.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let demo = demo::run(&folder, arguments.families)?;
    println!("{}", demo::table(&demo.result));
    println!("Semua data yang diterima pusat punya putusan; tidak ada yang hilang.");
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&demo.result)?;
        std::fs::write(path, text).with_context(|| format!("{}", path.display()))?;
    }
    if arguments.once {
        return Ok(());
    }
    println!(
        "Pusat tetap berjalan: pertukaran {}, pendaftaran {}",
        demo.hub.exchange_url(),
        demo.hub.enrol_url()
    );
    println!("Folder pusat: {}", demo.hub.home().display());
    for node in &demo.nodes {
        println!("Folder node {}: {}", node.region, node.home().display());
    }
    println!("Coba: target/release/dtsen-node --home {} status", demo.nodes[0].home().display());
    println!("Ctrl-C untuk berhenti.");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}
