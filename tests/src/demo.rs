//! The demo: a hub and three nodes as separate processes, the whole loop twice.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, ensure};
use dtsen_proto::region::Region;
use serde::Serialize;
use serde_json::Value;

use crate::{
    federation::{Hub, Node},
    population::{self, Faults, FileOptions, Population},
};

/// Seed of the population.
const SEED: u64 = 20_261_122;
/// Regions, with how many families each gets relative to the first.
const REGIONS: [(&str, u64); 3] = [("52.71", 100), ("52.03", 140), ("75.71", 60)];
/// People of the first region who are listed in the second too.
const LISTED_TWICE: u64 = 3;
/// Families of the file with an older reference date.
const OLDER: u64 = 4;
/// Days that the files describe.
const FIRST_DAY: &str = "2026-06-30";
const SECOND_DAY: &str = "2026-09-30";
const OLDER_DAY: &str = "2026-03-31";
const MOVE_DAY: &str = "2026-10-15";

/// One region of the result.
#[derive(Debug, Serialize)]
pub struct RegionResult {
    code: String,
    imported: u64,
    sent: u64,
    accepted: u64,
    warned: u64,
    held: u64,
    rejected: u64,
    slice_version: u64,
    slice_records: u64,
    slice_verified: bool,
}

/// The result, as `--json` writes it.
#[derive(Debug, Serialize)]
pub struct DemoResult {
    regions: Vec<RegionResult>,
    lost: u64,
    seconds: f64,
}

/// A demo that has run: its processes still do.
pub struct Demo {
    /// The hub.
    pub hub: Hub,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// What came of it.
    pub result: DemoResult,
}

/// One region while the demo runs.
struct Place {
    node: Node,
    population: Population,
    faults: Faults,
    files: PathBuf,
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path in UTF-8")
}

/// The people of the demo, in the order of its regions.
pub fn populations(families: u64) -> anyhow::Result<Vec<Population>> {
    let mut made: Vec<Population> = Vec::new();
    for (code, share) in REGIONS {
        let region: Region = code.parse()?;
        let mut population =
            Population::new(SEED, region, population::villages(region), families * share / 100);
        if let (Some(first), "52.03") = (made.first(), code) {
            population = population.with_guests_from(first, LISTED_TWICE);
        }
        made.push(population);
    }
    Ok(made)
}

/// Runs the whole loop in a folder.
#[expect(clippy::disallowed_methods, reason = "the demo says how long it took")]
pub fn run(folder: &Path, families: u64) -> anyhow::Result<Demo> {
    let begun = Instant::now();
    say(
        "1. Pusat dan tiga node dibuat; kunci dibuat di tiap node, sidik jari dicocokkan, sertifikat diterbitkan",
    );
    let mut hub = Hub::create(&folder.join("pusat"), "sqlite:hub.db")?;
    hub.start()?;
    let mut places = Vec::new();
    for ((code, _), population) in REGIONS.into_iter().zip(populations(families)?) {
        let region: Region = code.parse()?;
        let node = Node::create(&folder.join(code), region)?;
        hub.enrol(&node)?;
        let files = folder.join(format!("berkas-{code}"));
        std::fs::create_dir_all(&files)?;
        places.push(Place { node, population, faults: Faults::every(SEED, 2), files });
    }

    say("2. Berkas DTSEN v3 (dengan kesalahan yang diketahui) diimpor, diperiksa, dikirim, diputus");
    for place in &places {
        import(place, &place.faults, FIRST_DAY)?;
        let synced = place.node.sync()?;
        println!("   {}: {} data terkirim", place.node.region, synced["deltas"]);
    }

    say("3. Rilis pertama: tiap daerah menerima irisannya sendiri, tanda tangan diperiksa");
    let version = hub.release()?;
    for place in &places {
        place.node.sync()?;
        place.node.run(&["verify"])?;
    }
    println!("   rilis {version} diterima dan cocok di {} daerah", places.len());

    say(
        "4. Yang bermasalah diperbaiki di sumbernya dan dikirim lagi; satu berkas bertanggal lama ditolak pusat",
    );
    for place in &places {
        import(place, &place.faults.fixed(), SECOND_DAY)?;
        place.node.sync()?;
        let folder = place.files.join("lama");
        std::fs::create_dir_all(&folder)?;
        let older = population::write_older(&folder, &place.population, OLDER, FileOptions::default())?;
        place.node.run(&["import", text(&older.keluarga)?, text(&older.anggota)?, "--as-of", OLDER_DAY])?;
        place.node.sync()?;
    }

    say("5. Satu keluarga pindah dari 52.71 ke 52.03: pindah selesai setelah kedua daerah menyatakannya");
    move_family(&places)?;

    say("6. Rilis kedua: hanya perbedaan yang dikirim; irisan diperiksa lagi");
    hub.release()?;
    for place in &places {
        place.node.sync()?;
    }
    // What the second synchronisation decided for others arrives with one more.
    let results = places.iter().map(|place| result(&place.node)).collect::<anyhow::Result<Vec<_>>>()?;
    let lost = lost(&hub, &results)?;
    let result = DemoResult { regions: results, lost, seconds: begun.elapsed().as_secs_f64() };
    check(&result)?;
    Ok(Demo { hub, nodes: places.into_iter().map(|place| place.node).collect(), result })
}

fn say(line: &str) {
    println!("{line}");
}

fn import(place: &Place, faults: &Faults, day: &str) -> anyhow::Result<()> {
    let pair = population::write_pair(&place.files, &place.population, faults, FileOptions::default())?;
    let arguments = ["import", text(&pair.keluarga)?, text(&pair.anggota)?, "--as-of", day];
    let summary = place.node.json(&arguments)?;
    let sum = |field: &str| -> u64 {
        summary["files"].as_array().into_iter().flatten().filter_map(|f| f[field].as_u64()).sum()
    };
    println!(
        "   {}: {} baris, {} baru, {} berubah, {} bermasalah",
        place.node.region,
        sum("rows"),
        sum("new"),
        sum("changed"),
        sum("errors")
    );
    Ok(())
}

/// Both regions declare the move; each writes what its letter says.
fn move_family(places: &[Place]) -> anyhow::Result<()> {
    let (from, to) = (&places[0], &places[1]);
    // The last family: faults and guests stand among the others.
    let family = from.population.family(from.population.families() - 1);
    let village = population::villages(to.node.region).first().context("a village")?.code.clone();
    let out = from.files.join("pindah-keluar.toml");
    std::fs::write(
        &out,
        format!("kk = \"{}\"\nto = \"{}\"\ndate = \"{MOVE_DAY}\"\n", family.kk, to.node.region),
    )?;
    let mut letter = format!(
        "kk = \"{}\"\nfrom = \"{}\"\ndate = \"{MOVE_DAY}\"\nvillage = \"{village}\"\n",
        family.kk, from.node.region
    );
    for member in &family.members {
        let person = &member.person;
        writeln!(letter, "[[person]]\nnik = \"{}\"\nnama = \"{}\"", person.nik, person.name)?;
    }
    let entry = to.files.join("pindah-masuk.toml");
    std::fs::write(&entry, letter)?;
    from.node.run(&["move", "out", text(&out)?])?;
    from.node.sync()?;
    to.node.run(&["move", "in", text(&entry)?])?;
    to.node.sync()?;
    from.node.sync()?;
    Ok(())
}

fn number(value: &Value, field: &str) -> anyhow::Result<u64> {
    value[field].as_u64().with_context(|| format!("{field} in the status"))
}

fn result(node: &Node) -> anyhow::Result<RegionResult> {
    let status = node.json(&["status"])?;
    let slice = &status["slice"];
    Ok(RegionResult {
        code: node.region.to_string(),
        imported: number(&status, "keluarga")? + number(&status, "individu")?,
        sent: number(&status, "sent")?,
        accepted: number(&status, "accepted")?,
        warned: number(&status, "warned")?,
        held: number(&status, "held")?,
        rejected: number(&status, "rejected")?,
        slice_version: number(slice, "version")?,
        slice_records: number(slice, "keluarga")? + number(slice, "individu")?,
        slice_verified: node.run(&["verify"]).is_ok(),
    })
}

/// Deltas that a node holds a receipt for and the hub does not have, or has without a verdict.
fn lost(hub: &Hub, results: &[RegionResult]) -> anyhow::Result<u64> {
    let status = hub.json(&["status"])?;
    let mut lost = 0;
    for result in results {
        let regions = status["regions"].as_array().into_iter().flatten();
        let own = regions
            .into_iter()
            .find(|r| r["region"] == result.code.as_str())
            .context("the region at the hub")?;
        let judged = ["accepted", "warned", "held", "rejected"]
            .iter()
            .map(|field| number(own, field))
            .sum::<anyhow::Result<u64>>()?;
        lost += result.sent.abs_diff(number(own, "deltas")?) + result.sent.abs_diff(judged);
    }
    Ok(lost)
}

fn check(result: &DemoResult) -> anyhow::Result<()> {
    ensure!(result.lost == 0, "{} data hilang", result.lost);
    for region in &result.regions {
        let judged = region.accepted + region.warned + region.held + region.rejected;
        ensure!(judged == region.sent, "{}: {judged} putusan untuk {} data", region.code, region.sent);
        ensure!(region.slice_verified, "{}: irisan tidak cocok", region.code);
        ensure!(region.slice_version == 2, "{}: irisan versi {}", region.code, region.slice_version);
    }
    Ok(())
}

/// The short table that a person understands.
pub fn table(result: &DemoResult) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY).set_header([
        "Daerah",
        "Di node",
        "Terkirim",
        "Diterima",
        "Peringatan",
        "Ditahan",
        "Ditolak",
        "Irisan",
        "Isi irisan",
        "Cocok",
    ]);
    for region in &result.regions {
        let numbers = [
            region.imported,
            region.sent,
            region.accepted,
            region.warned,
            region.held,
            region.rejected,
            region.slice_version,
            region.slice_records,
        ];
        let cells = std::iter::once(region.code.clone()).chain(numbers.map(|n| n.to_string()));
        table.add_row(cells.chain([if region.slice_verified { "ya" } else { "TIDAK" }.to_owned()]));
    }
    table.to_string()
}
