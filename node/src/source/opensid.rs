//! The database of OpenSID and of OpenKab: which columns there are is asked, not concluded from a version.
//!
//! Facts of the public schema from 2016 on (localdata.md §2): `nik_kepala` is an id and no NIK, an RT or RW of `0` or `-`
//! is none, with `config_id` one database holds many villages, and the address of a family is that of its cluster.

mod asked;
mod query;
mod regsosek;

pub(super) use self::asked::{asked, marks};
pub(super) use self::query::Query;
use self::query::Tables;
use super::database::Schema;

/// Tables and columns without which it is none.
const NEEDED: &[(&str, &[&str])] = &[
    ("tweb_penduduk", &["id", "nama", "nik", "id_kk", "kk_level", "sex", "tanggallahir", "status_dasar"]),
    ("tweb_keluarga", &["id", "no_kk"]),
    ("tweb_wil_clusterdesa", &["id", "rt", "rw", "dusun"]),
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

/// Whether these are the tables of OpenSID.
pub(super) fn is_opensid(schema: &Schema) -> bool {
    NEEDED.iter().all(|(table, _)| schema.contains_key(*table))
}

/// Columns that are needed and not there.
pub(super) fn missing(schema: &Schema) -> Option<(&'static str, Vec<String>)> {
    NEEDED.iter().find_map(|(table, columns)| {
        let has = schema.get(*table);
        let lacks = |column: &&&str| has.is_none_or(|has| !has.iter().any(|found| found == **column));
        let lacking: Vec<String> = columns.iter().filter(lacks).map(|column| (*column).to_owned()).collect();
        (!lacking.is_empty()).then_some((*table, lacking))
    })
}

/// The query for all people.
pub(super) fn people(schema: &Schema) -> Query {
    let tables = Tables(schema);
    let mut columns: Vec<(String, String)> = vec![
        ("opensid_penduduk".into(), "p.id".into()),
        ("opensid_status_dasar".into(), "p.status_dasar".into()),
        ("no_kk".into(), "k.no_kk".into()),
    ];
    let of_person = |column: &&str| ((*column).to_owned(), tables.pick("p", "tweb_penduduk", column));
    columns.extend(OF_PERSON.iter().map(of_person));
    let address = [("k", "tweb_keluarga", "alamat"), ("p", "tweb_penduduk", "alamat_sekarang")];
    let address =
        address.map(|(alias, table, column)| format!("NULLIF({}, '')", tables.pick(alias, table, column)));
    columns.push(("alamat".into(), format!("COALESCE({}, {})", address[0], address[1])));
    columns.extend(["dusun", "rw", "rt"].map(|column| (column.to_owned(), format!("w.{column}"))));
    columns.extend(tables.village());
    let from = format!(
        "FROM tweb_penduduk p LEFT JOIN tweb_keluarga k ON k.id = p.id_kk
         LEFT JOIN tweb_wil_clusterdesa w ON w.id = COALESCE({}, {}) {} WHERE 1 = 1",
        tables.cluster("k", "tweb_keluarga"),
        tables.cluster("p", "tweb_penduduk"),
        tables.config("p", "tweb_penduduk"),
    );
    Query::new("tweb_penduduk", columns, &from)
}
