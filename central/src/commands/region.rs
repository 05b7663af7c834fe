//! `region`.

use std::path::PathBuf;

use clap::Subcommand;
use dtsen_kit::{files, say};
use dtsen_proto::{pb, region};
use serde::Serialize;

use super::{By, open, print_json, table};
use crate::{enrolment, home::Home, store::Status};

#[derive(Debug, Subcommand)]
pub(super) enum Region {
    /// Membuat token sekali pakai untuk sebuah daerah
    Invite {
        /// Kode Kemendagri kab/kota, misalnya 52.71
        region: region::Region,
        /// Tulis token ke berkas (hanya terbaca pemilik) alih-alih ke layar
        #[arg(long, value_name = "BERKAS")]
        token_file: Option<PathBuf>,
        #[command(flatten)]
        by: By,
    },
    /// Mengonfirmasi sidik jari yang dibacakan petugas daerah
    Confirm {
        /// Kode daerah
        region: region::Region,
        /// Sidik jari seperti tampil di node
        #[arg(long)]
        fingerprint: String,
        #[command(flatten)]
        by: By,
    },
    /// Daftar daerah
    List {
        /// Untuk mesin
        #[arg(long)]
        json: bool,
    },
    /// Menghentikan sementara
    Suspend {
        /// Kode daerah
        region: region::Region,
        #[command(flatten)]
        by: By,
    },
    /// Melanjutkan daerah yang dihentikan
    Resume {
        /// Kode daerah
        region: region::Region,
        #[command(flatten)]
        by: By,
    },
    /// Membuka epoch baru bagi daerah yang dihentikan karena salinan, rantai bercabang, atau node yang dipulihkan
    NewEpoch {
        /// Kode daerah
        region: region::Region,
        #[command(flatten)]
        by: By,
    },
    /// Mencabut kunci dan sertifikat; yang sudah diterima tetap sah
    Revoke {
        /// Kode daerah
        region: region::Region,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Serialize)]
struct Line {
    region: String,
    status: Status,
    fingerprint: Option<String>,
    /// New keys wait for `region confirm`.
    waiting: bool,
    epoch: Option<u32>,
    sequence: Option<u32>,
    reason: String,
}

impl Region {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        match self {
            Self::Invite { region, token_file, by } => {
                let rulebook = hub.rulebook().await?;
                let name = rulebook.book.wilayah().name(&region.to_string()).filter(|_| region.is_regency());
                anyhow::ensure!(
                    name.is_some(),
                    "{region} bukan kode kab/kota Kemendagri; tulis seperti 52.71"
                );
                let token = enrolment::invite(&hub, region, by.decided()?).await?;
                match token_file {
                    Some(path) => {
                        files::write_private(&path, format!("{token}\n").as_bytes())?;
                        say!("Token untuk {region} ditulis ke {}", path.display());
                    }
                    None => say!("{token}"),
                }
                eprintln!(
                    "Berlaku {} jam, sekali pakai. Kirim lewat jalur kedua (bukan surel yang sama).",
                    enrolment::TOKEN_HOURS
                );
            }
            Self::Confirm { region, fingerprint, by } => {
                enrolment::confirm(&hub, region, &fingerprint, by.decided()?).await?;
                say!("Daerah {region} dikonfirmasi. Node melanjutkan sendiri.");
            }
            Self::List { json } => list(&hub, json).await?,
            Self::Suspend { region, by } => {
                enrolment::set_status(&hub, region, pb::region_act::What::Suspended, by.decided()?).await?;
                say!("Daerah {region} dihentikan sementara.");
            }
            Self::Resume { region, by } => {
                enrolment::set_status(&hub, region, pb::region_act::What::Resumed, by.decided()?).await?;
                say!("Daerah {region} dilanjutkan.");
            }
            Self::NewEpoch { region, by } => {
                let epoch = enrolment::new_epoch(&hub, region, by.decided()?).await?;
                say!("Daerah {region} melanjutkan di epoch {epoch}.");
                eprintln!(
                    "Pastikan salinan node lain sudah mati: node pertama yang tersambung memegang epoch ini."
                );
            }
            Self::Revoke { region, by } => {
                enrolment::set_status(&hub, region, pb::region_act::What::Revoked, by.decided()?).await?;
                say!("Kunci dan sertifikat daerah {region} dicabut.");
            }
        }
        Ok(())
    }
}

async fn list(hub: &crate::hub::Hub, json: bool) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for row in hub.store.regions().await? {
        let head = hub.store.head(row.region).await?;
        lines.push(Line {
            region: row.region.to_string(),
            status: row.status,
            fingerprint: enrolment::region_fingerprint(&row),
            waiting: row.pending_key.is_some(),
            epoch: head.map(|h| h.position.epoch),
            sequence: head.map(|h| h.position.sequence),
            reason: row.reason,
        });
    }
    if json {
        return print_json(&lines);
    }
    let mut shown = table(&["Daerah", "Status", "Sidik jari", "Epoch", "Urut", "Keterangan"]);
    for line in lines {
        let number = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
        shown.add_row([
            line.region,
            match (line.status, line.waiting) {
                (Status::Waiting, _) | (_, false) => line.status.word().to_owned(),
                (status, true) => format!("{}, kunci baru menunggu", status.word()),
            },
            line.fingerprint.unwrap_or_default(),
            number(line.epoch),
            number(line.sequence),
            line.reason,
        ]);
    }
    say!("{shown}");
    Ok(())
}
