//! `preview`.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use dtsen_kit::{
    ambient::Ambient,
    say,
    terminal::{file, name},
};
use dtsen_proto::{
    record::{Day, RecordKind},
    rulebook::{Rulebook, Severity},
};
use dtsen_sources::{
    delivery::Delivery,
    preset::{self, Preset},
    preview::{self, Shown},
    record::Record,
};

use super::{Done, table};
use crate::{
    home::Home,
    source::{self, Read, Settings, config},
};

#[derive(Debug, Args)]
pub(super) struct Preview {
    /// Berkas CSV, XLSX, XLS, ODS, atau SQLite; alamat basis data (mysql://, postgres://, sqlite:); atau nama sumber
    #[arg(value_name = "SUMBER")]
    source: String,
    /// Susunan yang dipakai; bawaan: dikenali dari judul kolom
    #[arg(long, value_name = "SUSUNAN", value_parser = name())]
    preset: Option<String>,
    /// Berkas pemetaan buatan sendiri (TOML); usulannya dibuat oleh: dtsen-node source map
    #[arg(long, value_name = "BERKAS", value_parser = file(), conflicts_with = "preset")]
    mapping: Option<std::path::PathBuf>,
    /// Tabel basis data yang dibaca, boleh berulang; bawaan: yang tampak seperti daftar penduduk
    #[arg(long = "table", value_name = "TABEL")]
    tables: Vec<String>,
    /// Kode Kemendagri asal data, tingkat mana pun: mempersempit nama desa, dan kode desa mengisi yang tidak disebut
    #[arg(long, value_name = "KODE")]
    wilayah: Option<String>,
    /// table untuk dibaca orang, jsonl untuk mesin: satu baris satu orang atau keluarga
    #[arg(long, default_value = "table")]
    format: Format,
    /// Paling banyak baris dalam tabel
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Jsonl,
}

/// Rows by what would become of them.
#[derive(Default)]
struct Counts {
    rows: u64,
    refused: u64,
    told: u64,
}

impl Preview {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let forced = self.preset.as_deref().map(preset_named).transpose()?;
        let (rulebook, region, corrections, read_before) = match home.store().await {
            Ok((store, region)) => {
                let corrections = store.corrections(&self.source).await?;
                let state = config::state(&store, &self.source).await?;
                (home.rulebook(&store).await?, Some(region.to_string()), Some(corrections), state.tables)
            }
            Err(_) => (Rulebook::builtin(), None, None, Vec::new()),
        };
        let today = Day::of_ms(Ambient::system().now_ms()).date().unwrap_or_default();
        // A name stands for a source that is known, unless there is such a file.
        let known =
            config::load(home, &self.source).ok().filter(|_| !std::path::Path::new(&self.source).exists());
        let mapped = self.mapping.clone().or_else(|| known.as_ref()?.mapping.clone());
        let mapped = mapped.map(|path| source::mapping(&path, &rulebook)).transpose()?;
        let preset =
            known.as_ref().and_then(|known| known.preset.as_deref()).map(preset_named).transpose()?;
        let hint = self.wilayah.clone().or_else(|| known.as_ref()?.wilayah.clone()).or(region);
        let patience = known.clone().unwrap_or_default().patience()?;
        let preset = forced.or(mapped).or(preset);
        let corrections = corrections.filter(|corrections| known.is_some() && !corrections.is_empty());
        let of_source = known.as_ref().map(|known| known.tables.clone()).unwrap_or_default();
        let tables = if self.tables.is_empty() { of_source } else { self.tables.clone() };
        let read_before = if known.is_some() { read_before } else { Vec::new() };
        let settings = Settings { rulebook, today, hint, preset, tables, patience, corrections };
        let settings = settings.of_tables(&read_before);
        let password = known.as_ref().map(config::Config::password).transpose()?.flatten();
        let origin = known.as_ref().map_or(&self.source, |known| &known.origin);
        let read = source::read(origin, password.as_deref(), &settings).await?;
        let counts = self.show(read)?;
        Ok(if counts.refused > 0 { Done::WithErrors } else { Done::Well })
    }

    fn show(&self, read: Read) -> anyhow::Result<Counts> {
        let Read { mut delivery, mut spooled, notes, .. } = read;
        let (book, region, today) = (Arc::clone(delivery.rulebook()), delivery.region(), delivery.today());
        let mut counts = Counts::default();
        let mut rows: Vec<Shown> = Vec::new();
        let mut take = |record: Record| {
            let shown = preview::show(&record, &book, region, today);
            let worst = shown.findings.first().map(|finding| finding.severity);
            counts.rows += 1;
            counts.refused += u64::from(worst == Some(Severity::Error));
            counts.told += u64::from(matches!(worst, Some(Severity::Warning | Severity::Hold)));
            match self.format {
                Format::Jsonl => say!("{}", serde_json::to_string(&shown).expect("texts and numbers")),
                Format::Table if rows.len() < self.limit => rows.push(shown),
                Format::Table => {}
            }
        };
        let mut lines = Vec::new();
        let mut input = spooled.rows()?;
        let mut more = true;
        while more {
            more = delivery.next_lines(&mut input, &mut lines)?;
            for line in lines.drain(..) {
                take(delivery.understand(&line));
            }
        }
        if self.format == Format::Table {
            print((&delivery, &notes), &rows, &counts);
        }
        Ok(counts)
    }
}

fn preset_named(name: &str) -> anyhow::Result<Arc<Preset>> {
    let known = || preset::all().iter().map(|preset| preset.name.as_str()).collect::<Vec<_>>().join(", ");
    preset::named(name)
        .ok_or_else(|| anyhow::anyhow!("--preset {name}: tidak dikenal; yang ada: umum, {}", known()))
}

/// Says which tables were found, as what they are read, and what else there is to know.
pub(super) fn tables(delivery: &Delivery, notes: &[String]) {
    for found in delivery.found() {
        let sheet = found.sheet.map_or_else(String::new, |sheet| format!("Lembar {sheet}: "));
        let kind = if found.plan.kind == RecordKind::Keluarga { "keluarga" } else { "orang" };
        let guess = if found.plan.preset.seen { "" } else { " — perkiraan, periksa dahulu" };
        say!(
            "{sheet}{} ({}), {} baris {kind}{guess}",
            found.plan.preset.title,
            found.plan.preset.name,
            found.rows
        );
        if found.skipped > 0 {
            say!("  {} baris dilewati menurut [[skip]]", found.skipped);
        }
        for unused in &found.unused {
            say!("  {unused}");
        }
    }
    for note in notes {
        say!("{note}.");
    }
}

fn print((delivery, notes): (&Delivery, &[String]), rows: &[Shown], counts: &Counts) {
    tables(delivery, notes);
    let mut shown = table(&[
        "Baris", "NIK", "No. KK", "Nama", "Lahir", "L/P", "Hub.", "Kawin", "RT/RW", "Desa", "Temuan",
    ]);
    for row in rows {
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| row.fields.get(*name));
            found.map_or_else(String::new, |value| {
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            })
        };
        let codes: Vec<&str> = row.findings.iter().map(|finding| finding.code.as_str()).collect();
        shown.add_row([
            row.row.to_string(),
            text(&["nomor_induk_kependudukan"]),
            text(&["nomor_kartu_keluarga"]),
            text(&["nama", "nama_kepala_keluarga"]),
            text(&["tanggal_lahir"]),
            text(&["jenis_kelamin"]),
            text(&["status_hubungan_keluarga"]),
            text(&["status_kawin"]),
            format!("{}/{}", text(&["rt"]), text(&["rw"])),
            text(&["kode_kelurahan_desa"]),
            codes.join(" "),
        ]);
    }
    say!("{shown}");
    let Counts { rows: all, refused, told } = counts;
    say!(
        "{all} baris; {refused} tidak akan dikirim, {told} dengan peringatan. Semua baris dan alasannya: --format jsonl"
    );
}
