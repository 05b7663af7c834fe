//! Every maximum of the protocol, with its reason. Both sides enforce them.

/// Bytes of one delta. A full record takes about 600; the rest is room for longer texts and new columns.
pub const MAX_DELTA_BYTES: usize = 64 * 1024;
/// Deltas in one batch. More would make one apply transaction long.
pub const MAX_BATCH_DELTAS: usize = 10_000;
/// Deltas that a node puts in one batch: enough to make the signature cheap, few enough to send again.
pub const BATCH_DELTAS: usize = 1_000;
/// Bytes of a batch body before compression.
pub const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a signed header. A header has fixed fields; this is four times its size.
pub const MAX_HEADER_BYTES: usize = 2 * 1024;
/// Bytes of `data` in one submit request: below the message limit, with room for the envelope.
pub const MAX_CHUNK_BYTES: usize = 1024 * 1024;
/// Bytes of any message on the wire, in either direction.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one slice part as transported.
pub const MAX_PART_BYTES: usize = 1024 * 1024;
/// Bytes of one slice part after decompression; a part that claims more is refused before it is opened.
pub const MAX_PART_PLAIN_BYTES: usize = 4 * 1024 * 1024;
/// Parts of one manifest: a region of ten million records needs about 2,000.
pub const MAX_PARTS: usize = 16_384;
/// Bytes of one manifest.
pub const MAX_MANIFEST_BYTES: usize = 2 * 1024 * 1024;
/// Versions of releases, and of rulebooks, that one generation of the hub gives: those of generation N lie above (N - 1) times
/// this, so that a restored hub gives no number twice, and up to N times this, so that a thief of its keys cannot give one
/// that nothing comes after.
pub const VERSIONS_PER_GENERATION: u64 = 1_000_000;
/// Feed entries in one reply.
pub const MAX_FEED_ENTRIES: usize = 64;
/// Bytes of a rulebook bundle.
pub const MAX_RULEBOOK_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of a text value. The longest village name has 44 characters, the longest address seen 200.
pub const MAX_TEXT_BYTES: usize = 500;
/// Length of a source's short name.
pub const MAX_SOURCE_BYTES: usize = 32;
/// Sources of one region that may claim the same block of one record.
pub const MAX_CLAIMS_PER_BLOCK: usize = 64;
