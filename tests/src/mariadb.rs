//! A MariaDB server of our own: own folder, own port, loopback only.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{faults::wait, federation::free_port};

/// The account that nodes read with.
pub const READER: &str = "pembaca:rahasia";
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server, which ends with this.
pub struct MariaDb {
    home: tempfile::TempDir,
    port: u16,
    server: Option<Child>,
}

fn program(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin", "/usr/local/bin"]
        .iter()
        .map(|folder| PathBuf::from(folder).join(name))
        .find(|path| path.exists())
}

/// The account that the server runs as: it refuses to be root unless told.
fn account() -> Option<&'static str> {
    rustix::process::getuid().is_root().then_some("--user=root")
}

impl MariaDb {
    /// Starts one; `None` if there is no MariaDB here.
    pub fn start() -> Option<Self> {
        let Some(install) = program("mariadb-install-db") else {
            let required = std::env::var_os("DTSEN_TEST_REQUIRE_MARIADB").is_some();
            assert!(!required, "MariaDB is not installed, and here it is required");
            eprintln!("NOT TESTED: MariaDB is not installed");
            return None;
        };
        let home = tempfile::tempdir().expect("a folder");
        let made = Command::new(install)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(account())
            .arg(format!("--datadir={}", home.path().join("data").display()))
            // Two servers that are made at once would take each other's temporary tables away.
            .env("TMPDIR", home.path())
            .output()
            .expect("starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut server = Self { home, port: free_port().expect("a port"), server: None };
        server.begin();
        server.run("", &format!("CREATE USER 'pembaca'@'%' IDENTIFIED BY 'rahasia'; {}", "FLUSH PRIVILEGES"));
        Some(server)
    }

    /// Starts the server, after it was stopped too.
    pub fn begin(&mut self) {
        let folder = self.home.path();
        let server = Command::new(program("mariadbd").expect("beside the other program"))
            .args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve"])
            .args(account())
            .args(["--innodb-buffer-pool-size=64M", "--skip-log-bin"])
            .arg(format!("--datadir={}", folder.join("data").display()))
            .arg(format!("--socket={}", folder.join("s").display()))
            .arg(format!("--pid-file={}", folder.join("pid").display()))
            .arg(format!("--port={}", self.port))
            .env("TMPDIR", folder)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log")).expect("a log"))
            .spawn()
            .expect("starts");
        self.server = Some(server);
        let look = || {
            if self.try_run("", "SELECT 1") {
                return Ok(());
            }
            Err(std::fs::read_to_string(folder.join("log")).unwrap_or_default())
        };
        wait::until(PATIENCE, look).unwrap_or_else(|error| panic!("the server did not come up: {error:#}"));
    }

    /// Ends the server at once.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Stops the server's processor, or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { rustix::process::Signal::STOP } else { rustix::process::Signal::CONT };
        let server = self.server.as_ref().expect("runs");
        let pid = rustix::process::Pid::from_child(server);
        rustix::process::kill_process(pid, signal).expect("the process is ours");
    }

    fn client(&self, database: &str, sql: &str) -> std::process::Output {
        let mut client = Command::new(program("mariadb").expect("beside the server"));
        client.args(["--no-defaults", "-h127.0.0.1", "-uroot", "-N", "-B"]).arg(format!("-P{}", self.port));
        if !database.is_empty() {
            client.arg(database);
        }
        client.args(["-e", sql]).output().expect("starts")
    }

    fn try_run(&self, database: &str, sql: &str) -> bool {
        self.client(database, sql).status.success()
    }

    /// Runs statements as root.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let output = self.client(database, sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Makes a database that the reader may read.
    pub fn database(&self, name: &str, sql: &str) -> String {
        self.run(
            "",
            &format!(
                "CREATE DATABASE {name} CHARACTER SET utf8mb4; GRANT SELECT ON {name}.* TO 'pembaca'@'%'"
            ),
        );
        self.run(name, sql);
        format!("mysql://{READER}@127.0.0.1:{}/{name}", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.kill();
    }
}
