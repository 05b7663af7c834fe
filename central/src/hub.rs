//! The running hub: store, keys, rulebook and what wakes its lanes.

use std::sync::Arc;

use dtsen_kit::ambient::Ambient;
use dtsen_proto::{
    envelope::{self, PayloadType},
    key::Signer,
    pb,
};
use prost::Message as _;
use tokio::sync::Notify;

pub use crate::store::setting;
use crate::{
    authority::Authority,
    engine::Engine,
    rulebook::{Loaded, Rulebooks},
    store::{Store, StoreError},
};

/// Keys that the hub signs with.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Receipts, verdicts, decisions, rulebooks, freshness.
    pub receipt: Signer,
    /// Checkpoints.
    pub log: Signer,
    /// Releases. Can live elsewhere: only `release publish` needs it.
    pub release: Option<Signer>,
}

/// Everything that a request needs.
pub struct Hub {
    /// Name of the hub, of its certificate and of its log.
    pub name: String,
    /// Where nodes reach the exchange.
    pub exchange_url: String,
    /// What it keeps.
    pub store: Arc<dyn Store>,
    /// What it signs with.
    pub keys: Keys,
    /// Who signs certificates.
    pub authority: Authority,
    /// Public half of the release key.
    pub release_key: [u8; 32],
    /// Decides.
    pub engine: Engine,
    /// Versions of the rulebook that were read.
    pub rulebooks: Rulebooks,
    /// Time and randomness.
    pub ambient: Ambient,
    /// Batches were taken: the lane has work.
    pub lane_work: Notify,
    /// Entries were queued: the log has work.
    pub log_work: Notify,
}

impl Hub {
    /// The generation in force, from 1.
    pub async fn generation(&self) -> Result<u64, StoreError> {
        Ok(setting::read_generation(self.store.setting(setting::GENERATION).await?))
    }

    /// Why intake is stopped, if it is.
    pub async fn stopped(&self) -> Result<Option<String>, StoreError> {
        let stored = self.store.setting(setting::STOPPED).await?;
        Ok(stored.filter(|v| !v.is_empty()).map(|v| String::from_utf8_lossy(&v).into_owned()))
    }

    /// The rulebook in force now. Another process may load one at any moment: ask once for what belongs together.
    pub async fn rulebook(&self) -> Result<Arc<Loaded>, StoreError> {
        self.rulebooks.in_force(&*self.store).await
    }

    /// What the hub says about a rulebook.
    pub fn rulebook_statement(&self, rulebook: &Loaded) -> pb::Envelope {
        let statement = pb::RulebookStatement {
            version: rulebook.version(),
            digest: rulebook.digest.to_vec(),
            length: rulebook.book.packed().len() as u64,
        };
        envelope::sign_message(&self.keys.receipt, PayloadType::RULEBOOK, &statement)
    }

    /// Keys that a node pins.
    pub fn public_keys(&self) -> pb::HubKeys {
        pb::HubKeys {
            name: self.name.clone(),
            receipt_key: self.keys.receipt.public().as_bytes().to_vec(),
            log_key: self.keys.log.public().as_bytes().to_vec(),
            release_key: self.release_key.to_vec(),
            ca_certificate: self.authority.certificate().to_vec(),
        }
    }

    /// A decision, signed, with the number that the store gives it.
    pub fn decision(
        &self,
        generation: u64,
        decided: Decided,
        act: pb::decision::Act,
    ) -> impl Fn(u64) -> pb::Envelope + Send + Sync + use<> {
        let signer = self.keys.receipt.clone();
        let decided_ms = self.ambient.now_ms();
        move |number| {
            let decision = pb::Decision {
                number,
                decided_ms,
                actor: decided.actor.clone(),
                reason: decided.reason.clone(),
                generation,
                act: Some(act.clone()),
            };
            envelope::sign_message(&signer, PayloadType::DECISION, &decision)
        }
    }

    /// The same as bytes for the store.
    pub fn decision_entry(
        &self,
        generation: u64,
        decided: Decided,
        act: pb::decision::Act,
    ) -> impl Fn(u64) -> Vec<u8> + Send + Sync + use<> {
        let make = self.decision(generation, decided, act);
        move |number| make(number).encode_to_vec()
    }
}

/// Who decided, and why in their words.
#[derive(Debug, Clone)]
pub struct Decided {
    /// An operator's name, or `rule`.
    pub actor: String,
    /// No personal data.
    pub reason: String,
}

impl Decided {
    /// A decision that a rule takes without a person.
    pub fn by_rule(reason: &str) -> Self {
        Self { actor: "rule".into(), reason: reason.into() }
    }
}
