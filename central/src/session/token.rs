//! Session tokens: the hub's own word for how far it was with a region. A node that shows a later one than the hub remembers
//! is no copy: the hub itself came back from an older copy.

use dtsen_proto::{
    envelope::{PayloadType, pae},
    key::Signer,
    region::Region,
};
use sha2::{Digest as _, Sha256};

/// Bytes that only the hub can make.
const MARK: usize = 16;
const NUMBER: usize = 8;
const LENGTH: usize = 2 * NUMBER + MARK;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token {
    /// Generation of the hub that gave it.
    pub generation: u64,
    /// Grows with every token that the region gets.
    pub number: u64,
}

impl Token {
    /// As it is given to the node of a region.
    pub fn issue(self, signer: &Signer, region: Region) -> Vec<u8> {
        let mut bytes = [self.generation.to_be_bytes(), self.number.to_be_bytes()].concat();
        let mark = mark(signer, region, &bytes);
        bytes.extend_from_slice(&mark);
        bytes
    }

    /// What a token says that somebody shows; `None` if this hub never gave it to this region.
    pub fn read(signer: &Signer, region: Region, bytes: &[u8]) -> Option<Self> {
        let (said, shown) = bytes.split_at_checked(2 * NUMBER)?;
        // Compared in constant time or not: whoever guesses at it needs a registered certificate, and learns nothing.
        (shown == mark(signer, region, said)).then(|| Self::said(bytes)).flatten()
    }

    /// What a token of the hub's own store says.
    pub(super) fn said(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| bytes.get(at..at + NUMBER)?.try_into().ok().map(u64::from_be_bytes);
        (bytes.len() == LENGTH).then_some(Self { generation: number(0)?, number: number(NUMBER)? })
    }
}

/// Ed25519 signatures are the same every time, and this one is never shown: its digest is a secret function of what was
/// signed.
fn mark(signer: &Signer, region: Region, said: &[u8]) -> [u8; MARK] {
    let statement = [&region.number().to_be_bytes()[..], said].concat();
    let signature = signer.sign(&pae(PayloadType::SESSION.as_str(), &statement));
    let digest = Sha256::digest(signature);
    std::array::from_fn(|at| digest[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hub_makes_tokens_and_each_is_for_one_region() {
        let (hub, other) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let (region, elsewhere) = ("52.71".parse().expect("a region"), "52.03".parse().expect("a region"));
        let token = Token { generation: 2, number: 9 };
        let bytes = token.issue(&hub, region);
        assert_eq!(Token::read(&hub, region, &bytes), Some(token));
        assert_eq!(Token::read(&hub, elsewhere, &bytes), None);
        assert_eq!(Token::read(&other, region, &bytes), None);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(Token::read(&hub, region, &changed), None, "byte {at}");
        }
        for length in 0..bytes.len() {
            assert_eq!(Token::read(&hub, region, &bytes[..length]), None, "{length} bytes");
        }
    }
}
