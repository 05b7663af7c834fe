//! A raw client of the exchange: tonic's generated calls over a TLS configuration of its own.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use dtsen_kit::{
    net::{self, Target, Tcp},
    tls,
};
use dtsen_proto::pb::exchange_client::ExchangeClient;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    version::TLS13,
};
use tokio::runtime::Runtime;
use tonic::{Code, Response, Status, transport::Channel};
use tonic_types::StatusExt as _;

use super::certificates;
use crate::federation::{HUB_NAME, Hub};

/// Most bytes of a message that this client sends or takes: far above what the hub does.
const MESSAGE: usize = 64 * 1024 * 1024;
/// How long a call may take.
const CALL: Duration = Duration::from_secs(20);

/// What came instead of an answer.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The stable code, empty where the hub gave none.
    pub reason: String,
    /// The code of gRPC.
    pub code: Code,
    /// The text.
    pub text: String,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
        Self { reason: reason.unwrap_or_default(), code: status.code(), text: status.message().to_owned() }
    }
}

/// An open connection.
pub struct Client {
    runtime: Runtime,
    exchange: ExchangeClient<Channel>,
}

/// TLS with a pinned authority, as whoever the identity names.
pub fn config(authority: &[u8], identity: Option<&tls::Identity>) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.to_vec()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots);
    let mut config = match identity {
        Some(identity) => {
            let chain = identity.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
            let key = PrivatePkcs8KeyDer::from(identity.key.clone());
            builder.with_client_auth_cert(chain, key.into())?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

impl Client {
    /// Connects to a hub's exchange, as whoever the identity names; `None` shows no certificate. In TLS 1.3 a client may
    /// think itself connected before the server has looked at its certificate.
    pub fn connect(hub: &Hub, identity: Option<&tls::Identity>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let authority = certificates::authority(hub)?;
        let tls = config(authority.certificate(), identity)?;
        let target = Target { url: hub.exchange_url(), server_name: HUB_NAME.into(), tls };
        let channel = runtime.block_on(net::connect(Arc::new(Tcp), &target))?;
        let exchange = ExchangeClient::new(channel)
            .max_decoding_message_size(MESSAGE)
            .max_encoding_message_size(MESSAGE);
        Ok(Self { runtime, exchange })
    }

    /// Makes a call.
    pub fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut ExchangeClient<Channel>) -> Result<Response<T>, Status>,
    ) -> Result<T, Refused> {
        let exchange = &mut self.exchange;
        let answer = self.runtime.block_on(async { tokio::time::timeout(CALL, call(exchange)).await });
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer")));
        Ok(answer?.into_inner())
    }
}

/// One field of a process's `/proc/PID/status`, in KiB.
pub fn memory_kib(pid: u32, field: &str) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find(|line| line.starts_with(field)).context("the field is there")?;
    let number = line.split_whitespace().nth(1).context("a number")?;
    Ok(number.parse()?)
}

/// Descriptors that a process has open.
pub fn descriptors(pid: u32) -> anyhow::Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}
