//! `findings`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use dtsen_kit::{ambient::Ambient, say};
use dtsen_proto::{column::Column, pb, rulebook::Severity};
use serde::Serialize;

use super::{Bars, Done, print_json, table};
use crate::{
    home::Home,
    import::ImportSummary,
    mending::{self, Exported, Returned},
    source::run::Runner,
    store::{AnswerState, FindingFilter, Origin},
};

/// Temuan yang perlu diperbaiki, dari node ini dan dari pusat
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Findings {
    #[command(subcommand)]
    way: Option<Way>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Way {
    /// Menulis baris yang ditolak atau ditahan ke buku kerja, sel yang harus diperbaiki diberi warna
    Export(Export),
    /// Mengambil perbaikan dari buku kerja itu; hanya baris yang diubah yang dikirim
    Import(Import),
    /// Perbaikan yang sudah diambil, temuan yang dijawabnya, dan apa putusannya
    Answered(Listed),
}

#[derive(Debug, Args)]
struct Export {
    /// Buku kerja yang dibuat
    #[arg(value_name = "BERKAS.xlsx")]
    file: PathBuf,
    /// Timpa bila sudah ada
    #[arg(long)]
    replace: bool,
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Import {
    /// Buku kerja dari findings export, sudah diperbaiki
    #[arg(value_name = "BERKAS.xlsx")]
    file: PathBuf,
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Listed {
    /// Paling banyak
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct List {
    /// Tampilkan juga peringatan
    #[arg(long)]
    warnings: bool,
    /// Tampilkan semuanya, juga pemberitahuan
    #[arg(long)]
    all: bool,
    /// Paling banyak per asal
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    origin: &'static str,
    reason: String,
    severity: &'static str,
    verdict: Option<&'static str>,
    file: Option<String>,
    line: Option<u64>,
    column: Option<String>,
    number: Option<String>,
    delta: Option<String>,
    text: String,
    text_en: String,
    fix: String,
    /// The column by DTSEN's number: the node names it as the source does, the hub as DTSEN does.
    #[serde(skip)]
    about: Option<Column>,
}

impl Shown {
    /// What it says, and of what: the node and the hub may both say it.
    fn place(&self) -> (Option<&str>, Option<u64>, Option<Column>, &str) {
        (self.file.as_deref(), self.line, self.about, &self.reason)
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "notice",
        Severity::Warning => "warning",
        Severity::Hold => "hold",
        Severity::Error => "error",
    }
}

/// What becomes of a row with such a finding, as operators read it.
fn fate(severity: &str) -> &'static str {
    match severity {
        "error" => "tidak dikirim",
        "hold" => "akan ditahan",
        "warning" => "peringatan",
        _ => "pemberitahuan",
    }
}

impl Findings {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        match self.way {
            None => self.list.run(home).await,
            Some(Way::Export(export)) => export.run(home).await,
            Some(Way::Import(import)) => import.run(home).await,
            Some(Way::Answered(listed)) => listed.run(home).await,
        }
    }
}

impl Export {
    async fn run(self, home: &Home) -> anyhow::Result<Done> {
        anyhow::ensure!(
            self.replace || !self.file.exists(),
            "{} sudah ada; pilih nama lain, atau tambahkan --replace untuk menimpanya",
            self.file.display()
        );
        let (store, region) = home.store().await?;
        let rulebook = home.rulebook(&store).await?;
        let runner = Runner { home, store: &store, region, ambient: Ambient::system() };
        let exported = mending::export(&runner, &self.file, &rulebook).await?;
        if self.json {
            print_json(&exported)?;
            return Ok(Done::Well);
        }
        let Exported { rows, others, unread, more } = exported;
        say!("{}: {rows} baris untuk diperbaiki, {others} temuan lain.", self.file.display());
        for (source, why) in unread {
            say!("Sumber {source} tidak dapat dibaca lagi, barisnya tidak ikut: {why}");
        }
        if more {
            say!("Masih ada lagi: perbaiki yang ini dahulu, lalu ekspor sekali lagi.");
        }
        if rows > 0 {
            let (home, file) = (home.path().display(), self.file.display());
            say!("Perbaiki sel kuning, lalu: dtsen-node --home {home} findings import {file}");
        }
        Ok(Done::Well)
    }
}

impl Import {
    async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, region) = home.store().await?;
        let runner = Runner { home, store: &store, region, ambient: Ambient::system() };
        let mut bars = Bars::default();
        let mut progress = |file: &str, read: u64, total: u64| bars.at(file, read, total);
        let returned = mending::import(&runner, &self.file, &mut progress).await?;
        bars.finish();
        let errors: u64 = returned.imported.iter().map(ImportSummary::errors).sum();
        let done = if errors > 0 { Done::WithErrors } else { Done::Well };
        if self.json {
            print_json(&returned)?;
            return Ok(done);
        }
        let Returned { corrected, unchanged, imported, waiting } = returned;
        say!("{corrected} baris diperbaiki, {unchanged} tidak diubah.");
        for summary in imported {
            say!("{summary}");
        }
        for (source, why) in waiting {
            say!(
                "Sumber {source} belum dapat dibaca ({why}); perbaikannya disimpan dan dipakai pada pembacaan berikutnya."
            );
        }
        if errors > 0 {
            say!(
                "{errors} baris masih bermasalah; lihat: dtsen-node --home {} findings",
                home.path().display()
            );
        }
        Ok(done)
    }
}

impl Listed {
    async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, _) = home.store().await?;
        let answered = store.answered(self.limit).await?;
        if self.json {
            print_json(&answered)?;
            return Ok(Done::Well);
        }
        if answered.is_empty() {
            say!("Belum ada perbaikan yang diambil.");
            return Ok(Done::Well);
        }
        let mut shown = table(&["Sumber", "Diambil", "Menjawab", "Keadaan"]);
        for one in &answered {
            let at = jiff::Timestamp::from_millisecond(one.made_ms).unwrap_or_default();
            let state = match one.state {
                AnswerState::Open => "belum dipakai",
                AnswerState::Waiting => "menunggu dikirim",
                AnswerState::Sent => "terkirim",
                AnswerState::Accepted => "diterima",
                AnswerState::Held => "ditahan",
                AnswerState::Rejected => "ditolak",
            };
            let at = at.strftime("%Y-%m-%d %H:%M UTC").to_string();
            shown.add_row([one.source.as_str(), &at, &one.answers.join(", "), state]);
        }
        say!("{shown}");
        Ok(Done::Well)
    }
}

impl List {
    async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, _) = home.store().await?;
        let rulebook = home.rulebook(&store).await?;
        let at_least = match (self.all, self.warnings) {
            (true, _) => Severity::Notice,
            (_, true) => Severity::Warning,
            _ => Severity::Hold,
        };
        let filter = FindingFilter { origin: None, at_least, limit: self.limit };
        let rows = store.findings(&filter).await?;
        let lines: Vec<Shown> = rows
            .into_iter()
            .map(|row| {
                let info = rulebook.reason(&row.reason);
                let about = row.column;
                let column = row.column.and_then(|c| rulebook.column(c)).map(|c| c.name.clone());
                Shown {
                    origin: if row.origin == Origin::Hub { "pusat" } else { "node" },
                    severity: word(row.severity),
                    verdict: row.judgement.map(verdict),
                    file: row.file,
                    line: row.line,
                    column: row.column_name.or(column),
                    number: row.number,
                    delta: row.delta.map(|d| d.to_string()),
                    text: info.map_or_else(String::new, |i| i.text_id.clone()),
                    text_en: info.map_or_else(String::new, |i| i.text_en.clone()),
                    fix: info.map_or_else(String::new, |i| i.fix_id.clone()),
                    reason: row.reason,
                    about,
                }
            })
            .collect();
        if self.json {
            print_json(&lines)?;
            return Ok(Done::Well);
        }
        if lines.is_empty() {
            say!("Tidak ada yang perlu diperbaiki.");
            return Ok(Done::Well);
        }
        let told_by_hub = |line: &Shown| {
            let by_hub = |other: &Shown| other.verdict.is_some() && other.place() == line.place();
            line.verdict.is_none() && lines.iter().any(by_hub)
        };
        let mut shown =
            table(&["Asal", "Putusan", "Nomor", "Berkas", "Baris", "Kolom", "Temuan", "Perbaikan"]);
        for line in lines.iter().filter(|line| !told_by_hub(line)) {
            shown.add_row([
                line.origin,
                line.verdict.unwrap_or_else(|| fate(line.severity)),
                line.number.as_deref().unwrap_or_default(),
                line.file.as_deref().unwrap_or_default(),
                &line.line.map_or_else(String::new, |l| l.to_string()),
                line.column.as_deref().unwrap_or_default(),
                &format!("{} ({})", line.text, line.reason),
                &line.fix,
            ]);
        }
        say!("{shown}");
        Ok(Done::Well)
    }
}

fn verdict(judgement: pb::Judgement) -> &'static str {
    match judgement {
        pb::Judgement::Unspecified => "tidak dikenal",
        pb::Judgement::Accepted => "diterima",
        pb::Judgement::Warned => "diterima dengan peringatan",
        pb::Judgement::Held => "ditahan",
        pb::Judgement::Rejected => "ditolak",
    }
}
