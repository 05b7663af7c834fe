//! `source map`.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use clap::Args;
use dtsen_kit::{ambient::Ambient, say, terminal::file};
use dtsen_proto::{record::Day, rulebook::Rulebook};
use dtsen_sources::{
    cell::Row,
    place::Places,
    preset::Preset,
    propose::{Proposal, Tried, propose, try_out},
};

use super::{Done, table};
use crate::{home::Home, source};

/// Rows that are shown before and after.
const SHOWN: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Map {
    // What to do with the address of a database instead is said by the reading.
    /// Berkas CSV, XLSX, XLS, atau ODS
    #[arg(value_name = "BERKAS")]
    file: PathBuf,
    /// Berkas pemetaan (TOML) yang ditulis; tanpa ini ditampilkan saja
    #[arg(long, short, value_name = "BERKAS", value_parser = file())]
    output: Option<PathBuf>,
    /// Lembar yang dipetakan; bawaan: yang paling banyak barisnya
    #[arg(long, value_name = "LEMBAR")]
    sheet: Option<String>,
    /// Kode Kemendagri asal data, untuk hasil yang ditampilkan; bawaan: daerah node ini
    #[arg(long, value_name = "KODE")]
    wilayah: Option<String>,
}

impl Map {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        if let Some(path) = self.output.as_ref().filter(|path| path.exists()) {
            anyhow::bail!("{} sudah ada; tidak ditimpa. Pilih nama lain untuk --output", path.display());
        }
        let (rulebook, region) = match home.store().await {
            Ok((store, region)) => (home.rulebook(&store).await?, Some(region.to_string())),
            Err(_) => (Rulebook::builtin(), None),
        };
        let sheets = source::first_rows_of_sheets(&self.file)?;
        let today = Day::of_ms(Ambient::system().now_ms()).date().unwrap_or_default();
        let (rows, proposal) = self.choose(&sheets, |rows| propose(rows, today))?;
        let about = about(rows, &proposal, &sheets);
        let name = self.file.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let text = proposal.to_toml(&name, &about);
        let mapping = Preset::mapping(&text, &rulebook).map(Arc::new)?;
        let places = Places::new(Arc::clone(&rulebook), self.wilayah.as_deref().or(region.as_deref()))?;
        let tried = try_out(rows, &mapping, (&rulebook, places, today), SHOWN);
        let Some(path) = &self.output else {
            say!("{text}");
            // Apart from the mapping, which may go into a file.
            eprintln!("{}", compared(&tried));
            return Ok(Done::Well);
        };
        std::fs::write(path, text)?;
        say!("{}", compared(&tried));
        say!("{about}");
        say!("Usulan ditulis di {}. Periksa, lalu lihat hasilnya:", path.display());
        say!("  dtsen-node preview {} --mapping {}", self.file.display(), path.display());
        Ok(Done::Well)
    }

    /// The sheet that was asked for, or else the longest for which there is a proposal.
    fn choose<'a>(
        &self,
        sheets: &'a [Vec<Row>],
        propose: impl Fn(&[Row]) -> Option<Proposal>,
    ) -> anyhow::Result<(&'a [Row], Proposal)> {
        let wanted = |rows: &&Vec<Row>| {
            let asked = self.sheet.as_ref();
            asked.is_none_or(|asked| rows.first().is_some_and(|row| row.sheet.as_deref() == Some(asked)))
        };
        let asked: Vec<&Vec<Row>> = sheets.iter().filter(wanted).collect();
        if let Some(sheet) = self.sheet.as_ref().filter(|_| asked.is_empty()) {
            let there = sheets.iter().filter_map(|rows| name(rows)).collect::<Vec<_>>().join(", ");
            anyhow::bail!("{}: tidak ada lembar {sheet}. Yang ada: {there}", self.file.display());
        }
        let proposed = asked.into_iter().filter_map(|rows| Some((rows.as_slice(), propose(rows)?)));
        proposed.rev().max_by_key(|(rows, _)| rows.len()).ok_or_else(|| {
            anyhow::anyhow!(
                "{}: tidak ada baris yang mirip judul kolom di atas baris data",
                self.file.display()
            )
        })
    }
}

fn name(rows: &[Row]) -> Option<&str> {
    rows.first()?.sheet.as_deref()
}

/// Which sheet it is, where its heading stands, and which sheets need a mapping of their own.
fn about(rows: &[Row], proposal: &Proposal, sheets: &[Vec<Row>]) -> String {
    let heading = match proposal.row {
        Some(row) => format!("Judul di baris {row}."),
        None => "Tanpa judul: kolom disebut menurut urutannya.".to_owned(),
    };
    let Some(sheet) = name(rows) else { return heading };
    let others: Vec<&str> =
        sheets.iter().filter_map(|rows| name(rows)).filter(|other| *other != sheet).collect();
    let others = if others.is_empty() {
        String::new()
    } else {
        format!(
            "\nLembar lain: {}. Bila judul kolomnya lain, buat pemetaannya sendiri dengan --sheet LEMBAR.",
            others.join(", ")
        )
    };
    format!("Lembar yang dipetakan: {sheet}. {heading}{others}")
}

/// Rows before and after, one table below the other.
fn compared(tried: &[Tried]) -> String {
    let Some(first) = tried.first() else {
        return "Belum ada baris yang terbaca dengan usulan ini: tentukan sedikitnya kolom nik, no_kk, nama, atau nama_kepala.".into();
    };
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let heads: Vec<&str> =
        std::iter::once("Baris").chain(first.before.iter().map(|(key, _)| key.as_str())).collect();
    let mut before = table(&heads);
    for row in tried {
        let cells = row.before.iter().map(|(_, text)| text.clone());
        before.add_row(std::iter::once(row.after.row.to_string()).chain(cells));
    }
    let fields: BTreeSet<&String> = tried.iter().flat_map(|row| row.after.fields.keys()).collect();
    let heads: Vec<&str> = std::iter::once("Baris")
        .chain(fields.iter().map(|field| field.as_str()))
        .chain(std::iter::once("Temuan"))
        .collect();
    let mut after = table(&heads);
    for row in tried {
        let cells = fields.iter().map(|field| row.after.fields.get(*field).map(text).unwrap_or_default());
        let codes: Vec<&str> = row.after.findings.iter().map(|finding| finding.code.as_str()).collect();
        after.add_row(
            std::iter::once(row.after.row.to_string()).chain(cells).chain(std::iter::once(codes.join(" "))),
        );
    }
    format!("Sebelum ({} baris pertama):\n{before}\nSesudah:\n{after}", tried.len())
}
