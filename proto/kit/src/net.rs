//! Byte streams behind a trait, so that the same client and server run over TCP and inside a simulation.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::BoxFuture;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

/// A connection.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// Opens connections.
#[async_trait]
pub trait Dial: Send + Sync + 'static {
    /// Connects.
    async fn dial(&self, host: &str, port: u16) -> io::Result<Box<dyn Io>>;
}

/// Takes connections.
#[async_trait]
pub trait Listen: Send + 'static {
    /// The next connection.
    async fn accept(&mut self) -> io::Result<Box<dyn Io>>;
}

/// TCP.
#[derive(Debug, Clone, Copy)]
pub struct Tcp;

#[async_trait]
impl Dial for Tcp {
    async fn dial(&self, host: &str, port: u16) -> io::Result<Box<dyn Io>> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

#[async_trait]
impl Listen for TcpListener {
    async fn accept(&mut self) -> io::Result<Box<dyn Io>> {
        let (stream, _) = TcpListener::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

/// Where and as whom a channel connects.
#[derive(Clone)]
pub struct Target {
    /// `https://host:port`.
    pub url: String,
    /// Name in the server's certificate, which need not be the host of the URL.
    pub server_name: String,
    /// TLS settings.
    pub tls: Arc<ClientConfig>,
}

/// An address that cannot be used, or a connection that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not `https://host:port`.
    #[error("the address is not https://HOST:PORT: {0}")]
    Address(String),
    /// No connection.
    #[error("no connection to {url}")]
    Transport {
        /// The address.
        url: String,
        /// What tonic says.
        #[source]
        source: tonic::transport::Error,
    },
}

/// Time for connecting and the handshake together; a 2G link with 2 s round trips needs about ten.
const CONNECT: Duration = Duration::from_secs(30);
/// Sign of life on an idle connection.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long an answer to it may take.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);

/// Connects, with TLS of our own around the stream.
pub fn connect(dial: Arc<dyn Dial>, target: &Target) -> BoxFuture<'_, Result<Channel, ConnectError>> {
    Box::pin(async move {
        let bad = || ConnectError::Address(target.url.clone());
        let uri: Uri = target.url.parse().map_err(|_| bad())?;
        let (Some("https"), Some(host), Some(port)) = (uri.scheme_str(), uri.host(), uri.port_u16()) else {
            return Err(bad());
        };
        let host = host.to_owned();
        let name = ServerName::try_from(target.server_name.clone()).map_err(|_| bad())?;
        let connector = TlsConnector::from(target.tls.clone());
        // tonic would add TLS of its own to an https address; the stream that it gets is encrypted already.
        let plain = format!("http://{}:{port}", target.server_name);
        let endpoint = Endpoint::from_shared(plain)
            .map_err(|_| bad())?
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_ANSWER)
            .keep_alive_while_idle(true);
        let service = tower::service_fn(move |_: Uri| {
            let (dial, connector, name, host) = (dial.clone(), connector.clone(), name.clone(), host.clone());
            async move {
                let stream = dial.dial(&host, port).await?;
                let stream = connector.connect(name, stream).await?;
                Ok::<_, io::Error>(TokioIo::new(stream))
            }
        });
        endpoint
            .connect_with_connector(service)
            .await
            .map_err(|source| ConnectError::Transport { url: target.url.clone(), source })
    })
}
