use std::{fmt::Write as _, fs};

use super::*;

mod faulty;
mod files;
mod numbers;
mod people;

/// So many kecamatan with so many villages each, in the form of the wilayah table.
fn wilayah(region: &str, kecamatan: usize, villages: usize) -> String {
    let mut text = format!("52\tNusa Tenggara Barat\n{region}\tKota Contoh {region}\n");
    for k in 1..=kecamatan {
        writeln!(text, "{region}.{k:02}\tKecamatan {k}").expect("a string takes it");
        for v in 1..=villages {
            writeln!(text, "{region}.{k:02}.{}\tDesa Contoh {k} {v}", 1000 + v).expect("a string takes it");
        }
    }
    text
}

fn population(region: &str, families: u64) -> Population {
    population_of(7, region, families)
}

fn population_of(seed: u64, region: &str, families: u64) -> Population {
    let code: Region = region.parse().expect("a region");
    Population::new(seed, code, villages_of(code, &wilayah(region, 6, 8)), families)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn read(path: &std::path::Path) -> Vec<u8> {
    fs::read(path).expect("a written file")
}

/// The fields of a file: quotes doubled inside quotes, no line breaks inside fields. Stands in for the csv crate.
fn records(bytes: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.pop(), Some(&b""[..]), "the last line ends too");
    lines.into_iter().map(|line| fields(line, delimiter)).collect()
}

fn fields(line: &[u8], delimiter: u8) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), Vec::new(), false);
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => field.extend(bytes.next()),
            b'"' => quoted = !quoted,
            _ if byte == delimiter && !quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(byte),
        }
    }
    fields.push(field);
    fields.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect()
}

#[test]
fn the_table_of_villages_is_read_for_one_region() {
    let text = wilayah("52.71", 2, 3)
        + wilayah("52.72", 1, 1).as_str()
        + "52.71.09.1001\tTanpa Kecamatan\n\nrubbish\n";
    let region: Region = "52.71".parse().expect("a region");
    let villages = villages_of(region, &text);
    assert_eq!(villages.len(), 6);
    assert_eq!(
        villages[0],
        VillageName {
            code: "52.71.01.1001".into(),
            name: "Desa Contoh 1 1".into(),
            kecamatan: "Kecamatan 1".into(),
            kabupaten_kota: "Kota Contoh 52.71".into(),
            provinsi: "Nusa Tenggara Barat".into(),
        }
    );
}
