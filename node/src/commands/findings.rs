//! `findings`: what there is to mend, and how.

use clap::{Args, ValueEnum};
use dtsen_proto::{
    pb::Judgement,
    rulebook::{Rulebook, Severity},
};
use serde::Serialize;

use super::{Node, Outcome, print_json, say, table};
use crate::{
    home::Home,
    store::{FindingFilter, FindingRow, Origin},
};

/// Menampilkan baris bermasalah dan hasil pemeriksaan pusat
///
/// Yang ditemukan di sini tidak dikirim sampai diperbaiki di sumbernya dan diimpor lagi. NIK dan No. KK ditampilkan
/// empat angka terakhirnya saja.
#[derive(Debug, Args)]
pub(super) struct Findings {
    /// Hanya yang ditemukan di sini, atau hanya dari pusat
    #[arg(long, value_enum, value_name = "ASAL")]
    origin: Option<From>,
    /// Paling ringan yang ditampilkan
    #[arg(long, value_enum, value_name = "TINGKAT", default_value = "peringatan")]
    at_least: Level,
    /// Paling banyak ditampilkan
    #[arg(long, default_value_t = 100, value_name = "JUMLAH")]
    limit: u32,
    /// Sebagai JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum From {
    Lokal,
    Pusat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    Info,
    Peringatan,
    Ditahan,
    Salah,
}

/// A finding as it is printed.
#[derive(Debug, Serialize)]
struct Shown {
    asal: Origin,
    tingkat: &'static str,
    kode: String,
    uraian: String,
    perbaikan: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    putusan: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nomor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    berkas: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baris: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kolom: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rincian: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    perubahan: Option<String>,
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "info",
        Severity::Warning => "peringatan",
        Severity::Hold => "ditahan",
        Severity::Error => "salah",
    }
}

fn word(judgement: Judgement) -> Option<&'static str> {
    match judgement {
        Judgement::Unspecified => None,
        Judgement::Accepted => Some("diterima"),
        Judgement::Warned => Some("diterima dengan peringatan"),
        Judgement::Held => Some("ditahan"),
        Judgement::Rejected => Some("ditolak"),
    }
}

fn shown(finding: FindingRow, rulebook: &Rulebook) -> Shown {
    let reason = rulebook.reason(&finding.reason);
    let column = finding.column.and_then(|column| rulebook.column(column)).map(|info| info.name.clone());
    Shown {
        asal: finding.origin,
        tingkat: level(finding.severity),
        uraian: reason.map_or_else(String::new, |reason| reason.text_id.clone()),
        perbaikan: reason.map_or_else(String::new, |reason| reason.fix_id.clone()),
        kode: finding.reason,
        putusan: finding.judgement.and_then(word),
        nomor: finding.number,
        berkas: finding.file,
        baris: finding.line,
        kolom: finding.column_name.or(column),
        rincian: finding.detail,
        perubahan: finding.delta.map(|delta| delta.to_string()),
    }
}

impl Shown {
    /// Where to look: the file and line it came from, and the delta that the hub judged.
    fn place(&self) -> String {
        let parts = [
            self.berkas.clone(),
            self.baris.map(|line| format!("baris {line}")),
            self.kolom.as_ref().map(|column| format!("kolom {column}")),
            self.perubahan.as_ref().map(|delta| format!("[{delta}]")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl Findings {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Outcome> {
        let node = Node::open(home).await?;
        let filter = FindingFilter {
            origin: self.origin.map(|origin| match origin {
                From::Lokal => Origin::Lokal,
                From::Pusat => Origin::Hub,
            }),
            at_least: match self.at_least {
                Level::Info => Severity::Notice,
                Level::Peringatan => Severity::Warning,
                Level::Ditahan => Severity::Hold,
                Level::Salah => Severity::Error,
            },
            limit: self.limit,
        };
        let found = node.store.findings(&filter).await?;
        let found: Vec<Shown> = found.into_iter().map(|finding| shown(finding, &node.rulebook)).collect();
        if self.json {
            print_json(&found)?;
            return Ok(Outcome::Done);
        }
        if found.is_empty() {
            println!("Tidak ada yang perlu diperbaiki");
            return Ok(Outcome::Done);
        }
        let mut table = table(&["Tingkat", "Di mana", "Nomor", "Uraian", "Perbaikan"]);
        for finding in &found {
            let detail = finding.rincian.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
            let text = format!("{}{detail} [{}]", finding.uraian, finding.kode);
            table.add_row([
                finding.putusan.unwrap_or(finding.tingkat),
                &finding.place(),
                finding.nomor.as_deref().unwrap_or(""),
                &text,
                &finding.perbaikan,
            ]);
        }
        say(&table)?;
        Ok(Outcome::Done)
    }
}
