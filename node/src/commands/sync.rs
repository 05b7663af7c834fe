//! `sync`.

use std::{sync::Arc, time::Duration};

use clap::Args;
use dtsen_kit::{net::Tcp, say, telemetry::chain};
use serde::Serialize;

use super::{Done, print_json};
use crate::{
    follow,
    home::{Home, Work},
    sync::{Report, Stop},
};

#[derive(Debug, Args)]
pub(super) struct Sync {
    /// Satu kali saja, lalu selesai
    #[arg(long)]
    once: bool,
    /// Bersama --once: tunggu sampai semua yang dikirim mendapat putusan, paling lama sekian detik
    #[arg(long, value_name = "DETIK", requires = "once")]
    wait: Option<u64>,
    /// Untuk mesin
    #[arg(long, requires = "once")]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    report: Report,
    stopped: Option<Stop>,
    waiting: u64,
    pending: u64,
}

impl Sync {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, region) = home.store().await?;
        let _lock = home.lock(Work::Exchange)?;
        let agent = home.agent(store.clone(), region, Arc::new(Tcp)).await?;
        if !self.once {
            follow::forever(&agent, &mut |line| say!("{line}")).await;
            return Ok(Done::Well);
        }
        let patience = Duration::from_secs(self.wait.unwrap_or(0));
        let (report, result) = follow::until_judged(&agent, patience).await;
        let totals = store.totals().await?;
        let stopped = match &result {
            Err(crate::sync::SyncError::Stopped(stop)) => Some(*stop),
            _ => None,
        };
        if self.json {
            let pending = totals.pending + totals.sealed;
            print_json(&Shown { report, stopped, waiting: totals.waiting, pending })?;
        } else {
            say!(
                "Terkirim {} kiriman ({} data), {} putusan diterima, {} data menunggu putusan; irisan versi {}.",
                report.batches,
                report.deltas,
                report.feed,
                totals.waiting,
                report.slice_version
            );
            tell_rulebook(&report);
        }
        match result {
            Ok(()) => Ok(Done::Well),
            Err(error) => Err(anyhow::anyhow!(
                "{}; yang belum terkirim tetap tersimpan dan dikirim lagi nanti",
                chain(&error)
            )),
        }
    }
}

fn tell_rulebook(report: &Report) {
    if report.rulebook_taken {
        say!("Buku aturan versi {} dipakai mulai impor berikutnya.", report.rulebook);
        say!(
            "Temuan dari impor sebelumnya diperiksa dengan versi lama; impor lagi berkasnya untuk memeriksa ulang."
        );
    }
    if let Some(version) = report.rulebook_unfit {
        say!(
            "Buku aturan versi {version} dari pusat tidak terbaca oleh program ini; versi {} tetap dipakai. Perbarui dtsen-node.",
            report.rulebook
        );
    }
}
