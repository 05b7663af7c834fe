//! Enrolment: keys are made here, the hub signs the certificate once an operator compared the fingerprint.

use std::sync::Arc;

use dtsen_kit::{
    ambient::Ambient,
    net::{self, Dial, Target},
    tls,
};
use dtsen_proto::{
    enrol::{self, Token},
    envelope::{PayloadType, pae},
    key::Signer,
    pb,
    pb::enrolment_client::EnrolmentClient,
    refusal::Refusal,
    region::Region,
};
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};

use crate::sync::{Pinned, SyncError};

/// Keys that wait for confirmation. The same keys are shown again after an interruption.
#[derive(Debug)]
pub struct Applicant {
    /// Signs batches.
    pub signer: Signer,
    /// TLS key, PKCS#8 DER.
    pub tls_key: Vec<u8>,
    /// Request for its certificate, DER.
    pub csr: Vec<u8>,
}

impl Applicant {
    /// New keys.
    pub fn create(ambient: &Ambient) -> Result<Self, SyncError> {
        let tls_key = tls::new_key()?;
        let csr = tls::request(&tls_key)?;
        Ok(Self { signer: Signer::from_seed(&ambient.bytes()), tls_key, csr })
    }

    /// What two people compare.
    pub fn fingerprint(&self) -> String {
        enrol::fingerprint_of(self.signer.public().as_bytes(), &self.csr)
    }

    /// Shows the keys to the hub, with the token and a proof that both are in one hand.
    pub fn request(&self, token: &Token) -> pb::EnrolRequest {
        let secret = token.secret_text();
        let statement = enrol::proof_statement(&self.csr, secret.as_bytes());
        pb::EnrolRequest {
            token: secret,
            region: token.region.to_string(),
            csr: self.csr.clone(),
            signing_key: self.signer.public().as_bytes().to_vec(),
            proof: self.signer.sign(&pae(PayloadType::ENROLMENT.as_str(), &statement)).to_vec(),
        }
    }
}

/// What a confirmed region is given.
#[derive(Debug)]
pub struct Granted {
    /// Certificate, DER.
    pub certificate: Vec<u8>,
    /// Keys of the hub, as given; pinned from now on.
    pub hub: pb::HubKeys,
    /// Where the exchange listens.
    pub url: String,
    /// The region.
    pub region: Region,
    /// SHA-256 of the token that it was granted for.
    pub token: [u8; 32],
    /// Generation of the hub.
    pub generation: u64,
    /// Token for the first Hello.
    pub session: Vec<u8>,
}

/// What a node remembers of a token, which is a secret.
pub fn fingerprint_of(token: &Token) -> [u8; 32] {
    Sha256::digest(token.to_string()).into()
}

/// Asks once; `None` while an operator has to confirm.
pub fn ask<'a>(
    dial: Arc<dyn Dial>,
    url: &'a str,
    token: &'a Token,
    applicant: &'a Applicant,
    ambient: &'a Ambient,
) -> BoxFuture<'a, Result<Option<Granted>, SyncError>> {
    Box::pin(async move {
        let tls = tls::enrolling_client(token.authority, ambient)?;
        let target = Target { url: url.to_owned(), server_name: token.hub.clone(), tls };
        let channel = net::connect(dial, &target).await?;
        let reply = EnrolmentClient::new(channel).enrol(applicant.request(token)).await?.into_inner();
        match pb::EnrolState::try_from(reply.state) {
            Ok(pb::EnrolState::Waiting) => Ok(None),
            Ok(pb::EnrolState::Confirmed) => granted(reply, token).map(Some),
            _ => Err(Refusal::Malformed { what: "enrolment reply" }.into()),
        }
    })
}

fn granted(reply: pb::EnrolReply, token: &Token) -> Result<Granted, SyncError> {
    let malformed = Refusal::Malformed { what: "enrolment reply" };
    let hub = reply.hub.ok_or(malformed.clone())?;
    // The channel is pinned to this authority; the reply must not bring another.
    if tls::fingerprint(&hub.ca_certificate) != token.authority || hub.name != token.hub {
        return Err(malformed.into());
    }
    Pinned::from_wire(&hub, &reply.exchange_url)?;
    Ok(Granted {
        certificate: reply.certificate,
        hub,
        url: reply.exchange_url,
        region: token.region,
        token: fingerprint_of(token),
        generation: reply.generation,
        session: reply.session,
    })
}
