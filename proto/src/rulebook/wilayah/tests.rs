use super::*;
use crate::rulebook::Rulebook;

fn region(code: &str) -> Region {
    code.parse().expect("a region")
}

#[test]
fn counts_are_those_of_the_source() {
    let book = Rulebook::builtin();
    let w = book.wilayah();
    let of = |length: u8| w.rows.iter().filter(|row| row.code == length).count();
    assert_eq!((of(2), of(5), of(8), of(13)), (38, 514, 7_285, 83_762));
    assert_eq!(w.len(), 91_599);
    assert!(!w.is_empty());
    assert_eq!(w.provinces().count(), 38);
    assert_eq!(w.provinces().map(|(code, _)| w.children(code).count()).sum::<usize>(), 514);
}

#[test]
fn names_children_and_prefixes() {
    let book = Rulebook::builtin();
    let w = book.wilayah();
    assert_eq!(w.name("52.71"), Some("Kota Mataram"));
    assert_eq!(w.name("52.71.01.1001"), None, "serials of villages have gaps");
    assert_eq!(w.name("52.71.01.1006"), Some("Pejeruk"));
    assert!(
        w.exists("52") && !w.exists("5271") && !w.exists("52.71.") && !w.exists("52.00") && !w.exists("")
    );
    assert!(w.children("52.71").any(|child| child == ("52.71.01", "Ampenan")));
    assert!(w.children("52.71.01").all(|(code, _)| code.starts_with("52.71.01.") && code.len() == 13));
    assert_eq!(w.children("52.71.01.1006").count() + w.children("aa").count(), 0);
    assert!(
        w.area_prefix_known("52.71.01") && !w.area_prefix_known("52.71") && !w.area_prefix_known("91.01.77")
    );
}

#[test]
fn regencies_by_name() {
    let book = Rulebook::builtin();
    for (name, code) in [
        ("Kota Mataram", Some("52.71")),
        ("KOTA  MATARAM", Some("52.71")),
        ("Mataram", Some("52.71")),
        ("Kab. Lombok Timur", Some("52.03")),
        ("KABUPATEN LOMBOK TIMUR", Some("52.03")),
        ("LOMBOK TIMUR", Some("52.03")),
        ("lombok-timur", Some("52.03")),
        ("Jakarta Selatan", Some("31.74")),
        ("KOTA JAKARTA SELATAN", Some("31.74")),
        ("KOTA ADM. JAKARTA SELATAN", Some("31.74")),
        ("KOTA BIMA", Some("52.72")),
        ("KAB.BIMA", Some("52.06")),
        ("BIMA", None),
        ("Kota Baru", Some("63.02")),
        ("Kab. Mataram", None),
        ("", None),
        ("Kota", None),
        ("Nowhere", None),
    ] {
        assert_eq!(book.wilayah().regency_named(name), code.map(region), "{name}");
    }
}

#[test]
fn villages_by_name() {
    let book = Rulebook::builtin();
    let w = book.wilayah();
    let found = |code| Resolution::Found(code);
    for (area, kecamatan, village, expected) in [
        ("52.71", "AMPENAN", "PEJERUK", found("52.71.01.1006")),
        ("52.71", "Kec. Ampenan", "Kel. Taman Sari", found("52.71.01.1008")),
        ("52.71", "KECAMATAN AMPENAN", "KELURAHAN TAMANSARI", found("52.71.01.1008")),
        ("52.71", " ampenan ", "Taman-Sari", found("52.71.01.1008")),
        ("52.71", "", "Pejeruk", found("52.71.01.1006")),
        ("52.71", "Mataram", "Pejeruk", Resolution::Unknown),
        ("52.71", "Nowhere", "Pejeruk", Resolution::Unknown),
        ("52.71", "Ampenan", "", Resolution::Unknown),
        ("52.03", "Ampenan", "Pejeruk", Resolution::Unknown),
        // The province may look in all of its kab/kota.
        ("52", "Ampenan", "Pejeruk", found("52.71.01.1006")),
        // A kelurahan and a desa of one name in one kecamatan: only the word in front tells.
        ("12.01", "Sorkam", "Sorkam Kanan", Resolution::Unknown),
        // Written apart they are two, with punctuation dropped they would be one.
        ("12.07", "Lubuk Pakam", "LUBUK PAKAM III", found("12.07.28.1008")),
        ("12.07", "Lubuk Pakam", "Lubuk Pakam I,II", found("12.07.28.1007")),
        ("12.07", "Lubuk Pakam", "Lubukpakam III", Resolution::Ambiguous),
        // The name itself begins with the word.
        ("14.01", "", "Nowhere at all", Resolution::Unknown),
    ] {
        assert_eq!(w.village(region(area), kecamatan, village), expected, "{area} {kecamatan} {village}");
    }
    let district = w.name("12.01.10").expect("a kecamatan");
    let sorkam = |name| w.village(region("12.01"), district, name);
    assert_eq!(sorkam("Sorkam Kanan"), Resolution::Ambiguous);
    assert_eq!(sorkam("Kel. Sorkam Kanan"), found("12.01.10.1001"));
    assert_eq!(sorkam("DESA SORKAM KANAN"), found("12.01.10.2018"));
    let district = w.name("15.03.03").expect("a kecamatan");
    assert_eq!(w.village(region("15.03"), district, "DESA BARU"), found("15.03.03.2024"));
}

#[test]
fn every_village_is_found_by_its_own_names_or_is_ambiguous() {
    let book = Rulebook::builtin();
    let w = book.wilayah();
    let mut ambiguous = 0;
    for (village, name) in
        w.rows.iter().filter(|r| r.code == 13).map(|r| (w.code_of(r), w.name_of(r))).step_by(17)
    {
        let kecamatan = w.name(&village[..8]).expect("has a parent");
        let upper = name.to_uppercase().replace(['\'', '’', '"'], "`");
        match w.village(region(&village[..5]), &kecamatan.to_uppercase(), &upper) {
            Resolution::Found(code) => assert_eq!(code, village),
            Resolution::Ambiguous => ambiguous += 1,
            Resolution::Unknown => panic!("{village} {name} is not found by its own name"),
        }
    }
    assert!(ambiguous < 10, "{ambiguous}");
}

#[test]
fn the_bridge_is_a_table() {
    let with = |csv: &str| Wilayah::parse("52\tA\n52.71\tB\n52.71.01\tC\n").expect("areas").with_bridge(csv);
    let w = with("kode_bps,kode_dagri\r\n5271010,52.71.01\n5271,52.71\n9401,91.99\n").expect("a bridge");
    assert_eq!(w.from_bps("5271010"), Some("52.71.01"));
    assert_eq!(w.from_bps("5271"), Some("52.71"));
    assert_eq!((w.from_bps("52"), w.from_bps("52.71"), w.from_bps("9401")), (None, None, None));
    assert_eq!(w.bridge_len(), 2, "an area that is not there is left out");
    let official = "\u{feff}kode_bps,nama_bps,kode_dagri,nama_dagri\n5271010,\"C, D\",52.71.01,C\n";
    assert_eq!(with(official).expect("BPS's own layout").from_bps("5271010"), Some("52.71.01"));
    let uneven = with("kode_bps,kode_dagri\n5271,52.71\n5271010\n").err().expect("too short");
    assert!(matches!(uneven, RulebookError::Line { line: 3, .. }), "{uneven}");
    for wrong in [
        "5271,52.71\n",
        "kode_bps,kode_dagri\n5271\n",
        "kode_bps,kode_dagri\n527,52.71\n",
        "kode_bps,kode_dagri\n5271,5271\n",
        "kode_bps,kode_dagri\n5271,52.71\n5271,52\n",
    ] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Rulebook::builtin().wilayah().from_bps("5271"), None, "the built-in rulebook has no bridge");
}

#[test]
fn refuses_a_broken_table() {
    for wrong in [
        "52 A\n",
        "5271\tA\n",
        "52\t\n",
        "52.71\tno parent\n",
        "53\tA\n52\tB\n",
        "52\tA\n52\tA\n",
        "52\tA\n\n",
    ] {
        assert!(Wilayah::parse(wrong).is_err(), "{wrong:?}");
    }
}
