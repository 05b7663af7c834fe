//! Signed payloads: DSSE's pre-authentication encoding over the bytes as sent, and the proof that somebody checked.

use prost::Message;
use sha2::{Digest, Sha256};

use crate::{
    key::{PublicKey, Signer},
    merkle::Hash,
    pb,
    refusal::Refusal,
};

/// What a payload is. The type is inside the signature, so that no signature serves for another purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadType(&'static str);

impl PayloadType {
    /// Header of a batch, signed by a region.
    pub const BATCH_HEADER: Self = Self("application/vnd.dtsen.batch-header.v1");
    /// Custody receipt, signed by the hub.
    pub const RECEIPT: Self = Self("application/vnd.dtsen.receipt.v1");
    /// Entry of a region's verdict feed, signed by the hub.
    pub const VERDICTS: Self = Self("application/vnd.dtsen.verdicts.v1");
    /// Entry of the decision log, signed by the hub.
    pub const DECISION: Self = Self("application/vnd.dtsen.decision.v1");
    /// A release, signed by the release key.
    pub const RELEASE: Self = Self("application/vnd.dtsen.release.v1");
    /// That a release is the newest, signed by the hub for days.
    pub const FRESHNESS: Self = Self("application/vnd.dtsen.freshness.v1");
    /// Statement about a rulebook bundle, signed by the hub.
    pub const RULEBOOK: Self = Self("application/vnd.dtsen.rulebook.v1");
    /// Proof of possession at enrolment, signed by the new key.
    pub const ENROLMENT: Self = Self("application/vnd.dtsen.enrolment.v1");
    /// What a session token is made from; the signature itself is never sent.
    pub const SESSION: Self = Self("application/vnd.dtsen.session.v1");

    /// The media type.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// DSSE v1's pre-authentication encoding: `"DSSEv1" SP len(type) SP type SP len(body) SP body`.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Identity of a signed payload: SHA-256 of its pre-authentication encoding. The signature does not count.
pub fn digest(envelope: &pb::Envelope) -> Hash {
    Sha256::digest(pae(&envelope.payload_type, &envelope.payload)).into()
}

/// Leaf of a signed payload in the hub's log.
pub fn log_leaf(envelope: &pb::Envelope) -> Hash {
    crate::merkle::leaf_hash(&pae(&envelope.payload_type, &envelope.payload))
}

/// Signs a payload.
pub fn sign(signer: &Signer, payload_type: PayloadType, payload: Vec<u8>) -> pb::Envelope {
    let signature = signer.sign(&pae(payload_type.0, &payload)).to_vec();
    pb::Envelope {
        payload_type: payload_type.0.to_owned(),
        payload,
        key_id: signer.id().as_bytes().to_vec(),
        signature,
    }
}

/// Signs a message.
pub fn sign_message(signer: &Signer, payload_type: PayloadType, message: &impl Message) -> pb::Envelope {
    sign(signer, payload_type, message.encode_to_vec())
}

/// A value whose signature was checked. Only the verifiers of this crate make one.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified<T> {
    value: T,
    digest: Hash,
}

impl<T> Verified<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Identity of what was signed.
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// For the verifiers of this crate that check another form than an envelope (a signed note, a leaf and its path).
    pub(crate) fn new_checked(value: T, digest: Hash) -> Self {
        Self { value, digest }
    }

    /// The value, without the proof.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// A part or a reading of the value; the proof goes on.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        Ok(Verified { value: read(self.value)?, digest: self.digest })
    }
}

/// Checks type, key and signature, then reads the message.
pub fn verify<M: Message + Default>(
    envelope: &pb::Envelope,
    payload_type: PayloadType,
    key: &PublicKey,
) -> Result<Verified<M>, Refusal> {
    if envelope.payload_type != payload_type.0 {
        return Err(Refusal::PayloadType { expected: payload_type.0 });
    }
    if envelope.key_id != key.id().as_bytes() {
        return Err(Refusal::KeyUnknown);
    }
    let signed = pae(payload_type.0, &envelope.payload);
    if !key.verifies(&signed, &envelope.signature) {
        return Err(Refusal::BadSignature);
    }
    let value =
        M::decode(envelope.payload.as_slice()).map_err(|_| Refusal::Malformed { what: payload_type.0 })?;
    Ok(Verified { value, digest: Sha256::digest(signed).into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the DSSE specification (secure-systems-lab/dsse, protocol.md).
    #[test]
    fn pre_authentication_encoding_is_dsse_s() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }

    #[test]
    fn a_signature_serves_one_type_one_key_one_payload() {
        let signer = Signer::from_seed(&[1; 32]);
        let receipt = pb::Receipt { region: "52.71".into(), ..Default::default() };
        let good = sign_message(&signer, PayloadType::RECEIPT, &receipt);
        let check =
            |e: &pb::Envelope, t| verify::<pb::Receipt>(e, t, &signer.public()).map(Verified::into_inner);
        assert_eq!(check(&good, PayloadType::RECEIPT), Ok(receipt));
        assert_eq!(
            check(&good, PayloadType::VERDICTS),
            Err(Refusal::PayloadType { expected: PayloadType::VERDICTS.as_str() })
        );
        let mut wrong = good.clone();
        wrong.payload_type = PayloadType::VERDICTS.as_str().into();
        assert_eq!(check(&wrong, PayloadType::VERDICTS), Err(Refusal::BadSignature));
        let mut wrong = good.clone();
        wrong.payload.push(0);
        assert_eq!(check(&wrong, PayloadType::RECEIPT), Err(Refusal::BadSignature));
        let mut wrong = good;
        wrong.key_id = Signer::from_seed(&[2; 32]).id().as_bytes().to_vec();
        assert_eq!(check(&wrong, PayloadType::RECEIPT), Err(Refusal::KeyUnknown));
    }
}
