//! `status`.

use std::collections::BTreeMap;

use clap::Args;
use dtsen_kit::{ambient::Ambient, say};
use serde::Serialize;

use super::{Done, print_json};
use crate::{
    home::{Home, Work},
    identity, rulebook,
    source::config,
    store::{SliceState, Store, Totals, setting},
};

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Whole {
    region: String,
    enrolled: bool,
    hub: Option<String>,
    halted: Option<String>,
    hub_fork: bool,
    generation: u64,
    epoch: u32,
    sequence: u32,
    keluarga: u64,
    individu: u64,
    #[serde(flatten)]
    totals: Totals,
    local_errors: u64,
    local_warnings: u64,
    slice: SliceState,
    slice_expired: bool,
    certificate_expires_ms: Option<i64>,
    rulebook: u32,
    rulebook_imported: Option<u32>,
    rulebook_unfit: Option<String>,
    /// What the last import read, if it did not come to its end and does not run any more.
    interrupted: Option<String>,
    /// By source, what is not well.
    alarms: BTreeMap<String, String>,
}

impl Status {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, region) = home.store().await?;
        let head = store.head().await?;
        let (keluarga, individu) = store.record_counts().await?;
        let (local_errors, local_warnings) = store.local_finding_counts().await?;
        let slice = store.slice_state().await?;
        let identity = home.identity().load().ok();
        let generation = store.setting(setting::GENERATION).await?;
        let whole = Whole {
            region: region.to_string(),
            enrolled: head.is_some(),
            hub: store.text_setting(setting::HUB_URL).await?,
            halted: store.text_setting(setting::HALTED).await?,
            hub_fork: store.setting(setting::HUB_FORK).await?.is_some(),
            generation: generation.and_then(|b| b.try_into().ok()).map_or(0, u64::from_be_bytes),
            epoch: head.map_or(0, |h| h.position.epoch),
            sequence: head.map_or(0, |h| h.position.sequence),
            keluarga,
            individu,
            totals: store.totals().await?,
            local_errors,
            local_warnings,
            slice_expired: slice.version > 0 && slice.expires_ms <= Ambient::system().now_ms(),
            slice,
            certificate_expires_ms: identity
                .and_then(|i| i.chain.first().and_then(|c| identity::life(c)))
                .map(|(_, to)| to),
            rulebook: rulebook::version(&store).await?,
            rulebook_imported: rulebook::imported(&store).await?,
            rulebook_unfit: store.text_setting(setting::RULEBOOK_UNFIT).await?,
            interrupted: interrupted(home, &store).await?,
            alarms: alarms(home, &store).await?,
        };
        if self.json {
            print_json(&whole)?;
        } else {
            print(&whole);
        }
        Ok(Done::Well)
    }
}

async fn interrupted(home: &Home, store: &Store) -> anyhow::Result<Option<String>> {
    let last = store.imports(1).await?.into_iter().find(|import| import.finished_ms.is_none());
    // Whoever imports holds the lock.
    Ok(last.filter(|_| home.lock(Work::Import).is_ok()).map(|import| import.file))
}

async fn alarms(home: &Home, store: &Store) -> anyhow::Result<BTreeMap<String, String>> {
    let mut alarms = BTreeMap::new();
    for (name, config) in config::each(home) {
        let alarm = match config {
            Ok(_) => config::state(store, &name).await?.alarm,
            Err(damaged) => Some(damaged.to_string()),
        };
        alarms.extend(alarm.map(|alarm| (name, alarm)));
    }
    Ok(alarms)
}

fn print(whole: &Whole) {
    say!("Node {} · {}", whole.region, whole.hub.as_deref().unwrap_or("belum terdaftar"));
    if let Some(why) = &whole.halted {
        say!("BERHENTI: {why}");
    }
    if whole.hub_fork {
        say!("PERINGATAN: log pusat pernah tidak cocok dengan yang dilihat node ini; hubungi pengawas.");
    }
    say!("Data sendiri: {} keluarga, {} orang", whole.keluarga, whole.individu);
    let t = &whole.totals;
    say!(
        "Terkirim {}: diterima {}, dengan peringatan {}, ditahan {}, ditolak {}, menunggu putusan {}",
        t.sent,
        t.accepted,
        t.warned,
        t.held,
        t.rejected,
        t.waiting
    );
    say!("Antrean: {} belum dikirim, {} sedang dikirim", t.pending, t.sealed);
    say!("Temuan di node: {} kesalahan, {} peringatan", whole.local_errors, whole.local_warnings);
    if let Some(file) = &whole.interrupted {
        say!(
            "Impor {file} terputus sebelum selesai; jalankan perintah yang sama sekali lagi, atau batalkan dengan undo"
        );
    }
    for (name, alarm) in &whole.alarms {
        say!("ALARM {name}: {alarm}");
    }
    say!("Buku aturan versi {}", whole.rulebook);
    if let Some(before) = whole.rulebook_imported.filter(|version| *version != whole.rulebook) {
        say!(
            "  impor terakhir diperiksa dengan versi {before}: temuannya mungkin tidak berlaku lagi; impor lagi berkasnya"
        );
    }
    if whole.rulebook_unfit.is_some() {
        say!("  pusat memakai versi yang tidak terbaca oleh program ini; perbarui dtsen-node");
    }
    say!(
        "Irisan versi {}: {} keluarga, {} orang{}",
        whole.slice.version,
        whole.slice.keluarga,
        whole.slice.individu,
        if whole.slice_expired { " — MASA BERLAKU LEWAT" } else { "" }
    );
}
