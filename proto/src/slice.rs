//! Slices: what a node checks before it takes one. The checks and their names are TUF's.

use prost::Message;
use sha2::{Digest, Sha256};

use crate::{
    batch,
    envelope::{self, PayloadType, Verified},
    id::RecordId,
    key::PublicKey,
    limits,
    merkle::{self, Hash},
    pb,
    record::RecordKind,
    refusal::Refusal,
    region::Region,
};

/// What a node knows when a slice is offered to it.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// The node's region.
    pub region: Region,
    /// Version in use, 0 if none.
    pub have: u64,
    /// Generation of the hub.
    pub generation: u64,
    /// The node's clock.
    pub now_ms: i64,
    /// Pinned key of releases.
    pub release_key: &'a PublicKey,
    /// Pinned online key.
    pub receipt_key: &'a PublicKey,
}

/// A manifest that is part of a fresh release, with when it expires.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The manifest.
    pub manifest: pb::Manifest,
    /// After this a slice may not be taken, and exports are flagged.
    pub expires_ms: i64,
    /// The newest release, by the freshness statement; later than the manifest's while catching up.
    pub newest: u64,
}

/// Checks signatures, freshness, rollback, region, base and the manifest's place in the release.
pub fn check_offer(reply: &pb::SliceReply, expected: &Expectation<'_>) -> Result<Verified<Offer>, Refusal> {
    let missing = Refusal::Malformed { what: "slice reply" };
    let release = reply.release.as_ref().ok_or(missing.clone())?;
    let freshness = reply.freshness.as_ref().ok_or(missing.clone())?;
    let release = envelope::verify::<pb::Release>(release, PayloadType::RELEASE, expected.release_key)?;
    let fresh = envelope::verify::<pb::Freshness>(freshness, PayloadType::FRESHNESS, expected.receipt_key)?
        .into_inner();
    let digest = release.digest();
    let release = release.into_inner();
    if release.expires_ms <= expected.now_ms || fresh.expires_ms <= expected.now_ms {
        return Err(Refusal::Expired);
    }
    if fresh.version < release.version || fresh.version < expected.have {
        return Err(Refusal::Rollback);
    }
    if fresh.version > expected.generation.saturating_mul(limits::VERSIONS_PER_GENERATION) {
        return Err(Refusal::ManifestMismatch);
    }
    if fresh.version == release.version && fresh.manifests_root != release.manifests_root {
        return Err(Refusal::ManifestMismatch);
    }
    if reply.manifest.len() > limits::MAX_MANIFEST_BYTES {
        return Err(Refusal::ManifestMismatch);
    }
    check_inclusion(reply, &release)?;
    let manifest = pb::Manifest::decode(reply.manifest.as_slice()).map_err(|_| missing)?;
    if manifest.region != expected.region.to_string() {
        return Err(Refusal::WrongRegion);
    }
    if manifest.version < expected.have {
        return Err(Refusal::Rollback);
    }
    let of_release = manifest.version == release.version
        && manifest.generation == release.generation
        && manifest.generation == expected.generation;
    let applicable = manifest.base_version == 0 || manifest.base_version == expected.have;
    if !of_release || !applicable || manifest.parts.len() > limits::MAX_PARTS {
        return Err(Refusal::ManifestMismatch);
    }
    let offer = Offer { manifest, expires_ms: release.expires_ms, newest: fresh.version };
    Ok(Verified::new_checked(offer, digest))
}

fn check_inclusion(reply: &pb::SliceReply, release: &pb::Release) -> Result<(), Refusal> {
    let inclusion = reply.inclusion.as_ref().ok_or(Refusal::ManifestMismatch)?;
    let path: Option<Vec<Hash>> = inclusion.hashes.iter().map(|h| h.as_slice().try_into().ok()).collect();
    let root = path.and_then(|path| {
        merkle::root_from_inclusion(
            merkle::leaf_hash(&reply.manifest),
            inclusion.index,
            inclusion.size,
            &path,
        )
    });
    match root {
        Some(root) if inclusion.size == release.manifests && root.as_slice() == release.manifests_root => {
            Ok(())
        }
        _ => Err(Refusal::ManifestMismatch),
    }
}

/// Order of the leaves of a slice: kind, then id bytes.
pub type LeafKey = (RecordKind, RecordId);

/// One line of a part, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The leaf enters or changes; the bytes are the leaf.
    Upsert(LeafKey, Vec<u8>),
    /// The leaf goes.
    Tombstone(LeafKey, pb::TombstoneReason),
}

/// Checks the bytes of a part against the manifest and reads its lines.
pub fn open_part(part: &pb::Part, bytes: &[u8]) -> Result<Vec<Change>, Refusal> {
    let fits = part.length == bytes.len() as u64
        && bytes.len() <= limits::MAX_PART_BYTES
        && part.digest == Sha256::digest(bytes).as_slice();
    let plain_length = usize::try_from(part.plain_length).ok().filter(|l| *l <= limits::MAX_PART_PLAIN_BYTES);
    let (true, Some(plain_length)) = (fits, plain_length) else {
        return Err(Refusal::ManifestMismatch);
    };
    let plain = zstd::bulk::decompress(bytes, plain_length).map_err(|_| Refusal::ManifestMismatch)?;
    let frames = batch::frames(&plain).ok_or(Refusal::ManifestMismatch)?;
    frames.into_iter().map(read_change).collect()
}

fn read_change(frame: batch::Frame<'_>) -> Result<Change, Refusal> {
    let batch::Frame::Delta(bytes) = frame else { return Err(Refusal::ManifestMismatch) };
    let wire = pb::SliceChange::decode(bytes).map_err(|_| Refusal::ManifestMismatch)?;
    let kind = RecordKind::from_wire(wire.kind).ok_or(Refusal::ManifestMismatch)?;
    let id = RecordId::from_slice(&wire.record_id).ok_or(Refusal::ManifestMismatch)?;
    if !wire.record.is_empty() {
        return Ok(Change::Upsert((kind, id), wire.record));
    }
    match pb::TombstoneReason::try_from(wire.tombstone) {
        Ok(pb::TombstoneReason::Unspecified) | Err(_) => Err(Refusal::ManifestMismatch),
        Ok(reason) => Ok(Change::Tombstone((kind, id), reason)),
    }
}

/// A line of a part, as bytes.
pub fn write_change(change: &Change) -> Vec<u8> {
    let (key, record, tombstone) = match change {
        Change::Upsert(key, record) => (key, record.clone(), pb::TombstoneReason::Unspecified),
        Change::Tombstone(key, reason) => (key, Vec::new(), *reason),
    };
    pb::SliceChange {
        kind: key.0.to_wire().into(),
        record_id: key.1.as_bytes().to_vec(),
        record,
        tombstone: tombstone.into(),
    }
    .encode_to_vec()
}

/// Packs lines into parts of at most [`limits::MAX_PART_PLAIN_BYTES`] before and [`limits::MAX_PART_BYTES`] after
/// compression, which is what the reader accepts.
pub struct PartWriter {
    plain: Vec<u8>,
}

/// Plain bytes at which a part is closed: compressed it stays below the limit even if nothing compresses.
const PART_TARGET: usize = limits::MAX_PART_BYTES - limits::MAX_DELTA_BYTES - 64 * 1024;
/// Compression level of parts: fast, as the hub writes every region's.
const ZSTD_LEVEL: i32 = 3;

impl PartWriter {
    /// An empty part.
    pub fn new() -> Self {
        Self { plain: Vec::with_capacity(PART_TARGET) }
    }

    /// Adds a line; returns a part when one is full.
    pub fn push(&mut self, change: &Change) -> Option<(pb::Part, Vec<u8>)> {
        let line = write_change(change);
        let full = if self.plain.len() + line.len() > PART_TARGET { self.finish() } else { None };
        self.plain.extend_from_slice(&batch::frame(std::iter::once(line.as_slice())));
        full
    }

    /// The last part, if there is anything in it.
    pub fn finish(&mut self) -> Option<(pb::Part, Vec<u8>)> {
        if self.plain.is_empty() {
            return None;
        }
        let bytes = zstd::bulk::compress(&self.plain, ZSTD_LEVEL).expect("compressing into memory");
        let part = pb::Part {
            digest: Sha256::digest(&bytes).to_vec(),
            length: bytes.len() as u64,
            plain_length: self.plain.len() as u64,
        };
        self.plain.clear();
        Some((part, bytes))
    }
}

impl Default for PartWriter {
    fn default() -> Self {
        Self::new()
    }
}
