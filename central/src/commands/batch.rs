//! `batch`.

use clap::Subcommand;
use dtsen_kit::say;
use dtsen_proto::{
    id::{DeltaRef, Position},
    pb,
    region::Region,
    rulebook::Rulebook,
};
use prost::Message as _;
use serde::Serialize;

use super::{By, open, print_json, table};
use crate::{
    erasure::{self, Erased},
    home::Home,
    hub::Hub,
    store::{BatchRow, VerdictRow},
};

#[derive(Debug, Subcommand)]
pub(super) enum Batch {
    /// Kiriman terbaru
    List {
        /// Hanya daerah ini
        #[arg(long)]
        region: Option<Region>,
        /// Paling banyak
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Untuk mesin
        #[arg(long)]
        json: bool,
    },
    /// Satu kiriman beserta temuan pada datanya
    Show {
        /// DAERAH/EPOCH/URUT, misalnya 52.71/1/17
        batch: String,
        /// Untuk mesin
        #[arg(long)]
        json: bool,
    },
    /// Menghapus satu data dari arsip kiriman atas dasar hukum; sidiknya tinggal, sehingga rantai dan log tetap sah
    ///
    /// Registri tidak berubah: nilai yang masih tampil diganti atau ditarik oleh daerahnya. Data yang ditahan harus diputus
    /// dulu. Salinan di cadangan dan di daerah tidak ikut terhapus.
    Erase {
        /// DAERAH EPOCH URUT NOMOR, atau DAERAH/EPOCH/URUT/NOMOR, misalnya 52.71/1/17/3
        #[arg(num_args = 1..=4, required = true, value_name = "DATA")]
        delta: Vec<String>,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Serialize)]
struct Line {
    batch: String,
    id: String,
    custody_ms: i64,
    deltas: u64,
    applied: bool,
    body_refused: bool,
    accepted: u64,
    warned: u64,
    held: u64,
    rejected: u64,
}

impl Line {
    fn new(row: &BatchRow) -> Self {
        let [accepted, warned, held, rejected] = row.totals;
        Self {
            batch: row.position.to_string(),
            id: row.id.to_string(),
            custody_ms: row.custody_ms,
            deltas: row.deltas,
            applied: row.apply_no.is_some(),
            body_refused: row.apply_no == Some(0),
            accepted,
            warned,
            held,
            rejected,
        }
    }
}

/// A verdict for screens: reasons with their text, never a value.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    delta: String,
    verdict: &'static str,
    revision: u32,
    reasons: Vec<Reason>,
}

#[derive(Debug, Serialize)]
struct Reason {
    code: String,
    column: Option<String>,
    text: String,
    fix: String,
}

/// A judgement in an operator's words.
pub(super) fn judgement(judgement: pb::Judgement) -> &'static str {
    match judgement {
        pb::Judgement::Accepted => "diterima",
        pb::Judgement::Warned => "diterima dengan peringatan",
        pb::Judgement::Held => "ditahan",
        pb::Judgement::Rejected => "ditolak",
        pb::Judgement::Unspecified => "tidak dikenal",
    }
}

impl Shown {
    pub(super) fn new(row: &VerdictRow, rulebook: &Rulebook) -> Self {
        let detail = pb::Verdict::decode(row.detail.as_slice()).unwrap_or_default();
        let reasons = detail.findings.iter().map(|finding| {
            let info = rulebook.reason(&finding.reason);
            let column = u16::try_from(finding.column).ok().filter(|c| *c > 0);
            Reason {
                code: finding.reason.clone(),
                column: column
                    .and_then(|c| rulebook.column(dtsen_proto::column::Column(c)))
                    .map(|c| c.name.clone()),
                text: info.map_or_else(String::new, |i| i.text_id.clone()),
                fix: info.map_or_else(String::new, |i| i.fix_id.clone()),
            }
        });
        let verdict = judgement(detail.judgement());
        Self { delta: row.delta.to_string(), verdict, revision: row.revision, reasons: reasons.collect() }
    }

    pub(super) fn print(shown: &[Self]) {
        if shown.is_empty() {
            say!("Tidak ada.");
            return;
        }
        let mut rows = table(&["Data", "Putusan", "Alasan", "Kolom", "Keterangan", "Perbaikan"]);
        for line in shown {
            for (at, reason) in line.reasons.iter().enumerate() {
                let (delta, verdict) =
                    if at == 0 { (line.delta.clone(), line.verdict) } else { (String::new(), "") };
                rows.add_row([
                    delta,
                    verdict.to_owned(),
                    reason.code.clone(),
                    reason.column.clone().unwrap_or_default(),
                    reason.text.clone(),
                    reason.fix.clone(),
                ]);
            }
        }
        say!("{rows}");
    }
}

impl Batch {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        match self {
            Self::List { region, limit, json } => list(&hub, region, limit, json).await,
            Self::Show { batch, json } => show(&hub, &batch, json).await,
            Self::Erase { delta, by } => erase(&hub, &delta.join("/"), &by).await,
        }
    }
}

async fn erase(hub: &Hub, delta: &str, by: &By) -> anyhow::Result<()> {
    let delta: DeltaRef = delta
        .parse()
        .map_err(|_| anyhow::anyhow!("data ditulis DAERAH EPOCH URUT NOMOR, misalnya 52.71 1 17 3"))?;
    anyhow::ensure!(!by.reason.trim().is_empty(), "penghapusan perlu dasar hukum: --reason \"…\"");
    let Erased::Now { decision, record, values_left } = erasure::erase(hub, delta, &by.decided()?).await?
    else {
        say!("Data {delta} sudah dihapus sebelumnya.");
        return Ok(());
    };
    say!("Data {delta} dihapus dari arsip (keputusan {decision}).");
    if let (Some(record), 1..) = (record, values_left) {
        say!(
            "Registri masih memuat {values_left} nilai darinya pada data {record}; mintalah daerah mengirim"
        );
        say!("nilai baru, atau menyatakan data itu tidak ada lagi di sumbernya.");
    }
    say!("Hapus juga salinannya di cadangan; lihat docs/STORAGE.md.");
    Ok(())
}

async fn list(hub: &Hub, region: Option<Region>, limit: u32, json: bool) -> anyhow::Result<()> {
    let rows = hub.store.recent_batches(region, limit).await?;
    let lines: Vec<Line> = rows.iter().map(Line::new).collect();
    if json {
        return print_json(&lines);
    }
    let headings =
        ["Kiriman", "Identitas", "Data", "Diterima", "Peringatan", "Ditahan", "Ditolak", "Keadaan"];
    let mut shown = table(&headings);
    for line in lines {
        let state = match (line.body_refused, line.applied) {
            (true, _) => "isi ditolak",
            (_, true) => "diputus",
            (_, false) => "menunggu",
        };
        let numbers = [line.deltas, line.accepted, line.warned, line.held, line.rejected];
        let cells = [line.batch, line.id].into_iter().chain(numbers.map(|n| n.to_string()));
        shown.add_row(cells.chain([state.to_owned()]));
    }
    say!("{shown}");
    Ok(())
}

async fn show(hub: &Hub, batch: &str, json: bool) -> anyhow::Result<()> {
    let any: DeltaRef = format!("{batch}/0")
        .parse()
        .map_err(|_| anyhow::anyhow!("kiriman ditulis DAERAH/EPOCH/URUT, misalnya 52.71/1/17"))?;
    let position: Position = any.position;
    let row = hub.store.batch(position).await?;
    let row =
        row.ok_or_else(|| anyhow::anyhow!("kiriman {position} tidak ada; lihat: dtsen-central batch list"))?;
    let verdicts = hub.store.verdicts(position).await?;
    let rulebook = hub.rulebook().await?;
    let shown: Vec<Shown> = verdicts.iter().map(|v| Shown::new(v, &rulebook.book)).collect();
    if json {
        #[derive(Serialize)]
        struct Whole {
            batch: Line,
            verdicts: Vec<Shown>,
        }
        return print_json(&Whole { batch: Line::new(&row), verdicts: shown });
    }
    let [accepted, warned, held, rejected] = row.totals;
    say!("Kiriman {position} ({}): {} data", row.id, row.deltas);
    say!("diterima {accepted}, dengan peringatan {warned}, ditahan {held}, ditolak {rejected}");
    Shown::print(&shown);
    Ok(())
}
