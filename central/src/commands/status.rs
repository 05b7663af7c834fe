//! `status`.

use clap::Args;
use dtsen_kit::say;
use serde::Serialize;

use super::{open, print_json, table};
use crate::{enrolment, home::Home, hub::Hub, store};

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Whole {
    name: String,
    generation: u64,
    stopped: Option<String>,
    rulebook: u32,
    log_size: u64,
    release: u64,
    keluarga: u64,
    individu: u64,
    applications: u64,
    decisions: u64,
    waiting_batches: u64,
    waiting_deltas: u64,
    regions: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    region: String,
    status: store::Status,
    fingerprint: Option<String>,
    epoch: u32,
    sequence: u32,
    batches: u64,
    deltas: u64,
    accepted: u64,
    warned: u64,
    held: u64,
    rejected: u64,
}

impl Status {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        let whole = gather(&hub).await?;
        if self.json {
            return print_json(&whole);
        }
        say!("Pusat {} · generasi {} · buku aturan {}", whole.name, whole.generation, whole.rulebook);
        if let Some(why) = &whole.stopped {
            say!("PENERIMAAN BERHENTI: {why}. Lihat: dtsen-central generation show");
        }
        say!(
            "{} keluarga, {} orang · log {} entri · rilis {} · menunggu {} kiriman ({} data)",
            whole.keluarga,
            whole.individu,
            whole.log_size,
            whole.release,
            whole.waiting_batches,
            whole.waiting_deltas
        );
        let headings = [
            "Daerah",
            "Status",
            "Epoch",
            "Urut",
            "Kiriman",
            "Data",
            "Diterima",
            "Peringatan",
            "Ditahan",
            "Ditolak",
        ];
        let mut shown = table(&headings);
        for line in &whole.regions {
            let numbers = [line.batches, line.deltas, line.accepted, line.warned, line.held, line.rejected];
            let first = [
                line.region.clone(),
                line.status.word().to_owned(),
                line.epoch.to_string(),
                line.sequence.to_string(),
            ];
            shown.add_row(first.into_iter().chain(numbers.map(|n| n.to_string())));
        }
        say!("{shown}");
        Ok(())
    }
}

async fn gather(hub: &Hub) -> anyhow::Result<Whole> {
    let generation = hub.generation().await?;
    let counts = hub.store.counts().await?;
    let (waiting_batches, waiting_deltas) = hub.store.waiting_count().await?;
    let mut regions = Vec::new();
    for row in hub.store.regions().await? {
        let head = hub.store.head(row.region).await?;
        let totals = hub.store.totals(row.region).await?;
        regions.push(Line {
            region: row.region.to_string(),
            status: row.status,
            fingerprint: enrolment::region_fingerprint(&row),
            epoch: head.map_or(0, |h| h.position.epoch),
            sequence: head.map_or(0, |h| h.position.sequence),
            batches: totals.batches,
            deltas: totals.deltas,
            accepted: totals.accepted,
            warned: totals.warned,
            held: totals.held,
            rejected: totals.rejected,
        });
    }
    Ok(Whole {
        name: hub.name.clone(),
        generation,
        stopped: hub.stopped().await?,
        rulebook: hub.rulebook().await?.version(),
        log_size: hub.store.checkpoint(generation).await?.map_or(0, |(size, _)| size),
        release: hub.store.release(None).await?.map_or(0, |r| r.version),
        keluarga: counts.keluarga,
        individu: counts.individu,
        applications: counts.applications,
        decisions: counts.decisions,
        waiting_batches,
        waiting_deltas,
        regions,
    })
}
