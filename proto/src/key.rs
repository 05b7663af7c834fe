//! Ed25519 keys, refused when weak, verified strictly.

use std::fmt;

use ed25519_dalek::{
    Signature, Signer as _, SigningKey, VerifyingKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding},
};
use sha2::{Digest, Sha256};

/// SHA-256 of the 32 bytes of a public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..4]))
    }
}

/// Why 32 bytes are no key that we accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Not 32 bytes of a point on the curve, in its one encoding.
    #[error("the key is not the encoding of a point")]
    Encoding,
    /// A point of small order: one signature would fit every message.
    #[error("the key is weak (small order)")]
    Weak,
}

/// A public key that may be trusted with a signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a key, refusing weak and non-canonical ones.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyFault> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyFault::Encoding)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyFault::Encoding)?;
        if key.is_weak() {
            return Err(KeyFault::Weak);
        }
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyFault::Encoding);
        }
        Ok(Self(key))
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        KeyId(Sha256::digest(self.0.as_bytes()).into())
    }

    /// Whether the signature fits, by the strict rules (canonical S, no small-order points).
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|s| self.0.verify_strict(message, &s).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?})", self.id())
    }
}

/// A key that signs.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    id: KeyId,
}

impl Signer {
    /// From the 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let id = PublicKey(key.verifying_key()).id();
        Self { key, id }
    }

    /// From PKCS#8, PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyFault> {
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyFault::Encoding)?;
        Ok(Self::from_seed(key.as_bytes()))
    }

    /// As PKCS#8, PEM. Secret.
    pub fn to_pem(&self) -> zeroize::Zeroizing<String> {
        self.key.to_pkcs8_pem(LineEnding::LF).expect("an Ed25519 key has a PKCS#8 form")
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({:?})", self.id)
    }
}

/// Groups in a fingerprint: 96 bits, enough that nobody finds a second key for it, few enough to read aloud.
const FINGERPRINT_GROUPS: usize = 6;

/// What two people compare: six groups of four hex digits over the parts, each with its length.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let groups: Vec<_> = digest.chunks(2).take(FINGERPRINT_GROUPS).map(hex::encode).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests;
