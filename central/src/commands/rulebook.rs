//! `rulebook`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use dtsen_kit::{files, say};
use dtsen_proto::{
    envelope::{self, PayloadType},
    limits, pb,
    record::{Day, RecordKind},
};
use prost::Message as _;
use serde::Serialize;

use super::{By, open, print_json, table};
use crate::{
    home::Home,
    hub::Hub,
    rulebook::{self, Change, Loaded, Outcome},
};

/// Decisions read at once.
const PAGE: u32 = 500;
/// What the licence of the list of areas asks for wherever it is shown or passed on.
const ATTRIBUTION: &str = "Wilayah bawaan memuat informasi dari idn-area-data \
    (https://github.com/fityannugroho/idn-area-data), tersedia di bawah ODbL 1.0.";

#[derive(Debug, Subcommand)]
pub(super) enum Rulebook {
    /// Buku aturan yang berlaku
    Show {
        /// Untuk mesin
        #[arg(long)]
        json: bool,
    },
    /// Semua versi, siapa yang memuat dan mengapa
    List {
        /// Untuk mesin
        #[arg(long)]
        json: bool,
    },
    /// Memuat versi berikutnya; berlaku seketika, juga pada pusat yang sedang berjalan
    Load(Load),
    /// Menulis bundel yang berlaku ke berkas
    Export {
        /// Berkas tujuan, tidak boleh sudah ada
        #[arg(value_name = "BERKAS")]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
#[group(id = "isi", required = true, multiple = true)]
pub(super) struct Load {
    /// Bundel utuh (hasil export); versinya harus di atas yang terakhir
    #[arg(long, value_name = "BERKAS", group = "isi", conflicts_with_all = ["wilayah", "bridge", "rules"])]
    bundle: Option<PathBuf>,
    /// Pengganti wilayah.tsv: baris kode<tab>nama, urut menurut kode
    #[arg(long, value_name = "BERKAS", group = "isi")]
    wilayah: Option<PathBuf>,
    /// Jembatan kode BPS ke Kemendagri: CSV dengan kolom kode_bps dan kode_dagri; hanya baris judul berarti tanpa jembatan
    #[arg(long, value_name = "BERKAS", group = "isi")]
    bridge: Option<PathBuf>,
    /// Pengganti rulebook.toml, columns.toml, codes.toml, atau reasons.toml menurut namanya; boleh berulang
    #[arg(long, value_name = "BERKAS", group = "isi")]
    rules: Vec<PathBuf>,
    #[command(flatten)]
    by: By,
}

#[derive(Serialize)]
struct Shown {
    version: u32,
    digest: String,
    edition: String,
    bytes: usize,
    individu_columns: usize,
    keluarga_columns: usize,
    reasons: usize,
    areas: usize,
    bridge: usize,
    attribution: &'static str,
}

#[derive(Serialize)]
struct Line {
    version: u32,
    digest: String,
    in_force: bool,
    loaded_ms: Option<i64>,
    by: Option<String>,
    reason: Option<String>,
}

impl Rulebook {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        match self {
            Self::Show { json } => show(&*hub.rulebook().await?, json),
            Self::List { json } => list(&hub, json).await,
            Self::Load(load) => load.run(&hub).await,
            Self::Export { file } => {
                anyhow::ensure!(!file.exists(), "{} sudah ada; pilih nama lain", file.display());
                let now = hub.rulebook().await?;
                std::fs::write(&file, now.book.packed()).with_context(|| file.display().to_string())?;
                say!("Buku aturan versi {} ditulis ke {}.", now.version(), file.display());
                say!("{ATTRIBUTION}");
                Ok(())
            }
        }
    }
}

fn show(now: &Loaded, json: bool) -> anyhow::Result<()> {
    let book = &now.book;
    let shown = Shown {
        version: book.version(),
        digest: hex::encode(now.digest),
        edition: book.edition().to_owned(),
        bytes: book.packed().len(),
        individu_columns: book.columns(RecordKind::Individu).count(),
        keluarga_columns: book.columns(RecordKind::Keluarga).count(),
        reasons: book.reasons().len(),
        areas: book.wilayah().len(),
        bridge: book.wilayah().bridge_len(),
        attribution: ATTRIBUTION,
    };
    if json {
        return print_json(&shown);
    }
    say!("Buku aturan versi {} · edisi {} · {} byte", shown.version, shown.edition, shown.bytes);
    say!("Sidik {}", shown.digest);
    say!(
        "{} kolom keluarga, {} kolom individu, {} alasan, {} wilayah, {} baris jembatan BPS",
        shown.keluarga_columns,
        shown.individu_columns,
        shown.reasons,
        shown.areas,
        shown.bridge
    );
    say!("{ATTRIBUTION}");
    Ok(())
}

async fn list(hub: &Hub, json: bool) -> anyhow::Result<()> {
    let in_force = hub.rulebook().await?.version();
    let decided = decisions(hub).await?;
    let mut versions = hub.store.rulebook_versions().await?;
    if versions.is_empty() {
        versions.push(in_force);
    }
    let mut lines = Vec::new();
    for version in versions {
        let loaded = hub.rulebooks.version(&*hub.store, version).await?;
        let said = decided.iter().find(|(act, _)| act.version == version).map(|(_, decision)| decision);
        lines.push(Line {
            version,
            digest: hex::encode(loaded.digest),
            in_force: version == in_force,
            loaded_ms: said.map(|d| d.decided_ms),
            by: said.map(|d| d.actor.clone()),
            reason: said.map(|d| d.reason.clone()),
        });
    }
    if json {
        return print_json(&lines);
    }
    let mut shown = table(&["Versi", "Dimuat", "Oleh", "Alasan", "Sidik"]);
    for line in lines {
        let mark = if line.in_force { " (berlaku)" } else { "" };
        let day =
            line.loaded_ms.and_then(|ms| Day::of_ms(ms).date()).map_or_else(String::new, |d| d.to_string());
        let cells = [line.by.unwrap_or_default(), line.reason.unwrap_or_default()];
        let first = [format!("{}{mark}", line.version), day];
        shown.add_row(first.into_iter().chain(cells).chain([line.digest[..16].to_owned()]));
    }
    say!("{shown}");
    Ok(())
}

/// Decisions that loaded a rulebook.
async fn decisions(hub: &Hub) -> anyhow::Result<Vec<(pb::RulebookAct, pb::Decision)>> {
    let (mut found, mut after) = (Vec::new(), 0);
    let key = hub.keys.receipt.public();
    loop {
        let page = hub.store.decisions(after, PAGE).await?;
        let Some((last, ..)) = page.last() else { return Ok(found) };
        after = *last;
        for (_, _, bytes) in page {
            let entry = pb::Envelope::decode(bytes.as_slice()).unwrap_or_default();
            let Ok(read) = envelope::verify::<pb::Decision>(&entry, PayloadType::DECISION, &key) else {
                continue;
            };
            if let Some(pb::decision::Act::Rulebook(act)) = &read.get().act {
                found.push((act.clone(), read.get().clone()));
            }
        }
    }
}

impl Load {
    async fn run(self, hub: &Hub) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.by.reason.trim().is_empty(),
            "mengganti buku aturan perlu alasan: --reason \"…\""
        );
        let decided = self.by.decided()?;
        match rulebook::load(hub, self.change()?, decided).await? {
            Outcome::Same(version) => {
                say!("Isinya sama dengan versi {version} yang sudah berlaku; tidak ada yang diubah.");
            }
            Outcome::Loaded(version) => {
                say!("Buku aturan versi {version} berlaku untuk kiriman yang diterima mulai sekarang.");
                say!(
                    "Node mengambilnya saat pertukaran berikutnya; kiriman sebelumnya tetap diputus dengan versinya."
                );
            }
        }
        Ok(())
    }

    fn change(self) -> anyhow::Result<Change> {
        if let Some(path) = self.bundle {
            return Ok(Change::Bundle(bytes(&path)?));
        }
        let mut changed = Vec::new();
        for (name, path) in [("wilayah.tsv", self.wilayah), ("bridge.csv", self.bridge)] {
            if let Some(path) = path {
                changed.push((name, text(&path)?));
            }
        }
        for path in self.rules {
            let names = ["rulebook.toml", "columns.toml", "codes.toml", "reasons.toml"];
            let name = names.into_iter().find(|name| path.file_name().is_some_and(|n| n == *name));
            let name = name.with_context(|| {
                format!("{}: nama berkas harus salah satu dari {}", path.display(), names.join(", "))
            })?;
            changed.push((name, text(&path)?));
        }
        Ok(Change::Files(changed))
    }
}

fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let length = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    let most = limits::MAX_RULEBOOK_BYTES as u64;
    anyhow::ensure!(length <= most, "{}: lebih besar dari {most} byte", path.display());
    Ok(files::read(path)?)
}

fn text(path: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8(bytes(path)?);
    text.map_err(|e| {
        let good = String::from_utf8_lossy(&e.as_bytes()[..e.utf8_error().valid_up_to()]);
        anyhow::anyhow!("{} baris {}: bukan UTF-8", path.display(), good.split('\n').count())
    })
}
