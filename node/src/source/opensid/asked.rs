//! What a database of OpenSID is asked, and whether its answer changed.

use std::ops::ControlFlow;

use dtsen_sources::{cell::Cell, preset::Preset};

use super::{
    super::{
        SourceError,
        database::{Database, Schema},
    },
    Query, people,
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
    let mut chosen = None;
    for module in Module::all(schema) {
        chosen = Some(module);
        let mut filled = false;
        let each = &mut |cells: Vec<Cell>| {
            filled = cells[0].text() != "0";
            ControlFlow::Continue(())
        };
        database.read(&module.filled(), 1, each).await?;
        // An update may leave the tables of the generation before behind, or make the new ones and not fill them.
        if filled {
            break;
        }
    }
    Ok(chosen.map(|module| module.answers(schema).into()).unwrap_or_default())
}

/// Changed if and only if any row of the answer did; none if nothing is asked.
pub(in crate::source) async fn fingerprint(
    database: &mut Database,
    asked: &[Query],
) -> Result<Option<String>, SourceError> {
    let mut found = Vec::new();
    for query in asked {
        let columns = query.headings.join(",");
        let each = &mut |cells: Vec<Cell>| {
            found.push(format!("{} {} {columns}", cells[0].text(), cells[1].text()));
            ControlFlow::Continue(())
        };
        database.read(&query.fingerprint, 2, each).await?;
    }
    Ok(Some(found.join(" ")).filter(|found| !found.is_empty()))
}
