//! Claims and the value shown: per source the newest, per block the one with the best standing.

use dtsen_proto::{
    column::{BlockNo, Column},
    limits::MAX_CLAIMS_PER_BLOCK,
    record::{Block, Day, Text, Value},
    region::Region,
};

use super::record::Record;

/// How new a value is: the day that it describes, then its place in its source's own chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Reference day.
    pub reference: Day,
    /// Epoch of the delta.
    pub epoch: u32,
    /// Sequence of its batch.
    pub sequence: u32,
    /// Its place in the batch.
    pub index: u32,
}

/// One value as a source states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Which column.
    pub column: Column,
    /// What.
    pub value: Value,
    /// How new.
    pub stamp: Stamp,
}

/// What one source says of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which block.
    pub block: BlockNo,
    /// Region of the source.
    pub region: Region,
    /// Short name of the source.
    pub source: Text,
    /// Values, by column.
    pub cells: Vec<Cell>,
}

impl Claim {
    /// How new the claim is as a whole: its newest value.
    pub fn stamp(&self) -> Option<Stamp> {
        self.cells.iter().map(|c| c.stamp).max()
    }

    fn key(&self) -> (BlockNo, Region, &str) {
        (self.block, self.region, &self.source)
    }
}

/// Whether a region may state these blocks of a record: each by a source that has a claim in it, or by one more.
pub fn has_room(record: &Record, region: Region, blocks: &[Block]) -> bool {
    blocks.iter().all(|block| {
        let mut sources = 0;
        let mut known = false;
        for claim in record.claims.iter().filter(|c| c.block == block.number && c.region == region) {
            sources += 1;
            known |= claim.source == block.provenance.source;
        }
        known || sources < MAX_CLAIMS_PER_BLOCK
    })
}

/// What a block did to the claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// At least one value is newer than what the source said before.
    Newer,
    /// Everything that it states is older than what the source said before.
    Stale,
}

/// Takes up what a source states. Values newer than the source's own stay or come; the order of arrival does not matter.
pub fn fold(record: &mut Record, region: Region, block: &Block, stamp: Stamp) -> Folded {
    let key = (block.number, region, block.provenance.source.as_str());
    let cells =
        block.cells.iter().map(|(column, value)| Cell { column: *column, value: value.clone(), stamp });
    let claim = match record.claims.binary_search_by(|c| c.key().cmp(&key)) {
        Ok(at) => &mut record.claims[at],
        Err(at) => {
            let source = block.provenance.source.clone();
            let claim = Claim { block: block.number, region, source, cells: cells.collect() };
            record.claims.insert(at, claim);
            return Folded::Newer;
        }
    };
    let mut folded = if block.cells.is_empty() { Folded::Newer } else { Folded::Stale };
    for cell in cells {
        match claim.cells.binary_search_by_key(&cell.column, |c| c.column) {
            Err(at) => claim.cells.insert(at, cell),
            Ok(at) if claim.cells[at].stamp < stamp => claim.cells[at] = cell,
            Ok(_) => continue,
        }
        folded = Folded::Newer;
    }
    folded
}

/// Withdraws what a source said up to a stamp. Returns whether there was anything.
pub fn withdraw(record: &mut Record, region: Region, source: &str, until: Stamp) -> bool {
    let mut any = false;
    record.claims.retain_mut(|claim| {
        if claim.region != region || claim.source != source {
            return true;
        }
        let before = claim.cells.len();
        claim.cells.retain(|cell| cell.stamp > until);
        any |= claim.cells.len() < before;
        !claim.cells.is_empty()
    });
    any
}

/// The claim shown for a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<'a> {
    /// The claim.
    pub claim: &'a Claim,
    /// Another source of equal standing says otherwise.
    pub contested: bool,
}

/// Standing of a claim: whether its region had authority on the day that it describes, then that day, then the place in
/// the chain among sources of one region. Two regions' places are not compared: which chain is longer says nothing.
fn standing(record: &Record, claim: &Claim) -> Option<(bool, Day)> {
    let stamp = claim.stamp()?;
    let authority = record.domicile_on(stamp.reference) == claim.region;
    authority.then_some((true, stamp.reference))
}

/// For every block the claim that is shown: a pure function of the claims and stays.
pub fn shown(record: &Record) -> Vec<Shown<'_>> {
    let mut blocks: Vec<Shown<'_>> = Vec::new();
    let mut best: Option<(bool, Day)> = None;
    for claim in &record.claims {
        let Some(standing) = standing(record, claim) else { continue };
        match blocks.last_mut().filter(|shown| shown.claim.block == claim.block) {
            // Claims are sorted: of equals the first in that fixed order stays.
            Some(shown) if Some(standing) == best => {
                shown.contested |= differing(shown.claim, claim).next().is_some();
            }
            Some(shown) if Some(standing) > best => {
                *shown = Shown { claim, contested: false };
                best = Some(standing);
            }
            Some(_) => {}
            None => {
                blocks.push(Shown { claim, contested: false });
                best = Some(standing);
            }
        }
    }
    blocks
}

/// Columns that both claims state, each otherwise. A source that is silent contradicts nobody.
fn differing<'a>(one: &'a Claim, other: &'a Claim) -> impl Iterator<Item = Column> + 'a {
    one.cells.iter().filter_map(|cell| {
        let at = other.cells.binary_search_by_key(&cell.column, |c| c.column).ok()?;
        (other.cells[at].value != cell.value).then_some(cell.column)
    })
}

/// Columns of a block in which another source of equal standing says otherwise than this one, if nobody stands higher.
pub fn contradicted(record: &Record, block: BlockNo, region: Region, source: &str) -> Vec<Column> {
    let claims = || record.claims.iter().filter(|c| c.block == block);
    let Some(own) = claims().find(|c| c.region == region && c.source == source) else { return Vec::new() };
    let best = claims().filter_map(|c| standing(record, c)).max();
    let equals = |claim: &&Claim| standing(record, claim) == best;
    if best.is_none() || !equals(&own) {
        return Vec::new();
    }
    let mut columns: Vec<Column> = claims().filter(equals).flat_map(|c| differing(own, c)).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Value shown of one column.
pub fn shown_value(record: &Record, column: Column) -> Option<&Value> {
    shown(record).into_iter().find_map(|shown| {
        let cells = &shown.claim.cells;
        cells.binary_search_by_key(&column, |c| c.column).ok().map(|at| &cells[at].value)
    })
}

#[cfg(test)]
mod tests;
