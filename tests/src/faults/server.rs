//! A PostgreSQL server of one's own, to be stopped, killed and paused: the one that other tests share is left alone.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use sqlx::{Connection as _, PgConnection};

use super::wait;
use crate::federation::free_port;

/// Time to start or end.
const PATIENCE: Duration = Duration::from_mins(1);
/// Who runs the server where the test runs as root, which PostgreSQL refuses; `tests/run` makes this user.
const USER: &str = "dtsen-test";

/// A server with a folder of its own.
#[derive(Debug)]
pub struct Server {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// In order, sessions broken off.
    Fast,
    /// At once, as after a crash: it recovers from its log when it starts.
    Immediate,
    /// SIGKILL to all its processes.
    Kill,
}

fn programs() -> anyhow::Result<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(debian.map(|entry| entry.path().join("bin")));
    let found =
        folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists());
    found.context("PostgreSQL's server programs are not installed; tests/run installs them")
}

fn is_root() -> anyhow::Result<bool> {
    let told = Command::new("id").arg("-u").output()?;
    Ok(String::from_utf8_lossy(&told.stdout).trim() == "0")
}

/// A program of PostgreSQL, as somebody whom it accepts. `setpriv` replaces itself by the program.
fn program(name: &str, folder: &Path) -> anyhow::Result<Command> {
    let path = programs()?.join(name);
    let mut command = if is_root()? {
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--clear-groups"]).arg(path);
        command
    } else {
        Command::new(path)
    };
    command.current_dir(folder).stdin(Stdio::null());
    Ok(command)
}

fn signal(pids: &[u32], name: &str) -> anyhow::Result<()> {
    let mut command = Command::new("kill");
    command.arg(format!("-{name}")).args(pids.iter().map(u32::to_string));
    // One of several may have ended by itself a moment ago.
    command.stderr(Stdio::null()).status()?;
    Ok(())
}

impl Server {
    /// Makes a server and starts it.
    pub fn create() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("dtsen-server.").tempdir()?;
        if is_root()? {
            let status = Command::new("chown").arg(format!("{USER}:{USER}")).arg(folder.path()).status()?;
            ensure!(status.success(), "there is no user {USER}; tests/run makes it");
        }
        let mut initdb = program("initdb", folder.path())?;
        let done = initdb
            .args(["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"])
            .output()?;
        ensure!(done.status.success(), "initdb: {}", String::from_utf8_lossy(&done.stderr));
        let mut server = Self { port: free_port()?, folder, child: None };
        server.start()?;
        Ok(server)
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it and waits until it answers.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.path().join("server.log"))?;
        let folder = self.folder.path();
        let mut postgres = program("postgres", folder)?;
        postgres.args(["-D", "data", "-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-k"]);
        self.child = Some(postgres.arg(folder).stdout(Stdio::null()).stderr(log).spawn()?);
        wait::until(PATIENCE, || {
            let answers =
                wait::block_on(async { Ok(PgConnection::connect(&self.address()).await?.close().await?) });
            answers.map_err(|error| format!("{error:#}"))
        })
    }

    /// The server's processes, the first one first.
    fn processes(&self) -> anyhow::Result<Vec<u32>> {
        let first = self.child.as_ref().context("the server runs")?.id();
        let mut all = vec![first];
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // After the name in brackets: state, parent.
            let parent =
                stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
            if parent == Some(first) {
                all.push(pid);
            }
        }
        Ok(all)
    }

    /// Ends it.
    pub fn end(&mut self, how: End) -> anyhow::Result<()> {
        let all = self.processes()?;
        match how {
            End::Fast => signal(&all[..1], "INT")?,
            End::Immediate => signal(&all[..1], "QUIT")?,
            End::Kill => signal(&all, "KILL")?,
        }
        let Some(mut child) = self.child.take() else { bail!("the server runs") };
        wait::until(PATIENCE, || match child.try_wait() {
            Ok(Some(_)) => Ok(()),
            other => Err(format!("the server still runs: {other:?}")),
        })
    }

    /// Stops all its processes without ending them: connections stay, answers do not come.
    pub fn pause(&self) -> anyhow::Result<()> {
        signal(&self.processes()?, "STOP")
    }

    /// Lets them go on.
    pub fn resume(&self) -> anyhow::Result<()> {
        signal(&self.processes()?, "CONT")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            let _ = self.resume();
            let _ = self.end(End::Immediate);
        }
    }
}
