//! The database of OpenSID and of OpenKab: which columns there are is asked, not concluded from a version.
//!
//! Facts of the public schema from 2016 on (localdata.md §2): `nik_kepala` is an id and no NIK, an RT or RW of `0` or `-`
//! is none, with `config_id` one database holds many villages, and the address of a family is that of its cluster.

mod asked;
mod query;
mod regsosek;

pub(super) use self::asked::{asked, marks, note};
pub(super) use self::query::Query;
use self::query::Tables;
use super::{SourceError, database::Schema};

/// The table of people.
const PEOPLE: &str = "tweb_penduduk";
/// Tables and columns without which it is none.
const NEEDED: &[(&str, &[&str])] = &[
    (PEOPLE, &["id", "nama", "nik", "id_kk", "kk_level", "sex", "tanggallahir", "status_dasar"]),
    ("tweb_keluarga", &["id", "no_kk"]),
    ("tweb_wil_clusterdesa", &["id", "rt", "rw", "dusun"]),
    ("config", &["id"]),
];
/// Of a person, taken over as they are.
const OF_PERSON: &[&str] = &[
    "nama",
    "nik",
    "sex",
    "tempatlahir",
    "tanggallahir",
    "kk_level",
    "status_kawin",
    "pendidikan_kk_id",
    "pendidikan_sedang_id",
    "pekerjaan_id",
    "id_asuransi",
    "sakit_menahun_id",
];

/// Columns that are used without a heading of their own: by them rows are joined, or they stand in for another one.
const BESIDES: &[(&str, &str)] = &[
    (PEOPLE, "id_cluster"),
    (PEOPLE, "alamat_sekarang"),
    (PEOPLE, "pendidikan_sedang_id"),
    (PEOPLE, "config_id"),
    ("tweb_keluarga", "id_cluster"),
    ("tweb_keluarga", "config_id"),
    ("tweb_wil_clusterdesa", "config_id"),
];

/// Those of [`BESIDES`] that there are.
pub(super) fn besides(schema: &Schema) -> impl Iterator<Item = String> {
    let there = BESIDES.iter().filter(|(table, column)| Tables(schema).has(table, column));
    there.map(|(table, column)| format!("{table}.{column}"))
}

/// Whether these are the tables of OpenSID, or what an account may see of them.
pub(super) fn is_opensid(schema: &Schema) -> bool {
    schema.contains_key(PEOPLE)
}

/// What is needed and not there: without it, the dead would be read as living people, or everybody as without a family.
pub(super) fn complete(schema: &Schema, name: &str) -> Result<(), SourceError> {
    for (table, columns) in NEEDED {
        let Some(has) = schema.get(*table) else {
            return Err(SourceError::Hidden { name: name.to_owned(), table });
        };
        let lacks = |column: &&&str| !has.iter().any(|found| found == **column);
        let columns: Vec<String> = columns.iter().filter(lacks).map(|column| (*column).to_owned()).collect();
        if !columns.is_empty() {
            return Err(SourceError::Lacks { table: (*table).to_owned(), columns });
        }
    }
    Ok(())
}

/// The query for all people.
pub(super) fn people(schema: &Schema) -> Query {
    let tables = Tables(schema);
    let mut columns: Vec<(String, String)> = vec![
        ("opensid_penduduk".into(), "p.id".into()),
        ("opensid_status_dasar".into(), "p.status_dasar".into()),
        ("no_kk".into(), "k.no_kk".into()),
    ];
    columns.extend(OF_PERSON.iter().filter_map(|column| tables.there("p", PEOPLE, column)));
    let own = tables.there("p", PEOPLE, "alamat_sekarang");
    columns.extend(match (tables.there("k", "tweb_keluarga", "alamat"), own) {
        (Some((heading, family)), Some((_, own))) => {
            Some((heading, format!("COALESCE(NULLIF({family}, ''), {own})")))
        }
        (family, own) => family.or(own),
    });
    columns.extend(["dusun", "rw", "rt"].map(|column| (column.to_owned(), format!("w.{column}"))));
    columns.extend(tables.village());
    let from = format!(
        "FROM tweb_penduduk p LEFT JOIN tweb_keluarga k ON k.id = p.id_kk{}
         LEFT JOIN tweb_wil_clusterdesa w ON w.id = COALESCE({}, {}){} {} WHERE 1 = 1",
        tables.together(("k", "tweb_keluarga"), ("p", PEOPLE)),
        tables.cluster("k", "tweb_keluarga"),
        tables.cluster("p", PEOPLE),
        tables.together(("w", "tweb_wil_clusterdesa"), ("p", PEOPLE)),
        tables.config("p", PEOPLE),
    );
    Query::new(PEOPLE, columns, &from)
}
