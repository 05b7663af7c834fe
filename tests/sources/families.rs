//! Families are what their members make them, however the reading before ended and whatever was wrong in it: what comes
//! out is what a first reading of the whole gives.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use dtsen_proto::{
    column,
    record::{Action, RecordKind},
};

use crate::node::Reader;

/// Rows that are stored together, and some.
const MORE_THAN_A_CHUNK: usize = 2_400;
/// Ends an import in its second chunk as a kill does: what was stored is stored, and nothing is noted afterwards.
const KILL: &str = "
    CREATE TRIGGER kill BEFORE INSERT ON pending WHEN (SELECT count(*) FROM pending) >= 2000
        BEGIN SELECT RAISE(ABORT, 'killed'); END;
    CREATE TRIGGER killed BEFORE INSERT ON setting WHEN (SELECT count(*) FROM pending) >= 2000
        BEGIN SELECT RAISE(ABORT, 'killed'); END;";

/// Size, head and address of families by No. KK.
type Families = BTreeMap<String, (Option<i64>, Option<String>, Option<String>)>;

/// A person as the list has it.
#[derive(Clone)]
struct Person {
    nik: String,
    family: String,
    name: String,
    address: String,
    status: &'static str,
}

/// Families of two, the head first.
fn people(count: usize) -> Vec<Person> {
    let day = |number: usize| format!("{:02}{:02}", 1 + number % 28, 1 + (number / 28) % 12);
    let person = |number: usize| Person {
        nik: format!("520114{}80{:04}", day(number), 9001 + number / 336),
        family: format!("520114{}10{:04}", day(number / 2), 9001 + number / 672),
        name: format!("WARGA {}", ["BUDI", "DEWI", "ANI", "JOKO", "TUTI"][number % 5]),
        address: "JL LAMA".into(),
        status: "HIDUP",
    };
    (0..count).map(person).collect()
}

fn move_to(people: &mut [Person], address: &str) {
    for person in people {
        person.address = address.into();
    }
}

/// A node that reads a list.
struct Village {
    reader: Reader,
    list: PathBuf,
}

impl Village {
    fn of(people: &[Person]) -> Self {
        let reader = Reader::new();
        let list = reader.folder().join("warga.csv");
        let village = Self { reader, list };
        village.write(people);
        village.reader.run(&["source", "add", "lokal", village.list.to_str().expect("UTF-8")]);
        village.read();
        village
    }

    fn write(&self, people: &[Person]) {
        let mut text =
            String::from("NIK,No KK,Nama,Jenis Kelamin,Hubungan Keluarga,Alamat,Status Penduduk\n");
        for (number, Person { nik, family, name, address, status }) in people.iter().enumerate() {
            let relation = ["KEPALA KELUARGA", "FAMILI LAIN"][number % 2];
            let _ = writeln!(text, "{nik},{family},{name},L,{relation},{address},{status}");
        }
        std::fs::write(&self.list, text).expect("writes");
    }

    fn read(&self) {
        self.reader.run(&["source", "run", "lokal"]);
    }

    /// Reads what waits for a person; what the operator is told.
    fn waits(&self) -> String {
        let told = self.reader.fails(&["source", "run", "lokal"]);
        let list = self.reader.node.json(&["source", "list"]).expect("lists");
        assert!(list[0]["alarm"].as_str().is_some_and(|alarm| told.contains(alarm)), "{list} {told}");
        told
    }

    fn is_calm(&self) -> bool {
        self.reader.node.json(&["source", "list"]).expect("lists")[0]["alarm"].is_null()
    }

    fn families(&self) -> Families {
        let of = |delta: dtsen_proto::record::Delta| {
            let text = |column| delta.text(column).map(str::to_owned);
            let family =
                (delta.number(column::K_JUMLAH_ANGGOTA), text(column::K_NAMA_KEPALA), text(column::K_ALAMAT));
            (delta.natural_key().unwrap_or_default().to_owned(), family)
        };
        let all = self.reader.in_force().into_iter();
        all.filter(|delta| delta.kind == RecordKind::Keluarga).map(of).collect()
    }

    fn withdrawn(&self) -> usize {
        self.reader.take_pending().iter().filter(|(_, delta)| delta.action == Action::Gone).count()
    }
}

#[test]
fn an_import_that_was_killed_is_completed() {
    let mut all = people(MORE_THAN_A_CHUNK);
    let village = Village::of(&all);
    village.reader.take_pending();
    move_to(&mut all, "JL BARU");
    village.write(&all);
    village.reader.change_store(KILL);
    village.reader.fails(&["source", "run", "lokal"]);
    village.reader.change_store("DROP TRIGGER kill; DROP TRIGGER killed");
    assert_eq!(village.reader.take_pending().len(), 2_000, "one chunk was stored");
    village.read();
    assert_eq!(village.families(), Village::of(&all).families());
    assert_eq!(village.reader.take_pending().len(), 400 + MORE_THAN_A_CHUNK / 2, "and nothing twice");
    // Killed, and the list is again as it was read before.
    let before = all.clone();
    move_to(&mut all, "JL LAIN");
    village.write(&all);
    village.reader.change_store(KILL);
    village.reader.fails(&["source", "run", "lokal"]);
    village.reader.change_store("DROP TRIGGER kill; DROP TRIGGER killed");
    village.write(&before);
    village.read();
    assert_eq!(village.families(), Village::of(&before).families());
    assert!(village.reader.run(&["source", "run", "lokal"]).contains("tidak ada yang berubah"));
}

#[test]
fn families_that_are_gone_wait_until_somebody_confirms() {
    let before = people(120);
    let village = Village::of(&before);
    village.reader.take_pending();
    let mut after = before.clone();
    for person in &mut after[..8] {
        person.family.replace_range(12.., "9999");
    }
    village.write(&after);
    for _ in 0..3 {
        let told = village.waits();
        assert!(told.contains("SUMBER_SUSUT: 4 dari 184") && told.contains("--confirm-gone 4"), "{told}");
        assert_eq!(village.withdrawn(), 0);
    }
    // With what is withdrawn at last, and the other way round.
    for people in [after, before] {
        village.write(&people);
        village.waits();
        village.reader.run(&["source", "run", "lokal", "--confirm-gone", "4"]);
        assert_eq!((village.is_calm(), village.withdrawn()), (true, 4));
        assert_eq!(village.families(), Village::of(&people).families());
    }
}

#[test]
fn who_could_not_be_taken_and_comes_back_unchanged_counts_again() {
    let before = people(120);
    let village = Village::of(&before);
    let whole = village.families();
    let spoil: [fn(&mut Person); 2] = [|person| person.status = "TIDAK VALID", |person| person.name.clear()];
    for spoil in spoil {
        for number in [0, 3] {
            village.reader.take_pending();
            let mut wrong = before.clone();
            spoil(&mut wrong[number]);
            village.write(&wrong);
            village.read();
            assert_eq!(village.families(), Village::of(&wrong).families(), "while it is wrong");
            village.write(&before);
            village.read();
            assert_eq!(village.families(), whole);
        }
    }
}

#[test]
fn a_damaged_family_number_withdraws_nobody() {
    let before = people(120);
    let village = Village::of(&before);
    let whole = village.families();
    for damaged in ["520114010110900", "0"] {
        village.reader.take_pending();
        let mut wrong = before.clone();
        for person in &mut wrong[..2] {
            person.family = damaged.into();
        }
        village.write(&wrong);
        for _ in 0..2 {
            let told = village.waits();
            assert!(told.contains("SUMBER_RAGU: 2 baris") && told.contains("--confirm-gone 1"), "{told}");
            assert_eq!((village.withdrawn(), village.families()), (0, whole.clone()), "{damaged}");
        }
        village.write(&before);
        village.read();
        assert_eq!((village.is_calm(), village.withdrawn(), village.families()), (true, 0, whole.clone()));
    }
    // One of two: the family is what the other one makes.
    let mut wrong = before.clone();
    wrong[1].family = "0".into();
    village.write(&wrong);
    village.read();
    assert_eq!((village.is_calm(), village.withdrawn()), (true, 0));
    // Somebody looked: the family is gone, and nobody is asked again.
    wrong[0].family = "0".into();
    village.write(&wrong);
    village.waits();
    village.reader.run(&["source", "run", "lokal", "--confirm-gone", "1"]);
    assert_eq!(village.withdrawn(), 1);
    wrong[50].address = "JL BARU".into();
    village.write(&wrong);
    village.read();
    assert!(village.is_calm());
}
