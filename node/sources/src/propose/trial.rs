//! The first rows under a mapping, before and after: as they stand there, and as they would be taken over.

use std::sync::Arc;

use dtsen_proto::rulebook::Rulebook;
use jiff::civil::Date;

use crate::{
    cell::Row,
    clean::words::folded,
    delivery::Delivery,
    derive::Derive,
    layout::{find::place, keys::keys},
    place::Places,
    preset::Preset,
    preview::{Shown, show},
};

/// A row before and after.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The cells that the mapping uses, by its names for the columns.
    pub before: Vec<(String, String)>,
    /// What `preview` would show.
    pub after: Shown,
}

/// Reads rows of a sheet by a mapping, and shows at most so many; none if it finds no table there.
pub fn try_out(
    rows: &[Row],
    mapping: &Arc<Preset>,
    (rulebook, places, today): (&Arc<Rulebook>, Places, Date),
    most: usize,
) -> Vec<Tried> {
    let mut delivery = Delivery::new(Arc::clone(rulebook), today, places, Some(Arc::clone(mapping)));
    for row in rows {
        delivery.look(row.clone());
    }
    if !delivery.looked() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for row in rows {
        delivery.lines(row.clone(), &mut lines);
    }
    delivery.end(&mut lines);
    let region = delivery.region();
    let tried = lines.iter().take(most).map(|line| {
        let keys = keys(&line.heading.names[..line.heading.own()]);
        let used = mapping.columns.iter().filter(|(_, target)| *target != "-").map(|(key, _)| key);
        let mut used: Vec<usize> = used
            .chain(mapping.derive.iter().flat_map(Derive::headings))
            .filter_map(|key| place(&keys, &folded(key)))
            .collect();
        used.sort_unstable();
        used.dedup();
        let before = used.into_iter().map(|at| (keys[at].clone(), line.row.cell(at).text().into_owned()));
        let after = show(&delivery.understand(line), rulebook, region, today);
        Tried { before: before.collect(), after }
    });
    tried.collect()
}
