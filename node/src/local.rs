//! The node's service for the Pemda's own applications.

mod access;
mod service;

use std::{io, path::Path, sync::Arc};

use dtsen_proto::{limits, pb::local_server::LocalServer};
use tokio::net::{TcpListener, UnixListener};
use tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

pub use service::{FOLDER, LocalService};

/// A local service that could not run.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The socket or port.
    #[error("alamat layanan lokal tidak dapat dipakai")]
    Listen(#[from] io::Error),
    /// tonic.
    #[error("layanan lokal berhenti")]
    Transport(#[from] tonic::transport::Error),
    /// Not this machine.
    #[error("layanan lokal hanya boleh di loopback (127.0.0.1), bukan {0}")]
    NotLoopback(std::net::SocketAddr),
}

/// Calls at once on one connection.
const STREAMS: u32 = 16;

fn server() -> Server {
    Server::builder().max_concurrent_streams(STREAMS).http2_max_local_error_reset_streams(Some(64))
}

fn service(service: Arc<LocalService>) -> LocalServer<LocalService> {
    LocalServer::from_arc(service)
        .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_MESSAGE_BYTES)
}

/// Serves on a Unix socket that only its owner can open.
pub async fn on_socket(
    local: Arc<LocalService>,
    path: &Path,
    stop: CancellationToken,
) -> Result<(), LocalError> {
    use std::os::unix::fs::PermissionsExt as _;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let incoming = UnixListenerStream::new(listener);
    server()
        .add_service(service(local))
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await?;
    Ok(())
}

/// Serves on a loopback port to whoever shows the token.
pub async fn on_port(
    local: Arc<LocalService>,
    listener: TcpListener,
    token: String,
    stop: CancellationToken,
) -> Result<(), LocalError> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(LocalError::NotLoopback(address));
    }
    let guarded =
        tonic::service::interceptor::InterceptedService::new(service(local), access::Bearer::new(&token));
    let incoming = TcpListenerStream::new(listener);
    server().add_service(guarded).serve_with_incoming_shutdown(incoming, stop.cancelled_owned()).await?;
    Ok(())
}
