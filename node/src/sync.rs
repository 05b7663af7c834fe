//! The exchange with the hub: Hello, sealed batches up, verdicts and a verified slice back. Resumes where it broke.

mod advice;
mod download;
mod epoch;
mod feed;
mod greet;
mod logged;
mod renew;
mod rulebook;
mod upload;

use std::sync::Arc;

use dtsen_kit::{
    ambient::Ambient,
    net::{self, ConnectError, Dial, Target},
    tls::{self, TlsError},
};
use dtsen_proto::{
    key::{PublicKey, Signer},
    limits, pb,
    pb::exchange_client::ExchangeClient,
    refusal::Refusal,
    region::Region,
};
use futures::future::BoxFuture;
use serde::Serialize;
use tonic::{Code, Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::{
    identity::{Identity, IdentityError},
    store::{SliceError, Store, StoreError},
};

/// The hub as pinned at enrolment.
#[derive(Debug, Clone)]
pub struct Pinned {
    /// Name of the hub, of its certificate and of its log.
    pub name: String,
    /// Receipts, verdicts, decisions, rulebooks, freshness.
    pub receipt: PublicKey,
    /// Checkpoints.
    pub log: PublicKey,
    /// Releases.
    pub release: PublicKey,
    /// Certificate of the hub's authority, DER.
    pub authority: Vec<u8>,
    /// Where the exchange listens.
    pub url: String,
}

impl Pinned {
    /// Reads the keys that a hub gave, refusing weak ones.
    pub fn from_wire(keys: &pb::HubKeys, url: &str) -> Result<Self, Refusal> {
        let key = |bytes: &[u8]| PublicKey::from_slice(bytes).map_err(|_| Refusal::KeyUnknown);
        Ok(Self {
            name: keys.name.clone(),
            receipt: key(&keys.receipt_key)?,
            log: key(&keys.log_key)?,
            release: key(&keys.release_key)?,
            authority: keys.ca_certificate.clone(),
            url: url.to_owned(),
        })
    }
}

/// A node that can speak with its hub.
pub struct Agent {
    /// What the node keeps.
    pub store: Arc<Store>,
    /// Its region.
    pub region: Region,
    /// Signs batches.
    pub signer: Signer,
    /// Its TLS key and certificate.
    pub identity: Identity,
    /// Its hub.
    pub hub: Pinned,
    /// Time and randomness.
    pub ambient: Ambient,
    /// Opens connections.
    pub dial: Arc<dyn Dial>,
}

/// A synchronisation that did not come to its end. What was done is kept; the next one goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// No connection.
    #[error("pusat tidak terjangkau; periksa jaringan dan jam komputer")]
    Connect(#[from] ConnectError),
    /// The hub refused, with a reason code.
    #[error("pusat menolak ({reason}): {}", advice::advice(.reason).unwrap_or(.text))]
    Refused {
        /// Stable code.
        reason: String,
        /// What the hub says.
        text: String,
        /// Delay that it asks for.
        retry_ms: Option<u64>,
    },
    /// The connection broke, or the hub is in trouble.
    #[error("sambungan ke pusat terputus ({0:?})")]
    Broken(Code),
    /// What the hub sent is not what it must be.
    #[error("jawaban pusat tidak sah ({}): {}", .0.code(), advice::advice(.0.code()).unwrap_or_default())]
    Invalid(Refusal),
    /// The exchange is stopped until a person acts.
    #[error("{0}")]
    Stopped(Stop),
    /// The store.
    #[error("penyimpanan node gagal")]
    Store(#[from] StoreError),
    /// TLS material.
    #[error("kunci atau sertifikat node tidak dapat dipakai")]
    Tls(#[from] TlsError),
    /// The identity's file.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Why nothing goes on without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The hub was restored from an older copy.
    #[error(
        "pusat dipulihkan dari salinan lama dan berhenti menerima sampai petugas pusat mengonfirmasi generasi baru"
    )]
    HubBehind,
    /// A node of this region has less than the hub: restored from an older copy, or a copy of it is running.
    #[error(
        "node daerah ini terlihat dengan data yang lebih lama daripada di pusat: dipulihkan dari salinan lama, atau salinannya berjalan di tempat lain; pastikan hanya satu yang berjalan, lalu minta pusat menjalankan: dtsen-central region new-epoch; yang hilang dibaca kembali dari pusat"
    )]
    NodeBehind,
    /// Two different batches under one number.
    #[error(
        "rantai kiriman bercabang: ada dua kiriman berbeda pada satu nomor urut; matikan salinan node, lalu minta pusat menjalankan: dtsen-central region new-epoch"
    )]
    Forked,
    /// A copy of this node is running.
    #[error(
        "salinan node ini sedang berjalan di tempat lain; matikan salah satu, lalu minta pusat menjalankan: dtsen-central region new-epoch"
    )]
    Cloned,
    /// The hub stopped this region.
    #[error("daerah ini dihentikan oleh pusat; hubungi petugas pusat")]
    Suspended,
    /// The hub shows another history than before.
    #[error(
        "log pusat bukan lanjutan dari yang pernah dilihat node ini; bukti disimpan, hubungi pengawas (LOG_INCONSISTENT)"
    )]
    HubForked,
    /// This node was off for so long, or the hub's clock was so wrong, that its certificate ran out.
    #[error(
        "sertifikat node ini kedaluwarsa atau belum berlaku; periksa jam komputer, bila benar minta undangan baru kepada petugas pusat (dtsen-central region invite), lalu jalankan: dtsen-node enrol"
    )]
    CertificateExpired,
}

impl SyncError {
    fn is_refusal(&self, code: &str) -> bool {
        matches!(self, Self::Refused { reason, .. } if reason == code)
    }

    /// The hub does not have what was asked for.
    pub fn is_not_found(&self) -> bool {
        self.is_refusal(Refusal::NotFound { what: "" }.code())
    }

    /// The hub knows the signing key, and that it was revoked.
    pub fn is_revoked_key(&self) -> bool {
        self.is_refusal(Refusal::KeyRevoked.code())
    }
}

/// Not as a source: the refusal's own text is for programmers, the operator gets advice.
impl From<Refusal> for SyncError {
    fn from(refusal: Refusal) -> Self {
        Self::Invalid(refusal)
    }
}

impl From<SliceError> for SyncError {
    fn from(error: SliceError) -> Self {
        match error {
            SliceError::Store(error) => Self::Store(error),
            SliceError::Refused(refusal) => Self::Invalid(refusal),
        }
    }
}

impl From<Status> for SyncError {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let retry_ms = details
            .retry_info()
            .and_then(|info| info.retry_delay)
            .and_then(|delay| u64::try_from(delay.as_millis()).ok());
        match details.error_info() {
            Some(info) => {
                let text = status.message().to_owned();
                Self::Refused { reason: info.reason.clone(), text, retry_ms }
            }
            None => Self::Broken(status.code()),
        }
    }
}

/// What a synchronisation did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Batches that came into the hub's custody.
    pub batches: u64,
    /// Deltas in them.
    pub deltas: u64,
    /// Batches of which the hub took the header alone.
    pub bodies_refused: u64,
    /// Bytes of bodies that the hub took up.
    pub bytes: u64,
    /// Feed entries taken up.
    pub feed: u64,
    /// Batches that the hub took and does not have in its log after a minute.
    pub unlogged: u64,
    /// Version of the slice in use afterwards.
    pub slice_version: u64,
    /// Whether a new slice was taken.
    pub slice_taken: bool,
    /// Whether the certificate was renewed.
    pub renewed: bool,
    /// Version of the rulebook in use afterwards.
    pub rulebook: u32,
    /// Whether a new one was taken: what was imported before was checked by the one before.
    pub rulebook_taken: bool,
    /// Version that the hub uses and this program cannot read.
    pub rulebook_unfit: Option<u32>,
}

/// An open connection, after Hello.
struct Session<'a> {
    agent: &'a Agent,
    client: ExchangeClient<Channel>,
    token: Vec<u8>,
    generation: u64,
    release: u64,
    /// The hub's clock at Hello.
    now_ms: i64,
    /// Version and digest of the hub's rulebook.
    rulebook: (u32, Vec<u8>),
}

async fn connect(agent: &Agent) -> Result<ExchangeClient<Channel>, SyncError> {
    let tls = tls::client(&agent.hub.authority, &agent.identity.load()?, &agent.ambient)?;
    let target = Target { url: agent.hub.url.clone(), server_name: agent.hub.name.clone(), tls };
    let channel = net::connect(agent.dial.clone(), &target).await?;
    Ok(ExchangeClient::new(channel)
        .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_MESSAGE_BYTES))
}

/// Hellos of one exchange: a hand-back and a new epoch take three.
const MAX_HELLOS: u32 = 8;

async fn welcome(agent: &Agent) -> Result<Session<'_>, SyncError> {
    greeted(agent).await.map_err(|error| match error {
        // The hub only hangs up on it.
        SyncError::Connect(_) | SyncError::Broken(_) if agent.identity.is_out_of_date(&agent.ambient) => {
            SyncError::Stopped(Stop::CertificateExpired)
        }
        other => other,
    })
}

async fn greeted(agent: &Agent) -> Result<Session<'_>, SyncError> {
    let client = connect(agent).await?;
    for _ in 0..MAX_HELLOS {
        if let Some(session) = greet::greet(agent, client.clone()).await? {
            return Ok(session);
        }
    }
    Err(Refusal::Malformed { what: "hello reply" }.into())
}

/// One whole exchange.
pub fn sync_once<'a>(agent: &'a Agent, report: &'a mut Report) -> BoxFuture<'a, Result<(), SyncError>> {
    Box::pin(async move {
        let mut session = welcome(agent).await?;
        if let Err(error) = upload::upload(&mut session, report).await {
            return Err(greet::halt_if_forked(agent, error).await?);
        }
        feed::follow(&mut session, report).await?;
        logged::check(&mut session, report).await?;
        download::take_slice(&mut session, report).await?;
        renew::renew_if_due(&mut session, report).await?;
        // Last: whatever is wrong with it, data has gone both ways; and the headers above name what checked their deltas.
        rulebook::take(&mut session, report).await?;
        Ok(())
    })
}

pub use rulebook::fetch as fetch_rulebook;
