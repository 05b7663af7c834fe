//! Imports of small files, edited by hand and at random.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, sync::Arc};

use dtsen_kit::{ambient::Ambient, sqlite::Mode};
use dtsen_proto::{
    chain::Head,
    column::{self, Column},
    record::{Action, Delta, Value},
    rulebook::Severity,
};
use tempfile::TempDir;

use super::*;
use crate::store::{FindingFilter, FindingRow};

mod edits;
mod gone;
mod moving;
mod rows;
mod still;

/// A family and its members, in columns of which the tests edit some.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Family {
    kk: String,
    floor: String,
    village: &'static str,
    members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    nik: String,
    name: String,
    marital: String,
}

/// Family n with two members.
fn family(n: u32) -> Family {
    let member = |m: u32| Member {
        nik: format!("52710101{:02}90{:04}", 1 + m, 1 + n),
        name: format!(
            "{} BINTI {}",
            ["SITI", "AMINAH"][m as usize],
            "ABCDEFGHIJ".chars().nth(n as usize % 10).expect("one")
        ),
        marital: "1".into(),
    };
    Family {
        kk: format!("527101010120{:04}", 1 + n),
        floor: "3".into(),
        village: "DAYAN PEKEN",
        members: vec![member(0), member(1)],
    }
}

fn families(count: u32) -> Vec<Family> {
    (0..count).map(family).collect()
}

/// A node with a folder for its files.
struct Node {
    dir: TempDir,
    store: Store,
}

impl Node {
    async fn new() -> Self {
        Self::in_mode(Mode::Production).await
    }

    async fn in_mode(mode: Mode) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("node.db"), true, mode).await.expect("opens");
        store.enter_epoch(Head::start(region()), None).await.expect("an epoch");
        Self { dir, store }
    }

    fn importer(&self) -> Importer<'_> {
        let (rulebook, ambient) = (Rulebook::builtin(), Ambient::system());
        Importer { store: &self.store, rulebook, region: region(), ambient }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).expect("writes");
        path
    }

    /// Writes both files.
    fn pair(&self, families: &[Family]) -> [PathBuf; 2] {
        let mut keluarga = String::from(
            "kabupaten_kota|kecamatan|kelurahan_desa|nomor_kartu_keluarga|nama_kepala_keluarga|jenis_lantai_terluas\n",
        );
        let mut anggota = String::from("nomor_induk_kependudukan|nomor_kartu_keluarga|nama|status_kawin\n");
        for family in families {
            let head = family.members.first().map_or("SITI", |member| member.name.as_str());
            let _ = writeln!(
                keluarga,
                "\"KOTA MATARAM\"|\"AMPENAN\"|\"{}\"|\"{}\"|\"{head}\"|{}",
                family.village, family.kk, family.floor
            );
            for member in &family.members {
                let _ = writeln!(
                    anggota,
                    "\"{}\"|\"{}\"|\"{}\"|{}",
                    member.nik, family.kk, member.name, member.marital
                );
            }
        }
        [self.write("anggota.csv", &anggota), self.write("keluarga.csv", &keluarga)]
    }

    async fn import(&self, families: &[Family]) -> ImportSummary {
        self.import_as(families, &options()).await
    }

    async fn import_as(&self, families: &[Family], options: &ImportOptions) -> ImportSummary {
        self.import_files(&self.pair(families), options).await
    }

    async fn import_files(&self, files: &[PathBuf], options: &ImportOptions) -> ImportSummary {
        self.importer().run(files, options, &mut |_, _, _| {}).await.expect("imports")
    }

    async fn pending(&self) -> Vec<Delta> {
        self.store.pending(100_000).await.expect("reads")
    }

    async fn findings(&self, at_least: Severity) -> Vec<FindingRow> {
        let filter = FindingFilter { origin: None, at_least, limit: 1_000 };
        self.store.findings(&filter).await.expect("reads")
    }
}

fn region() -> Region {
    "52.71".parse().expect("a region")
}

fn options() -> ImportOptions {
    ImportOptions { source: "dtsen".into(), reference: None, complete: None, confirm_gone: None, run: None }
}

/// Sums of both files: new, changed, unchanged, errors, queued.
fn figures(summary: &ImportSummary) -> [u64; 5] {
    summary.files.iter().fold([0; 5], |sum, file| {
        let c = file.counts;
        let own = [c.new, c.changed, c.unchanged, c.errors, c.queued];
        std::array::from_fn(|at| sum[at] + own[at])
    })
}

/// What a reader of the deltas knows of every record, by number: values, without those taken back.
fn fold(deltas: &[Delta]) -> BTreeMap<String, BTreeMap<Column, Value>> {
    let mut known: BTreeMap<String, BTreeMap<Column, Value>> = BTreeMap::new();
    for delta in deltas {
        let number = delta.natural_key().expect("addressed by its number").to_owned();
        if delta.action == Action::Gone {
            known.remove(&number);
            continue;
        }
        let record = known.entry(number).or_default();
        for (column, value) in delta.blocks.iter().flat_map(|block| &block.cells) {
            match value {
                Value::Cleared => record.remove(column),
                value => record.insert(*column, value.clone()),
            };
        }
    }
    known
}

fn rulebook() -> Arc<Rulebook> {
    Rulebook::builtin()
}
