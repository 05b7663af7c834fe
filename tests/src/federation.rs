//! A federation of real processes on loopback: one hub, some nodes, each with a home of its own.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use dtsen_kit::sqlite::Mode;
use dtsen_proto::region::Region;
use serde_json::Value;

use crate::faults::wait;

/// Name of the test hub.
pub const HUB_NAME: &str = "hub.dtsen.test";

/// A program of this workspace: beside the one that runs now.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.ancestors().skip(1).take(2).map(|dir| dir.join(name)).find(|path| path.exists());
    beside.with_context(|| format!("{name} is not built; run: cargo build --release --workspace"))
}

/// Level of the programs' logs, where it is not their own: the privacy test wants everything.
pub const LOG_LEVEL: &str = "DTSEN_TEST_LOG";

fn start_program(name: &str, home: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(program(name)?);
    command.arg("--home").arg(home);
    if let Ok(level) = std::env::var(LOG_LEVEL) {
        command.args(["--log", &level]);
    }
    Ok(command)
}

/// A port that was free a moment ago.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Keeps what a command printed, beside the logs: a failing test shows it, and the privacy test searches it.
fn keep(home: &Path, what: &str, output: &Output) -> anyhow::Result<()> {
    std::fs::create_dir_all(home)?;
    let mut log = std::fs::OpenOptions::new().create(true).append(true).open(home.join(OUTPUT))?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    log.write_all(format!("$ {what} [{}]\n{out}{err}", output.status).as_bytes())?;
    Ok(())
}

/// What the commands of a home printed.
pub const OUTPUT: &str = "output.log";

/// Last lines of the logs of a home.
pub fn log_tail(home: &Path, lines: usize) -> String {
    let mut tail = String::new();
    for name in ["hub.log", OUTPUT] {
        let Ok(text) = std::fs::read(home.join(name)) else { continue };
        let text = String::from_utf8_lossy(&text).into_owned();
        let all: Vec<&str> = text.lines().collect();
        let _ = writeln!(tail, "--- {}", home.join(name).display());
        for line in &all[all.len().saturating_sub(lines)..] {
            let _ = writeln!(tail, "{line}");
        }
    }
    tail
}

/// Sends a signal to a process that we started.
fn signal(pid: u32, name: &str) -> anyhow::Result<()> {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status()?;
    ensure!(status.success(), "kill -{name} {pid} failed");
    Ok(())
}

/// Copies a home. Only while nothing writes in it.
pub fn copy_home(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_home(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn finished(home: &Path, what: &str, output: &Output) -> anyhow::Result<String> {
    keep(home, what, output)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{what} failed: {}{text}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(text)
}

/// A hub in a home of its own.
pub struct Hub {
    home: PathBuf,
    database: String,
    ports: (u16, u16),
    child: Option<Child>,
}

impl Hub {
    /// Makes a hub on this database (`sqlite:hub.db` or `postgres://…`).
    pub fn create(home: &Path, database: &str) -> anyhow::Result<Self> {
        let ports = (free_port()?, free_port()?);
        let hub = Self { home: home.to_owned(), database: database.to_owned(), ports, child: None };
        let listen = format!("127.0.0.1:{}", ports.0);
        let enrol = format!("127.0.0.1:{}", ports.1);
        let init = [
            "init",
            "--name",
            HUB_NAME,
            "--database",
            database,
            "--listen",
            &listen,
            "--enrol-listen",
            &enrol,
        ];
        hub.run(&init)?;
        Ok(hub)
    }

    /// The home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Another hub process on the same database: the same keys, a home and ports of its own.
    pub fn twin(&self, home: &Path) -> anyhow::Result<Self> {
        copy_home(&self.home, home)?;
        for log in ["hub.log", OUTPUT] {
            if home.join(log).exists() {
                std::fs::remove_file(home.join(log))?;
            }
        }
        let ports = (free_port()?, free_port()?);
        Ok(Self { home: home.to_owned(), database: self.database.clone(), ports, child: None })
    }

    /// Address of the database, as the store opens it.
    pub fn database(&self) -> String {
        match self.database.strip_prefix("sqlite:") {
            Some(file) => format!("sqlite:{}", self.home.join(file).display()),
            None => self.database.clone(),
        }
    }

    /// Where nodes enrol.
    pub fn enrol_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.1)
    }

    /// Where nodes exchange.
    pub fn exchange_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.0)
    }

    fn command(&self) -> anyhow::Result<Command> {
        start_program("dtsen-central", &self.home)
    }

    /// A command of this hub, to be started by the caller.
    pub fn running(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = self.command()?;
        command.args(arguments);
        Ok(command)
    }

    /// The command that serves, to be started by the caller.
    pub fn serving(&self) -> anyhow::Result<Command> {
        let (listen, enrol) = (format!("127.0.0.1:{}", self.ports.0), format!("127.0.0.1:{}", self.ports.1));
        self.running(&["serve", "--listen", &listen, "--enrol-listen", &enrol])
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        finished(
            &self.home,
            &format!("dtsen-central {}", arguments.join(" ")),
            &self.command()?.args(arguments).output()?,
        )
    }

    /// Runs a command with `--json`.
    pub fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let text = self.run(&[arguments, &["--json"]].concat())?;
        serde_json::from_str(&text).context("output of the hub")
    }

    /// Starts serving and waits until it listens. Its log goes to `hub.log` in the home.
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.start_by(self.serving()?)
    }

    /// The same by a command that runs the one that serves.
    pub fn start_by(&mut self, mut command: Command) -> anyhow::Result<()> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.home.join("hub.log"))?;
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let first = lines.next().transpose()?;
        self.child = Some(child);
        ensure!(
            first.as_deref().is_some_and(|l| l.contains("melayani")),
            "the hub did not start; see {}/hub.log",
            self.home.display()
        );
        // The pipe is read on, so that the hub never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(())
    }

    /// Process id of the server.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Whether the server ended by itself.
    pub fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.as_mut().map(Child::try_wait).transpose()?.flatten().is_some())
    }

    /// Stops the process without ending it.
    pub fn pause(&self) -> anyhow::Result<()> {
        signal(self.pid().context("the hub runs")?, "STOP")
    }

    /// Lets a stopped process go on.
    pub fn resume(&self) -> anyhow::Result<()> {
        signal(self.pid().context("the hub runs")?, "CONT")
    }

    /// Asks the server to end in order and waits until it has.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let Some(child) = self.child.as_mut() else { return Ok(()) };
        signal(child.id(), "TERM")?;
        wait::until(Duration::from_secs(30), || match child.try_wait() {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err("the hub still runs".into()),
            Err(error) => Err(error.to_string()),
        })?;
        self.child = None;
        Ok(())
    }

    /// Kills the server: no signal handler runs.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Invites a node, lets it enrol, confirms its fingerprint.
    pub fn enrol(&self, node: &Node) -> anyhow::Result<()> {
        let region = node.region.to_string();
        let token = node.home.join("token");
        let token = token.to_str().context("a path in UTF-8")?;
        self.run(&["region", "invite", &region, "--token-file", token, "--by", "pengundang"])?;
        let url = self.enrol_url();
        let shown = node.run(&["enrol", "--hub", &url, "--token-file", token, "--no-wait"])?;
        let fingerprint = shown.split_whitespace().find(|w| w.matches('-').count() == 5);
        let fingerprint = fingerprint.context("the node shows its fingerprint")?;
        self.run(&["region", "confirm", &region, "--fingerprint", fingerprint, "--by", "pemeriksa"])?;
        node.run(&["enrol", "--hub", &url, "--token-file", token, "--no-wait"])?;
        Ok(())
    }

    /// Prepares and publishes a release, by two people.
    pub fn release(&self) -> anyhow::Result<u64> {
        let prepared = self.json(&["release", "prepare", "--by", "penyusun"])?;
        let version = prepared["version"].as_u64().context("a version")?;
        self.run(&["release", "publish", &version.to_string(), "--by", "penyetuju"])?;
        Ok(version)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // A test that fails must leave no process behind.
        let _ = self.kill();
    }
}

/// A node in a home of its own.
pub struct Node {
    /// Its region.
    pub region: Region,
    home: PathBuf,
}

/// What came of an exchange.
#[derive(Debug)]
pub struct Exchange {
    /// Whether it ended without an error.
    pub well: bool,
    /// What `--json` said.
    pub report: Value,
    /// What the operator reads.
    pub told: String,
}

/// How long a synchronisation of the demo waits for verdicts.
const WAIT: Duration = Duration::from_mins(2);

impl Node {
    /// Makes a node.
    pub fn create(home: &Path, region: Region) -> anyhow::Result<Self> {
        let node = Self::at(home, region);
        node.run(&["init", "--region", &region.to_string()])?;
        Ok(node)
    }

    /// A node that is there, or will be.
    pub fn at(home: &Path, region: Region) -> Self {
        Self { region, home: home.to_owned() }
    }

    /// The home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A copy of this node's home: the same keys and chain.
    pub fn clone_to(&self, home: &Path) -> anyhow::Result<Self> {
        copy_home(&self.home, home)?;
        Ok(Self { region: self.region, home: home.to_owned() })
    }

    /// The node's store, beside its processes.
    pub async fn store(&self) -> anyhow::Result<dtsen_node::store::Store> {
        Ok(dtsen_node::store::Store::open(&self.home.join("node.db"), false, Mode::Production).await?)
    }

    /// Lets the node reach its hub at another address.
    pub fn reach_hub_at(&self, url: &str) -> anyhow::Result<()> {
        wait::block_on(async {
            let store = self.store().await?;
            Ok(store.set_setting(dtsen_node::store::setting::HUB_URL, url.as_bytes()).await?)
        })
    }

    /// One exchange, whatever comes of it: whether it ended well, the report, what was said to the operator.
    pub fn try_sync(&self, patience: Duration) -> anyhow::Result<Exchange> {
        let seconds = patience.as_secs().to_string();
        let arguments = ["sync", "--once", "--wait", &seconds, "--json"];
        let output = self.command(&arguments)?.output()?;
        keep(&self.home, &format!("dtsen-node {}", arguments.join(" ")), &output)?;
        Ok(Exchange {
            well: output.status.success(),
            report: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            told: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// A command of this node, to be started by the caller.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = start_program("dtsen-node", &self.home)?;
        command.args(arguments);
        Ok(command)
    }

    /// Runs a command to its end. Exit code 3 (rows with errors) is no failure.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(arguments)?.output()?;
        if output.status.code() == Some(3) {
            keep(&self.home, &format!("dtsen-node {}", arguments.join(" ")), &output)?;
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        finished(&self.home, &format!("dtsen-node {}", arguments.join(" ")), &output)
    }

    /// Runs a command with `--json`.
    pub fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let text = self.run(&[arguments, &["--json"]].concat())?;
        serde_json::from_str(&text).context("output of the node")
    }

    /// Exchanges until everything is judged.
    pub fn sync(&self) -> anyhow::Result<Value> {
        self.json(&["sync", "--once", "--wait", &WAIT.as_secs().to_string()])
    }
}
