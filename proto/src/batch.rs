//! Signed batches: sealing, the length-framed body, opening.

use prost::Message;

use crate::{
    envelope::{self, PayloadType, Verified},
    id::{BatchId, Position},
    key::{PublicKey, Signer},
    limits,
    merkle::{self, Hash},
    pb,
    refusal::Refusal,
    region::Region,
};

/// Length field of a delta that was erased: its leaf hash follows instead.
const ERASED: u32 = u32::MAX;
/// Bytes of a length field.
const LENGTH: usize = 4;

/// Header of a batch, read and checked for its range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Where the batch stands.
    pub position: Position,
    /// Id of the batch before.
    pub previous: BatchId,
    /// Deltas in the body.
    pub count: u32,
    /// Bytes of the body before compression.
    pub body_length: u64,
    /// RFC 6962 root over the deltas.
    pub root: Hash,
    /// Version of the rulebook that the node checked with.
    pub rulebook: u32,
    /// Generation of the hub that the node last saw.
    pub generation: u64,
    /// Size and root of the last checkpoint that the node holds.
    pub log: (u64, Hash),
}

impl TryFrom<pb::BatchHeader> for Header {
    type Error = Refusal;

    fn try_from(wire: pb::BatchHeader) -> Result<Self, Refusal> {
        let bad = |field| Refusal::HeaderLimits { field };
        let region: Region = wire.region.parse().map_err(|_| bad("region"))?;
        if !region.is_regency() {
            return Err(bad("region"));
        }
        let sequence = u32::try_from(wire.sequence).ok().filter(|s| *s > 0).ok_or(bad("sequence"))?;
        if wire.epoch == 0 {
            return Err(bad("epoch"));
        }
        if wire.schema != crate::SCHEMA_VERSION {
            return Err(bad("schema"));
        }
        if wire.count == 0 {
            return Err(bad("count"));
        }
        let log_root =
            if wire.log_size == 0 { [0; 32] } else { hash(&wire.log_root).ok_or(bad("log_root"))? };
        Ok(Self {
            position: Position { region, epoch: wire.epoch, sequence },
            previous: BatchId::from_slice(&wire.previous).ok_or(bad("previous"))?,
            count: wire.count,
            body_length: wire.body_length,
            root: hash(&wire.root).ok_or(bad("root"))?,
            rulebook: wire.rulebook,
            generation: wire.generation,
            log: (wire.log_size, log_root),
        })
    }
}

fn hash(bytes: &[u8]) -> Option<Hash> {
    bytes.try_into().ok()
}

/// A batch as its node keeps and sends it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed {
    /// The signed header.
    pub envelope: pb::Envelope,
    /// Identity of the batch.
    pub id: BatchId,
    /// The body before compression.
    pub body: Vec<u8>,
}

/// What a header says that does not follow from the deltas.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Where the batch will stand.
    pub position: Position,
    /// Id of the batch before.
    pub previous: BatchId,
    /// Version of the rulebook that checked the deltas.
    pub rulebook: u32,
    /// Generation of the hub last seen.
    pub generation: u64,
    /// Last checkpoint held.
    pub log: (u64, Hash),
    /// The node's clock, informative.
    pub created_ms: i64,
}

/// Seals encoded deltas.
pub fn seal(signer: &Signer, draft: &Draft, deltas: &[Vec<u8>]) -> Sealed {
    let leaves: Vec<Hash> = deltas.iter().map(|d| merkle::leaf_hash(d)).collect();
    let body = frame(deltas.iter().map(Vec::as_slice));
    let header = pb::BatchHeader {
        region: draft.position.region.to_string(),
        epoch: draft.position.epoch,
        sequence: draft.position.sequence.into(),
        previous: draft.previous.as_bytes().to_vec(),
        count: u32::try_from(deltas.len()).expect("a batch has few deltas"),
        body_length: body.len() as u64,
        root: merkle::root(&leaves).to_vec(),
        schema: crate::SCHEMA_VERSION,
        rulebook: draft.rulebook,
        purpose: "pemutakhiran".into(),
        generation: draft.generation,
        log_size: draft.log.0,
        log_root: if draft.log.0 == 0 { Vec::new() } else { draft.log.1.to_vec() },
        created_ms: draft.created_ms,
    };
    let envelope = envelope::sign(signer, PayloadType::BATCH_HEADER, header.encode_to_vec());
    let id = id(&envelope);
    Sealed { envelope, id, body }
}

/// Identity of a batch, from its header as sent.
pub fn id(envelope: &pb::Envelope) -> BatchId {
    BatchId::new(envelope::digest(envelope))
}

/// Whether a receipt is of this batch.
pub fn is_receipt_of(receipt: &pb::Receipt, at: Position, id: BatchId) -> bool {
    receipt.batch_id == id.as_bytes()
        && receipt.region == at.region.to_string()
        && receipt.epoch == at.epoch
        && receipt.sequence == u64::from(at.sequence)
}

/// Reads a header without checking its signature, to find the key that should have signed it.
pub fn peek(envelope: &pb::Envelope) -> Result<Header, Refusal> {
    if envelope.payload.len() > limits::MAX_HEADER_BYTES {
        return Err(Refusal::HeaderLimits { field: "length" });
    }
    let what = PayloadType::BATCH_HEADER.as_str();
    if envelope.payload_type != what {
        return Err(Refusal::PayloadType { expected: what });
    }
    pb::BatchHeader::decode(envelope.payload.as_slice()).map_err(|_| Refusal::Malformed { what })?.try_into()
}

/// Checks the signature of a header and reads it.
pub fn open(envelope: &pb::Envelope, key: &PublicKey) -> Result<Verified<Header>, Refusal> {
    peek(envelope)?;
    envelope::verify::<pb::BatchHeader>(envelope, PayloadType::BATCH_HEADER, key)?.try_map(Header::try_from)
}

/// Reads a header by the receipt that was given for it: whoever signed the receipt has checked the signature, with a key
/// that may be unknown by now.
pub fn open_by_receipt(
    envelope: &pb::Envelope,
    receipt: &Verified<pb::Receipt>,
) -> Result<Verified<Header>, Refusal> {
    let (header, id) = (peek(envelope)?, id(envelope));
    if is_receipt_of(receipt.get(), header.position, id) {
        Ok(Verified::new_checked(header, *id.as_bytes()))
    } else {
        Err(Refusal::Malformed { what: "receipt of this batch" })
    }
}

/// Messages, each after its length in four bytes.
pub fn frame<'a>(messages: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut body = Vec::new();
    for message in messages {
        let length = u32::try_from(message.len()).expect("a delta is far below 4 GiB");
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(message);
    }
    body
}

/// One delta of a body, or what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The bytes of the delta.
    Delta(&'a [u8]),
    /// Its leaf hash: the delta was erased.
    Erased(Hash),
}

impl Frame<'_> {
    /// Leaf of the delta in the batch's tree.
    pub fn leaf(&self) -> Hash {
        match self {
            Self::Delta(bytes) => merkle::leaf_hash(bytes),
            Self::Erased(leaf) => *leaf,
        }
    }
}

/// Splits a body into its frames; `None` if it is cut or overlong.
pub fn frames(mut body: &[u8]) -> Option<Vec<Frame<'_>>> {
    let mut frames = Vec::with_capacity(limits::BATCH_DELTAS);
    while !body.is_empty() {
        let (length, rest) = body.split_first_chunk::<LENGTH>()?;
        let length = u32::from_be_bytes(*length);
        if length == ERASED {
            let (leaf, rest) = rest.split_first_chunk::<32>()?;
            frames.push(Frame::Erased(*leaf));
            body = rest;
        } else {
            let (delta, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            frames.push(Frame::Delta(delta));
            body = rest;
        }
    }
    Some(frames)
}

/// Why the hub takes the header alone. The chain goes on; the region seals the deltas anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRefusal {
    /// A body of more than [`limits::MAX_BODY_BYTES`].
    BodyTooLarge,
    /// More than [`limits::MAX_BATCH_DELTAS`] deltas.
    TooManyDeltas,
    /// A delta of more than [`limits::MAX_DELTA_BYTES`].
    DeltaTooLarge,
    /// A frame that claims to be erased already.
    ErasedOnArrival,
}

impl BodyRefusal {
    /// Stable code, as the receipt says it.
    pub fn code(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "BODY_TOO_LARGE",
            Self::TooManyDeltas => "TOO_MANY_DELTAS",
            Self::DeltaTooLarge => "DELTA_TOO_LARGE",
            Self::ErasedOnArrival => "ERASED_ON_ARRIVAL",
        }
    }
}

/// The refusal that a receipt of the hub states. Whether the hub signed it is for the caller to check.
pub fn refused_before(receipt: &pb::Envelope) -> Option<BodyRefusal> {
    use BodyRefusal::{BodyTooLarge, DeltaTooLarge, ErasedOnArrival, TooManyDeltas};
    let code = pb::Receipt::decode(receipt.payload.as_slice()).ok()?.body_refused;
    [BodyTooLarge, TooManyDeltas, DeltaTooLarge, ErasedOnArrival].into_iter().find(|r| r.code() == code)
}

/// What the header alone already rules out, before a byte of the body is asked for.
pub fn refused_by_header(header: &Header) -> Option<BodyRefusal> {
    if header.body_length > limits::MAX_BODY_BYTES as u64 {
        Some(BodyRefusal::BodyTooLarge)
    } else if header.count as usize > limits::MAX_BATCH_DELTAS {
        Some(BodyRefusal::TooManyDeltas)
    } else {
        None
    }
}

/// Checks a body that just arrived against its header. The outer error refuses the message, the inner value the body.
pub fn check_body(header: &Header, body: &[u8]) -> Result<Option<BodyRefusal>, Refusal> {
    if body.len() as u64 != header.body_length {
        return Err(Refusal::BodyMismatch);
    }
    let frames = check_frames(header, body)?;
    Ok(if frames.iter().any(|f| matches!(f, Frame::Erased(_))) {
        Some(BodyRefusal::ErasedOnArrival)
    } else if frames.iter().any(|f| matches!(f, Frame::Delta(d) if d.len() > limits::MAX_DELTA_BYTES)) {
        Some(BodyRefusal::DeltaTooLarge)
    } else {
        None
    })
}

/// Frames of a stored body, perhaps with erased deltas, checked against count and root of its header.
pub fn check_frames<'a>(header: &Header, body: &'a [u8]) -> Result<Vec<Frame<'a>>, Refusal> {
    let frames = frames(body).ok_or(Refusal::BodyMismatch)?;
    let leaves: Vec<Hash> = frames.iter().map(Frame::leaf).collect();
    if frames.len() != header.count as usize || merkle::root(&leaves) != header.root {
        return Err(Refusal::BodyMismatch);
    }
    Ok(frames)
}

/// The body with one delta replaced by its leaf hash; `None` if there is no such delta.
pub fn erase(body: &[u8], index: usize) -> Option<Vec<u8>> {
    let frames = frames(body)?;
    frames.get(index)?;
    let mut erased = Vec::with_capacity(body.len());
    for (at, frame) in frames.iter().enumerate() {
        match frame {
            Frame::Delta(delta) if at != index => {
                erased.extend_from_slice(&u32::try_from(delta.len()).ok()?.to_be_bytes());
                erased.extend_from_slice(delta);
            }
            frame => {
                erased.extend_from_slice(&ERASED.to_be_bytes());
                erased.extend_from_slice(&frame.leaf());
            }
        }
    }
    Some(erased)
}

/// Compression level of bodies: fast, as a node on a small machine packs a whole region.
const ZSTD_LEVEL: i32 = 3;

/// A body as transported: packed, unless that makes it longer, which a body of random bytes near the limit would be.
pub fn encode_body(body: &[u8]) -> (pb::BodyEncoding, Vec<u8>) {
    let packed = pack(body);
    if packed.len() > body.len() {
        (pb::BodyEncoding::Identity, body.to_vec())
    } else {
        (pb::BodyEncoding::Zstd, packed)
    }
}

fn pack(body: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(body, ZSTD_LEVEL).expect("compressing into memory")
}

/// A body in the encoding that it had before something in it was erased.
pub fn encode_body_again(encoding: i32, body: Vec<u8>) -> Vec<u8> {
    match pb::BodyEncoding::try_from(encoding) {
        Ok(pb::BodyEncoding::Zstd) => pack(&body),
        _ => body,
    }
}

/// A body as it was before transport; `None` if the bytes are damaged or give more than `length` bytes.
pub fn decode_body(encoding: i32, bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    match pb::BodyEncoding::try_from(encoding).ok()? {
        pb::BodyEncoding::Unspecified => None,
        pb::BodyEncoding::Identity => (bytes.len() <= length).then(|| bytes.to_vec()),
        pb::BodyEncoding::Zstd => zstd::bulk::decompress(bytes, length).ok(),
    }
}

#[cfg(test)]
mod tests;
