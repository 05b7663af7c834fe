//! `findings` alone: the list.

use clap::Args;
use dtsen_kit::say;
use dtsen_proto::{column::Column, pb, rulebook::Severity};
use serde::Serialize;

use super::{
    super::{Done, print_json, table},
    tell_more,
};
use crate::{
    home::Home,
    store::{FindingFilter, Origin},
};

#[derive(Debug, Args)]
pub(super) struct List {
    /// Tampilkan juga peringatan
    #[arg(long)]
    warnings: bool,
    /// Tampilkan semuanya, juga pemberitahuan
    #[arg(long)]
    all: bool,
    /// Paling banyak per asal
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
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
    sheet: Option<String>,
    line: Option<u64>,
    column: Option<String>,
    number: Option<String>,
    delta: Option<String>,
    text: String,
    text_en: String,
    fix: String,
    /// The steward's words.
    note: Option<String>,
    /// The column by DTSEN's number: the node names it as the source does, the hub as DTSEN does.
    #[serde(skip)]
    about: Option<Column>,
}

impl Shown {
    /// What was found, with the words of whoever decided.
    fn found(&self) -> String {
        let note = self.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
        format!("{} ({}){note}", self.text, self.reason)
    }

    /// What it says, and of what: the node and the hub may both say it.
    fn place(&self) -> (Option<&str>, Option<&str>, Option<u64>, Option<Column>, &str) {
        (self.file.as_deref(), self.sheet.as_deref(), self.line, self.about, &self.reason)
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

impl List {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, _) = home.store().await?;
        let rulebook = home.rulebook(&store).await?;
        let at_least = match (self.all, self.warnings) {
            (true, _) => Severity::Notice,
            (_, true) => Severity::Warning,
            _ => Severity::Hold,
        };
        let filter = FindingFilter { origin: None, at_least, limit: self.limit };
        let rows = store.findings(&filter).await?;
        let most = store.most_findings(&filter).await?;
        let more = most.iter().map(|all| all.saturating_sub(self.limit.into())).sum();
        let all = format!("{} --limit {}", self.words(), most.iter().max().unwrap_or(&0));
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
                    sheet: row.sheet,
                    line: row.line,
                    column: row.column_name.or(column),
                    number: row.number,
                    delta: row.delta.map(|d| d.to_string()),
                    text: info.map_or_else(String::new, |i| i.text_id.clone()),
                    text_en: info.map_or_else(String::new, |i| i.text_en.clone()),
                    fix: info.map_or_else(String::new, |i| i.fix_id.clone()),
                    note: row.detail.filter(|_| row.origin == Origin::Hub),
                    reason: row.reason,
                    about,
                }
            })
            .collect();
        if self.json {
            print_json(&lines)?;
            tell_more(more, &all, home, true);
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
            table(&["Asal", "Putusan", "Nomor", "Berkas", "Lembar", "Baris", "Kolom", "Temuan", "Perbaikan"]);
        for line in lines.iter().filter(|line| !told_by_hub(line)) {
            shown.add_row([
                line.origin,
                line.verdict.unwrap_or_else(|| fate(line.severity)),
                line.number.as_deref().unwrap_or_default(),
                line.file.as_deref().unwrap_or_default(),
                line.sheet.as_deref().unwrap_or_default(),
                &line.line.map_or_else(String::new, |l| l.to_string()),
                line.column.as_deref().unwrap_or_default(),
                &line.found(),
                &line.fix,
            ]);
        }
        say!("{shown}");
        tell_more(more, &all, home, false);
        Ok(Done::Well)
    }

    /// The command without its limit.
    fn words(&self) -> &'static str {
        match (self.all, self.warnings) {
            (true, _) => "findings --all",
            (_, true) => "findings --warnings",
            _ => "findings",
        }
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
