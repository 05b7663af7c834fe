//! `move`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use dtsen_kit::{ambient::Ambient, files, say};
use dtsen_proto::{
    id::RecordId,
    pb,
    record::{Action, Block, Day, Delta, RecordKind},
    region::Region,
};
use prost::Message as _;
use serde::Deserialize;

use super::Done;
use crate::{
    home::{Home, Work},
    import::{Arrival, Departure, Importer, Person, move_in, move_out},
    store::Store,
};

/// Perpindahan ditulis dalam berkas, supaya NIK tidak muncul di daftar proses dan riwayat perintah
#[derive(Debug, Subcommand)]
pub(super) enum Moves {
    /// Keluarga pindah keluar. Berkas TOML: kk, to, date
    Out {
        /// Berkas
        #[arg(value_name = "BERKAS")]
        file: PathBuf,
    },
    /// Keluarga pindah masuk. Berkas TOML: kk, from, date, village, [[person]] nik dan nama
    In {
        /// Berkas
        #[arg(value_name = "BERKAS")]
        file: PathBuf,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutFile {
    kk: String,
    to: String,
    date: jiff::civil::Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InFile {
    kk: String,
    from: String,
    date: jiff::civil::Date,
    village: String,
    person: Vec<PersonEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonEntry {
    nik: String,
    nama: Option<String>,
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<T> {
    let text = String::from_utf8_lossy(&files::read(path)?).into_owned();
    // The parser's message quotes the line, which may hold a NIK: only its place is told.
    toml::from_str(&text).map_err(|e: toml::de::Error| {
        let line = e.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        anyhow::anyhow!(
            "{} baris {line}: isian salah atau kurang; lihat: dtsen-node move --help",
            path.display()
        )
    })
}

fn region(text: &str) -> anyhow::Result<Region> {
    text.parse()
        .map_err(|_| anyhow::anyhow!("kode daerah {text} tidak dikenal; tulis dengan titik, misalnya 52.71"))
}

impl Moves {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, own) = home.store().await?;
        let _lock = home.lock(Work::Import)?;
        let rulebook = home.rulebook(&store).await?;
        let importer = Importer { store: &store, rulebook, region: own, ambient: Ambient::system() };
        let queued = match self {
            Self::Out { file } => {
                let file: OutFile = read(&file)?;
                let departure =
                    Departure { kk: file.kk, to: region(&file.to)?, day: Day::from_date(file.date) };
                let ask = |kk: String| -> futures::future::BoxFuture<'_, anyhow::Result<Vec<Delta>>> {
                    let store = store.clone();
                    Box::pin(async move { from_slice(&store, &kk).await })
                };
                move_out(&importer, &departure, &ask).await?
            }
            Self::In { file } => {
                let file: InFile = read(&file)?;
                let arrival = Arrival {
                    kk: file.kk,
                    persons: file.person.into_iter().map(|p| Person { nik: p.nik, name: p.nama }).collect(),
                    village: file.village,
                    from: region(&file.from)?,
                    day: Day::from_date(file.date),
                };
                move_in(&importer, &arrival).await?
            }
        };
        say!(
            "{queued} pernyataan pindah masuk antrean kirim. Pindah selesai bila kedua daerah menyatakannya."
        );
        Ok(Done::Well)
    }
}

/// A family and its members as the slice shows them.
async fn from_slice(store: &Store, kk: &str) -> anyhow::Result<Vec<Delta>> {
    let mut leaves = store.slice_by_number(RecordKind::Keluarga, kk).await?;
    leaves.extend(store.slice_members(kk).await?);
    leaves.iter().map(|leaf| read_leaf(leaf)).collect()
}

fn read_leaf(leaf: &[u8]) -> anyhow::Result<Delta> {
    let record = pb::SliceRecord::decode(leaf)?;
    let kind = RecordKind::from_wire(record.kind).context("jenis data dalam irisan")?;
    let blocks = record.blocks.into_iter().filter_map(|b| b.block).map(Block::from_wire);
    let blocks: Vec<Block> = blocks.collect::<Result<_, _>>()?;
    let identity = blocks.into_iter().filter(|b| b.number == kind.identity()).collect();
    let id = RecordId::from_slice(&record.record_id);
    Ok(Delta { record: id, ..Delta::new(kind, Action::Upsert, identity) })
}
