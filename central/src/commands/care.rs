//! `verify`, `rebuild`, `backup`, `restore`, `doctor`: looking after a hub.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use dtsen_kit::{ambient::Ambient, files, say};

use super::{open, open_store, print_json, without_password};
use crate::{audit, authority, home::Home, hub::Hub, lane, lease, replay, store::Status};

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        let found = audit::verify(&hub).await?;
        if self.json {
            print_json(&found)?;
        } else {
            say!(
                "{} kiriman, {} putusan, {} keputusan, {} entri log, {} data, {} irisan diperiksa.",
                found.batches,
                found.feed,
                found.decisions,
                found.leaves,
                found.records,
                found.slices
            );
            say!("Sidik registri: {}", found.state_hash);
            for fault in &found.faults {
                say!("SALAH: {fault}");
            }
        }
        anyhow::ensure!(found.faults_total == 0, "{} hal tidak cocok", found.faults_total);
        if !self.json {
            say!("Semuanya cocok.");
        }
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(super) struct Rebuild {
    /// Basis data kosong sebagai tujuan: sqlite:FILE atau postgres://…
    #[arg(long, value_name = "BASIS DATA")]
    into: String,
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Rebuilt {
    applications: u64,
    erased: u64,
    #[serde(flatten)]
    compared: replay::Comparison,
}

impl Rebuilt {
    fn print(&self) {
        let Self { applications, erased, compared } = self;
        say!("{applications} penerapan diulang.");
        say!("Sidik registri di sini:      {}", compared.state_hash);
        say!("Sidik registri hasil ulang:  {}", compared.replayed_hash);
        if *erased > 0 {
            say!("{erased} data sudah dihapus dari arsip dan tidak dapat diterapkan ulang.");
        }
        if !compared.same {
            let (records, numbers) = (compared.differing, compared.differing_holders);
            say!("{records} data dan {numbers} nomor berbeda; {} di antaranya", compared.unexplained);
            say!("tidak dapat dijelaskan oleh penghapusan.");
        }
        for id in &compared.first_unexplained {
            say!("BERBEDA: data {id}");
        }
    }
}

impl Rebuild {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        let target = open_store(&self.into, true).await?;
        let replayed = replay::rebuild(&*hub.store, &*target, &hub.engine).await?;
        let compared = replay::compare(&*hub.store, &*target).await?;
        let rebuilt = Rebuilt { applications: replayed.applications, erased: replayed.erased, compared };
        if self.json {
            print_json(&rebuilt)?;
        } else {
            rebuilt.print();
        }
        anyhow::ensure!(
            rebuilt.compared.unexplained == 0,
            "hasil ulang berbeda (bila pusat sedang menerima data, hentikan dulu lalu ulangi)"
        );
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Berkas cadangan (SQLite), tidak boleh sudah ada
    #[arg(value_name = "BERKAS")]
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        anyhow::ensure!(!self.file.exists(), "{} sudah ada; pilih nama lain", self.file.display());
        let hub = open(home).await?;
        // The lane is borrowed and intake would still go on: a copy of a serving hub is not of one moment.
        let holder = format!("backup-{}", std::process::id());
        let now = hub.ambient.now_ms();
        let fence = hub.store.take_lease(lane::LEASE, &holder, now, now + lease::LEASE_MS).await?;
        let fence = fence.context(
            "pusat sedang berjalan; hentikan dulu, atau untuk PostgreSQL pakai pg_dump dan untuk SQLite salin dengan sqlite3 .backup",
        )?;
        let temporary = self.file.with_extension("new");
        let address = format!("sqlite:{}", temporary.display());
        let target = open_store(&address, true).await?;
        replay::copy(&*hub.store, &*target, |table| table.name == "lease").await?;
        hub.store.give_lease(&fence).await?;
        drop(target);
        settle(&temporary, &self.file)?;
        say!("Cadangan ditulis ke {}. Kunci tidak ikut: simpan folder keys/ terpisah.", self.file.display());
        Ok(())
    }
}

/// Gives a finished database file its name.
fn settle(temporary: &Path, file: &Path) -> anyhow::Result<()> {
    for suffix in ["-wal", "-shm"] {
        let beside = PathBuf::from(format!("{}{suffix}", temporary.display()));
        // Closing the last connection removes them; what is left is empty.
        let _ = std::fs::remove_file(beside);
    }
    std::fs::rename(temporary, file).with_context(|| file.display().to_string())?;
    Ok(())
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// Berkas cadangan
    #[arg(value_name = "BERKAS")]
    file: PathBuf,
}

impl Restore {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        anyhow::ensure!(self.file.exists(), "{} tidak ada", self.file.display());
        let config = home.config()?;
        let address = home.database(&config);
        let target = open_store(&address, true).await?;
        anyhow::ensure!(
            replay::is_empty(&*target).await?,
            "basis data {} sudah berisi data; pindahkan dulu, atau ganti database di hub.toml",
            without_password(&address)
        );
        let copy = home.path().join("restore.tmp");
        files::write_private(&copy, &files::read(&self.file)?)?;
        let source = open_store(&format!("sqlite:{}", copy.display()), false).await?;
        replay::copy(&*source, &*target, |table| table.name == "lease").await?;
        drop(source);
        std::fs::remove_file(&copy)?;
        say!("Dipulihkan. Daerah yang sudah lebih maju akan melaporkannya saat menyambung;");
        say!("penerimaan lalu berhenti sampai: dtsen-central generation confirm --by NAMA");
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(super) struct Doctor {}

impl Doctor {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        let mut bad = 0;
        for (ok, what, fix) in examine(&hub, home).await? {
            say!("{} {what}", if ok { "baik  " } else { "PERLU " });
            if !ok {
                bad += 1;
                say!("       → {fix}");
            }
        }
        anyhow::ensure!(bad == 0, "{bad} hal perlu ditangani");
        Ok(())
    }
}

type Finding = (bool, String, &'static str);

/// Deltas waiting above which an operator should look.
const BACKLOG: u64 = 1_000_000;

async fn examine(hub: &Hub, home: &Home) -> anyhow::Result<Vec<Finding>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut found = Vec::new();
    let keys = home.path().join("keys");
    let mode = std::fs::metadata(&keys)?.permissions().mode() & 0o077;
    found.push((mode == 0, "folder kunci hanya terbaca pemiliknya".to_owned(), "chmod 700 keys"));
    let stopped = hub.stopped().await?;
    let what = stopped
        .clone()
        .map_or_else(|| "penerimaan berjalan".to_owned(), |why| format!("penerimaan berhenti: {why}"));
    found.push((stopped.is_none(), what, "dtsen-central generation show"));
    let (_, waiting) = hub.store.waiting_count().await?;
    found.push((
        waiting < BACKLOG,
        format!("{waiting} data menunggu putusan"),
        "pastikan dtsen-central serve berjalan",
    ));
    let halted = hub
        .store
        .regions()
        .await?
        .into_iter()
        .filter(|r| matches!(r.status, Status::Forked | Status::Cloned | Status::Restored));
    for row in halted {
        found.push((
            false,
            format!("daerah {} berhenti: {}", row.region, row.reason),
            "pastikan hanya satu node berjalan, lalu region new-epoch, atau region revoke",
        ));
    }
    let ca = hub.authority.certificate();
    let years = authority::days_left(ca, Ambient::system().now_ms()).map(|d| d / 365);
    found.push((
        years.is_some_and(|y| y > 1),
        format!("otoritas sertifikat berlaku {} tahun lagi", years.unwrap_or(0)),
        "rencanakan otoritas baru",
    ));
    found.push((
        hub.keys.release.is_none(),
        "kunci rilis disimpan luring".to_owned(),
        "pindahkan keys/release.pem ke tempat luring",
    ));
    Ok(found)
}
