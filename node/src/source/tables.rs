//! Tables of a database that nobody knows beforehand: those whose columns are called as the columns of lists of people
//! are, but no copies of them.

use std::collections::BTreeSet;

use dtsen_sources::layout::{find, heading::Names};

use super::database::{Database, Schema};

/// Words in the name of a table that say that it is not the one in use.
const OF_COPIES: &[&str] = &[
    "backup",
    "bak",
    "bck",
    "bckp",
    "bkp",
    "copy",
    "salinan",
    "old",
    "lama",
    "arsip",
    "archive",
    "history",
    "riwayat",
    "temp",
    "tmp",
    "sementara",
    "test",
    "uji",
];

/// A table to be read.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// How much of a list of people or families it looks like.
    worth: usize,
}

/// The tables that look like lists of people or families, the best last, as the last one is believed; and those that were
/// left aside: views beside tables that say as much, and copies.
pub(super) fn worth_reading(
    schema: &Schema,
    views: &BTreeSet<String>,
    names: &Names,
) -> (Vec<Table>, Vec<Table>) {
    let all = schema.keys().filter_map(|name| table(schema, name, names));
    let all: Vec<Table> = all.filter(|table| table.worth >= find::ROLES_AT_LEAST).collect();
    let is_view = |table: &Table| views.contains(&table.name);
    let best = all.iter().filter(|table| !is_view(table)).map(|table| table.worth).max();
    let (aside, chosen): (Vec<Table>, Vec<Table>) = {
        let copies: BTreeSet<String> =
            all.iter().filter(|table| is_copy(table, &all)).map(|table| table.name.clone()).collect();
        let is_aside = |table: &Table| {
            is_view(table) && best.is_some_and(|best| best >= table.worth) || copies.contains(&table.name)
        };
        all.into_iter().partition(is_aside)
    };
    // Somebody keeps their only list under such a name.
    if chosen.is_empty() { (ordered(aside), Vec::new()) } else { (ordered(chosen), aside) }
}

/// A table that the operator chose.
pub(super) fn table(schema: &Schema, name: &str, names: &Names) -> Option<Table> {
    let columns = schema.get(name)?.clone();
    let worth = find::of(0, std::slice::from_ref(&columns), names).worth();
    Some(Table { name: name.to_owned(), columns, worth })
}

/// The best last.
pub(super) fn ordered(mut tables: Vec<Table>) -> Vec<Table> {
    tables.sort_by(|a, b| (a.worth, &b.name).cmp(&(b.worth, &a.name)));
    tables
}

/// Whether a table's name says so, or it has the columns of one whose name it only makes longer.
fn is_copy(table: &Table, all: &[Table]) -> bool {
    let name = table.name.to_lowercase();
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    words.any(|word| OF_COPIES.contains(&word))
        || all.iter().any(|other| {
            let (short, same) = (other.name.to_lowercase(), other.columns == table.columns);
            let rest = name.strip_prefix(&short).or_else(|| name.strip_suffix(&short));
            same && rest.is_some_and(|rest| !rest.is_empty())
        })
}

/// Everything in a table, in an order that stays if there is one. A view of a file may have no end, and would be sorted
/// on the disk.
pub(super) fn everything(database: &Database, table: &Table, is_view: bool) -> String {
    let as_text = |column: &String| database.as_text(&database.quoted(column), table.columns.len());
    let columns: Vec<String> = table.columns.iter().map(as_text).collect();
    let sorted = !(is_view && database.is_file());
    let order = table.columns.iter().find(|column| sorted && column.eq_ignore_ascii_case("id"));
    let order = order.map_or_else(String::new, |column| format!(" ORDER BY {}", database.quoted(column)));
    format!("SELECT {} FROM {}{order}", columns.join(", "), database.quoted_table(&table.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(tables: &[(&str, &str)], views: &[&str]) -> Vec<String> {
        let columns = |text: &str| text.split(' ').map(str::to_owned).collect();
        let schema: Schema = tables.iter().map(|(name, of)| ((*name).to_owned(), columns(of))).collect();
        let views = views.iter().map(|name| (*name).to_owned()).collect();
        worth_reading(&schema, &views, &Names::default()).0.into_iter().map(|table| table.name).collect()
    }

    #[test]
    fn copies_and_views_are_left_aside_and_the_fullest_comes_last() {
        let (all, few) = ("nik no_kk nama tanggal_lahir alamat", "nik nama alamat");
        let tables =
            [("warga", all), ("warga_2023", all), ("bak_warga", all), ("bantuan", few), ("v_warga", few)];
        assert_eq!(chosen(&tables, &["v_warga"]), ["bantuan", "warga"]);
        assert_eq!(chosen(&tables[1..3], &[]), ["warga_2023"]);
        assert_eq!(chosen(&tables[2..3], &[]), ["bak_warga"], "the only list");
        assert_eq!(chosen(&[("v_warga", all), ("akun", few)], &["v_warga"]), ["akun", "v_warga"]);
    }
}
