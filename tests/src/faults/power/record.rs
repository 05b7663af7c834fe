//! One run of the unmodified programs under strace: a hub and a node that exchange data, recorded call by call.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::trace::{self, Event};
use crate::{
    faults::{
        place::Place,
        source::{self, Source},
    },
    federation::Hub,
};

/// Days that the region imports and sends; the first is everything, large enough to go in pieces.
const DAYS: u32 = 12;
/// Families of the region.
const FAMILIES: u64 = 60;
/// After these days the hub is stopped in order and started again: its log goes into the database file.
const RESTARTS: [u32; 2] = [3, 8];
/// After these days a release is published.
const RELEASES: [u32; 2] = [5, 9];
/// Seconds that the node waits for verdicts; strace makes everything slower.
const PATIENCE: u32 = 60;
/// Tries of a command, where calls are made to fail.
const TRIES: u32 = 40;
/// Commands that find the hub stopped: the last to close its database copies the log into it, if it comes to that before
/// its process ends.
const LOOKS: u32 = 4;
/// Seconds of a recorded run at most: calls that fail for ever must not keep the tests for ever.
const RUN_S: u32 = 300;
/// Longer than any buffer that the programs write.
const BUFFER: &str = "4194304";

/// What a command printed, and where its event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Which command.
    pub command: String,
    /// Its output's file.
    pub file: PathBuf,
    /// What it said.
    pub said: String,
}

/// A recorded run.
pub struct Recording {
    /// Home of the hub, with what the run left.
    pub hub: Hub,
    /// The region's node, with what the run left.
    pub source: Source,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Files of both homes before.
    pub before: Vec<(PathBuf, Vec<u8>)>,
    /// What commands said.
    pub printed: Vec<Printed>,
}

/// A command as a shell reads it.
fn quoted(command: &Command) -> anyhow::Result<String> {
    let mut text = String::new();
    for word in std::iter::once(command.get_program()).chain(command.get_args()) {
        let word = word.to_str().context("a word in UTF-8")?;
        write!(text, "'{}' ", word.replace('\'', r"'\''"))?;
    }
    Ok(text)
}

/// All files below a folder.
pub fn files(folder: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push((path.clone(), std::fs::read(&path)?));
        }
    }
    Ok(found)
}

/// The commands of a run, as a shell script: strace sees all of them in one order.
struct Script {
    text: String,
    out: PathBuf,
    commands: u32,
}

impl Script {
    fn new(hub: &Hub, out: &Path) -> anyhow::Result<Self> {
        let serve = quoted(&hub.serving()?)?;
        let (pipe, log) = (out.join("pipe"), out.join("hub.log"));
        let (pipe, log) = (pipe.display(), log.display());
        let text = format!(
            "set -eu\nmkfifo '{pipe}'\n\
             begin() {{ {serve} >'{pipe}' 2>>'{log}' & hub=$!; exec 3<'{pipe}'; read -r _ <&3; }}\n\
             more() {{ tries=$((tries + 1)); [ $tries -lt {TRIES} ]; }}\n\
             serve() {{ tries=0; until begin; do wait $hub || more; done; }}\n\
             end() {{ kill -TERM $hub; wait $hub || true; exec 3<&-; }}\nserve\n"
        );
        Ok(Self { text, out: out.to_owned(), commands: 0 })
    }

    /// Runs a command to its end, again while it fails; exit code 3 (rows with errors) is no failure.
    fn run(&mut self, name: &str, command: &Command) -> anyhow::Result<()> {
        self.commands += 1;
        let file = self.out.join(format!("{:03}.{name}", self.commands));
        let errors = self.out.join("output.log");
        let command = quoted(command)?;
        let (file, errors) = (file.display(), errors.display());
        writeln!(self.text, "tries=0; until {command} >'{file}' 2>>'{errors}' || [ $? = 3 ]; do more; done")?;
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// Runs a shell script under strace and returns what happened below the folder.
///
/// `inject` makes calls fail, in strace's words.
pub fn under_strace(folder: &Path, script: &str, inject: Option<&str>) -> anyhow::Result<Vec<Event>> {
    let (file, trace) = (folder.join("script.sh"), folder.join("trace"));
    std::fs::write(&file, script)?;
    // It ends all that the script began, too.
    let mut strace = Command::new("timeout");
    strace.args(["--kill-after=10", &RUN_S.to_string(), "strace"]);
    strace.args(["--follow-forks", "--seccomp-bpf", "--decode-fds=all", "--strings-in-hex=all"]);
    strace.args(["--string-limit", BUFFER, "--trace", trace::CALLS, "--output"]).arg(&trace);
    strace.args(inject.map(|inject| format!("--inject={inject}")));
    let done = strace.arg("sh").arg(&file).stdin(Stdio::null()).output().context("strace is needed")?;
    ensure!(
        done.status.success(),
        "the traced run (of {RUN_S} s at most): {} {}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
    let text = std::fs::read_to_string(&trace)?;
    std::fs::remove_file(&trace)?;
    trace::events(&text, folder)
}

/// Records a run, in which calls may be made to fail.
pub fn record(place: &Place, inject: Option<&str>) -> anyhow::Result<Recording> {
    let plans = source::plans(place.seed(), &[("52.71", FAMILIES)])?;
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let source = Source::enrol(&hub, &place.path("node"), &plans[0])?;
    hub.stop()?;
    let folder = hub.home().parent().context("the place")?.to_owned();
    let out = place.path("keluaran");
    std::fs::create_dir_all(&out)?;
    let mut script = Script::new(&hub, &out)?;
    let mut version = 0;
    for day in 0..DAYS {
        let import = source.import(day)?;
        let mut import: Vec<&str> = import.iter().map(String::as_str).collect();
        import.push("--json");
        script.run("import", &source.node.command(&import)?)?;
        if RELEASES.contains(&day) {
            version += 1;
            script.run("prepare", &hub.running(&["release", "prepare", "--by", "penyusun"])?)?;
            let publish = ["release", "publish", &version.to_string(), "--by", "penyetuju"];
            script.run("publish", &hub.running(&publish)?)?;
        }
        let patience = PATIENCE.to_string();
        script.run("sync", &source.node.command(&["sync", "--once", "--wait", &patience, "--json"])?)?;
        if RESTARTS.contains(&day) {
            script.line("end");
            for _ in 0..LOOKS {
                script.run("status", &hub.running(&["status"])?)?;
            }
            script.line("serve");
        }
    }
    script.line("end");
    // Who reads all files would wait for ever for somebody to write into the pipe.
    script.line(&format!("rm '{}'", out.join("pipe").display()));
    let before = [files(hub.home())?, files(source.node.home())?].concat();
    let events = under_strace(&folder, &script.text, inject)?;
    let mut printed = Vec::new();
    for (file, said) in files(&out).into_iter().flatten() {
        let command = file.extension().and_then(|e| e.to_str()).unwrap_or_default().to_owned();
        printed.push(Printed { command, said: String::from_utf8_lossy(&said).into_owned(), file });
    }
    printed.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(Recording { hub, source, events, before, printed })
}

impl Printed {
    /// What a command said with `--json`.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.said).with_context(|| format!("{}: {:?}", self.file.display(), self.said))
    }
}
