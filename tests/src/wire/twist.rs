//! The lies of a hub, one at a time. Where it says so the lie is signed with the hub's own keys: they were stolen, or the
//! hub itself lies.

use dtsen_central::hub::Keys;
use dtsen_proto::{
    checkpoint::Checkpoint,
    envelope::{self, PayloadType},
    key::Signer,
    limits, pb,
    rulebook::Rulebook,
};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::federation::HUB_NAME;

/// What is altered.
#[derive(Debug, Clone, Default)]
pub enum Twist {
    /// Nothing.
    #[default]
    Honest,
    /// A byte of the receipt.
    ReceiptTampered,
    /// The receipt is of another batch, signed.
    ReceiptOfAnother,
    /// The receipt is signed with the log key.
    ReceiptByLogKey,
    /// A byte of a verdict.
    VerdictTampered,
    /// An entry of the feed is left out, signed.
    FeedGap,
    /// Verdicts of another region, signed.
    VerdictOfRegion(String),
    /// Verdicts of another batch under this one's number, signed.
    VerdictOfAnother,
    /// A byte of the manifest.
    ManifestTampered,
    /// A byte of a part.
    PartTampered,
    /// A manifest longer than any may be.
    ManifestEndless,
    /// Parts that never end.
    PartEndless,
    /// A release and its freshness far ahead, signed: nothing could follow them.
    FastForward,
    /// A rulebook far ahead.
    RulebookFastForward,
    /// Freshness that ran out, signed.
    FreshnessExpired,
    /// A release that ran out, signed.
    ReleaseExpired,
    /// Freshness of another cut under the same version, signed.
    MixAndMatch,
    /// The release is signed with the receipt key.
    ReleaseByReceiptKey,
    /// The whole offer of before, as it was signed then.
    OfferReplayed(Box<pb::SliceReply>),
    /// The manifest of before in the release of now.
    ManifestReplayed(Box<pb::SliceReply>),
    /// The log is another one of the same size, signed.
    LogForked,
    /// The log is another, longer one, signed, with a made-up proof.
    LogForkedLonger,
    /// The log is shorter, signed.
    LogRolledBack,
    /// There is no log any more.
    LogGone,
    /// The checkpoint is signed with the receipt key.
    LogByReceiptKey,
    /// A new generation without its statement.
    GenerationUnsigned,
    /// A new generation with a statement of the log key.
    GenerationByLogKey,
    /// A new epoch without its statement.
    EpochUnsigned,
    /// A new epoch with a statement of the log key.
    EpochByLogKey,
    /// A byte of the rulebook.
    RulebookTampered,
    /// The rulebook's statement is signed with the log key.
    RulebookByLogKey,
    /// The built-in rulebook is said to be in force, whatever came after it.
    RulebookRolledBack,
    /// The rulebook in force is signed as it should be, and is none.
    RulebookUnreadable,
}

/// The version of [`Twist::FastForward`].
const FAR: u64 = u64::MAX >> 1;
/// What [`Twist::RulebookUnreadable`] gives for a rulebook.
const NO_RULEBOOK: &[u8] = b"no rulebook";

/// Changes a signed message and signs it again.
fn resign<M: Message + Default>(
    envelope: &mut Option<pb::Envelope>,
    signer: &Signer,
    payload_type: PayloadType,
    change: impl FnOnce(&mut M),
) {
    let Some(old) = envelope else { return };
    let mut message = M::decode(old.payload.as_slice()).expect("the hub's own message");
    change(&mut message);
    *old = envelope::sign_message(signer, payload_type, &message);
}

fn flip(bytes: &mut [u8]) {
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
}

impl Twist {
    /// Alters the answer to Hello.
    pub fn hello(&self, keys: &Keys, reply: &mut pb::HelloReply) {
        let log = |reply: &mut pb::HelloReply, signer: &Signer, change: &dyn Fn(&mut Checkpoint)| {
            let Some(shown) = reply.checkpoint.as_mut() else { return };
            let opened = Checkpoint::open(&shown.note, HUB_NAME, &keys.log.public());
            let mut checkpoint = opened.expect("the hub's own checkpoint").into_inner();
            change(&mut checkpoint);
            shown.note = checkpoint.sign(HUB_NAME, signer);
        };
        match self {
            Self::LogForked => log(reply, &keys.log, &|c| c.root = [9; 32]),
            Self::LogForkedLonger => log(reply, &keys.log, &|c| (c.size, c.root) = (c.size + 7, [9; 32])),
            Self::LogRolledBack => log(reply, &keys.log, &|c| (c.size, c.root) = (1, [9; 32])),
            Self::LogByReceiptKey => log(reply, &keys.receipt, &|_| ()),
            Self::LogGone => reply.checkpoint = None,
            Self::GenerationUnsigned | Self::GenerationByLogKey => {
                reply.standing = pb::Standing::HandBack.into();
                reply.generation += 1;
                let act = pb::GenerationAct { generation: reply.generation, ..Default::default() };
                let decision = pb::Decision {
                    generation: reply.generation,
                    act: Some(pb::decision::Act::GenerationAct(act)),
                    ..Default::default()
                };
                let signed = matches!(self, Self::GenerationByLogKey);
                reply.generation_decision =
                    signed.then(|| envelope::sign_message(&keys.log, PayloadType::DECISION, &decision));
            }
            Self::EpochUnsigned | Self::EpochByLogKey => {
                reply.standing = pb::Standing::NewEpoch.into();
                (reply.epoch, reply.sequence) = (reply.epoch + 1, 0);
                let act = pb::EpochAct {
                    region: "52.71".into(),
                    closed: reply.epoch - 1,
                    opened: reply.epoch,
                    head: reply.head.clone(),
                    ..Default::default()
                };
                let decision =
                    pb::Decision { act: Some(pb::decision::Act::Epoch(act)), ..Default::default() };
                let signed = matches!(self, Self::EpochByLogKey);
                reply.epoch_statement =
                    signed.then(|| envelope::sign_message(&keys.log, PayloadType::DECISION, &decision));
            }
            Self::RulebookRolledBack => {
                let builtin = Rulebook::builtin();
                reply.rulebook = builtin.version();
                reply.rulebook_digest = Sha256::digest(builtin.packed()).to_vec();
            }
            Self::RulebookFastForward => (reply.rulebook, reply.rulebook_digest) = (u32::MAX, vec![7; 32]),
            Self::RulebookUnreadable => reply.rulebook_digest = Sha256::digest(NO_RULEBOOK).to_vec(),
            // The node asks for a slice only when there is a newer one.
            Self::OfferReplayed(_) => reply.release += 5,
            _ => {}
        }
    }

    /// Alters the proof of the log.
    pub fn consistency(&self) -> Option<pb::ConsistencyProof> {
        let made_up = matches!(self, Self::LogForked | Self::LogForkedLonger | Self::LogRolledBack);
        made_up.then(|| pb::ConsistencyProof { hashes: vec![vec![1; 32]; 3], ..Default::default() })
    }

    /// Alters the answer to Submit.
    pub fn submit(&self, keys: &Keys, reply: &mut pb::SubmitReply) {
        let receipt = &mut reply.receipt;
        match self {
            Self::ReceiptTampered => {
                if let Some(receipt) = receipt {
                    flip(&mut receipt.payload);
                }
            }
            Self::ReceiptOfAnother => {
                resign::<pb::Receipt>(receipt, &keys.receipt, PayloadType::RECEIPT, |r| {
                    flip(&mut r.batch_id);
                });
            }
            Self::ReceiptByLogKey => {
                resign::<pb::Receipt>(receipt, &keys.log, PayloadType::RECEIPT, |_| ());
            }
            _ => {}
        }
    }

    /// Alters the first entry of an answer to Feed.
    pub fn feed(&self, keys: &Keys, reply: &mut pb::FeedReply) {
        let Some(first) = reply.entries.first_mut() else { return };
        let change = |first: &mut pb::Envelope, change: &dyn Fn(&mut pb::Verdicts)| {
            let mut entry = Some(first.clone());
            resign::<pb::Verdicts>(&mut entry, &keys.receipt, PayloadType::VERDICTS, |v| change(v));
            *first = entry.expect("it was there");
        };
        match self {
            Self::VerdictTampered => flip(&mut first.payload),
            Self::FeedGap => change(first, &|v| v.position += 1),
            Self::VerdictOfRegion(region) => change(first, &|v| v.region.clone_from(region)),
            Self::VerdictOfAnother => change(first, &|v| flip(&mut v.batch_id)),
            _ => {}
        }
    }

    /// Alters an offer.
    pub fn slice(&self, keys: &Keys, reply: &mut pb::SliceReply) {
        let fresh = |reply: &mut pb::SliceReply, change: &dyn Fn(&mut pb::Freshness)| {
            let kind = PayloadType::FRESHNESS;
            resign::<pb::Freshness>(&mut reply.freshness, &keys.receipt, kind, |f| change(f));
        };
        let release = |reply: &mut pb::SliceReply, signer: &Signer, change: &dyn Fn(&mut pb::Release)| {
            resign::<pb::Release>(&mut reply.release, signer, PayloadType::RELEASE, |r| change(r));
        };
        let own = keys.release.as_ref().expect("the test hub keeps its release key");
        match self {
            Self::ManifestTampered => flip(&mut reply.manifest),
            Self::ManifestEndless => reply.manifest.resize(limits::MAX_MANIFEST_BYTES + 1, 0),
            Self::FastForward => {
                release(reply, own, &|r| r.version = FAR);
                fresh(reply, &|f| f.version = FAR);
            }
            Self::FreshnessExpired => fresh(reply, &|f| f.expires_ms = 1),
            Self::ReleaseExpired => release(reply, own, &|r| r.expires_ms = 1),
            Self::MixAndMatch => fresh(reply, &|f| flip(&mut f.manifests_root)),
            Self::ReleaseByReceiptKey => release(reply, &keys.receipt, &|_| ()),
            Self::OfferReplayed(old) => *reply = (**old).clone(),
            Self::ManifestReplayed(old) => {
                reply.manifest.clone_from(&old.manifest);
                reply.inclusion.clone_from(&old.inclusion);
            }
            _ => {}
        }
    }

    /// Alters a piece of a part.
    pub fn part(&self, reply: &mut pb::SlicePartReply) {
        match self {
            Self::PartTampered => flip(&mut reply.data),
            Self::PartEndless => reply.data.resize(3 * limits::MAX_PART_BYTES, 0),
            _ => {}
        }
    }

    /// Alters a piece of the rulebook.
    pub fn rulebook(&self, keys: &Keys, reply: &mut pb::RulebookReply) {
        match self {
            Self::RulebookTampered => flip(&mut reply.data),
            Self::RulebookByLogKey => {
                let kind = PayloadType::RULEBOOK;
                resign::<pb::RulebookStatement>(&mut reply.statement, &keys.log, kind, |_| ());
            }
            Self::RulebookUnreadable => {
                NO_RULEBOOK.clone_into(&mut reply.data);
                let change = |said: &mut pb::RulebookStatement| {
                    said.digest = Sha256::digest(NO_RULEBOOK).to_vec();
                    said.length = NO_RULEBOOK.len() as u64;
                };
                resign(&mut reply.statement, &keys.receipt, PayloadType::RULEBOOK, change);
            }
            _ => {}
        }
    }
}
