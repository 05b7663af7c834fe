//! `deploy/bench`: the whole pipeline on PostgreSQL and SQLite, beside COPY and logical replication of the same rows.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use dtsen_proto::limits;
use dtsen_tests::{
    bench::{
        baseline::{self, Baseline},
        outage::{self, Form},
        pipeline::Pipeline,
        report::{Both, Growth, Report, percentile},
    },
    faults::{
        place::{Engine, Place},
        wait,
    },
};

/// Mengukur seluruh jalur pertukaran di komputer ini, di samping COPY dan replikasi logis untuk baris yang sama
#[derive(Parser)]
struct Arguments {
    /// Lima menit pada dua inti
    #[arg(long)]
    quick: bool,
    /// Tulis hasilnya ke berkas JSON
    #[arg(long, value_name = "BERKAS")]
    json: Option<PathBuf>,
    /// Hanya ini
    #[arg(long, value_name = "NAMA")]
    only: Option<Only>,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    /// Jalur pada PostgreSQL tanpa pembanding, untuk profil
    Postgres,
    /// Jalur pada SQLite
    Sqlite,
    /// 552 node sekaligus setelah pusat padam, pada kedua basis data
    Outage,
}

/// Sizes of a run: how many records, step by step, and how many of them change at each.
struct Sizes {
    steps: &'static [u64],
    /// New people measured at the end of a step.
    new: u64,
    changed: u64,
    sqlite: (u64, u64),
    corrections: u64,
}

const QUICK: Sizes = Sizes {
    steps: &[100_000, 300_000],
    new: 100_000,
    changed: 48_000,
    sqlite: (100_000, 48_000),
    corrections: 200,
};
const EVERYBODY: Form = Form { nodes: 552, batches: 5, deltas: limits::BATCH_DELTAS as u64 };
const WHOLE: Sizes = Sizes {
    steps: &[300_000, 1_000_000, 3_000_000],
    new: 100_000,
    changed: 100_000,
    sqlite: (300_000, 100_000),
    corrections: 500,
};

fn postgres(sizes: &Sizes, report: &mut Report, alone: bool) -> anyhow::Result<()> {
    let Some(place) = Place::new(Engine::Postgres, "bench", 1)? else { return Ok(()) };
    let server = std::env::var("DTSEN_TEST_POSTGRES").context("DTSEN_TEST_POSTGRES names the server")?;
    let mut pipeline = Pipeline::set(&place.path("jalur"), place.database())?;
    eprintln!("hub: {:?}", pipeline.pid());
    report.delta_bytes = pipeline.delta_bytes()?;
    for (at, size) in sizes.steps.iter().enumerate() {
        let fill = size.saturating_sub(pipeline.size() + if at == 0 { 0 } else { sizes.new });
        let mut new = pipeline.new_people(fill)?;
        if at == 0 {
            report.receipt_p50_ms = percentile(&new.receipts, 50);
            report.receipt_p99_ms = percentile(&new.receipts, 99);
        } else {
            wait::block_on(baseline::tidy(place.database()))?;
            new = pipeline.new_people(sizes.new)?;
        }
        let baseline = if at == 0 && !alone {
            // Of the same people, before they change.
            Some(wait::block_on(Baseline::of(&server, place.database(), size / sizes.changed))?)
        } else {
            None
        };
        wait::block_on(baseline::tidy(place.database()))?;
        let changed = pipeline.changed_people(sizes.changed)?;
        eprintln!(
            "{} records: {:.0} new, {:.0} changed per s",
            pipeline.size(),
            new.per_second(),
            changed.per_second()
        );
        report.growth.push(Growth::of(pipeline.size(), &new, &changed));
        if at == 0 {
            report.pipeline_postgres_per_s =
                Some(Both { new: new.per_second(), changed: changed.per_second() });
        }
        if let Some(baseline) = baseline {
            report.copy_per_s = Some(wait::block_on(baseline.copy())?.into());
            report.logical_replication_per_s = wait::block_on(baseline.replication())?.map(Both::from);
        }
    }
    let corrections = pipeline.corrections(sizes.corrections)?;
    report.single_correction_p50_ms = percentile(&corrections, 50);
    report.single_correction_p99_ms = percentile(&corrections, 99);
    pipeline.end()
}

fn sqlite(sizes: &Sizes, report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new(Engine::Sqlite, "bench", 1)?.context("SQLite is always there")?;
    let mut pipeline = Pipeline::set(&place.path("jalur"), place.database())?;
    eprintln!("hub: {:?}", pipeline.pid());
    report.delta_bytes = pipeline.delta_bytes()?;
    let (new, changed) = sizes.sqlite;
    let new = pipeline.new_people(new)?;
    let changed = pipeline.changed_people(changed)?;
    report.pipeline_sqlite_per_s = Some(Both { new: new.per_second(), changed: changed.per_second() });
    pipeline.end()
}

/// Every node of the country at once.
fn everybody(report: &mut Report) -> anyhow::Result<()> {
    for (engine, name) in [(Engine::Sqlite, "sqlite"), (Engine::Postgres, "postgres")] {
        if let Some(place) = Place::new(engine, "outage", 1)? {
            let found = place.tell(outage::run(&place.path("semua"), place.database(), EVERYBODY))?;
            found.print(name);
            report.outage.insert(name, found);
        }
    }
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let arguments: Arguments = dtsen_kit::terminal::parse();
    let sizes = if arguments.quick { QUICK } else { WHOLE };
    let begun = wait::now();
    let mut report = Report::default();
    let does = |part| arguments.only.is_none_or(|only| only == part);
    if does(Only::Postgres) {
        postgres(&sizes, &mut report, arguments.only.is_some())?;
    }
    if does(Only::Sqlite) {
        sqlite(&sizes, &mut report)?;
    }
    if arguments.only == Some(Only::Outage) || (arguments.only.is_none() && !arguments.quick) {
        everybody(&mut report)?;
    }
    if let (Some(own), Some(other)) = (report.pipeline_postgres_per_s, report.logical_replication_per_s) {
        report.ratio_to_logical_replication =
            Some(Both { new: own.new / other.new, changed: own.changed / other.changed });
    }
    report.seconds = begun.elapsed().as_secs_f64();
    if arguments.only != Some(Only::Outage) {
        report.print();
    }
    if let Some(path) = arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}
