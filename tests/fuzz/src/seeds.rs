//! First inputs: every byte string of the golden vectors, and small files of every kind.

use std::path::Path;

use dtsen_proto::rulebook::Files;
use serde_json::Value;

/// Vectors that are bytes of the wire.
const VECTORS: [&str; 6] = [
    include_str!("../../../proto/testdata/batches.json"),
    include_str!("../../../proto/testdata/checkpoints.json"),
    include_str!("../../../proto/testdata/enrolment.json"),
    include_str!("../../../proto/testdata/merkle.json"),
    include_str!("../../../proto/testdata/records.json"),
    include_str!("../../../proto/testdata/slices.json"),
];
/// Shorter strings are names and numbers.
const SHORTEST: usize = 32;
/// Rows of families and members under the headings of DTSEN's third version.
const FAMILIES: &str = include_str!("../../../node/src/intake/tests/families_v3.txt");
const MEMBERS: &str = include_str!("../../../node/src/intake/tests/members_v3.txt");
const FEW: &str = "nomor_induk_kependudukan|nomor_kartu_keluarga|nama|tanggal_lahir|jenis_kelamin";
const ROW: &str = "\"5271014101909001\"|\"5271010101209001\"|\"WARGA CONTOH\"|1990-01-01|2";

/// Texts as the dirty-data table has them.
const SHEETS: [&[u8]; 2] = [
    include_bytes!("../../../node/sources/tests/layouts/csv_cp1252.toml"),
    include_bytes!("../../../node/sources/tests/layouts/dtsen_anggota.toml"),
];

/// Writes the seeds of a target into a folder.
pub fn write(target: &str, folder: &Path) {
    let mut all: Vec<Vec<u8>> = Vec::new();
    match target {
        "intake" => all.extend(files()),
        "sources" => all.extend(files().into_iter().chain(SHEETS.map(<[u8]>::to_vec))),
        "rulebook" => all.extend(rulebooks()),
        _ => VECTORS.iter().for_each(|text| collect(&serde_json::from_str(text).expect("JSON"), &mut all)),
    }
    std::fs::create_dir_all(folder).expect("a folder for the seeds");
    for (nth, bytes) in all.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{nth:04}")), bytes).expect("room for the seeds");
    }
}

/// Every long string of a vector: as bytes if it is hexadecimal, else as it stands.
fn collect(value: &Value, all: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST => {
            all.push(hex::decode(text).unwrap_or_else(|_| text.clone().into_bytes()));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, all)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, all)),
        _ => {}
    }
}

fn files() -> Vec<Vec<u8>> {
    let rows = |heading: &str, row: &str, delimiter: &str, end: &str| {
        [heading, row, row, ""].join(end).replace('|', delimiter).into_bytes()
    };
    let empty = "|".repeat(FAMILIES.matches('|').count());
    vec![
        rows(FEW, ROW, "|", "\n"),
        rows(FEW, ROW, ";", "\r\n"),
        rows(FEW, ROW, ",", "\n"),
        rows(FEW, "5271014101909001\t3,40413E+15\té\u{a0}\t31/02/1990\tL", "\t", "\n"),
        rows(MEMBERS.trim_end(), ROW, "|", "\n"),
        rows(FAMILIES.trim_end(), &empty, "|", "\n"),
        [b"\xEF\xBB\xBF".as_slice(), &rows(FEW, ROW, "|", "\n")].concat(),
        rows(&format!("LAPORAN\n{FEW}"), "\"5271014101909001\"|\"tidak ditutup", "|", "\n"),
    ]
}

fn rulebooks() -> Vec<Vec<u8>> {
    let files = Files::builtin();
    let texts = [&files.rulebook, &files.columns, &files.codes, &files.reasons];
    let mut all: Vec<Vec<u8>> =
        texts.iter().zip(0_u8..).map(|(text, which)| [&[which], text.as_bytes()].concat()).collect();
    all.push(b"\x0452\tNUSA\n52.71\tKOTA\n52.71.01\tAMPENAN\n52.71.01.1001\tBINTARO\n".to_vec());
    all.push(b"\x05kode_bps,kode_dagri\n5271,52.71\n".to_vec());
    let small = Files { wilayah: "52\tNUSA\n52.71\tKOTA\n".into(), ..files };
    all.extend(small.pack());
    all
}
