//! Rows as the application knows them.

use std::collections::BTreeMap;

use dtsen_proto::{
    chain::Head,
    id::{BatchId, DeltaRef, Position, RecordId},
    merkle::Hash,
    record::{Action, RecordKind, Text},
    region::Region,
};

use crate::{
    registry::{
        codec,
        decide::Judgement,
        record::Record,
        view::{HolderKey, View},
    },
    session::Session,
};

/// A lease that was taken. Every write under it checks the fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// Which lease.
    pub name: &'static str,
    /// Who holds it.
    pub holder: String,
    /// Rises with every take-over.
    pub fence: i64,
}

/// How a region stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// A one-time token was given out.
    Invited,
    /// The node showed its keys; an operator has to compare the fingerprint.
    Waiting,
    /// Exchanges.
    Active,
    /// Stopped by an operator.
    Suspended,
    /// Its key counts no more.
    Revoked,
    /// Stopped by the hub: two batches under one number.
    Forked,
    /// Stopped by the hub: a copy of the node is running.
    Cloned,
    /// Stopped by the hub: the node was restored from an older copy.
    Restored,
}

impl Status {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Invited, "invited"),
        (Self::Waiting, "waiting"),
        (Self::Active, "active"),
        (Self::Suspended, "suspended"),
        (Self::Revoked, "revoked"),
        (Self::Forked, "forked"),
        (Self::Cloned, "cloned"),
        (Self::Restored, "restored"),
    ];

    /// As stored and shown to machines.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(s, _)| *s == self).map_or("", |(_, text)| text)
    }

    /// As operators read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invited => "diundang",
            Self::Waiting => "menunggu konfirmasi",
            Self::Active => "aktif",
            Self::Suspended => "ditangguhkan",
            Self::Revoked => "dicabut",
            Self::Forked => "dihentikan: bercabang",
            Self::Cloned => "dihentikan: ada salinan",
            Self::Restored => "dihentikan: dipulihkan",
        }
    }

    /// From the store.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, t)| *t == text).map(|(s, _)| *s)
    }
}

/// For machines.
impl serde::Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A region and its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionRow {
    /// Which.
    pub region: Region,
    /// How it stands.
    pub status: Status,
    /// Rises with every change.
    pub version: i64,
    /// SHA-256 of the open one-time token.
    pub token_hash: Option<Vec<u8>>,
    /// Until when it serves.
    pub token_expires_ms: Option<i64>,
    /// Certificate request shown with the token, also after it was confirmed.
    pub csr: Option<Vec<u8>>,
    /// Signing key shown with it that waits for confirmation.
    pub pending_key: Option<Vec<u8>>,
    /// Signing key registered.
    pub signing_key: Option<Vec<u8>>,
    /// Certificate registered, DER.
    pub certificate: Option<Vec<u8>>,
    /// SHA-256 of it.
    pub certificate_hash: Option<Vec<u8>>,
    /// SHA-256 of the one before, which serves until the new one was seen.
    pub previous_hash: Option<Vec<u8>>,
    /// Why it stands so.
    pub reason: String,
}

impl RegionRow {
    /// A region that nobody invited yet.
    pub fn new(region: Region) -> Self {
        Self {
            region,
            status: Status::Invited,
            version: 0,
            token_hash: None,
            token_expires_ms: None,
            csr: None,
            pending_key: None,
            signing_key: None,
            certificate: None,
            certificate_hash: None,
            previous_hash: None,
            reason: String::new(),
        }
    }
}

/// Makes the entry of a decision from its number.
pub type MakeEntry<'a> = &'a (dyn Fn(u64) -> Vec<u8> + Send + Sync);

/// Signs the log's checkpoint of a size and root.
pub type SignLog<'a> = &'a (dyn Fn(u64, Hash) -> String + Send + Sync);

/// What is written with a region.
#[derive(Default)]
pub struct RegionChange<'a> {
    /// The decision.
    pub decision: Option<MakeEntry<'a>>,
    /// Keys registered so far count no further than this epoch and sequence.
    pub revoke: Option<(u32, u32)>,
    /// A key that counts from now on: its id and itself.
    pub key: Option<(Vec<u8>, Vec<u8>)>,
    /// What happens to the chain.
    pub chain: Option<ChainChange<'a>>,
    /// The session begins anew.
    pub session: Option<Session>,
}

/// What happens to a region's chain.
pub enum ChainChange<'a> {
    /// It begins, unless it has begun.
    Start(Head),
    /// The open epoch closes and another opens on its head, by this decision.
    Epoch {
        /// The epoch that closes.
        from: u32,
        /// The epoch that opens.
        to: u32,
        /// The decision.
        make: MakeEntry<'a>,
    },
}

/// A signing key of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Ed25519, 32 bytes.
    pub public_key: Vec<u8>,
    /// Last epoch and sequence that it counts for, once it was revoked or replaced.
    pub last: Option<(u32, u32)>,
}

/// A batch in custody.
#[derive(Debug, Clone)]
pub struct BatchRow {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: BatchId,
    /// Signed header, as sent.
    pub header: Vec<u8>,
    /// Signed receipt, as given.
    pub receipt: Vec<u8>,
    /// Encoding of the body.
    pub encoding: i32,
    /// Body as sent; `None` if the hub took the header alone.
    pub body: Option<Vec<u8>>,
    /// When.
    pub custody_ms: i64,
    /// Deltas in it.
    pub deltas: u64,
    /// Application that decided it; 0 if there was nothing to decide.
    pub apply_no: Option<u64>,
    /// Current verdicts: accepted, warned, held, rejected.
    pub totals: [u64; 4],
    /// Version of the rulebook that judges it.
    pub rulebook: u32,
}

/// A batch about to be taken.
#[derive(Debug, Clone)]
pub struct NewBatch {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: BatchId,
    /// Signed header, as sent.
    pub header: Vec<u8>,
    /// Signed receipt.
    pub receipt: Vec<u8>,
    /// Encoding of the body.
    pub encoding: i32,
    /// Body as sent; `None` if refused.
    pub body: Option<Vec<u8>>,
    /// When.
    pub custody_ms: i64,
    /// Deltas in it.
    pub deltas: u64,
    /// Version of the rulebook that judges it.
    pub rulebook: u32,
    /// Leaf in the log.
    pub leaf: Hash,
}

/// Current totals of a region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Batches in custody.
    pub batches: u64,
    /// Deltas in custody whose body was taken.
    pub deltas: u64,
    /// By current verdict.
    pub accepted: u64,
    /// By current verdict.
    pub warned: u64,
    /// By current verdict.
    pub held: u64,
    /// By current verdict.
    pub rejected: u64,
}

/// A batch that waits for the lane.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: BatchId,
    /// Signed header.
    pub header: Vec<u8>,
    /// Encoding of the body.
    pub encoding: i32,
    /// Body as sent.
    pub body: Vec<u8>,
    /// When it was taken.
    pub custody_ms: i64,
    /// Version of the rulebook that judges it.
    pub rulebook: u32,
}

/// Where the lane stands, inside its transaction.
#[derive(Debug, Clone)]
pub struct LaneState {
    /// Number of the next application.
    pub apply_no: u64,
    /// Number of the next decision.
    pub decision: u64,
    /// Last feed position of every region.
    pub feeds: BTreeMap<Region, u64>,
}

/// A verdict that is not plainly accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictRow {
    /// Which delta.
    pub delta: DeltaRef,
    /// From 1.
    pub revision: u32,
    /// What became of it.
    pub judgement: Judgement,
    /// What it is about; set while it is held.
    pub subject: Option<Text>,
    /// What it asks for.
    pub action: Action,
    /// Encoded `pb::Verdict`.
    pub detail: Vec<u8>,
}

/// A record as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Its id.
    pub id: RecordId,
    /// Domicile.
    pub region: Region,
    /// Family or person.
    pub kind: RecordKind,
    /// SHA-256 of the body.
    pub hash: Vec<u8>,
    /// Encoded record.
    pub body: Vec<u8>,
}

impl From<&Record> for RecordRow {
    fn from(record: &Record) -> Self {
        let body = codec::encode(record);
        let hash = codec::hash(&body).to_vec();
        Self { id: record.id, region: record.domicile(), kind: record.kind, hash, body }
    }
}

/// One application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its number.
    pub apply_no: u64,
    /// What was applied.
    pub what: Applied,
}

/// What an application applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// A batch.
    Batch(Position),
    /// A decision, by number.
    Decision(u64),
}

/// Totals to add to a batch (differences of accepted, warned, held, rejected), with the application that decided it.
pub type BatchTotals = (Position, Option<u64>, [i64; 4]);

/// Everything that one step of the lane writes.
#[derive(Debug, Default)]
pub struct Writes {
    /// Records, with whether they are new.
    pub records: Vec<(RecordRow, bool)>,
    /// Numbers that got a holder.
    pub holders: BTreeMap<HolderKey, RecordId>,
    /// Current verdicts that are not plainly accepted.
    pub verdicts: Vec<VerdictRow>,
    /// Totals to add to batches (differences), with the application for batches decided now.
    pub batches: Vec<BatchTotals>,
    /// Feed entries: region, position, entry, leaf.
    pub feed: Vec<(Region, u64, Vec<u8>, Hash)>,
    /// Applications.
    pub applications: Vec<Application>,
    /// A decision: number, application, entry, leaf.
    pub decision: Option<(u64, u64, Vec<u8>, Hash)>,
}

/// What a step writes, part by part: the database takes in the records of one while the next is decided.
pub type Parts<'a> = Box<dyn Iterator<Item = Writes> + Send + 'a>;

/// Decides over what was read.
pub type Decide<'a> = dyn FnMut(View, LaneState) -> Parts<'a> + Send + 'a;

impl Writes {
    /// All in one part.
    pub fn at_once<'a>(self) -> Parts<'a> {
        Box::new(std::iter::once(self))
    }

    /// Adds a later part of the same step.
    pub fn add(&mut self, part: Self) {
        self.records.extend(part.records);
        self.holders.extend(part.holders);
        self.verdicts.extend(part.verdicts);
        self.batches.extend(part.batches);
        self.feed.extend(part.feed);
        self.applications.extend(part.applications);
        self.decision = self.decision.take().or(part.decision);
    }
}

/// Name of a batch's leaf in the log.
pub fn batch_leaf(at: Position) -> String {
    format!("b/{:05}/{:010}/{:010}", at.region.number(), at.epoch, at.sequence)
}

/// A delta to erase from a stored body.
pub struct Erasure<'a> {
    /// Which.
    pub delta: DeltaRef,
    /// The body as stored.
    pub before: &'a [u8],
    /// The body with the delta's leaf hash in place of the delta.
    pub after: &'a [u8],
    /// Makes the decision's entry.
    pub make: MakeEntry<'a>,
}

/// A leaf of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRow {
    /// Its place.
    pub place: u64,
    /// `pb::LeafKind`.
    pub kind: i32,
    /// What it is: `b/…`, `v/…` or `d/…`.
    pub name: String,
    /// Its hash.
    pub leaf: Hash,
}

/// Numbers of things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Families.
    pub keluarga: u64,
    /// People.
    pub individu: u64,
    /// Applications so far.
    pub applications: u64,
    /// Decisions so far.
    pub decisions: u64,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRow {
    /// Version.
    pub version: u64,
    /// The cut.
    pub apply_no: u64,
    /// Whether regions see it.
    pub published: bool,
    /// Signed release.
    pub entry: Vec<u8>,
    /// Signed freshness.
    pub freshness: Vec<u8>,
    /// Who prepared it: somebody else has to publish it.
    pub prepared_by: String,
}

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestRow {
    /// Place among the release's manifests.
    pub place: u64,
    /// Of which region.
    pub region: Region,
    /// Version that it changes; 0 for a snapshot.
    pub base: u64,
    /// Bytes, as signed.
    pub body: Vec<u8>,
}

/// One line for the planner of a release: the record as it is, the leaf as it was last published, or both.
#[derive(Debug, Clone)]
pub struct ReleaseLine {
    /// Region of the slice.
    pub region: Region,
    /// Family or person.
    pub kind: RecordKind,
    /// Which record.
    pub id: RecordId,
    /// Encoded record if it lives here now.
    pub record: Option<Vec<u8>>,
    /// Leaf in the last published version.
    pub published: Option<Hash>,
    /// For a leaf without record: whether the record lives elsewhere now.
    pub lives_elsewhere: bool,
}

/// What the planner wants written.
#[derive(Debug)]
pub enum ReleaseWrite {
    /// A leaf of the new version.
    Leaf(Region, RecordKind, RecordId, Hash),
    /// A part.
    Part(Region, Vec<u8>, Vec<u8>),
    /// A manifest.
    Manifest(ManifestRow),
}

/// Plans a release, line by line.
pub trait ReleasePlanner {
    /// Told once before the lines: the application that the snapshot contains, and the regions that exchange.
    fn begin(&mut self, apply_no: u64);
    /// One line, by (region, kind, id).
    fn line(&mut self, line: ReleaseLine) -> Vec<ReleaseWrite>;
    /// No more lines.
    fn finish(&mut self) -> Vec<ReleaseWrite>;
}

/// A table, for copying.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Columns with their types.
    pub columns: &'static [(&'static str, CellType)],
    /// How many of the first columns are the key.
    pub key: usize,
    /// Whether it follows from the others by a rebuild.
    pub derived: bool,
}

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    /// 64-bit number.
    Number,
    /// Bytes.
    Bytes,
    /// Text.
    Text,
}

/// A value of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// 64-bit number.
    Number(Option<i64>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
    /// Text.
    Text(Option<String>),
}
