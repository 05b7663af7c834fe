//! Death: a source with that authority says it, or a steward decides. Nobody loses their aid over one wrong tick.

use dtsen_proto::{
    column,
    record::{Action, Delta, Value},
};

use super::{claim::shown_value, record::Record};

/// Short names of sources that may say that somebody died: the region's civil registry.
const SOURCES: &[&str] = &["dukcapil"];
/// Code "meninggal" of the list `keberadaan`.
const DEAD: Value = Value::Number(2);

/// Whether a delta says of somebody living that they died, without the authority to say so. What the record shows
/// already is no news: a source may repeat it.
pub(super) fn needs_authority(record: Option<&Record>, delta: &Delta) -> bool {
    if !matches!(delta.action, Action::Upsert | Action::MoveIn) {
        return false;
    }
    let says = |block: &&dtsen_proto::record::Block| block.get(column::I_KEBERADAAN) == Some(&DEAD);
    let Some(block) = delta.blocks.iter().find(says) else { return false };
    let known = record.is_some_and(|r| shown_value(r, column::I_KEBERADAAN) == Some(&DEAD));
    !known && !SOURCES.contains(&block.provenance.source.as_str())
}
