//! `move out`, `move in`: the halves of a move between regions.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use dtsen_proto::{
    id::RecordId,
    pb,
    record::{Action, Block, Day, Delta, RecordKind},
    region::Region,
};
use futures::future::BoxFuture;
use prost::Message as _;

use super::{Node, Outcome, date, regency};
use crate::{
    home::Home,
    import::{Arrival, Departure, Person, move_in, move_out},
    store::Store,
};

/// Mencatat keluarga yang pindah ke atau dari daerah lain
#[derive(Debug, Subcommand)]
pub(super) enum Move {
    /// Keluarga pindah keluar ke daerah lain
    Out(Out),
    /// Keluarga datang dari daerah lain
    In(In),
}

/// Keluarga pindah keluar ke daerah lain
#[derive(Debug, Args)]
pub(super) struct Out {
    /// No. KK keluarga yang pindah
    #[arg(long, value_name = "NOMOR")]
    kk: String,
    /// Kode kabupaten/kota tujuan, misalnya 75.71
    #[arg(long, value_name = "WILAYAH", value_parser = regency)]
    to: Region,
    /// Tanggal pindah
    #[arg(long, value_name = "TANGGAL", value_parser = date)]
    date: Day,
}

/// Keluarga datang dari daerah lain
#[derive(Debug, Args)]
pub(super) struct In {
    /// No. KK keluarga yang datang
    #[arg(long, value_name = "NOMOR")]
    kk: String,
    /// NIK tiap orang yang datang; NIK=NAMA bila belum ada dalam berkas impor
    #[arg(long, required = true, value_name = "NIK[=NAMA]", value_parser = person)]
    nik: Vec<Person>,
    /// Kode desa/kelurahan tempat tinggal yang baru, misalnya 52.71.01.1012
    #[arg(long, value_name = "KODE")]
    village: String,
    /// Kode kabupaten/kota asal, misalnya 75.71
    #[arg(long, value_name = "WILAYAH", value_parser = regency)]
    from: Region,
    /// Tanggal pindah
    #[arg(long, value_name = "TANGGAL", value_parser = date)]
    date: Day,
}

#[expect(clippy::unnecessary_wraps, reason = "the form of a parser of arguments")]
fn person(text: &str) -> Result<Person, String> {
    let (nik, name) = match text.split_once('=') {
        Some((nik, name)) => (nik, Some(name.trim().to_owned()).filter(|name| !name.is_empty())),
        None => (text, None),
    };
    Ok(Person { nik: nik.trim().to_owned(), name })
}

impl Move {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Outcome> {
        let node = Node::open(home).await?;
        let _lock = home.lock_import()?;
        let queued = match self {
            Self::Out(out) => {
                let departure = Departure { kk: out.kk, to: out.to, day: out.date };
                let ask = |kk| -> BoxFuture<'_, anyhow::Result<Vec<Delta>>> {
                    Box::pin(from_slice(&node.store, kk))
                };
                move_out(&node.importer(), &departure, &ask).await?
            }
            Self::In(arrival) => {
                let In { kk, nik, village, from, date } = arrival;
                let arrival = Arrival { kk, persons: nik, village, from, day: date };
                move_in(&node.importer(), &arrival).await?
            }
        };
        println!(
            "{queued} perubahan masuk antrean kirim. Kepindahan berlaku setelah daerah lain juga mencatatnya"
        );
        Ok(Outcome::Done)
    }
}

/// A family and its members as the slice in use has them.
async fn from_slice(store: &Store, kk: String) -> anyhow::Result<Vec<Delta>> {
    let mut leaves = store.slice_by_number(RecordKind::Keluarga, &kk).await?;
    leaves.extend(store.slice_members(&kk).await?);
    leaves.iter().map(|leaf| content(leaf).context("irisan data memuat rekaman rusak")).collect()
}

fn content(leaf: &[u8]) -> Option<Delta> {
    let record = pb::SliceRecord::decode(leaf).ok()?;
    let blocks = record.blocks.into_iter().filter_map(|shown| Block::from_wire(shown.block?).ok());
    Some(Delta {
        salt: [0; 16],
        kind: RecordKind::from_wire(record.kind)?,
        action: Action::Upsert,
        record: Some(RecordId::from_slice(&record.record_id)?),
        blocks: blocks.collect(),
        transfer: None,
    })
}
