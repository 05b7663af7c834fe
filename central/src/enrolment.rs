//! How a region becomes known: invitation, keys shown by the node, confirmation by an operator, certificate.

use dtsen_kit::tls;
use dtsen_proto::{
    chain::Head,
    enrol::{self, Token},
    envelope::PayloadType,
    envelope::pae,
    key::{PublicKey, fingerprint},
    pb,
    record::Day,
    refusal::Refusal,
    region::Region,
};
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};

use crate::{
    hello,
    hub::{Decided, Hub},
    intake::Fault,
    store::{ChainChange, RegionChange, RegionRow, Session, Status, StoreError},
};

/// How long a one-time token serves.
pub const TOKEN_HOURS: i64 = 24;
const HOUR_MS: i64 = 3_600_000;

/// An operator's act that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// TLS material failed.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The region is not in the state that the act needs.
    #[error("daerah {region} berstatus {status}; {next}")]
    State {
        /// Which.
        region: Region,
        /// How it stands.
        status: &'static str,
        /// What to do instead.
        next: &'static str,
    },
    /// Nobody by that code.
    #[error("daerah {0} belum diundang; jalankan: dtsen-central region invite {0}")]
    Unknown(Region),
    /// The fingerprint given is not the one on record.
    #[error("sidik jari tidak sama: yang tercatat {0}; JANGAN konfirmasi, hubungi daerah lewat jalur lain")]
    Fingerprint(String),
}

async fn known(hub: &Hub, region: Region) -> Result<RegionRow, ActError> {
    hub.store.region(region).await?.ok_or(ActError::Unknown(region))
}

fn region_act(what: pb::region_act::What, row: &RegionRow) -> pb::RegionAct {
    pb::RegionAct {
        what: what.into(),
        region: row.region.to_string(),
        signing_key: row.signing_key.clone().unwrap_or_default(),
        certificate: row.certificate_hash.clone().unwrap_or_default(),
        ..Default::default()
    }
}

async fn put(
    hub: &Hub,
    row: &RegionRow,
    act: pb::RegionAct,
    decided: Decided,
    change: RegionChange<'_>,
) -> Result<(), ActError> {
    let generation = hub.generation().await?;
    let make = hub.decision_entry(generation, decided, pb::decision::Act::Region(act));
    hub.store.put_region(row, RegionChange { decision: Some(&make), ..change }).await?;
    hub.log_work.notify_one();
    Ok(())
}

/// Gives out a one-time token.
pub fn invite(hub: &Hub, region: Region, decided: Decided) -> BoxFuture<'_, Result<String, ActError>> {
    Box::pin(async move {
        let row = hub.store.region(region).await?.unwrap_or(RegionRow::new(region));
        let secret = hub.ambient.bytes::<32>();
        // A region that exchanges goes on with its certificate until the new keys are confirmed.
        let row = RegionRow {
            status: if row.status == Status::Waiting { Status::Invited } else { row.status },
            token_hash: Some(Sha256::digest(secret).to_vec()),
            token_expires_ms: Some(hub.ambient.now_ms() + TOKEN_HOURS * HOUR_MS),
            csr: None,
            pending_key: None,
            ..row
        };
        let act = region_act(pb::region_act::What::Invited, &row);
        put(hub, &row, act, decided, RegionChange::default()).await?;
        let token = Token {
            region,
            hub: hub.name.clone(),
            authority: tls::fingerprint(hub.authority.certificate()),
            secret,
        };
        Ok(token.to_string())
    })
}

/// What two people compare before a region is confirmed.
pub fn region_fingerprint(row: &RegionRow) -> Option<String> {
    let (key, csr) = (row.pending_key.as_ref().or(row.signing_key.as_ref())?, row.csr.as_ref()?);
    Some(enrol::fingerprint_of(key, csr))
}

/// A node shows its keys, or asks how it stands.
pub fn enrol<'a>(
    hub: &'a Hub,
    request: &'a pb::EnrolRequest,
) -> BoxFuture<'a, Result<pb::EnrolReply, Fault>> {
    Box::pin(async move {
        let region: Region = request.region.parse().map_err(|_| Refusal::TokenInvalid)?;
        let row = hub.store.region(region).await?.ok_or(Refusal::TokenInvalid)?;
        check_token(hub, &row, &request.token)?;
        let key = PublicKey::from_slice(&request.signing_key).map_err(|_| Refusal::KeyUnknown)?;
        let statement = enrol::proof_statement(&request.csr, request.token.as_bytes());
        if !key.verifies(&pae(PayloadType::ENROLMENT.as_str(), &statement), &request.proof) {
            return Err(Refusal::BadSignature.into());
        }
        // Once revoked a key never counts again: the node makes another.
        let registered = hub.store.region_keys(region).await?;
        if registered.iter().any(|row| row.public_key == request.signing_key && row.last.is_some()) {
            return Err(Refusal::KeyRevoked.into());
        }
        if row.csr.is_some() {
            let shown = row.pending_key.as_ref().or(row.signing_key.as_ref());
            let same = row.csr.as_ref() == Some(&request.csr) && shown == Some(&request.signing_key);
            // With other keys the token is used up: whoever came first has to be refused by the operator.
            let confirmed_before = row.pending_key.is_none() && row.status != Status::Revoked;
            match (same, confirmed_before) {
                (true, true) => return Ok(confirmed(hub, &row).await?),
                (true, false) if row.pending_key.is_some() => {}
                _ => return Err(Refusal::TokenInvalid.into()),
            }
        } else {
            // The request is checked by making a certificate from it that nobody gets.
            let today = Day::of_ms(hub.ambient.now_ms());
            let trial = hub.authority.node(region, &request.csr, today, hub.ambient.bytes());
            trial.map_err(|_| Refusal::Malformed { what: "certificate request" })?;
            let waiting = RegionRow {
                status: if row.status == Status::Invited { Status::Waiting } else { row.status },
                csr: Some(request.csr.clone()),
                pending_key: Some(request.signing_key.clone()),
                ..row
            };
            hub.store.put_region(&waiting, RegionChange::default()).await?;
        }
        Ok(pb::EnrolReply {
            state: pb::EnrolState::Waiting.into(),
            fingerprint: enrol::fingerprint_of(&request.signing_key, &request.csr),
            ..Default::default()
        })
    })
}

fn check_token(hub: &Hub, row: &RegionRow, token: &str) -> Result<(), Refusal> {
    let secret = hex::decode(token).map_err(|_| Refusal::TokenInvalid)?;
    let fits = row.token_hash.as_deref() == Some(Sha256::digest(&secret).as_slice());
    let in_time = row.token_expires_ms.is_some_and(|until| hub.ambient.now_ms() < until);
    if fits && in_time { Ok(()) } else { Err(Refusal::TokenInvalid) }
}

async fn confirmed(hub: &Hub, row: &RegionRow) -> Result<pb::EnrolReply, StoreError> {
    let head = hub.store.head(row.region).await?;
    // An open session is of the first who says Hello: with something to show, that node can say it again if the answer is lost.
    let session = hub.store.session(row.region).await?.map(|session| session.current);
    let session = session.filter(|token| !token.is_empty());
    Ok(pb::EnrolReply {
        state: pb::EnrolState::Confirmed.into(),
        fingerprint: region_fingerprint(row).unwrap_or_default(),
        certificate: row.certificate.clone().unwrap_or_default(),
        hub: Some(hub.public_keys()),
        epoch: head.map_or(1, |h| h.position.epoch),
        generation: hub.generation().await?,
        exchange_url: hub.exchange_url.clone(),
        session: session.unwrap_or_else(|| hub.ambient.bytes::<16>().to_vec()),
    })
}

/// An operator compared the fingerprint: the certificate is made and the signing key counts. A region that has a chain
/// goes on under a new epoch, and its other keys count no further than the old one.
pub fn confirm<'a>(
    hub: &'a Hub,
    region: Region,
    shown: &'a str,
    decided: Decided,
) -> BoxFuture<'a, Result<(), ActError>> {
    Box::pin(async move {
        let row = known(hub, region).await?;
        let Some((key, csr)) = row.pending_key.clone().zip(row.csr.clone()) else {
            let next = "yang dikonfirmasi hanya daerah yang menunggu (node harus menjalankan enrol dulu)";
            return Err(ActError::State { region, status: row.status.as_str(), next });
        };
        let recorded = region_fingerprint(&row).unwrap_or_default();
        if recorded != shown.trim().to_lowercase() {
            return Err(ActError::Fingerprint(recorded));
        }
        let today = Day::of_ms(hub.ambient.now_ms());
        let certificate = hub.authority.node(region, &csr, today, hub.ambient.bytes())?;
        // A node that never heard of its confirmation comes with the keys that were confirmed: they go on.
        let is_another = row.signing_key.as_ref() != Some(&key);
        let key_id = PublicKey::from_slice(&key).map(|k| k.id().as_bytes().to_vec()).unwrap_or_default();
        let row = RegionRow {
            status: Status::Active,
            pending_key: None,
            signing_key: Some(key.clone()),
            certificate_hash: Some(tls::fingerprint(&certificate).to_vec()),
            previous_hash: None,
            certificate: Some(certificate),
            reason: decided.reason.clone(),
            ..row
        };
        let act = region_act(pb::region_act::What::Confirmed, &row);
        let before = hub.store.session(region).await?.unwrap_or_else(Session::open);
        let token = before.next(hub.generation().await?).issue(&hub.keys.receipt, region);
        let token = Session::new(token);
        let change =
            RegionChange { key: Some((key_id, key)), session: Some(token), ..RegionChange::default() };
        if let Some(head) = hub.store.head(region).await? {
            let revoke = is_another.then_some((head.position.epoch, head.position.sequence));
            let change = RegionChange { revoke, ..change };
            put_in_new_epoch(hub, &row, act, head, decided, change).await
        } else {
            let chain = Some(ChainChange::Start(Head::start(region)));
            put(hub, &row, act, decided, RegionChange { chain, ..change }).await
        }
    })
}

async fn put_in_new_epoch(
    hub: &Hub,
    row: &RegionRow,
    act: pb::RegionAct,
    head: Head,
    decided: Decided,
    change: RegionChange<'_>,
) -> Result<(), ActError> {
    let (from, to) = (head.position.epoch, head.position.epoch + 1);
    let epoch = hello::epoch_act(head, to);
    let make = hub.decision_entry(hub.generation().await?, decided.clone(), epoch);
    let chain = Some(ChainChange::Epoch { from, to, make: &make });
    put(hub, row, act, decided, RegionChange { chain, ..change }).await
}

/// Lets a region that the hub stopped (copy, fork, restored node) go on: its epoch closes, another opens, and the
/// first node that says Hello with the registered certificate has it.
pub async fn new_epoch(hub: &Hub, region: Region, decided: Decided) -> Result<u32, ActError> {
    let row = known(hub, region).await?;
    let head = hub.store.head(region).await?;
    let stopped = matches!(
        row.status,
        Status::Active | Status::Suspended | Status::Forked | Status::Cloned | Status::Restored
    );
    let Some(head) = head.filter(|_| stopped) else {
        let next = "undang lagi: dtsen-central region invite";
        return Err(ActError::State { region, status: row.status.as_str(), next });
    };
    let row = RegionRow { status: Status::Active, reason: decided.reason.clone(), ..row };
    let act = region_act(pb::region_act::What::Resumed, &row);
    let session = hub.store.session(region).await?.unwrap_or_else(Session::open).reopened();
    let change = RegionChange { session: Some(session), ..RegionChange::default() };
    put_in_new_epoch(hub, &row, act, head, decided, change).await?;
    Ok(head.position.epoch + 1)
}

/// Stops a region, lets it go on, or takes its keys away.
pub async fn set_status(
    hub: &Hub,
    region: Region,
    what: pb::region_act::What,
    decided: Decided,
) -> Result<(), ActError> {
    let row = known(hub, region).await?;
    let status = match what {
        pb::region_act::What::Suspended => Status::Suspended,
        pb::region_act::What::Revoked => Status::Revoked,
        _ => Status::Active,
    };
    let stopped = matches!(row.status, Status::Forked | Status::Cloned | Status::Restored);
    if status == Status::Suspended && stopped {
        // It would be forgotten why.
        let next = "sudah berhenti; matikan salinannya, lalu: dtsen-central region new-epoch";
        return Err(ActError::State { region, status: row.status.as_str(), next });
    }
    if status == Status::Active && row.status != Status::Suspended {
        let next = match row.status {
            Status::Forked | Status::Cloned | Status::Restored => {
                "matikan salinannya, lalu: dtsen-central region new-epoch"
            }
            // As asked for: perhaps the answer to the same command before was lost.
            Status::Active => return Ok(()),
            _ => "undang lagi: dtsen-central region invite",
        };
        return Err(ActError::State { region, status: row.status.as_str(), next });
    }
    let row = RegionRow { status, reason: decided.reason.clone(), ..row };
    let mut act = region_act(what, &row);
    let mut change = RegionChange::default();
    if status == Status::Revoked {
        // What is in custody stays valid: revocation names the last sequence.
        let last = hub.store.head(region).await?.map_or((1, 0), |h| (h.position.epoch, h.position.sequence));
        change.revoke = Some(last);
        (act.epoch, act.revoked_after) = (last.0, last.1.into());
    }
    put(hub, &row, act, decided, change).await
}

/// A new certificate for the same region. The one that asks serves until the next renewal: it is the one that the node
/// holds, whatever it did not hear of.
pub async fn renew(hub: &Hub, row: &RegionRow, asking: [u8; 32], csr: &[u8]) -> Result<Vec<u8>, Fault> {
    let today = Day::of_ms(hub.ambient.now_ms());
    let certificate = hub
        .authority
        .node(row.region, csr, today, hub.ambient.bytes())
        .map_err(|_| Refusal::Malformed { what: "certificate request" })?;
    let row = RegionRow {
        previous_hash: Some(asking.to_vec()),
        certificate_hash: Some(tls::fingerprint(&certificate).to_vec()),
        certificate: Some(certificate.clone()),
        ..row.clone()
    };
    hub.store.put_region(&row, RegionChange::default()).await?;
    Ok(certificate)
}

/// A short name for a key on screens.
pub fn key_name(key: &[u8]) -> String {
    fingerprint(&[key])
}
