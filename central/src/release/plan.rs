//! Plans the slices of a release line by line: leaves, parts, manifests. Pure.

use std::collections::BTreeSet;

use dtsen_proto::{
    id::RecordId,
    merkle::{self, Frontier, Hash},
    pb,
    record::{Block, Day, Provenance, RecordKind},
    region::Region,
    rulebook::Profile,
    slice::{Change, PartWriter},
};
use prost::Message as _;

use crate::{
    registry::{claim, codec, record::Record},
    store::{ManifestRow, ReleaseLine, ReleasePlanner, ReleaseWrite},
};

/// The slice of one region while its lines come.
struct Slice {
    region: Region,
    tree: Frontier,
    keluarga: u64,
    individu: u64,
    snapshot: PartWriter,
    difference: PartWriter,
    snapshot_parts: Vec<pb::Part>,
    difference_parts: Vec<pb::Part>,
}

impl Slice {
    fn new(region: Region) -> Self {
        Self {
            region,
            tree: Frontier::default(),
            keluarga: 0,
            individu: 0,
            snapshot: PartWriter::new(),
            difference: PartWriter::new(),
            snapshot_parts: Vec::new(),
            difference_parts: Vec::new(),
        }
    }
}

/// Plans one release.
pub(super) struct Planner {
    profile: Profile,
    /// Regions that get a slice even if nobody lives there.
    expected: BTreeSet<Region>,
    version: u64,
    base: u64,
    generation: u64,
    apply_no: u64,
    current: Option<Slice>,
    leaves: Vec<Hash>,
    totals: (u64, u64),
}

impl Planner {
    /// For these regions, after the version `base` (0: none).
    pub(super) fn new(
        profile: Profile,
        regions: Vec<Region>,
        version: u64,
        base: u64,
        generation: u64,
    ) -> Self {
        Self {
            profile,
            expected: regions.into_iter().collect(),
            version,
            base,
            generation,
            apply_no: 0,
            current: None,
            leaves: Vec::new(),
            totals: (0, 0),
        }
    }

    /// The application that the cut contains.
    pub(super) fn apply_no(&self) -> u64 {
        self.apply_no
    }

    /// Leaf hashes of all manifests, in order.
    pub(super) fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    /// Families and people in all slices.
    pub(super) fn totals(&self) -> (u64, u64) {
        self.totals
    }

    /// Closes the slices of the regions before `next`, also of those without a line.
    fn close_until(&mut self, next: Option<Region>, writes: &mut Vec<ReleaseWrite>) {
        if self.current.as_ref().is_some_and(|s| next.is_none_or(|n| s.region < n)) {
            let slice = self.current.take().expect("just seen");
            self.expected.remove(&slice.region);
            self.empty_until(Some(slice.region), writes);
            self.close(slice, writes);
        }
        if self.current.is_none() {
            self.empty_until(next, writes);
        }
    }

    fn empty_until(&mut self, next: Option<Region>, writes: &mut Vec<ReleaseWrite>) {
        while let Some(region) = self.expected.first().copied() {
            if next.is_some_and(|n| region >= n) {
                break;
            }
            self.expected.remove(&region);
            self.close(Slice::new(region), writes);
        }
    }

    fn close(&mut self, mut slice: Slice, writes: &mut Vec<ReleaseWrite>) {
        if let Some((part, bytes)) = slice.snapshot.finish() {
            writes.push(ReleaseWrite::Part(slice.region, part.digest.clone(), bytes));
            slice.snapshot_parts.push(part);
        }
        if let Some((part, bytes)) = slice.difference.finish() {
            writes.push(ReleaseWrite::Part(slice.region, part.digest.clone(), bytes));
            slice.difference_parts.push(part);
        }
        self.totals.0 += slice.keluarga;
        self.totals.1 += slice.individu;
        let snapshot = std::mem::take(&mut slice.snapshot_parts);
        self.manifest(&slice, 0, snapshot, writes);
        if self.base > 0 {
            let difference = std::mem::take(&mut slice.difference_parts);
            self.manifest(&slice, self.base, difference, writes);
        }
    }

    fn manifest(&mut self, slice: &Slice, base: u64, parts: Vec<pb::Part>, writes: &mut Vec<ReleaseWrite>) {
        let body = pb::Manifest {
            region: slice.region.to_string(),
            profile: super::PROFILE.to_owned(),
            version: self.version,
            base_version: base,
            root: slice.tree.root().to_vec(),
            keluarga: slice.keluarga,
            individu: slice.individu,
            parts,
            generation: self.generation,
        }
        .encode_to_vec();
        let place = self.leaves.len() as u64;
        self.leaves.push(merkle::leaf_hash(&body));
        writes.push(ReleaseWrite::Manifest(ManifestRow { place, region: slice.region, base, body }));
    }

    fn upsert(&mut self, record: &Record, published: Option<Hash>, writes: &mut Vec<ReleaseWrite>) {
        let bytes = leaf(record, &self.profile).encode_to_vec();
        let hash = merkle::leaf_hash(&bytes);
        let slice = self.current.as_mut().expect("opened for this line");
        slice.tree.push(hash);
        match record.kind {
            RecordKind::Keluarga => slice.keluarga += 1,
            RecordKind::Individu => slice.individu += 1,
        }
        writes.push(ReleaseWrite::Leaf(slice.region, record.kind, record.id, hash));
        let change = Change::Upsert((record.kind, record.id), bytes);
        add(slice.region, &mut slice.snapshot, &mut slice.snapshot_parts, &change, writes);
        if published != Some(hash) && self.base > 0 {
            add(slice.region, &mut slice.difference, &mut slice.difference_parts, &change, writes);
        }
    }

    fn tombstone(&mut self, kind: RecordKind, id: RecordId, moved: bool, writes: &mut Vec<ReleaseWrite>) {
        let reason = if moved { pb::TombstoneReason::MovedOut } else { pb::TombstoneReason::Withdrawn };
        let slice = self.current.as_mut().expect("opened for this line");
        let change = Change::Tombstone((kind, id), reason);
        add(slice.region, &mut slice.difference, &mut slice.difference_parts, &change, writes);
    }
}

fn add(
    region: Region,
    packer: &mut PartWriter,
    parts: &mut Vec<pb::Part>,
    change: &Change,
    writes: &mut Vec<ReleaseWrite>,
) {
    if let Some((part, bytes)) = packer.push(change) {
        writes.push(ReleaseWrite::Part(region, part.digest.clone(), bytes));
        parts.push(part);
    }
}

impl ReleasePlanner for Planner {
    fn begin(&mut self, apply_no: u64) {
        self.apply_no = apply_no;
    }

    fn line(&mut self, line: ReleaseLine) -> Vec<ReleaseWrite> {
        let mut writes = Vec::new();
        self.close_until(Some(line.region), &mut writes);
        if self.current.is_none() {
            self.expected.remove(&line.region);
            self.current = Some(Slice::new(line.region));
        }
        match line.record.as_deref().map(codec::decode) {
            // Whoever stated it took it back: nobody says any more that there is such a person or family.
            Some(Ok(record)) if record.claims.is_empty() => {
                if line.published.is_some() {
                    self.tombstone(line.kind, line.id, false, &mut writes);
                }
            }
            Some(Ok(record)) => self.upsert(&record, line.published, &mut writes),
            // A record that cannot be read leaves no trace in a slice; `verify` names it.
            Some(Err(error)) => tracing::error!(id = %line.id, %error, "left out of the release"),
            None => self.tombstone(line.kind, line.id, line.lives_elsewhere, &mut writes),
        }
        writes
    }

    fn finish(&mut self) -> Vec<ReleaseWrite> {
        let mut writes = Vec::new();
        self.close_until(None, &mut writes);
        writes
    }
}

/// What a slice shows of a record.
fn leaf(record: &Record, profile: &Profile) -> pb::SliceRecord {
    let blocks = claim::shown(record)
        .into_iter()
        .filter(|shown| profile.holds(shown.claim.block))
        .map(|shown| {
            let reference = shown.claim.stamp().map_or(Day(0), |s| s.reference);
            let block = Block {
                number: shown.claim.block,
                provenance: Provenance { source: shown.claim.source.clone(), reference },
                cells: shown.claim.cells.iter().map(|c| (c.column, c.value.clone())).collect(),
            };
            pb::ShownBlock {
                block: Some(block.to_wire()),
                region: shown.claim.region.to_string(),
                contested: shown.contested,
            }
        })
        .collect();
    pb::SliceRecord {
        kind: record.kind.to_wire().into(),
        record_id: record.id.as_bytes().to_vec(),
        domicile: record.domicile().to_string(),
        blocks,
    }
}
