//! Batches that were sealed well and then changed: none may be taken as anything but the batch that was sealed.

use std::collections::BTreeMap;

use anyhow::ensure;
use dtsen_proto::{
    batch::{self, BodyRefusal, Draft, Header, Sealed},
    envelope::{self, PayloadType},
    id::{BatchId, Position},
    key::Signer,
    limits, pb,
    refusal::Refusal,
};
use prost::Message as _;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Order of Ed25519's group, little-endian: a signature with it added to its second half is the same number again.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A batch on its way.
#[derive(Debug, Clone, PartialEq)]
struct Parcel {
    /// The encoded envelope.
    envelope: Vec<u8>,
    encoding: i32,
    body: Vec<u8>,
}

/// What the hub made of one.
#[derive(Debug, Clone, PartialEq)]
enum Taken {
    Whole(Box<Header>, BatchId, Vec<u8>),
    HeaderAlone(Box<Header>, BatchId, BodyRefusal),
}

/// What became of many.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Mutations that were tried.
    pub tried: u64,
    /// Those that were no change at all.
    pub unchanged: u64,
    /// Taken as the batch that was sealed: the change was in what nobody signs.
    pub as_sealed: u64,
    /// Refused, by code.
    pub refused: BTreeMap<&'static str, u64>,
}

/// Batches of one region, and those who try.
pub struct Mutations {
    signer: Signer,
    wrong: Signer,
    sealed: Vec<Sealed>,
}

impl Mutations {
    /// Batches of a seed: small and large, with deltas that pack and such that do not.
    pub fn new(seed: u64) -> anyhow::Result<Self> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let signer = Signer::from_seed(&dice.random());
        let region = "52.71".parse()?;
        let sealed = (1..=8)
            .map(|sequence| {
                let draft = Draft {
                    position: Position { region, epoch: 1, sequence },
                    previous: BatchId::new(dice.random()),
                    rulebook: 1,
                    generation: 1,
                    log: (7, dice.random()),
                    created_ms: 1,
                };
                let deltas: Vec<Vec<u8>> = (0..dice.random_range(1..12))
                    // 32 bytes are as long as the leaf hash of an erased delta.
                    .map(|_| vec![dice.random(); [32, 80, 200][dice.random_range(0..3)]])
                    .collect();
                batch::seal(&signer, &draft, &deltas)
            })
            .collect();
        Ok(Self { signer, wrong: Signer::from_seed(&dice.random()), sealed })
    }

    /// Tries mutations by their numbers.
    pub fn run(&self, numbers: std::ops::Range<u64>) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        for number in numbers {
            let mut dice = ChaCha8Rng::seed_from_u64(number);
            let at = dice.random_range(0..self.sealed.len());
            let (sealed, other) = (&self.sealed[at], &self.sealed[(at + 1) % self.sealed.len()]);
            let good = parcel(sealed, number % 2 == 0);
            let changed = self.change(&mut dice, &good, sealed, other);
            outcome.tried += 1;
            outcome.unchanged += u64::from(changed == good);
            match self.take(&changed) {
                Err(refusal) => *outcome.refused.entry(refusal.code()).or_default() += 1,
                Ok(Taken::HeaderAlone(header, id, refusal)) => {
                    let original = self.take(&good).map(|taken| (taken.header().clone(), sealed.id));
                    ensure!(original == Ok((*header, id)), "mutation {number} was taken with another header");
                    *outcome.refused.entry(refusal.code()).or_default() += 1;
                }
                Ok(taken) => {
                    ensure!(
                        Ok(&taken) == self.take(&good).as_ref(),
                        "mutation {number} was taken as {taken:?}"
                    );
                    outcome.as_sealed += 1;
                }
            }
        }
        Ok(outcome)
    }

    /// What the hub checks before custody, in its order.
    fn take(&self, parcel: &Parcel) -> Result<Taken, Refusal> {
        let malformed = Refusal::Malformed { what: "submit request" };
        let envelope = pb::Envelope::decode(parcel.envelope.as_slice()).map_err(|_| malformed)?;
        let header = batch::open(&envelope, &self.signer.public())?;
        let id = BatchId::new(header.digest());
        let header = header.into_inner();
        if let Some(refusal) = batch::refused_by_header(&header) {
            return Ok(Taken::HeaderAlone(Box::new(header), id, refusal));
        }
        let length = usize::try_from(header.body_length).unwrap_or(usize::MAX).min(limits::MAX_BODY_BYTES);
        let plain = batch::decode_body(parcel.encoding, &parcel.body, length).ok_or(Refusal::BodyMismatch)?;
        Ok(match batch::check_body(&header, &plain)? {
            None => Taken::Whole(Box::new(header), id, plain),
            Some(refusal) => Taken::HeaderAlone(Box::new(header), id, refusal),
        })
    }

    /// One change, of the kind that the dice choose.
    fn change(&self, dice: &mut ChaCha8Rng, good: &Parcel, sealed: &Sealed, other: &Sealed) -> Parcel {
        let mut parcel = good.clone();
        let mut signed = sealed.envelope.clone();
        match dice.random_range(0..17) {
            0 => flip(dice, &mut parcel.envelope),
            1 => cut_or_grow(dice, &mut parcel.envelope),
            2 => flip(dice, &mut parcel.body),
            3 => cut_or_grow(dice, &mut parcel.body),
            4 => parcel.encoding = dice.random_range(-1..5),
            5 => parcel.body = frames_mixed(dice, &sealed.body, &mut parcel.encoding),
            6 => parcel.body.clone_from(&self::parcel(other, parcel.encoding == 1).body),
            kind => {
                self.envelope_changed(dice, kind, &mut signed, other);
                parcel.envelope = signed.encode_to_vec();
            }
        }
        parcel
    }

    /// One change inside the envelope.
    fn envelope_changed(&self, dice: &mut ChaCha8Rng, kind: u32, signed: &mut pb::Envelope, other: &Sealed) {
        match kind {
            7 => flip(dice, &mut signed.payload),
            8 => flip(dice, &mut signed.signature),
            9 => flip(dice, &mut signed.key_id),
            10 => field_changed(dice, &mut signed.payload),
            11 => encoded_otherwise(dice, &mut signed.payload),
            12 => signed.signature.clone_from(&other.envelope.signature),
            13 => {
                // Signed by somebody else, under the one name or the other.
                field_changed(dice, &mut signed.payload);
                let by = envelope::sign(&self.wrong, PayloadType::BATCH_HEADER, signed.payload.clone());
                signed.signature = by.signature;
                if dice.random() {
                    signed.key_id = by.key_id;
                }
            }
            14 => {
                // By the right key, for another purpose.
                let purposes = [PayloadType::ENROLMENT, PayloadType::RECEIPT, PayloadType::DECISION];
                let purpose = purposes[dice.random_range(0..purposes.len())];
                field_changed(dice, &mut signed.payload);
                let by = envelope::sign(&self.signer, purpose, signed.payload.clone());
                signed.signature = by.signature;
                if dice.random() {
                    signed.payload_type = by.payload_type;
                }
            }
            15 => add_order(&mut signed.signature),
            _ => {
                let mut noise = vec![0; dice.random_range(0..200)];
                dice.fill_bytes(&mut noise);
                signed.payload = noise;
            }
        }
    }
}

impl Taken {
    fn header(&self) -> &Header {
        match self {
            Self::Whole(header, ..) | Self::HeaderAlone(header, ..) => header,
        }
    }
}

fn parcel(sealed: &Sealed, plain: bool) -> Parcel {
    let (encoding, body) = if plain {
        (pb::BodyEncoding::Identity, sealed.body.clone())
    } else {
        batch::encode_body(&sealed.body)
    };
    Parcel { envelope: sealed.envelope.encode_to_vec(), encoding: encoding.into(), body }
}

fn flip(dice: &mut ChaCha8Rng, bytes: &mut [u8]) {
    if !bytes.is_empty() {
        for _ in 0..dice.random_range(1..4) {
            let at = dice.random_range(0..bytes.len());
            bytes[at] ^= 1 << dice.random_range(0..8);
        }
    }
}

fn cut_or_grow(dice: &mut ChaCha8Rng, bytes: &mut Vec<u8>) {
    if dice.random() {
        bytes.truncate(dice.random_range(0..=bytes.len()));
    } else {
        bytes.resize(bytes.len() + dice.random_range(1..40), dice.random());
    }
}

/// Deltas left out, doubled, in another order, erased, or with another length.
fn frames_mixed(dice: &mut ChaCha8Rng, body: &[u8], encoding: &mut i32) -> Vec<u8> {
    *encoding = pb::BodyEncoding::Identity.into();
    let frames = batch::frames(body).expect("it was sealed");
    let mut deltas: Vec<Vec<u8>> = frames
        .iter()
        .filter_map(|frame| match frame {
            batch::Frame::Delta(bytes) => Some(bytes.to_vec()),
            batch::Frame::Erased(_) => None,
        })
        .collect();
    let (at, to) = (dice.random_range(0..deltas.len()), dice.random_range(0..deltas.len()));
    match dice.random_range(0..5) {
        0 => drop(deltas.remove(at)),
        1 => deltas.push(deltas[at].clone()),
        2 => deltas.swap(at, to),
        3 => return batch::erase(body, at).expect("there is one"),
        _ => {
            let mut other = body.to_vec();
            other[dice.random_range(0..4)] ^= 1 << dice.random_range(0..8);
            return other;
        }
    }
    batch::frame(deltas.iter().map(Vec::as_slice))
}

/// Another value in one field; nobody signs again.
fn field_changed(dice: &mut ChaCha8Rng, payload: &mut Vec<u8>) {
    let mut header = pb::BatchHeader::decode(payload.as_slice()).expect("it was sealed");
    match dice.random_range(0..12) {
        0 => header.region = ["75.71", "52.72", "52", ""][dice.random_range(0..4)].into(),
        1 => header.epoch = dice.random(),
        2 => header.sequence = dice.random(),
        3 => flip(dice, &mut header.previous),
        4 => header.count = dice.random(),
        5 => header.body_length = dice.random(),
        6 => flip(dice, &mut header.root),
        7 => header.schema += 1,
        8 => header.rulebook += 1,
        9 => header.generation = dice.random(),
        10 => header.log_size = dice.random(),
        _ => header.created_ms = dice.random(),
    }
    *payload = header.encode_to_vec();
}

/// The same message in other bytes: protobuf has no one way to write one.
fn encoded_otherwise(dice: &mut ChaCha8Rng, payload: &mut Vec<u8>) {
    match dice.random_range(0..3) {
        // A field that nobody knows: number 500, value 1.
        0 => payload.extend_from_slice(&[0xa0, 0x1f, 1]),
        // All fields twice: the last one counts.
        1 => payload.extend_from_within(..),
        // The first field's length in two bytes.
        _ => {
            payload[1] |= 0x80;
            payload.insert(2, 0);
        }
    }
}

/// Adds the group's order to the second half of a signature.
fn add_order(signature: &mut [u8]) {
    let mut carry = 0;
    for (byte, more) in signature.iter_mut().skip(32).zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
}
