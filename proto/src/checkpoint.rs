//! Checkpoints of the hub's log as signed notes (C2SP signed-note and tlog-checkpoint).

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use sha2::{Digest, Sha256};

use crate::{
    envelope::Verified,
    key::{PublicKey, Signer},
    merkle::Hash,
    refusal::Refusal,
};

/// Size and root of a log at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the hub's name and generation, e.g. `hub.dtsen.test/g1`.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// Signature type of Ed25519 in C2SP signed notes.
const ED25519: u8 = 1;
/// Bytes of the key hash in front of a signature.
const KEY_HASH: usize = 4;

impl Checkpoint {
    /// Origin of the log of a generation of a hub.
    pub fn origin_of(hub: &str, generation: u64) -> String {
        format!("{hub}/g{generation}")
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root))
    }

    /// The note, signed by a key of this name.
    pub fn sign(&self, name: &str, signer: &Signer) -> String {
        let text = self.text();
        let mut blob = key_hash(name, &signer.public()).to_vec();
        blob.extend_from_slice(&signer.sign(text.as_bytes()));
        format!("{text}\n— {name} {}\n", BASE64.encode(blob))
    }

    /// Reads a note and checks the signature of the key of this name; other signatures (witnesses) may stand beside it.
    pub fn open(note: &str, name: &str, key: &PublicKey) -> Result<Verified<Self>, Refusal> {
        let malformed = Refusal::Malformed { what: "checkpoint" };
        let (text, signatures) = note.split_once("\n\n").ok_or(malformed.clone())?;
        let text = format!("{text}\n");
        let prefix = format!("— {name} ");
        let good = signatures.lines().filter_map(|line| line.strip_prefix(&prefix)).any(|blob| {
            BASE64.decode(blob).is_ok_and(|blob| match blob.split_at_checked(KEY_HASH) {
                Some((hash, signature)) => {
                    hash == key_hash(name, key) && key.verifies(text.as_bytes(), signature)
                }
                None => false,
            })
        });
        if !good {
            return Err(Refusal::BadSignature);
        }
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next(), lines.next(), lines.next());
        let size = size.filter(|s| *s == "0" || !s.starts_with('0')).and_then(|s| s.parse().ok());
        let root = root.and_then(|r| BASE64.decode(r).ok()).and_then(|r| r.try_into().ok());
        match (origin, size, root) {
            (Some(origin), Some(size), Some(root)) if !origin.is_empty() => {
                let read = Self { origin: origin.to_owned(), size, root };
                // What was signed is written in one way only: no carriage return, no sign before the size.
                let same = text.starts_with(&read.text());
                if same { Ok(Verified::from_note(read, &text)) } else { Err(malformed) }
            }
            _ => Err(malformed),
        }
    }
}

impl Verified<Checkpoint> {
    fn from_note(checkpoint: Checkpoint, text: &str) -> Self {
        Self::new_checked(checkpoint, Sha256::digest(text.as_bytes()).into())
    }
}

/// `SHA-256(name || "\n" || type || key)`, first four bytes.
fn key_hash(name: &str, key: &PublicKey) -> [u8; KEY_HASH] {
    let digest = Sha256::new()
        .chain_update(name.as_bytes())
        .chain_update([b'\n', ED25519])
        .chain_update(key.as_bytes())
        .finalize();
    digest[..KEY_HASH].try_into().expect("four of 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and hash of the Go checksum database, `sum.golang.org+033de0ae+Ac4zct…`, a published verifier key.
    #[test]
    fn key_hashes_are_c2sp_s() {
        let blob = BASE64.decode("Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8").expect("base64");
        let key = PublicKey::from_slice(&blob[1..]).expect("a key");
        assert_eq!(blob[0], ED25519);
        assert_eq!(hex::encode(key_hash("sum.golang.org", &key)), "033de0ae");
    }

    #[test]
    fn a_note_opens_with_its_key_and_name_only() {
        let signer = Signer::from_seed(&[9; 32]);
        let origin = Checkpoint::origin_of("hub.dtsen.test", 1);
        let checkpoint = Checkpoint { origin, size: 20_852_163, root: [7; 32] };
        let note = checkpoint.sign("hub.dtsen.test", &signer);
        let open =
            |note: &str, name| Checkpoint::open(note, name, &signer.public()).map(Verified::into_inner);
        assert_eq!(open(&note, "hub.dtsen.test"), Ok(checkpoint));
        assert_eq!(open(&note, "other"), Err(Refusal::BadSignature));
        assert_eq!(open(&note.replace("20852163", "20852164"), "hub.dtsen.test"), Err(Refusal::BadSignature));
        assert_eq!(open("nothing", "hub.dtsen.test"), Err(Refusal::Malformed { what: "checkpoint" }));
        let witnessed = format!("{note}— witness.test {}\n", BASE64.encode([1; 76]));
        assert!(open(&witnessed, "hub.dtsen.test").is_ok());
    }
}
