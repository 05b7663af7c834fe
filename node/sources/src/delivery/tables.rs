//! The tables of a delivery, and what is gathered of each.

use std::{collections::HashMap, sync::Arc};

use dtsen_proto::{record::RecordKind, rulebook::Rulebook};
use sha2::{Digest as _, Sha256};

use crate::{
    cell::Row,
    filled,
    layout::{find::Heading, sheet::Line},
    plan::Plan,
    preset::Preset,
    survey::Table,
    unused,
};

/// Goes into every digest: one more whenever the same row is read differently.
const READER_VERSION: u32 = 5;

/// Sheet, headings, and whether its rows are families.
type TableName = (Option<Arc<str>>, Vec<String>, bool);

/// The tables of a delivery, by sheet and heading.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) known: Vec<Known>,
    by_name: HashMap<TableName, usize>,
    pub(super) last: Option<(Arc<Heading>, bool, usize)>,
}

pub(super) struct Known {
    pub(super) plan: Arc<Plan>,
    pub(super) table: Table,
    pub(super) sheet: Option<Arc<str>>,
    pub(super) rows: u64,
    /// Rows that a mapping leaves out.
    pub(super) skipped: u64,
    pub(super) unused: unused::Columns,
    /// Places of the columns that are used, and how many rows say something there.
    pub(super) filled: Vec<(usize, u64)>,
    /// Everything besides its cells that the reading of a row depends on.
    pub(super) seed: [u8; 32],
}

impl Known {
    pub(super) fn seed(&mut self, rulebook: &Rulebook) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(b"dtsen sources");
        hash.update(READER_VERSION.to_be_bytes());
        hash.update(rulebook.version().to_be_bytes());
        hash.update(self.plan.preset.digest());
        hash.update([0, u8::from(self.plan.kind == RecordKind::Individu)]);
        for name in &self.plan.names {
            hash.update(name.as_bytes());
            hash.update([0]);
        }
        hash.update(self.table.habits());
        hash.finalize().into()
    }

    /// Counts the cells of a row that say something, of somebody who is there or not.
    pub(super) fn count(&mut self, row: &Row, is_there: bool) {
        for (at, filled) in &mut self.filled {
            let counts = filled::says(row.cell(*at)) && (is_there || !self.plan.tells_presence(*at));
            *filled += u64::from(counts);
        }
    }
}

impl Tables {
    pub(super) fn of(&mut self, line: &Line, rulebook: &Rulebook, forced: Option<&Arc<Preset>>) -> usize {
        if let Some((heading, family, at)) = &self.last
            && Arc::ptr_eq(heading, &line.heading)
            && *family == line.family
        {
            return *at;
        }
        let key = (line.row.sheet.clone(), line.heading.names.clone(), line.family);
        let at = *self.by_name.entry(key).or_insert_with(|| {
            let plan = Plan::of(&line.heading, line.family, rulebook, forced.cloned());
            self.known.push(Known {
                unused: plan.unused_columns(),
                filled: plan.used().into_iter().map(|at| (at, 0)).collect(),
                plan: Arc::new(plan),
                table: Table::default(),
                sheet: line.row.sheet.clone(),
                rows: 0,
                skipped: 0,
                seed: [0; 32],
            });
            self.known.len() - 1
        });
        self.last = Some((Arc::clone(&line.heading), line.family, at));
        at
    }
}
