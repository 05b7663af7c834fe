//! The database of OpenSID and of OpenKab: which columns there are is asked, not concluded from a version.
//!
//! Facts of the public schema from 2016 on (localdata.md §2): `nik_kepala` is an id and no NIK, an RT or RW of `0` or `-`
//! is none, with `config_id` one database holds many villages, and the address of a family is that of its cluster.

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

/// A query, and the headings of its columns.
pub(super) struct Query {
    /// What is asked.
    pub(super) sql: String,
    /// Headings by which the layout `opensid` is known. The first is the row's number.
    pub(super) headings: Vec<String>,
    /// What makes the answer: changed if and only if any row did.
    pub(super) fingerprint: String,
}

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
    let has = |table: &str, column: &str| {
        schema.get(table).is_some_and(|columns| columns.iter().any(|found| found == column))
    };
    let pick = |alias: &str, table: &str, column: &str| {
        if has(table, column) { format!("{alias}.{column}") } else { "NULL".to_owned() }
    };
    let village = |column: &str| pick("c", "config", column);
    let mut columns: Vec<(String, String)> = vec![
        ("opensid_penduduk".into(), "p.id".into()),
        ("opensid_status_dasar".into(), "p.status_dasar".into()),
        ("no_kk".into(), "k.no_kk".into()),
    ];
    columns.extend(OF_PERSON.iter().map(|column| ((*column).to_owned(), pick("p", "tweb_penduduk", column))));
    let address = [("k", "tweb_keluarga", "alamat"), ("p", "tweb_penduduk", "alamat_sekarang")];
    let address = address.map(|(alias, table, column)| format!("NULLIF({}, '')", pick(alias, table, column)));
    columns.push(("alamat".into(), format!("COALESCE({}, {})", address[0], address[1])));
    columns.extend(["dusun", "rw", "rt"].map(|column| (column.to_owned(), format!("w.{column}"))));
    let code = village("kode_desa");
    columns.push(("kode_desa".into(), code.clone()));
    // Names only where there is no code: a village may call itself as it likes.
    let names = [
        ("nama_desa", "desa"),
        ("nama_kecamatan", "kecamatan"),
        ("nama_kabupaten", "kabupaten"),
        ("nama_propinsi", "provinsi"),
    ];
    columns.extend(names.map(|(column, heading)| {
        (heading.to_owned(), format!("CASE WHEN COALESCE({code}, '') = '' THEN {} END", village(column)))
    }));
    let cluster = |alias: &str, table: &str| {
        let column = pick(alias, table, "id_cluster");
        format!("NULLIF({column}, 0)")
    };
    let config = match (schema.contains_key("config"), has("tweb_penduduk", "config_id")) {
        (true, true) => "LEFT JOIN config c ON c.id = p.config_id",
        (true, false) => "LEFT JOIN (SELECT * FROM config ORDER BY id LIMIT 1) c ON 1 = 1",
        (false, _) => "LEFT JOIN (SELECT 1 AS id) c ON 1 = 1",
    };
    let from = format!(
        "FROM tweb_penduduk p LEFT JOIN tweb_keluarga k ON k.id = p.id_kk
         LEFT JOIN tweb_wil_clusterdesa w ON w.id = COALESCE({}, {}) {config}",
        cluster("k", "tweb_keluarga"),
        cluster("p", "tweb_penduduk"),
    );
    let selected: Vec<String> =
        columns.iter().map(|(_, expression)| format!("CAST({expression} AS CHAR)")).collect();
    let row = format!(
        "MD5(CONCAT_WS('|', {}))",
        columns
            .iter()
            .map(|(_, expression)| format!("COALESCE({expression}, '~')"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    Query {
        sql: format!("SELECT {} {from} ORDER BY p.id", selected.join(", ")),
        fingerprint: format!(
            "SELECT CAST(COUNT(*) AS CHAR), CAST(BIT_XOR(CAST(CONV(LEFT(h, 16), 16, 10) AS UNSIGNED)) AS CHAR) FROM (SELECT {row} AS h {from}) r"
        ),
        headings: columns.into_iter().map(|(heading, _)| heading).collect(),
    }
}
