//! The tables of a rulebook as its TOML files write them, and how they become lookups.

use std::collections::BTreeSet;

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    BlockInfo, CodeList, ColumnInfo, Owner, Profile, ReasonInfo, RulebookError, Severity, Shape, rules,
};
use crate::{
    column::{self, BlockNo, Column},
    record::RecordKind,
    rulebook::reason,
};

/// Highest column number: bounds the lookup table whatever a bundle says.
const MAX_COLUMN: u16 = 4_095;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnsFile {
    blocks: Vec<BlockRow>,
    columns: Vec<ColumnRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockRow {
    number: u8,
    name: String,
    kind: Kind,
    owner: Owner,
    spesifik: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnRow {
    number: u16,
    name: String,
    kind: Kind,
    block: u8,
    r#type: Type,
    list: Option<String>,
    max: Option<i64>,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Keluarga,
    Individu,
}

impl From<Kind> for RecordKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Keluarga => Self::Keluarga,
            Kind::Individu => Self::Individu,
        }
    }
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Type {
    Text,
    Code,
    Count,
    Date,
    Nik,
    Kk,
    Area,
    Bps,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodesFile {
    lists: Vec<ListRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListRow {
    name: String,
    codes: Vec<(i64, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonsFile {
    reasons: Vec<ReasonRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonRow {
    code: String,
    severity: Severity,
    text_id: String,
    text_en: String,
    fix_id: String,
    fix_en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MainFile {
    version: u32,
    edition: String,
    profiles: Vec<ProfileRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileRow {
    name: String,
    blocks: Vec<u8>,
}

fn read<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, RulebookError> {
    toml::from_str(text).map_err(|source: toml::de::Error| {
        let before = source.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.split('\n').count();
        RulebookError::Toml { file, line, source: Box::new(source) }
    })
}

fn wrong<T>(what: String) -> Result<T, RulebookError> {
    Err(RulebookError::Inconsistent(what))
}

/// Version, edition, profiles.
pub(super) fn main(text: &str) -> Result<(u32, String, Vec<Profile>), RulebookError> {
    let file: MainFile = read("rulebook.toml", text)?;
    let profiles = file
        .profiles
        .into_iter()
        .map(|row| Profile { name: row.name, blocks: row.blocks.into_iter().map(BlockNo).collect() });
    Ok((file.version, file.edition, profiles.collect()))
}

/// Code lists in the order of their file, each sorted by code.
pub(super) fn codes(text: &str) -> Result<Vec<CodeList>, RulebookError> {
    let file: CodesFile = read("codes.toml", text)?;
    let mut names = BTreeSet::new();
    let mut lists = Vec::new();
    for ListRow { name, mut codes } in file.lists {
        codes.sort_by_key(|(code, _)| *code);
        if codes.is_empty() || codes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return wrong(format!("codes.toml: list {name} is empty or has a code twice"));
        }
        if !names.insert(name.clone()) {
            return wrong(format!("codes.toml: list {name} occurs twice"));
        }
        lists.push(CodeList { name, codes });
    }
    Ok(lists)
}

/// Reasons, sorted by code; every one that code may give is there.
pub(super) fn reasons(text: &str) -> Result<Vec<ReasonInfo>, RulebookError> {
    let file: ReasonsFile = read("reasons.toml", text)?;
    let mut all: Vec<ReasonInfo> = file
        .reasons
        .into_iter()
        .map(|row| ReasonInfo {
            code: row.code,
            severity: row.severity,
            text_id: row.text_id,
            text_en: row.text_en,
            fix_id: row.fix_id,
            fix_en: row.fix_en,
        })
        .collect();
    all.sort_by(|a, b| a.code.cmp(&b.code));
    if let Some(pair) = all.windows(2).find(|pair| pair[0].code == pair[1].code) {
        return wrong(format!("reasons.toml: {} occurs twice", pair[0].code));
    }
    for name in reason::ALL {
        if all.binary_search_by(|r| r.code.as_str().cmp(name)).is_err() {
            return wrong(format!("reasons.toml: {name} is missing"));
        }
    }
    Ok(all)
}

/// Blocks, columns, and names (with aliases) sorted for the lookup.
pub(super) type Columns = (Vec<BlockInfo>, Vec<ColumnInfo>, Vec<(RecordKind, String, Column)>);

/// Blocks and columns, each sorted by number.
pub(super) fn columns(text: &str, lists: &[CodeList]) -> Result<Columns, RulebookError> {
    let file: ColumnsFile = read("columns.toml", text)?;
    let mut blocks: Vec<BlockInfo> = file
        .blocks
        .into_iter()
        .map(|row| BlockInfo {
            number: BlockNo(row.number),
            name: row.name,
            kind: row.kind.into(),
            owner: row.owner,
            spesifik: row.spesifik,
        })
        .collect();
    blocks.sort_by_key(|b| b.number);
    if blocks.windows(2).any(|pair| pair[0].number == pair[1].number) {
        return wrong("columns.toml: a block number occurs twice".into());
    }
    let mut columns = Vec::new();
    let mut names = Vec::new();
    for row in file.columns {
        let kind = RecordKind::from(row.kind);
        let number = Column(row.number);
        for name in row.aliases.iter().chain([&row.name]) {
            names.push((kind, name.clone(), number));
        }
        let block = blocks.iter().find(|b| b.number == BlockNo(row.block));
        if row.number == 0 || row.number > MAX_COLUMN || block.is_none_or(|b| b.kind != kind) {
            return wrong(format!("columns.toml: column {} has no such number or block", row.number));
        }
        let shape = shape(&row, lists)?;
        columns.push(ColumnInfo { number, name: row.name, kind, block: BlockNo(row.block), shape });
    }
    columns.sort_by_key(|c| c.number);
    names.sort();
    if columns.windows(2).any(|pair| pair[0].number == pair[1].number)
        || names.windows(2).any(|pair| (pair[0].0, &pair[0].1) == (pair[1].0, &pair[1].1))
    {
        return wrong("columns.toml: a column number or name occurs twice".into());
    }
    fits_code(&blocks, &columns)?;
    Ok((blocks, columns, names))
}

fn shape(row: &ColumnRow, lists: &[CodeList]) -> Result<Shape, RulebookError> {
    let list = row.list.as_ref().and_then(|name| lists.iter().position(|list| list.name == *name));
    let shape = match (row.r#type, row.list.is_some(), row.max) {
        (Type::Code, true, None) => list.and_then(|at| u16::try_from(at).ok()).map(Shape::Code),
        (Type::Count, false, Some(max)) => Some(Shape::Count { max }),
        (Type::Text, false, None) => Some(Shape::Text),
        (Type::Date, false, None) => Some(Shape::Date),
        (Type::Nik, false, None) => Some(Shape::Nik),
        (Type::Kk, false, None) => Some(Shape::Kk),
        (Type::Area, false, None) => Some(Shape::Area),
        (Type::Bps, false, None) => Some(Shape::Bps),
        _ => None,
    };
    shape.map_or_else(|| wrong(format!("columns.toml: type, list or max of column {}", row.number)), Ok)
}

/// The columns and blocks that code names are the ones that the table has under these numbers.
fn fits_code(blocks: &[BlockInfo], columns: &[ColumnInfo]) -> Result<(), RulebookError> {
    for (number, name) in column::NAMED.iter().chain(rules::NAMED) {
        if !columns.iter().any(|c| c.number == *number && c.name == *name) {
            return wrong(format!("columns.toml: column {} is not {name}", number.0));
        }
    }
    for (number, name) in column::NAMED_BLOCKS.iter().chain(rules::NAMED_BLOCKS) {
        if !blocks.iter().any(|b| b.number == *number && b.name == *name) {
            return wrong(format!("columns.toml: block {} is not {name}", number.0));
        }
    }
    Ok(())
}
