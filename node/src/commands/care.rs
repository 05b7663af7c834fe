//! `backup`, `restore`, `doctor`: looking after a node.

use std::{os::unix::fs::PermissionsExt as _, path::PathBuf};

use clap::Args;
use dtsen_kit::{ambient::Ambient, files, say};

use super::Done;
use crate::{home::Home, identity, rulebook, store::setting};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Berkas cadangan, tidak boleh sudah ada. Kunci tidak ikut
    #[arg(value_name = "BERKAS")]
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        anyhow::ensure!(!self.file.exists(), "{} sudah ada; pilih nama lain", self.file.display());
        let (store, region) = home.store().await?;
        let name = self.file.to_str().ok_or_else(|| anyhow::anyhow!("nama berkas harus UTF-8"))?;
        store.backup(name).await?;
        std::fs::set_permissions(&self.file, std::fs::Permissions::from_mode(0o600))?;
        say!("Cadangan node {region} ditulis ke {}. Simpan folder keys/ terpisah.", self.file.display());
        Ok(Done::Well)
    }
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// Berkas cadangan
    #[arg(value_name = "BERKAS")]
    file: PathBuf,
}

impl Restore {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let database = home.database();
        anyhow::ensure!(self.file.exists(), "{} tidak ada", self.file.display());
        anyhow::ensure!(!database.exists(), "{} sudah ada; pindahkan dulu", database.display());
        files::private_folder(home.path())?;
        files::write_private(&database, &files::read(&self.file)?)?;
        let (_, region) = home.store().await?;
        say!("Node {region} dipulihkan. Pusat membandingkan kepala rantai saat menyambung;");
        say!(
            "bila cadangan ini lebih lama dari yang dipegang pusat, pengiriman berhenti sampai petugas bertindak."
        );
        Ok(Done::Well)
    }
}

#[derive(Debug, Args)]
pub(super) struct Doctor {}

/// Days before its end at which a certificate should long have been renewed.
const CERTIFICATE_DAYS: i64 = 3;
const DAY_MS: i64 = 86_400_000;

impl Doctor {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, _) = home.store().await?;
        let mut found: Vec<(bool, String, &str)> = Vec::new();
        let mode = |path: &std::path::Path| std::fs::metadata(path).map(|m| m.permissions().mode() & 0o077);
        let private = mode(&home.path().join("keys")).is_ok_and(|m| m == 0);
        found.push((private, "folder kunci hanya terbaca pemiliknya".into(), "chmod 700 keys"));
        let whole = store.quick_check().await?;
        found.push((whole, "basis data utuh".into(), "pulihkan dari cadangan: dtsen-node restore"));
        let enrolled = store.head().await?.is_some();
        found.push((
            enrolled,
            "terdaftar pada pusat".into(),
            "dtsen-node enrol --hub URL --token-file BERKAS",
        ));
        let halted = store.text_setting(setting::HALTED).await?;
        let what = halted.clone().unwrap_or_else(|| "pengiriman tidak dihentikan".into());
        found.push((halted.is_none(), what, "hubungi petugas pusat"));
        let now = Ambient::system().now_ms();
        if enrolled {
            let identity = home.identity().load()?;
            let end = identity.chain.first().and_then(|c| identity::life(c)).map_or(0, |(_, to)| to);
            let days = (end - now) / DAY_MS;
            let what = format!("sertifikat berlaku {days} hari lagi");
            found.push((
                days >= CERTIFICATE_DAYS,
                what,
                "dtsen-node sync --once memperbaruinya; bila lewat: enrol lagi",
            ));
        }
        let unfit = store.setting(setting::RULEBOOK_UNFIT).await?.is_some();
        let readable = rulebook::load(&store).await.is_ok();
        let version = rulebook::version(&store).await?;
        let (what, fix) = match (unfit, readable) {
            (true, _) => (
                format!("buku aturan versi {version}; pusat memakai versi yang tidak terbaca di sini"),
                "perbarui dtsen-node",
            ),
            (_, false) => (format!("buku aturan versi {version} rusak"), "dtsen-node sync --once"),
            _ => (format!("buku aturan versi {version} terbaca"), ""),
        };
        found.push((readable && !unfit, what, fix));
        let slice = store.slice_state().await?;
        let expired = slice.version > 0 && slice.expires_ms <= now;
        found.push((
            !expired,
            format!("irisan versi {} masih berlaku", slice.version),
            "dtsen-node sync --once",
        ));
        let bad = found.iter().filter(|(ok, ..)| !ok).count();
        for (ok, what, fix) in found {
            say!("{} {what}", if ok { "baik  " } else { "PERLU " });
            if !ok {
                say!("       → {fix}");
            }
        }
        anyhow::ensure!(bad == 0, "{bad} hal perlu ditangani");
        Ok(Done::Well)
    }
}
