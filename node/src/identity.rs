//! The node's TLS key and certificate: one file, replaced whole.

use std::path::{Path, PathBuf};

use dtsen_kit::{
    ambient::Ambient,
    files::{self, FileError},
    tls,
};

/// Label of the key in the file.
const KEY: &str = "PRIVATE KEY";
/// Label of the certificate in the file.
const CERTIFICATE: &str = "CERTIFICATE";

/// An identity that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its content.
    #[error(
        "berkas identitas {0} rusak; pulihkan dari cadangan atau daftarkan lagi dengan: dtsen-node enrol"
    )]
    Damaged(PathBuf),
}

/// Where the identity is kept.
#[derive(Debug, Clone)]
pub struct Identity {
    path: PathBuf,
}

impl Identity {
    /// In this file.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Reads it.
    pub fn load(&self) -> Result<tls::Identity, IdentityError> {
        let damaged = || IdentityError::Damaged(self.path.clone());
        let blocks = pem::parse_many(files::read(&self.path)?).map_err(|_| damaged())?;
        let of =
            |tag: &str| blocks.iter().filter(|b| b.tag() == tag).map(|b| b.contents().to_vec()).collect();
        let keys: Vec<Vec<u8>> = of(KEY);
        let chain: Vec<Vec<u8>> = of(CERTIFICATE);
        match keys.into_iter().next() {
            Some(key) if !chain.is_empty() => Ok(tls::Identity { key, chain }),
            _ => Err(damaged()),
        }
    }

    /// Whether the certificate has run out, or is not valid yet, by this computer's clock.
    pub fn is_out_of_date(&self, ambient: &Ambient) -> bool {
        let identity = self.load().ok();
        let life = identity.and_then(|identity| life(identity.chain.first()?));
        life.is_some_and(|(from, to)| !(from..=to).contains(&ambient.now_ms()))
    }

    /// Replaces key and certificate together.
    pub fn replace(&self, key: &[u8], certificate: &[u8]) -> Result<(), IdentityError> {
        let text = pem::encode_many(&[pem::Pem::new(KEY, key), pem::Pem::new(CERTIFICATE, certificate)]);
        Ok(files::write_private(&self.path, text.as_bytes())?)
    }
}

/// Beginning and end of a certificate's life, in milliseconds since 1970.
pub fn life(certificate: &[u8]) -> Option<(i64, i64)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let validity = parsed.validity();
    Some((validity.not_before.timestamp() * 1_000, validity.not_after.timestamp() * 1_000))
}

/// Whether two thirds of the life are over.
pub fn renewal_due(certificate: &[u8], now_ms: i64) -> bool {
    life(certificate).is_none_or(|(from, to)| now_ms > from + (to - from) / 3 * 2)
}
