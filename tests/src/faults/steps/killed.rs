//! Hub and node on SQLite, killed at each of their flushes.

use std::{
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};

use super::{Matrix, Way};
use crate::{
    faults::{
        contents, kills, ledger,
        place::Place,
        source::{self, Source},
        wait,
    },
    federation::{Hub, Node},
    population::every_region,
};

/// The region that exchanges, and its families.
const REGION: (&str, u64) = ("52.71", 60);
/// Regions that enrol, one for each flush of it; a node has about fifteen, and more with every migration.
const NEWCOMERS: usize = 64;
/// The signal that nobody survives.
const SIGKILL: i32 = 9;
/// An exchange with a hub that dies in it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time for a killed process to be gone.
const GONE: Duration = Duration::from_secs(10);

/// Kills processes at their flushes.
struct Killer {
    way: Way,
    log: PathBuf,
    matrix: Matrix,
}

/// What was being flushed when the process died.
#[derive(Debug, PartialEq, Eq)]
struct Flush {
    file: PathBuf,
    /// A transaction of SQLite that nobody was told of: written to its log since the flush before. Else a file, or the
    /// log once more, whose transactions were flushed long before.
    is_commit: bool,
}

/// The last flush in strace's log.
fn last_flush(log: &str) -> anyhow::Result<Flush> {
    let path = |line: &str| Some(line.split_once('<')?.1.split_once('>')?.0.to_owned());
    let calls: Vec<_> = log.lines().filter_map(|line| Some((line, path(line)?))).collect();
    let at = calls.iter().rposition(|(line, _)| line.contains("sync(")).context("no flush in the log")?;
    let file = &calls[at].1;
    let before = calls[..at].iter().rfind(|(_, path)| path == file);
    let is_commit = file.ends_with("-wal") && before.is_some_and(|(line, _)| line.contains("pwrite64("));
    Ok(Flush { file: file.into(), is_commit })
}

impl Killer {
    /// The command under strace, which kills it when it begins the nth flush of one of its threads.
    fn at_flush(&self, nth: u32, command: &Command) -> Command {
        let mut strace = Command::new("strace");
        // Without --seccomp-bpf, with which strace 6.1 forgets to count.
        strace.args(["--follow-forks", "--decode-fds=path", "--string-limit=0"]);
        strace.arg("--trace=fsync,fdatasync,pwrite64");
        strace.arg(format!("--inject=fsync,fdatasync:signal=KILL:when={nth}")).arg("--output").arg(&self.log);
        strace.arg(command.get_program()).args(command.get_args());
        strace.stdin(Stdio::null());
        strace
    }

    /// What is left of the transaction that was being flushed, as the way says.
    fn leave(&mut self, name: &str) -> anyhow::Result<()> {
        let flush = last_flush(&std::fs::read_to_string(&self.log)?)?;
        if self.way == Way::NotStored && flush.is_commit {
            let file = std::fs::OpenOptions::new().write(true).open(&flush.file)?;
            file.set_len(file.metadata()?.len() - 1)?;
        }
        let what = if flush.is_commit { "commits" } else { "files and checkpoints" };
        self.matrix.add(&format!("{name}: {what}"), self.way);
        Ok(())
    }

    /// Runs a command; true: it came to its end before.
    fn survives(&mut self, name: &str, nth: u32, command: &Command) -> anyhow::Result<bool> {
        let done = self.at_flush(nth, command).output().context("strace is needed")?;
        if done.status.signal() == Some(SIGKILL) {
            self.leave(name)?;
            return Ok(false);
        }
        let said = String::from_utf8_lossy(&done.stderr);
        ensure!(matches!(done.status.code(), Some(0 | 3)), "{name}, flush {nth}: {} {said}", done.status);
        Ok(true)
    }

    /// A node that imports and exchanges; every day the hub publishes a release.
    fn exchanges(&mut self, hub: &Hub, source: &Source, day: &mut u32) -> anyhow::Result<()> {
        for nth in 1.. {
            let import = source.import(*day)?;
            let import: Vec<&str> = import.iter().map(String::as_str).collect();
            let imports = self.survives("import", nth, &source.node.command(&import)?)?;
            source.load(*day)?;
            *day += 1;
            hub.release()?;
            let sync = source.node.command(&["sync", "--once", "--wait", "30"])?;
            let exchanges = self.survives("sync", nth, &sync)?;
            source.node.sync()?;
            if imports && exchanges {
                break;
            }
        }
        Ok(())
    }

    /// Nodes that are made and enrol.
    fn enrols(&mut self, hub: &Hub, folder: &Path) -> anyhow::Result<()> {
        let url = hub.enrol_url();
        for (nth, region) in (1..).zip(every_region(NEWCOMERS)?) {
            let code = &region.to_string();
            let home = folder.join(format!("{code}-{:?}", self.way));
            let node = Node::at(&home, region);
            let init = ["init", "--region", code];
            let begins = self.survives("node init", nth, &node.command(&init)?)?;
            if !begins && let Err(error) = node.run(&init) {
                ensure!(format!("{error:#}").contains("sudah berisi node"), "{error:#}");
            }
            let token = home.join("token");
            let token = token.to_str().context("a path in UTF-8")?;
            hub.run(&["region", "invite", code, "--token-file", token, "--by", "pengundang"])?;
            let enrol = ["enrol", "--hub", &url, "--token-file", token, "--no-wait"];
            let asks = self.survives("enrol, asks", nth, &node.command(&enrol)?)?;
            let shown = node.run(&enrol)?;
            let fingerprint = shown.split_whitespace().find(|word| word.matches('-').count() == 5);
            let fingerprint = fingerprint.context("the node shows its fingerprint")?;
            hub.run(&["region", "confirm", code, "--fingerprint", fingerprint, "--by", "pemeriksa"])?;
            let is_granted = self.survives("enrol, is granted", nth, &node.command(&enrol)?)?;
            node.run(&enrol)?;
            node.sync()?;
            node.run(&["verify"])?;
            if begins && asks && is_granted {
                return Ok(());
            }
        }
        anyhow::bail!("more flushes than regions")
    }

    /// A hub that serves while a node exchanges with it.
    fn serves(&mut self, hub: &mut Hub, source: &Source, day: &mut u32) -> anyhow::Result<()> {
        for nth in 1.. {
            hub.stop()?;
            // It may die before it listens.
            let _ = hub.start_by(self.at_flush(nth, &hub.serving()?));
            source.load(*day)?;
            *day += 1;
            source.node.try_sync(PATIENCE)?;
            let survives = !hub.has_ended()?;
            if survives {
                hub.stop()?;
            } else {
                wait::until(GONE, || hub.has_ended().map_err(|e| e.to_string()).map(drop))?;
                self.leave("serve")?;
            }
            kills::end_leases(hub)?;
            hub.start()?;
            source.node.sync()?;
            if survives {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Commands of the hub's operators, with nobody beside them.
    fn decides(&mut self, hub: &mut Hub) -> anyhow::Result<()> {
        hub.stop()?;
        let by = ["--by", "petugas"];
        let (prepare, code) = (["release", "prepare", "--by", "penyusun"], REGION.0);
        let suspend = ["region", "suspend", code, "--by", "petugas"];
        let resume = ["region", "resume", code, "--by", "petugas"];
        let invite = ["region", "invite", "53.01", "--by", "petugas"];
        for nth in 1.. {
            let mut came_through = true;
            for command in [&prepare[..], &suspend, &resume, &invite] {
                let survives = self.survives(&command[..2].join(" "), nth, &hub.running(command)?)?;
                if !survives {
                    hub.run(command)?;
                }
                came_through &= survives;
            }
            let version = hub.json(&prepare)?["version"].as_u64().context("a version")?.to_string();
            let publish = [&["release", "publish", &version], &by[..]].concat();
            if !self.survives("release publish", nth, &hub.running(&publish)?)? {
                hub.run(&publish)?;
                came_through = false;
            }
            if came_through {
                break;
            }
        }
        hub.start()
    }
}

/// One run; the registry must come out as if nothing had happened.
pub fn run(place: &Place) -> anyhow::Result<Matrix> {
    let plans = source::plans(place.seed(), &[REGION])?;
    let mut hub = Hub::create(&place.path("pusat"), "sqlite:hub.db")?;
    hub.start()?;
    let source = Source::enrol(&hub, &place.path("node"), &plans[0])?;
    let mut killer = Killer { way: Way::NotStored, log: place.path("strace.log"), matrix: Matrix::default() };
    let mut days = 0;
    for way in Way::ALL {
        killer.way = way;
        killer.exchanges(&hub, &source, &mut days)?;
        killer.enrols(&hub, &place.path("baru"))?;
        killer.serves(&mut hub, &source, &mut days)?;
        killer.decides(&mut hub)?;
    }
    source.node.sync()?;
    ledger::check(&hub, &[&source.node])?;
    let expected = source::undisturbed(&place.path("tenang"), &plans, &[days])?;
    contents::compare(&contents::of_database(&hub.database())?, &expected)?;
    Ok(killer.matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_is_a_commit_if_the_log_was_written_since_the_one_before() {
        let is_commit = |log: &str| last_flush(log).expect("a flush").is_commit;
        let commit =
            "7 pwrite64(9</a/b.db-wal>, \"\"..., 4096, 56) = 4096\n7 fdatasync(9</a/b.db-wal>) = ?\n";
        assert!(is_commit(commit));
        assert!(!is_commit(&format!("{commit}7 fdatasync(9</a/b.db-wal>) = ?\n")), "a checkpoint begins");
        assert!(!is_commit("7 fsync(9</a/b.db-wal>) = ?\n"), "the log of a process before, once more");
        assert!(!is_commit(&format!("{commit}7 fsync(9</a/key>) = ?\n+++ killed by SIGKILL +++\n")));
    }
}
