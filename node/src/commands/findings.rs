//! `findings`.

mod list;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use dtsen_kit::{ambient::Ambient, say, terminal::file};

use self::list::List;
use super::{Bars, Document, Done, print_json, print_result, table};
use crate::{
    home::Home,
    import::ImportSummary,
    mending::{self, Exported, Returned, Rows, What},
    source::run::Runner,
    store::{AnswerState, Answered},
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
    #[arg(value_name = "BERKAS.xlsx", value_parser = file())]
    file: PathBuf,
    /// Baris yang perbaikannya sedang dipakai, untuk melihat atau mencabutnya
    #[arg(long)]
    corrected: bool,
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
    #[arg(value_name = "BERKAS.xlsx", value_parser = file())]
    file: PathBuf,
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Listed {
    /// Paling banyak
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Untuk mesin
    #[arg(long)]
    json: bool,
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
        let result = self.export(home).await;
        if self.json {
            print_result(&result)?;
            result?;
            return Ok(Done::Well);
        }
        self.tell(result?, home);
        Ok(Done::Well)
    }

    async fn export(&self, home: &Home) -> anyhow::Result<Exported> {
        anyhow::ensure!(
            self.replace || !self.file.exists(),
            "{} sudah ada; pilih nama lain, atau tambahkan --replace untuk menimpanya",
            self.file.display()
        );
        let (store, region) = home.store().await?;
        let rulebook = home.rulebook(&store).await?;
        let runner = Runner { home, store: &store, region, ambient: Ambient::system() };
        let what = if self.corrected { What::Corrected } else { What::Findings };
        Ok(mending::export(&runner, what, &self.file, &rulebook).await?)
    }

    fn tell(&self, exported: Exported, home: &Home) {
        let Exported { rows, others, unread, more } = exported;
        let what = if self.corrected { What::Corrected } else { What::Findings };
        let (home, file) = (home.path().display(), self.file.display());
        match what {
            What::Findings => say!("{file}: {rows} baris untuk diperbaiki, {others} temuan lain."),
            What::Corrected => say!("{file}: {rows} baris yang perbaikannya sedang dipakai."),
        }
        for (source, why) in unread {
            say!("Sumber {source} tidak dapat dibaca lagi, barisnya tidak ikut: {why}");
        }
        if more {
            say!("Masih ada lagi: perbaiki yang ini dahulu, lalu ekspor sekali lagi.");
        }
        let how = match what {
            What::Findings => "Perbaiki sel kuning",
            What::Corrected => "Untuk mencabut perbaikan, tulis lagi isi menurut sumber di sel biru",
        };
        if rows > 0 {
            say!("{how}, lalu: dtsen-node --home {home} findings import {file}");
        }
    }
}

impl Import {
    async fn import(&self, home: &Home) -> anyhow::Result<Returned> {
        let (store, region) = home.store().await?;
        let runner = Runner { home, store: &store, region, ambient: Ambient::system() };
        let mut bars = Bars::default();
        let mut progress = |file: &str, read: u64, total: u64| bars.at(file, read, total);
        let returned = mending::import(&runner, &self.file, &mut progress).await;
        bars.finish();
        Ok(returned?)
    }

    async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let result = self.import(home).await;
        let lost = result.as_ref().ok().and_then(|returned| lost(returned).err());
        if self.json
            && let Some(error) = &lost
        {
            print_json(&Document::new(result.as_ref().ok(), Some(error)))?;
        } else if self.json {
            print_result(&result)?;
        }
        let returned = result?;
        let errors: u64 = returned.imported.iter().map(ImportSummary::errors).sum();
        let unfit = returned.unfit.count;
        if !self.json {
            told(returned, &home.path().display().to_string());
        }
        lost.map_or(Ok(()), Err)?;
        if errors > 0 && !self.json {
            say!(
                "{errors} baris masih bermasalah; lihat: dtsen-node --home {} findings",
                home.path().display()
            );
        }
        Ok(if errors > 0 || unfit > 0 { Done::WithErrors } else { Done::Well })
    }
}

/// Whether all that was corrected went for nothing.
fn lost(returned: &Returned) -> anyhow::Result<()> {
    anyhow::ensure!(
        !returned.is_all_unfit(),
        "tidak satu pun dari {} baris yang diperbaiki cocok dengan sumber di node ini, jadi tidak ada yang dipakai. Buat buku kerja baru dengan: dtsen-node findings export BERKAS.xlsx",
        returned.unfit.count
    );
    Ok(())
}

/// What came back, for people.
fn told(returned: Returned, home: &str) {
    let Returned {
        corrected,
        taken_back,
        unchanged,
        unfit,
        still_corrected,
        added_columns,
        imported,
        waiting,
    } = returned;
    say!("{corrected} baris diperbaiki, {taken_back} perbaikan dicabut, {unchanged} baris tidak diubah.");
    for (sheet, column) in added_columns {
        say!("Kolom tambahan tidak dibaca: {column} (lembar {sheet})");
    }
    for summary in imported {
        say!("{summary}");
    }
    for (source, why) in waiting {
        say!(
            "Sumber {source} belum dapat dibaca ({why}); perbaikannya disimpan dan dipakai pada pembacaan berikutnya."
        );
    }
    if unfit.count > 0 {
        say!(
            "{} baris tidak dipakai: baris itu tidak ada (lagi) di sumber node ini: {}",
            unfit.count,
            named(&unfit)
        );
        say!(
            "Sumbernya sudah berubah, dihapus, atau milik node lain. Ekspor lagi: dtsen-node --home {home} findings export BERKAS.xlsx"
        );
    }
    if still_corrected.count > 0 {
        say!(
            "{} baris tidak diubah di sini, tetapi perbaikan yang diambil sebelumnya tetap dipakai: {}",
            still_corrected.count,
            named(&still_corrected)
        );
        say!("Untuk mencabutnya: dtsen-node --home {home} findings export --corrected BERKAS.xlsx");
    }
}

/// The first of so many rows.
fn named(rows: &Rows) -> String {
    let first = rows.first.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match rows.count.saturating_sub(rows.first.len() as u64) {
        0 => first,
        more => format!("{first}, dan {more} lagi"),
    }
}

impl Listed {
    async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, _) = home.store().await?;
        let (answered, all) = store.answered(self.limit).await?;
        let more = all.saturating_sub(answered.len() as u64);
        if self.json {
            print_json(&answered)?;
        } else if answered.is_empty() {
            say!("Belum ada perbaikan yang diambil.");
        } else {
            say!("{}", answered_table(&answered));
        }
        tell_more(more, &format!("findings answered --limit {all}"), home, self.json);
        Ok(Done::Well)
    }
}

fn answered_table(answered: &[Answered]) -> String {
    let mut shown =
        table(&["Sumber", "Berkas", "Lembar", "Baris", "Nomor", "Diambil", "Menjawab", "Keadaan"]);
    for one in answered {
        let at = jiff::Timestamp::from_millisecond(one.made_ms).unwrap_or_default();
        shown.add_row([
            one.source.as_str(),
            one.file.as_deref().unwrap_or_default(),
            one.sheet.as_deref().unwrap_or_default(),
            &one.line.map_or_else(String::new, |line| line.to_string()),
            one.number.as_deref().unwrap_or_default(),
            &at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            &one.answers.join(", "),
            state(one.state),
        ]);
    }
    shown.to_string()
}

fn state(state: AnswerState) -> &'static str {
    match state {
        AnswerState::Open => "menunggu sumbernya dibaca",
        AnswerState::Unused => "tidak dipakai: baris ini tidak ada di sumber",
        AnswerState::Served => "tidak dipakai lagi: sumbernya sudah berubah",
        AnswerState::TakenBack => "dicabut",
        AnswerState::Refused => "dipakai, tetapi barisnya masih bermasalah",
        AnswerState::Nothing => "dipakai, tidak ada yang perlu dikirim",
        AnswerState::Waiting => "menunggu dikirim",
        AnswerState::Sent => "terkirim, menunggu putusan",
        AnswerState::Accepted => "diterima",
        AnswerState::Held => "ditahan",
        AnswerState::Rejected => "ditolak",
    }
}

/// Says that a list goes on. Beside the JSON, not in it.
fn tell_more(more: u64, all: &str, home: &Home, json: bool) {
    if more == 0 {
        return;
    }
    let text = format!("Masih ada {more} lagi; lihat: dtsen-node --home {} {all}", home.path().display());
    if json {
        eprintln!("{text}");
    } else {
        say!("{text}");
    }
}
