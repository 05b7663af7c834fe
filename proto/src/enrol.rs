//! Enrolment: the one-time token, and what two people compare.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use prost::Message as _;
use sha2::{Digest, Sha256};

use crate::{key, pb, region::Region};

/// Prefix of a token, so that people and scanners recognise it.
const PREFIX: &str = "dtsen1.";

/// A one-time token as it travels to the region by a second channel.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// For which region.
    pub region: Region,
    /// Name of the hub, as in its certificate.
    pub hub: String,
    /// SHA-256 of the certificate of the hub's authority.
    pub authority: [u8; 32],
    /// The secret part.
    pub secret: [u8; 32],
}

impl Token {
    /// The secret part, as sent.
    pub fn secret_text(&self) -> String {
        hex::encode(self.secret)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wire = pb::EnrolToken {
            region: self.region.to_string(),
            hub: self.hub.clone(),
            authority: self.authority.to_vec(),
            secret: self.secret.to_vec(),
        };
        write!(f, "{PREFIX}{}", BASE64.encode(wire.encode_to_vec()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.region)
    }
}

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is no enrolment token (it begins with {PREFIX})")]
pub struct NotAToken;

impl FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let bytes = text.trim().strip_prefix(PREFIX).and_then(|t| BASE64.decode(t).ok()).ok_or(NotAToken)?;
        let wire = pb::EnrolToken::decode(bytes.as_slice()).map_err(|_| NotAToken)?;
        Ok(Self {
            region: wire.region.parse().map_err(|_| NotAToken)?,
            hub: wire.hub,
            authority: wire.authority.try_into().map_err(|_| NotAToken)?,
            secret: wire.secret.try_into().map_err(|_| NotAToken)?,
        })
    }
}

/// What the new signing key signs: the digest of the certificate request, then the token's secret as sent.
pub fn proof_statement(csr: &[u8], token: &[u8]) -> Vec<u8> {
    [Sha256::digest(csr).as_slice(), token].concat()
}

/// What both screens show before a region is confirmed.
pub fn fingerprint_of(signing_key: &[u8], csr: &[u8]) -> String {
    key::fingerprint(&[signing_key, csr])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_being_written_down() {
        let token = Token {
            region: "52.71".parse().expect("a region"),
            hub: "hub.dtsen.test".into(),
            authority: [3; 32],
            secret: [4; 32],
        };
        assert_eq!(format!(" {token}\n").parse(), Ok(token.clone()));
        assert!(!format!("{token:?}").contains("04"));
        assert_eq!("dtsen1.xx".parse::<Token>(), Err(NotAToken));
    }
}
