//! Merged cells: what stands in the first of them holds for the rows below, as the sheet shows it.

use std::collections::HashMap;

use calamine::Dimensions;

use crate::cell::Cell;

/// The vertical merges of a sheet, met from the first row to the last.
#[derive(Default)]
pub(super) struct Merged {
    /// By first row, the latest first.
    coming: Vec<Dimensions>,
    /// What holds in a column, to which row.
    held: HashMap<usize, (u32, Cell)>,
}

impl Merged {
    pub(super) fn new(mut regions: Vec<Dimensions>) -> Self {
        regions.retain(|region| region.end.0 > region.start.0);
        regions.sort_by_key(|region| std::cmp::Reverse(region.start));
        Self { coming: regions, held: HashMap::new() }
    }

    /// A merge that begins in the row which comes next.
    pub(super) fn add(&mut self, region: Dimensions) {
        if region.end.0 > region.start.0 {
            self.coming.push(region);
        }
    }

    /// Whether no merge reaches into the next row.
    pub(super) fn is_idle(&self) -> bool {
        self.coming.is_empty() && self.held.is_empty()
    }

    /// Fills the cells of a row, given from 0, that lie in a merge which began above it.
    pub(super) fn fill(&mut self, row: u32, cells: &mut Vec<Cell>) {
        self.held.retain(|_, (end, _)| *end >= row);
        for (column, (_, cell)) in &self.held {
            if cells.len() <= *column {
                cells.resize(column + 1, Cell::Empty);
            }
            if cells[*column].is_empty() {
                cells[*column] = cell.clone();
            }
        }
        while let Some(region) = self.coming.pop_if(|region| region.start.0 <= row) {
            let column = usize::try_from(region.start.1).expect("32 bits fit");
            let begins_here = region.start.0 == row && column < super::MAX_COLUMNS;
            if let Some(cell) = cells.get(column).filter(|cell| begins_here && !cell.is_empty()) {
                self.held.insert(column, (region.end.0, cell.clone()));
            }
        }
    }
}
