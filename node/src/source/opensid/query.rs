//! Queries over the tables of OpenSID, out of the columns that there are.

use super::super::{database::Schema, kept::RANGE};

/// A query for the rows of a table, and the headings of its columns.
pub(in crate::source) struct Query {
    /// The table whose rows they are.
    pub(in crate::source) table: &'static str,
    /// What is asked, up to its last condition.
    select: String,
    /// The id of a row.
    id: String,
    /// Headings by which the layout is known. The first is the row's number.
    pub(in crate::source) headings: Vec<String>,
    /// What makes the answer, by ranges of ids: changed if and only if any row did.
    pub(in crate::source) marks: String,
}

impl Query {
    /// Headings with what stands below each; the first is the id of a row. `from` ends with its conditions, which all hold.
    pub(super) fn new(table: &'static str, columns: Vec<(String, String)>, from: &str) -> Self {
        let selected: Vec<String> =
            columns.iter().map(|(_, expression)| format!("CAST({expression} AS CHAR)")).collect();
        let values: Vec<String> =
            columns.iter().map(|(_, expression)| format!("COALESCE({expression}, '~')")).collect();
        let row = format!("MD5(CONCAT_WS('|', {}))", values.join(", "));
        let id = columns[0].1.clone();
        Self {
            table,
            select: format!("SELECT {} {from}", selected.join(", ")),
            marks: format!(
                "SELECT CAST(r.i AS CHAR), CONCAT(COUNT(*), ' ', BIT_XOR(CAST(CONV(LEFT(r.h, 16), 16, 10) AS UNSIGNED)))
                 FROM (SELECT FLOOR({id} / {RANGE}) AS i, {row} AS h {from}) r GROUP BY r.i ORDER BY r.i"
            ),
            id,
            headings: columns.into_iter().map(|(heading, _)| heading).collect(),
        }
    }

    /// All rows.
    pub(in crate::source) fn whole(&self) -> String {
        format!("{} ORDER BY {}", self.select, self.id)
    }

    /// The rows in these ranges.
    pub(in crate::source) fn between(&self, first: i64, last: i64) -> String {
        let (first, last) =
            (first.saturating_mul(RANGE), last.saturating_mul(RANGE).saturating_add(RANGE - 1));
        format!("{} AND {} BETWEEN {first} AND {last} ORDER BY {}", self.select, self.id, self.id)
    }
}

/// The tables that there are, under the aliases `p` (people), `k` (families), `w` (clusters) and `c` (villages).
#[derive(Clone, Copy)]
pub(super) struct Tables<'a>(pub(super) &'a Schema);

impl Tables<'_> {
    /// Whether a table has a column.
    pub(super) fn has(self, table: &str, column: &str) -> bool {
        self.0.get(table).is_some_and(|columns| columns.iter().any(|found| found == column))
    }

    /// A column, or nothing where there is none.
    pub(super) fn pick(self, alias: &str, table: &str, column: &str) -> String {
        if self.has(table, column) { format!("{alias}.{column}") } else { "NULL".to_owned() }
    }

    /// Under its own name, if it is there: a heading that comes no more is told.
    pub(super) fn there(self, alias: &str, table: &str, column: &str) -> Option<(String, String)> {
        self.has(table, column).then(|| (column.to_owned(), format!("{alias}.{column}")))
    }

    /// That rows of two tables are of one village, behind their join by an id: beside a village, an id is not unique.
    pub(super) fn together(self, (a, of_a): (&str, &str), (b, of_b): (&str, &str)) -> String {
        let both = self.has(of_a, "config_id") && self.has(of_b, "config_id");
        let same = format!(" AND COALESCE({a}.config_id, 0) = COALESCE({b}.config_id, 0)");
        if both { same } else { String::new() }
    }

    /// The cluster of a person or a family; 0 is none.
    pub(super) fn cluster(self, alias: &str, table: &str) -> String {
        format!("NULLIF({}, 0)", self.pick(alias, table, "id_cluster"))
    }

    /// The village by its code. By names only where there is no code: a village may call itself as it likes.
    pub(super) fn village(self) -> Vec<(String, String)> {
        let code = self.pick("c", "config", "kode_desa");
        let by_name = [
            ("nama_desa", "desa"),
            ("nama_kecamatan", "kecamatan"),
            ("nama_kabupaten", "kabupaten"),
            ("nama_propinsi", "provinsi"),
        ];
        let by_name = by_name.into_iter().filter_map(|(column, heading)| {
            let (_, name) = self.there("c", "config", column)?;
            Some((heading.to_owned(), format!("CASE WHEN COALESCE({code}, '') = '' THEN {name} END")))
        });
        self.there("c", "config", "kode_desa").into_iter().chain(by_name).collect()
    }

    /// Joins the village of a person or a family: many villages have `config_id`, one needs none.
    pub(super) fn config(self, alias: &str, table: &str) -> String {
        if self.has(table, "config_id") {
            format!("LEFT JOIN config c ON c.id = {alias}.config_id")
        } else {
            "LEFT JOIN (SELECT * FROM config ORDER BY id LIMIT 1) c ON 1 = 1".to_owned()
        }
    }
}
