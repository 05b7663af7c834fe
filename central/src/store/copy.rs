//! Every table with its columns, for bulk writes and for copying whole databases.

use super::{
    CellType::{self, Bytes, Number, Text},
    Table,
};

const fn table(name: &'static str, key: usize, columns: &'static [(&'static str, CellType)]) -> Table {
    Table { name, columns, key, derived: false }
}

const fn derived(name: &'static str, key: usize, columns: &'static [(&'static str, CellType)]) -> Table {
    Table { name, columns, key, derived: true }
}

const SETTING: Table = table("setting", 1, &[("name", Text), ("value", Bytes)]);
const RULEBOOK: Table = table("rulebook", 1, &[("version", Number), ("bundle", Bytes)]);
const LEASE: Table =
    table("lease", 1, &[("name", Text), ("holder", Text), ("fence", Number), ("expires_ms", Number)]);
const REGION: Table = table(
    "region",
    1,
    &[
        ("region", Number),
        ("status", Text),
        ("version", Number),
        ("token_hash", Bytes),
        ("token_expires_ms", Number),
        ("csr", Bytes),
        ("pending_key", Bytes),
        ("signing_key", Bytes),
        ("certificate", Bytes),
        ("certificate_hash", Bytes),
        ("previous_hash", Bytes),
        ("reason", Text),
    ],
);
const SESSION: Table = table(
    "session",
    1,
    &[("region", Number), ("current", Bytes), ("before", Bytes), ("other", Bytes), ("suspect", Bytes)],
);
const REGION_KEY: Table = table(
    "region_key",
    2,
    &[
        ("region", Number),
        ("key_id", Bytes),
        ("public_key", Bytes),
        ("place", Number),
        ("last_epoch", Number),
        ("last_sequence", Number),
    ],
);
const CHAIN: Table = table(
    "chain",
    2,
    &[
        ("region", Number),
        ("epoch", Number),
        ("sequence", Number),
        ("head", Bytes),
        ("closed", Number),
        ("statement", Bytes),
    ],
);
const BATCH: Table = table(
    "batch",
    3,
    &[
        ("region", Number),
        ("epoch", Number),
        ("sequence", Number),
        ("batch_id", Bytes),
        ("header", Bytes),
        ("receipt", Bytes),
        ("encoding", Number),
        ("custody_ms", Number),
        ("deltas", Number),
        ("apply_no", Number),
        ("accepted", Number),
        ("warned", Number),
        ("held", Number),
        ("rejected", Number),
        ("rulebook", Number),
    ],
);
const BATCH_BODY: Table =
    table("batch_body", 3, &[("region", Number), ("epoch", Number), ("sequence", Number), ("body", Bytes)]);
const EVIDENCE: Table = table(
    "evidence",
    2,
    &[("region", Number), ("batch_id", Bytes), ("header", Bytes), ("seen_ms", Number), ("why", Text)],
);
const PIECE: Table =
    table("piece", 3, &[("region", Number), ("batch_id", Bytes), ("start", Number), ("data", Bytes)]);
/// Where the lane stands with every region.
pub(super) const LANE: Table =
    table("lane", 1, &[("region", Number), ("feed", Number), ("apply_no", Number)]);
/// Verdict feeds.
pub(super) const FEED: Table =
    table("feed", 2, &[("region", Number), ("position", Number), ("entry", Bytes)]);
/// Current verdicts that are not plainly accepted.
pub(super) const VERDICT: Table = table(
    "verdict",
    4,
    &[
        ("region", Number),
        ("epoch", Number),
        ("sequence", Number),
        ("place", Number),
        ("revision", Number),
        ("judgement", Number),
        ("subject", Text),
        ("action", Number),
        ("detail", Bytes),
    ],
);
const DECISION: Table = table("decision", 1, &[("number", Number), ("apply_no", Number), ("entry", Bytes)]);
/// Applications.
pub(super) const APPLICATION: Table = table(
    "application",
    1,
    &[
        ("apply_no", Number),
        ("region", Number),
        ("epoch", Number),
        ("sequence", Number),
        ("decision", Number),
    ],
);
/// Records.
pub(super) const RECORD: Table = derived(
    "record",
    1,
    &[("id", Bytes), ("region", Number), ("kind", Number), ("hash", Bytes), ("body", Bytes)],
);
/// Natural numbers and who holds them.
pub(super) const HOLDER: Table = derived("holder", 1, &[("number", Text), ("id", Bytes)]);
/// Entries that wait for their place in the log.
pub(super) const LOG_QUEUE: Table =
    table("log_queue", 1, &[("name", Text), ("kind", Number), ("leaf", Bytes)]);
/// Leaves of the log.
pub(super) const LOG_LEAF: Table = table(
    "log_leaf",
    2,
    &[("generation", Number), ("place", Number), ("kind", Number), ("name", Text), ("leaf", Bytes)],
);
/// Complete nodes of the log's tree.
pub(super) const LOG_NODE: Table =
    table("log_node", 3, &[("generation", Number), ("level", Number), ("place", Number), ("hash", Bytes)]);
const CHECKPOINT: Table = table("checkpoint", 1, &[("generation", Number), ("size", Number), ("note", Text)]);
const RELEASE: Table = table(
    "release",
    1,
    &[
        ("version", Number),
        ("apply_no", Number),
        ("published", Number),
        ("entry", Bytes),
        ("freshness", Bytes),
        ("prepared_by", Text),
    ],
);
/// Manifests of releases.
pub(super) const MANIFEST: Table = table(
    "manifest",
    2,
    &[("version", Number), ("place", Number), ("region", Number), ("base", Number), ("body", Bytes)],
);
/// Parts of slices.
pub(super) const PART: Table =
    table("part", 3, &[("region", Number), ("digest", Bytes), ("version", Number), ("body", Bytes)]);
/// Leaves of the slices of a version.
pub(super) const SLICE_LEAF: Table = table(
    "slice_leaf",
    4,
    &[("version", Number), ("region", Number), ("kind", Number), ("id", Bytes), ("leaf", Bytes)],
);

/// All tables.
pub static TABLES: &[Table] = &[
    SETTING,
    RULEBOOK,
    LEASE,
    REGION,
    SESSION,
    REGION_KEY,
    CHAIN,
    BATCH,
    BATCH_BODY,
    EVIDENCE,
    PIECE,
    LANE,
    FEED,
    VERDICT,
    DECISION,
    APPLICATION,
    RECORD,
    HOLDER,
    LOG_QUEUE,
    LOG_LEAF,
    LOG_NODE,
    CHECKPOINT,
    RELEASE,
    MANIFEST,
    PART,
    SLICE_LEAF,
];
