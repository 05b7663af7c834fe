//! A mapping that the region wrote: what it changes in it is read anew, though the file stays as it is.

use dtsen_proto::{
    column,
    record::{RecordKind, Value},
};

use crate::{node::Reader, opensid::day};

const PEOPLE: &str = "Orang;Kartu;No NIK;Lahir\nBUDI;5201140101059001;5201141708809001;19800817\n\
    ANI;5201140101059001;5201145708859002;170885\n";
const MAPPING: &str = "name = \"rt\"\ntitle = \"Daftar RT\"\nsource = \"lokal\"\n[columns]\n\"Orang\" = \"nama\"\n\
    \"Kartu\" = \"no_kk\"\n\"No NIK\" = \"nik\"\n\"Lahir\" = \"-\"\n[constants]\nkode_desa = \"52.01.14.2006\"\n";
const DATES: &str =
    "[[derive]]\nfor = \"tanggal_lahir\"\nfrom = \"Lahir\"\ndate = [\"%Y%m%d\", \"%d%m%y\"]\n";

#[test]
fn a_changed_mapping_reads_the_same_file_anew() {
    let reader = Reader::new();
    let (people, mapping) = (reader.folder().join("warga.csv"), reader.folder().join("rt.toml"));
    std::fs::write(&people, PEOPLE).expect("writes");
    std::fs::write(&mapping, MAPPING).expect("writes");
    let [people, path] = [&people, &mapping].map(|path| path.to_str().expect("UTF-8"));
    reader.run(&["source", "add", "lokal-rt", people, "--mapping", path]);
    reader.run(&["source", "run", "lokal-rt"]);
    assert_eq!(reader.take_pending().len(), 3, "two people and their family");
    let again = reader.run(&["source", "run", "lokal-rt"]);
    assert!(again.contains("tidak ada yang berubah"), "{again}");

    std::fs::write(&mapping, format!("{MAPPING}{DATES}")).expect("writes");
    reader.run(&["source", "run", "lokal-rt"]);
    assert_eq!(reader.take_pending().len(), 2, "two people");
    let people = reader.stated(RecordKind::Individu);
    let born = |nik: &str| people[nik].get(column::I_TANGGAL_LAHIR).cloned();
    assert_eq!(born("5201141708809001"), Some(Value::Number(day(1980, 8, 17))));
    assert_eq!(born("5201145708859002"), Some(Value::Number(day(1985, 8, 17))), "the century is the NIK's");
}
