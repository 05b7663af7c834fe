//! A federation of real processes on loopback: one hub, some nodes, each with a home of its own.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use dtsen_proto::region::Region;
use serde_json::Value;

/// Name of the test hub.
const HUB_NAME: &str = "hub.dtsen.test";

/// A program of this workspace: beside the one that runs now.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.ancestors().skip(1).take(2).map(|dir| dir.join(name)).find(|path| path.exists());
    beside.with_context(|| format!("{name} is not built; run: cargo build --release --workspace"))
}

/// A port that was free a moment ago.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn finished(what: &str, output: &Output) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{what} failed: {}{text}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(text)
}

/// A hub in a home of its own.
pub struct Hub {
    home: PathBuf,
    ports: (u16, u16),
    child: Option<Child>,
}

impl Hub {
    /// Makes a hub on this database (`sqlite:hub.db` or `postgres://…`).
    pub fn create(home: &Path, database: &str) -> anyhow::Result<Self> {
        let ports = (free_port()?, free_port()?);
        let hub = Self { home: home.to_owned(), ports, child: None };
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

    /// Where nodes enrol.
    pub fn enrol_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.1)
    }

    /// Where nodes exchange.
    pub fn exchange_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.0)
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(program("dtsen-central")?);
        command.arg("--home").arg(&self.home);
        Ok(command)
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        finished(
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
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.home.join("hub.log"))?;
        let mut command = self.command()?;
        command.arg("serve").stdout(Stdio::piped()).stderr(log);
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

/// How long a synchronisation of the demo waits for verdicts.
const WAIT: Duration = Duration::from_mins(2);

impl Node {
    /// Makes a node.
    pub fn create(home: &Path, region: Region) -> anyhow::Result<Self> {
        let node = Self { region, home: home.to_owned() };
        node.run(&["init", "--region", &region.to_string()])?;
        Ok(node)
    }

    /// The home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A command of this node, to be started by the caller.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(program("dtsen-node")?);
        command.arg("--home").arg(&self.home).args(arguments);
        Ok(command)
    }

    /// Runs a command to its end. Exit code 3 (rows with errors) is no failure.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(arguments)?.output()?;
        if output.status.code() == Some(3) {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        finished(&format!("dtsen-node {}", arguments.join(" ")), &output)
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
