//! What a database of OpenSID is asked, and whether its answer changed.

use std::{collections::BTreeMap, ops::ControlFlow};

use dtsen_sources::{cell::Cell, preset::Preset};

use super::{
    super::{
        SourceError,
        database::{Database, Schema},
        kept::Marked,
    },
    PEOPLE, Query, people,
    regsosek::{self, Module},
};

/// What is asked: the people, or the answers of the module if the operator chose its layout; nothing where it has none.
pub(in crate::source) async fn asked(
    database: &mut Database,
    schema: &Schema,
    preset: Option<&Preset>,
) -> Result<Vec<Query>, SourceError> {
    if preset.is_none_or(|preset| preset.name != regsosek::PRESET) {
        return Ok(vec![people(schema)]);
    }
    let module = module(database, schema).await?.map(|(module, _)| module);
    Ok(module.map(|module| module.answers(schema).into()).unwrap_or_default())
}

/// What the operator should know of a database whose people are read.
pub(in crate::source) async fn note(
    database: &mut Database,
    schema: &Schema,
    asked: &[Query],
) -> Result<Option<String>, SourceError> {
    let people = asked.iter().any(|query| query.table == PEOPLE);
    let filled = people && module(database, schema).await?.is_some_and(|(_, filled)| filled);
    Ok(filled.then(|| {
        format!(
            "Basis data ini juga memuat isian Regsosek 2022-K; tambahkan sebagai sumber kedua: source add regsosek-NAMA … --preset {}",
            regsosek::PRESET
        )
    }))
}

/// The module in use, and whether anybody filled it.
async fn module(database: &mut Database, schema: &Schema) -> Result<Option<(Module, bool)>, SourceError> {
    let mut chosen = None;
    for module in Module::all(schema) {
        let mut filled = false;
        let each = &mut |cells: Vec<Cell>| {
            filled = cells[0].text() != "0";
            ControlFlow::Continue(())
        };
        database.read(&module.filled(), 1, each).await?;
        chosen = Some((module, filled));
        // An update may leave the tables of the generation before behind, or make the new ones and not fill them.
        if filled {
            break;
        }
    }
    Ok(chosen)
}

/// Marks of the answers; none where ids are no numbers.
pub(in crate::source) async fn marks(
    database: &mut Database,
    asked: &[Query],
) -> Result<Vec<Marked>, SourceError> {
    let mut marked = Vec::with_capacity(asked.len());
    for query in asked {
        let (mut ranges, mut by_numbers) = (BTreeMap::new(), true);
        let each = &mut |cells: Vec<Cell>| {
            match cells[0].text().parse() {
                Ok(range) => drop(ranges.insert(range, cells[1].text().into_owned())),
                Err(_) => by_numbers = false,
            }
            ControlFlow::Continue(())
        };
        database.read(&query.marks, 2, each).await?;
        if !by_numbers {
            return Ok(Vec::new());
        }
        let columns = std::iter::once(query.table.to_owned()).chain(query.headings.iter().cloned());
        marked.push(Marked { columns: columns.collect(), ranges });
    }
    Ok(marked)
}
