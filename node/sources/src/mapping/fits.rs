//! Whether a mapping fits the tables that it is used for: what it names must be there, or values would be lost, and rows
//! sent that were meant to be left out.

use std::collections::BTreeMap;

use super::is_local;
use crate::{
    clean::words::folded,
    delivery::{Delivery, Found},
    derive::{Derive, bare},
    layout::{find::place, keys::keys},
    preset::{self, Preset},
};

/// Headings that a message lists: enough to find the one that was meant.
const SHOWN: usize = 60;

/// Why a mapping does not fit what was read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Columns that no table has.
    #[error("tidak ada lembar dengan kolom {}. Perbaiki judulnya di [columns], [[derive]], atau [[skip]], atau hapus. Kolom yang ada: {}", quoted(.columns), .there.join(", "))]
    Missing {
        /// As the mapping calls them.
        columns: Vec<String>,
        /// What there is.
        there: Vec<String>,
    },
    /// A table whose rows cannot be left out, because the column for it is not there.
    #[error("{}kolom {column:?} di [[skip]] tidak ada, sehingga baris yang harus dilewati akan terkirim. Perbaiki judulnya, atau hapus [[skip]] itu", of_sheet(.sheet.as_deref()))]
    Skip {
        /// The sheet, if there is one.
        sheet: Option<String>,
        /// The column.
        column: String,
    },
    /// Two columns of a table for one thing.
    #[error("{}kolom {first:?} dan {second:?} sama-sama untuk {target}. Beri - pada salah satu", of_sheet(.sheet.as_deref()))]
    Twice {
        /// The sheet, if there is one.
        sheet: Option<String>,
        /// What both are for.
        target: String,
        /// The first.
        first: String,
        /// The second.
        second: String,
    },
    /// The data is of somebody else than the mapping says.
    #[error("{}source = {claimed:?}, tetapi judul kolomnya milik {title}. Tulis source = {found:?}, atau \"lokal\"", of_sheet(.sheet.as_deref()))]
    Identity {
        /// The sheet, if there is one.
        sheet: Option<String>,
        /// What the mapping says.
        claimed: String,
        /// Whose it is.
        found: String,
        /// The layout that was recognised.
        title: String,
    },
}

fn quoted(columns: &[String]) -> String {
    columns.iter().map(|column| format!("{column:?}")).collect::<Vec<_>>().join(", ")
}

fn of_sheet(sheet: Option<&str>) -> String {
    sheet.map_or_else(String::new, |sheet| format!("lembar {sheet}: "))
}

impl Delivery {
    /// Whether the mapping that it is read by fits the tables that the first reading found.
    pub fn fits(&self) -> Result<(), Misfit> {
        let Some(mapping) = self.forced().filter(|mapping| mapping.own) else { return Ok(()) };
        let tables: Vec<(Found<'_>, Vec<String>)> = self
            .found()
            .map(|found| (keys(&found.plan.names), found))
            .map(|(keys, found)| (found, keys))
            .collect();
        if tables.is_empty() {
            return Ok(());
        }
        missing(mapping, &tables)?;
        for (found, keys) in &tables {
            let sheet = || found.sheet.map(str::to_owned);
            skips(mapping, keys, found.rows).map_err(|column| Misfit::Skip { sheet: sheet(), column })?;
            twice(mapping, keys).map_err(|(target, first, second)| Misfit::Twice {
                sheet: sheet(),
                target,
                first,
                second,
            })?;
            let shown = preset::recognise(&found.plan.names);
            if !is_local(&mapping.source) && !is_local(&shown.source) && shown.source != mapping.source {
                let (claimed, title) = (mapping.source.clone(), shown.title.clone());
                return Err(Misfit::Identity { sheet: sheet(), claimed, found: shown.source.clone(), title });
            }
        }
        Ok(())
    }
}

fn missing(mapping: &Preset, tables: &[(Found<'_>, Vec<String>)]) -> Result<(), Misfit> {
    let used = mapping.columns.iter().filter(|(_, target)| *target != "-").map(|(key, _)| key);
    let derived = mapping.derive.iter().flat_map(Derive::headings);
    let skipped = mapping.skip.iter().map(|skip| &skip.column);
    let nowhere = |column: &&String| !tables.iter().any(|(_, keys)| has(keys, column));
    let mut columns: Vec<String> = used.chain(derived).chain(skipped).filter(nowhere).cloned().collect();
    if columns.is_empty() {
        return Ok(());
    }
    columns.dedup();
    let mut there: Vec<String> = Vec::new();
    for key in tables.iter().flat_map(|(_, keys)| keys) {
        if !there.contains(key) && there.len() < SHOWN {
            there.push(key.clone());
        }
    }
    Err(Misfit::Missing { columns, there })
}

fn has(keys: &[String], column: &str) -> bool {
    place(keys, &folded(column)).is_some()
}

fn skips(mapping: &Preset, keys: &[String], rows: u64) -> Result<(), String> {
    let lacks = mapping.skip.iter().find(|skip| !has(keys, &skip.column));
    lacks.filter(|_| rows > 0).map_or(Ok(()), |skip| Err(skip.column.clone()))
}

fn twice(mapping: &Preset, keys: &[String]) -> Result<(), (String, String, String)> {
    let mut met: BTreeMap<&str, &String> = BTreeMap::new();
    for key in keys {
        let Some(target) = mapping.columns.get(key).map(|target| bare(target)) else { continue };
        if matches!(target, "-" | "lain") {
            continue;
        }
        if let Some(first) = met.insert(target, key) {
            return Err((target.to_owned(), first.clone(), key.clone()));
        }
    }
    Ok(())
}
