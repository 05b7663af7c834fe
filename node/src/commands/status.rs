//! `status`: where the node stands.

use clap::Args;
use serde::Serialize;

use super::{Node, Outcome, print_json, say, table, time};
use crate::{
    home::Home,
    store::{ImportRow, SliceState, Totals, setting},
};

/// Imports that are listed.
const IMPORTS: u32 = 5;

/// Menampilkan keadaan node
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Sebagai JSON
    #[arg(long)]
    json: bool,
}

/// Where the node stands.
#[derive(Debug, Serialize)]
struct State {
    region: String,
    name: String,
    enrolled: bool,
    epoch: Option<u32>,
    sequence: Option<u32>,
    halted: Option<String>,
    keluarga: u64,
    individu: u64,
    totals: Totals,
    local_errors: u64,
    local_warnings: u64,
    feed: u64,
    slice: SliceState,
    imports: Vec<ImportRow>,
}

async fn state(node: &Node) -> anyhow::Result<State> {
    let store = &node.store;
    let head = store.head().await?;
    let (keluarga, individu) = store.record_counts().await?;
    let (local_errors, local_warnings) = store.local_finding_counts().await?;
    let region = node.region.to_string();
    Ok(State {
        name: node.rulebook.wilayah().name(&region).unwrap_or_default().to_owned(),
        region,
        enrolled: head.is_some(),
        epoch: head.map(|head| head.position.epoch),
        sequence: head.map(|head| head.position.sequence),
        halted: store.text_setting(setting::HALTED).await?,
        keluarga,
        individu,
        totals: store.totals().await?,
        local_errors,
        local_warnings,
        feed: store.feed_end().await?,
        slice: store.slice_state().await?,
        imports: store.imports(IMPORTS).await?,
    })
}

/// The state as people read it.
fn text(state: &State) -> String {
    let mut lines = vec![format!("Node {} {}", state.region, state.name)];
    if let Some(why) = &state.halted {
        lines.push(format!("BERHENTI: {why}. Pertukaran menunggu petugas; jalankan: dtsen-node doctor"));
    }
    match (state.epoch, state.sequence) {
        (Some(epoch), Some(sequence)) => {
            lines.push(format!("Terdaftar, epoch {epoch}, kiriman terakhir {sequence}"));
        }
        _ => lines.push("Belum terdaftar di pusat; jalankan: dtsen-node enrol".to_owned()),
    }
    lines.push(format!("Data sumber: {} keluarga, {} orang", state.keluarga, state.individu));
    let t = &state.totals;
    lines.push(format!(
        "Antrean: {} belum disegel, {} disegel tetapi belum diterima pusat",
        t.pending, t.sealed
    ));
    lines.push(format!(
        "Terkirim: {} perubahan: {} diterima, {} diterima dengan peringatan, {} ditahan, {} ditolak, {} menunggu putusan",
        t.sent, t.accepted, t.warned, t.held, t.rejected, t.waiting
    ));
    lines.push(format!("Temuan di sini: {} salah, {} peringatan", state.local_errors, state.local_warnings));
    match state.slice.version {
        0 => lines.push("Irisan data: belum ada".to_owned()),
        version => {
            let SliceState { keluarga, individu, .. } = state.slice;
            lines.push(format!("Irisan data: versi {version}, {keluarga} keluarga, {individu} orang"));
        }
    }
    if state.imports.is_empty() {
        return lines.join("\n");
    }
    let mut table = table(&["Impor", "Berkas", "Baris", "Baru", "Berubah", "Tetap", "Salah", "Ditarik"]);
    for import in &state.imports {
        let when = match import.finished_ms {
            Some(ms) => time(ms),
            None => "terputus; jalankan lagi".to_owned(),
        };
        let c = import.counts;
        let figures =
            [c.rows, c.new, c.changed, c.unchanged, c.errors, c.gone].map(|figure| figure.to_string());
        let [rows, new, changed, unchanged, errors, gone] = figures;
        table.add_row([when, import.file.clone(), rows, new, changed, unchanged, errors, gone]);
    }
    lines.push(table.to_string());
    lines.join("\n")
}

impl Status {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Outcome> {
        let node = Node::open(home).await?;
        let state = state(&node).await?;
        if self.json {
            print_json(&state)?;
        } else {
            say(&text(&state))?;
        }
        Ok(Outcome::Done)
    }
}
