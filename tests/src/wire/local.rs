//! The node's local service: the process that serves it, and an application of the Pemda that calls it.

use std::{
    io::{BufRead as _, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use dtsen_proto::{pb, pb::local_client::LocalClient};
use hyper_util::rt::TokioIo;
use tokio::{net::UnixStream, runtime::Runtime};
use tonic::{
    Request, Status,
    transport::{Channel, Endpoint, Uri},
};

use crate::{
    faults::wait,
    federation::{Node, OUTPUT},
};

/// How long the program may take to listen, and to end.
const READY: Duration = Duration::from_secs(20);

/// A node that serves, until it is dropped.
pub struct Serving {
    child: Child,
    socket: PathBuf,
    port: Option<String>,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Serving {
    /// Starts `dtsen-node serve` on its socket and on a port of its own.
    pub fn start(node: &Node) -> anyhow::Result<Self> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(node.home().join(OUTPUT))?;
        let mut command = node.command(&["serve", "--listen", "127.0.0.1:0"])?;
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let socket = node.home().join("node.sock");
        let mut serving = Self { child, socket, port: None, lines: Some(lines) };
        serving.listens()?;
        Ok(serving)
    }

    fn listens(&mut self) -> anyhow::Result<()> {
        for line in self.lines.iter_mut().flatten() {
            let line = line?;
            if let Some(rest) = line.strip_prefix("Juga di ") {
                self.port = rest.split(',').next().map(str::to_owned);
                break;
            }
        }
        ensure!(self.port.is_some(), "the node does not serve");
        let mut lines = self.lines.take().context("read on once")?;
        // The pipe is read on, so that the node never waits for us.
        std::thread::spawn(move || lines.by_ref().for_each(drop));
        wait::until(READY, || match std::os::unix::net::UnixStream::connect(&self.socket) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        })
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its port on loopback, `127.0.0.1:N`.
    pub fn port(&self) -> &str {
        self.port.as_deref().expect("it listens")
    }

    /// Asks it to end in order, and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        ensure!(std::process::Command::new("kill").args(["-TERM", &pid]).status()?.success(), "kill failed");
        let status = wait::until(READY, || match self.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            Ok(None) => Err("the node still serves".into()),
            Err(error) => Err(error.to_string()),
        })?;
        ensure!(status.success(), "the node ended with {status}");
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // A test that fails must leave no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An application of the Pemda.
pub struct Application {
    runtime: Runtime,
    client: LocalClient<Channel>,
    token: Option<String>,
}

impl Application {
    fn new(
        connect: impl AsyncFnOnce() -> Result<Channel, tonic::transport::Error>,
        token: Option<&str>,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let client = LocalClient::new(runtime.block_on(connect())?);
        Ok(Self { runtime, client, token: token.map(str::to_owned) })
    }

    /// Over the Unix socket.
    pub fn on_socket(path: &Path) -> anyhow::Result<Self> {
        let path = path.to_owned();
        let connector = tower::service_fn(move |_: Uri| {
            let path = path.clone();
            async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
        });
        let connect = async || Endpoint::from_static("http://node").connect_with_connector(connector).await;
        Self::new(connect, None)
    }

    /// Over the port, with what it takes for the token.
    pub fn on_port(address: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
        Self::new(async || endpoint.connect().await, token)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            let value = format!("Bearer {token}").parse().expect("a token of hex digits");
            request.metadata_mut().insert("authorization", value);
        }
        request
    }

    /// Records in.
    pub fn put(&mut self, message: pb::PutRequest) -> Result<pb::PutReply, Status> {
        let request = self.request(message);
        Ok(self.runtime.block_on(self.client.put(request))?.into_inner())
    }

    /// One number.
    pub fn get(&mut self, message: pb::GetRequest) -> Result<pb::GetReply, Status> {
        let request = self.request(message);
        Ok(self.runtime.block_on(self.client.get(request))?.into_inner())
    }

    /// A page of the slice.
    pub fn query(&mut self, message: pb::QueryRequest) -> Result<pb::QueryReply, Status> {
        let request = self.request(message);
        Ok(self.runtime.block_on(self.client.query(request))?.into_inner())
    }

    /// What there is to mend.
    pub fn findings(&mut self, message: pb::FindingsRequest) -> Result<pb::FindingsReply, Status> {
        let request = self.request(message);
        Ok(self.runtime.block_on(self.client.findings(request))?.into_inner())
    }

    /// How the node stands.
    pub fn status(&mut self) -> Result<pb::StatusReply, Status> {
        let request = self.request(pb::StatusRequest {});
        Ok(self.runtime.block_on(self.client.status(request))?.into_inner())
    }
}
