//! What somebody does who has never seen the programs: wrong words, wrong files, things in the wrong order, Ctrl-C, `| head`.
//! Every answer is Indonesian, says what is wrong, and names what comes next.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use dtsen_tests::{
    faults::{
        contents, ledger,
        place::{Engine, Place},
        source::{self, Source},
        wait,
    },
    federation::{self, Hub, Node},
};

/// Families of the region whose import is interrupted: enough for several chunks of rows.
const MANY: u64 = 6_000;
/// How long an import of them may take.
const IMPORT: Duration = Duration::from_mins(2);
/// Words of the libraries underneath, none of which an operator should read.
const FOREIGN: [&str; 10] = [
    "error:",
    "invalid",
    "No such file",
    "directory",
    "os error",
    "failed",
    "panicked",
    "unrecognized",
    "required",
    "the ",
];

#[test]
fn wrong_words_and_files_are_answered_in_indonesian() -> anyhow::Result<()> {
    crate::scenario("strangers_words", Engine::Sqlite, |place| {
        node_words(place)?;
        hub_words(place)
    })
}

#[test]
fn things_done_twice_or_too_early_change_nothing() -> anyhow::Result<()> {
    crate::scenario("strangers_order", Engine::Sqlite, order)
}

#[test]
fn an_import_that_was_interrupted_completes_the_next_time() -> anyhow::Result<()> {
    crate::scenario("strangers_interrupt", Engine::Sqlite, interrupt)
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() -> anyhow::Result<()> {
    crate::scenario("strangers_pipe", Engine::Sqlite, pipes)
}

/// The command fails with this exit code, says these words, and nothing in another language.
fn told(command: &mut Command, code: i32, words: &[&str]) -> anyhow::Result<()> {
    let Output { status, stderr, .. } = command.output()?;
    let text = String::from_utf8_lossy(&stderr).into_owned();
    ensure!(status.code() == Some(code), "{command:?} ended with {status}: {text}");
    for word in words {
        ensure!(text.contains(word), "{command:?} does not say {word:?}: {text}");
    }
    for word in FOREIGN {
        ensure!(!text.contains(word), "{command:?} says {word:?}: {text}");
    }
    Ok(())
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path in UTF-8")
}

fn node_words(place: &Place) -> anyhow::Result<()> {
    let program = || -> anyhow::Result<Command> { Ok(Command::new(federation::program("dtsen-node")?)) };
    let home = place.path("belum-ada");
    let home = text(&home)?;
    for (region, code, words) in [
        ("52.7", 2, ["--region", "52.71"]),
        ("Mataram", 2, ["--region", "52.71"]),
        ("99.99", 1, ["99.99", "52.71"]),
        ("52", 1, ["52 ", "52.71"]),
    ] {
        told(program()?.args(["--home", home, "init", "--region", region]), code, &words)?;
    }
    for line in [&["status"][..], &["sync", "--once"], &["findings"], &["serve"], &["verify"]] {
        told(program()?.args(["--home", home]).args(line), 1, &["belum berisi node", "init --region"])?;
    }
    told(program()?.args(["--home", home, "bertukar"]), 2, &["bertukar", "dtsen-node --help"])?;
    told(program()?.args(["--home", home, "status", "--jsno"]), 2, &["--jsno", "--json", "--help"])?;
    told(program()?.args(["--home", home, "init"]), 2, &["--region", "--help"])?;

    let node = Node::create(&place.path("node"), "52.71".parse()?)?;
    let file = |name: &str, content: &[u8]| -> anyhow::Result<String> {
        let path = place.path(name);
        std::fs::write(&path, content)?;
        Ok(text(&path)?.to_owned())
    };
    let empty = file("kosong.csv", b"")?;
    let other = file("lain.csv", b"a,b\n1,2\n")?;
    let sheet = file("tabel.csv", b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00")?;
    let folder = place.path("folder");
    std::fs::create_dir(&folder)?;
    let folder = text(&folder)?;
    let cases: [(&[&str], i32, &[&str]); 13] = [
        (&["init", "--region", "52.71"], 1, &["sudah berisi node", "52.71"]),
        (&["sync", "--once"], 1, &["belum terdaftar", "enrol"]),
        (&["verify"], 1, &["belum terdaftar", "enrol"]),
        (&["import", "tidak-ada.csv"], 1, &["tidak-ada.csv", "tidak ada", "eriksa"]),
        (&["import", folder], 1, &["folder", "bukan berkas"]),
        (&["import", &empty], 1, &["kosong", "ekspor ulang"]),
        (&["import", &other], 1, &["baris judul", "nomor_kartu_keluarga"]),
        (&["import", &sheet], 1, &["Simpan sebagai CSV"]),
        (&["import", &other, "--as-of", "31-12-2026"], 2, &["--as-of", "2026-12-31"]),
        (&["import", &other, "--as-of", "2026-13-40"], 2, &["--as-of", "2026-12-31"]),
        (
            &["enrol", "--hub", "https://127.0.0.1:1", "--token-file", "tidak-ada"],
            1,
            &["tidak ada", "eriksa"],
        ),
        (&["enrol", "--hub", "https://127.0.0.1:1", "--token-file", &other], 1, &["token", "petugas pusat"]),
        (&["move", "out", "tidak-ada.toml"], 1, &["tidak-ada.toml", "tidak ada"]),
    ];
    for (line, code, words) in cases {
        told(&mut node.command(line)?, code, words)?;
    }
    Ok(())
}

fn hub_words(place: &Place) -> anyhow::Result<()> {
    let program = || -> anyhow::Result<Command> { Ok(Command::new(federation::program("dtsen-central")?)) };
    let home = place.path("tanpa-pusat");
    let home = text(&home)?;
    for line in [&["status"][..], &["serve"], &["batch", "list"], &["region", "list"]] {
        told(program()?.args(["--home", home]).args(line), 1, &["belum berisi pusat", "init"])?;
    }
    told(program()?.args(["--home", home, "region"]), 2, &["--help"])?;
    let hub = Hub::create(&place.path("pusat"), place.database())?;
    let home = text(hub.home())?;
    let cases: [(&[&str], i32, &[&str]); 9] = [
        (&["init"], 1, &["sudah berisi pusat"]),
        (&["region", "invite", "52.71"], 2, &["--by", "--help"]),
        (&["region", "invite", "5271", "--by", "x"], 2, &["52.71"]),
        (&["region", "invite", "52", "--by", "x"], 1, &["kab/kota", "52.71"]),
        (
            &["region", "confirm", "52.71", "--fingerprint", "x", "--by", "x"],
            1,
            &["belum diundang", "invite"],
        ),
        (&["batch", "show", "52.71"], 1, &["DAERAH/EPOCH/URUT", "52.71/1/17"]),
        (&["batch", "show", "52.71/1/1"], 1, &["tidak ada", "batch list"]),
        (&["release", "publish", "7", "--by", "x"], 1, &["release prepare"]),
        (&["serve", "--listen", "256.0.0.1:1"], 1, &["256.0.0.1:1", "--listen"]),
    ];
    for (line, code, words) in cases {
        told(program()?.args(["--home", home]).args(line), code, words)?;
    }
    Ok(())
}

/// A node and its enrolled source on a running hub.
fn stage(place: &Place, families: u64) -> anyhow::Result<(Hub, Source)> {
    let plans = source::plans(place.seed(), &[("52.71", families)])?;
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let source = Source::enrol(&hub, &place.path("node"), &plans[0])?;
    Ok((hub, source))
}

fn order(place: &Place) -> anyhow::Result<()> {
    let (hub, source) = stage(place, 30)?;
    let (node, url) = (&source.node, hub.enrol_url());
    // Enrolled already, and the same token again.
    let token = node.home().join("token");
    let again = ["enrol", "--hub", &url, "--token-file", text(&token)?, "--no-wait"];
    let before = hub.json(&["status"])?["regions"].clone();
    let said = node.run(&again)?;
    ensure!(said.contains("sudah terdaftar dengan token ini"), "{said}");
    ensure!(before == hub.json(&["status"])?["regions"], "enrolling twice changed the hub");
    source.load(0)?;
    let queued = ledger::totals(node)?.pending;
    ensure!(queued > 0, "nothing was queued");
    source.load(0)?;
    ensure!(ledger::totals(node)?.pending == queued, "the same file again queued something");
    node.sync()?;
    source.load(0)?;
    ensure!(ledger::totals(node)?.pending == 0, "the same file after a sync queued something");
    let report = node.sync()?;
    ensure!(report["batches"] == 0, "a sync without news sent {report}");
    ledger::check(&hub, &[node])
}

fn interrupt(place: &Place) -> anyhow::Result<()> {
    let (hub, source) = stage(place, MANY)?;
    let node = &source.node;
    let arguments = source.import(0)?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut child = node.command(&arguments)?.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let records = || {
        wait::block_on(async { Ok(node.store().await?.record_counts().await?) }).map_err(|e| e.to_string())
    };
    let begun = wait::until(IMPORT, || match records()? {
        (0, _) => Err("no record yet".into()),
        (keluarga, individu) => Ok(keluarga + individu),
    });
    let signalled = Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
    let status = child.wait()?;
    begun?;
    ensure!(signalled.success() && !status.success(), "the import was not interrupted: {status}");
    let (keluarga, individu) = records().map_err(anyhow::Error::msg)?;
    ensure!(keluarga < MANY || individu == 0, "the import was over: {keluarga} + {individu}");
    eprintln!("interrupted after {keluarga} families and {individu} people");
    ensure!(node.run(&["status"])?.contains("terputus"), "nobody tells that the import did not end");
    node.run(&arguments)?;
    ensure!(!node.run(&["status"])?.contains("terputus"), "told though it was completed");
    let (keluarga, individu) = records().map_err(anyhow::Error::msg)?;
    let undone = node.json(&["undo"])?;
    ensure!(undone["done"]["new"] == keluarga + individu, "taken back by halves: {undone}");
    ensure!(records().map_err(anyhow::Error::msg)? == (0, 0), "something is left of what was taken back");
    node.run(&arguments)?;
    node.sync()?;
    ledger::check(&hub, &[node])?;
    let expected =
        source::undisturbed(&place.path("tenang"), &source::plans(place.seed(), &[("52.71", MANY)])?, &[1])?;
    contents::compare(&contents::of_database(&hub.database())?, &expected)
}

fn pipes(place: &Place) -> anyhow::Result<()> {
    let (hub, source) = stage(place, 30)?;
    source.load(0)?;
    source.node.sync()?;
    hub.release()?;
    let seen_enough = |mut command: Command| -> anyhow::Result<()> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        // Nobody reads any more when the first line comes.
        drop(child.stdout.take());
        let output = child.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success() && !text.contains("panicked"),
            "{command:?}: {}: {text}",
            output.status
        );
        Ok(())
    };
    let node_lines: [&[&str]; 9] = [
        &["findings", "--all"],
        &["findings", "--json"],
        &["status"],
        &["status", "--json"],
        &["slice", "status"],
        &["verify"],
        &["sync", "--once"],
        &["--help"],
        &["--version"],
    ];
    for line in node_lines {
        seen_enough(source.node.command(line)?)?;
    }
    let hub_lines: [&[&str]; 8] = [
        &["batch", "list"],
        &["batch", "list", "--json"],
        &["batch", "show", "52.71/1/1"],
        &["region", "list"],
        &["held", "list"],
        &["status"],
        &["verify"],
        &["--help"],
    ];
    for line in hub_lines {
        let mut command = Command::new(federation::program("dtsen-central")?);
        command.arg("--home").arg(hub.home()).args(line);
        seen_enough(command)?;
    }
    Ok(())
}
