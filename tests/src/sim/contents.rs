//! What everybody holds in the end, without what may differ between runs: numbers of batches and of records.

use std::collections::BTreeMap;

use anyhow::Context as _;
use dtsen_node::store::Totals;
use dtsen_proto::{column, pb};
use prost::Message as _;

use super::check::Seen;

/// A record as its slice shows it: domicile, and every block with the region whose claim it is.
pub type Shown = (String, Vec<(String, bool, Option<pb::Block>)>);

/// Contents of the federation: slices by region and natural key, and figures by region.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// By region, kind and natural key.
    pub slices: BTreeMap<(String, i32, String), Shown>,
    /// Accepted, warned, held, rejected by region.
    pub figures: BTreeMap<String, [u64; 4]>,
}

impl Contents {
    /// Reads what the nodes hold.
    pub(super) async fn read(nodes: &[Seen]) -> anyhow::Result<Self> {
        let mut contents = Self::default();
        for node in nodes {
            let region = node.region.to_string();
            for (_, bytes) in node.store.slice_page(0, &[], u32::MAX).await? {
                let record = pb::SliceRecord::decode(bytes.as_slice())?;
                let key = natural_key(&record).context("a record without its number")?;
                let identity = identity_of(record.kind);
                let shown = |shown: pb::ShownBlock| {
                    let mut block = shown.block;
                    if let Some(pb::Block { block: number, provenance, .. }) = &mut block
                        && *number == identity
                    {
                        // Named again by every change until the hub's id is known, so its day follows the timing.
                        *provenance = None;
                    }
                    (shown.region, shown.contested, block)
                };
                let blocks = record.blocks.into_iter().map(shown).collect();
                contents.slices.insert((region.clone(), record.kind, key), (record.domicile, blocks));
            }
            let Totals { accepted, warned, held, rejected, .. } = node.store.totals().await?;
            contents.figures.insert(region, [accepted, warned, held, rejected]);
        }
        Ok(contents)
    }

    /// The first thing in which two contents differ. Figures count only where nothing was sent a second time.
    pub(super) fn difference(&self, expected: &Self, with_figures: bool) -> Option<String> {
        for key in self.slices.keys().chain(expected.slices.keys()) {
            if self.slices.get(key) != expected.slices.get(key) {
                let (is, should) = (self.slices.get(key), expected.slices.get(key));
                return Some(format!("{key:?} is {is:?} and should be {should:?}"));
            }
        }
        (with_figures && self.figures != expected.figures)
            .then(|| format!("figures are {:?} and should be {:?}", self.figures, expected.figures))
    }
}

fn identity_of(kind: i32) -> u32 {
    let family = kind == i32::from(pb::RecordKind::Keluarga);
    (if family { column::K_IDENTITAS } else { column::I_IDENTITAS }).0.into()
}

fn natural_key(record: &pb::SliceRecord) -> Option<String> {
    let family = record.kind == i32::from(pb::RecordKind::Keluarga);
    let wanted = if family { column::K_NOMOR_KARTU_KELUARGA } else { column::I_NIK };
    record.blocks.iter().filter_map(|shown| shown.block.as_ref()).find_map(|block| {
        let at = block.text_columns.iter().position(|column| *column == u32::from(wanted.0))?;
        block.texts.get(at).cloned()
    })
}
