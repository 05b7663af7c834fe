use super::*;
use crate::{column::Column, rulebook::Rulebook};

#[test]
fn a_bundle_comes_back_as_it_was() {
    let bytes = Rulebook::builtin_bundle();
    assert_eq!(bytes, Files::builtin().pack().expect("packs"), "the same files give the same bytes");
    assert_eq!(Files::unpack(&bytes).expect("unpacks"), Files::builtin());
    let book = Rulebook::from_bundle(&bytes).expect("the built-in rulebook");
    assert_eq!(book.packed(), bytes);
    assert_eq!(Rulebook::builtin().packed(), bytes);
    assert_eq!(book.version(), Rulebook::builtin().version());
    assert!(book.wilayah().exists("52.71.01.1006"));
}

#[test]
fn a_bundle_may_carry_a_bridge() {
    let files = Files { bridge: Some("kode_bps,kode_dagri\n5271,52.71\n".into()), ..Files::builtin() };
    let bytes = files.pack().expect("packs");
    assert_eq!(Files::unpack(&bytes).expect("unpacks"), files);
    let book = Rulebook::from_bundle(&bytes).expect("a rulebook");
    assert_eq!(book.wilayah().from_bps("5271"), Some("52.71"));
}

#[test]
fn damage_is_refused() {
    let bytes = Rulebook::builtin_bundle();
    for at in [0, 3, 8, 40, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x20;
        assert!(Files::unpack(&damaged).is_err(), "byte {at} changed");
    }
    for length in [0, 1, 10, bytes.len() / 2, bytes.len() - 1] {
        assert!(Files::unpack(&bytes[..length]).is_err(), "cut to {length}");
    }
    for tail in [&b"x"[..], &bytes] {
        let longer = [&bytes[..], tail].concat();
        assert!(matches!(Files::unpack(&longer), Err(RulebookError::Container("bytes after the end"))));
    }
}

#[test]
fn a_container_is_read_strictly() {
    let plain = decompress(&Rulebook::builtin_bundle()).expect("unpacks");
    let file = |name: &str, text: &[u8]| {
        let length = u32::try_from(text.len()).expect("short").to_le_bytes();
        [&[u8::try_from(name.len()).expect("short")][..], name.as_bytes(), &length, text].concat()
    };
    for wrong in [
        b"another magic".to_vec(),
        MAGIC.to_vec(),
        plain[..plain.len() - 1].to_vec(),
        [&plain[..], &[5]].concat(),
        [&plain[..], &file("other.csv", b"")].concat(),
        [&plain[..], &file("bridge.csv", b"\xff")].concat(),
        [&plain[..], &file("bridge.csv", b""), &file("bridge.csv", b"")].concat(),
        [MAGIC, &file("columns.toml", b""), &file("rulebook.toml", b"")].concat(),
    ] {
        let packed = compress(&wrong).expect("compresses");
        assert!(matches!(Files::unpack(&packed), Err(RulebookError::Container(_))));
    }
}

#[test]
fn a_bomb_is_refused() {
    let zeros = vec![0u8; MAX_RULEBOOK_BYTES + 1];
    let bomb = compress(&zeros).expect("compresses");
    assert!(bomb.len() < 10_000);
    assert!(matches!(Files::unpack(&bomb), Err(RulebookError::TooLarge)));
    assert!(matches!(Files::unpack(&zeros), Err(RulebookError::TooLarge)));
    let text = "x".repeat(MAX_RULEBOOK_BYTES);
    let files = Files { codes: text.into(), ..Files::builtin() };
    assert!(matches!(files.pack(), Err(RulebookError::TooLarge)));
}

/// One file with one passage replaced, which must be there.
fn edited(text: &str, from: &str, to: &str) -> Cow<'static, str> {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into()
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let base = Files::builtin();
    for (from, to) in [
        // A key that nobody reads, a list that is not there, a type with too little or too much.
        ("spesifik = false", "spesifik = false, secret = 1"),
        ("list = \"lantai\"", "list = \"lantaii\""),
        ("type = \"count\", max = 997", "type = \"count\""),
        ("type = \"text\"", "type = \"text\", max = 3"),
        // Numbers and names: twice, out of range, other than the code's.
        ("number = 21, name = \"luas_lantai\"", "number = 20, name = \"luas_lantai\""),
        ("number = 51,", "number = 5000,"),
        ("name = \"jumlah_ternak_babi\"", "name = \"jumlah_ternak_kuda\""),
        ("name = \"kondisi_gizi\"", "name = \"gizi\""),
        ("name = \"desil_nasional\"", "name = \"desil\""),
        ("name = \"perumahan\"", "name = \"rumah\""),
        ("number = 7, name = \"pbi_pemda\"", "number = 6, name = \"pbi_pemda\""),
        // A column in a block of the other kind, or in none.
        ("kind = \"keluarga\", block = 5", "kind = \"keluarga\", block = 24"),
        ("block = 31", "block = 99"),
    ] {
        let files = Files { columns: edited(&base.columns, from, to), ..base.clone() };
        assert!(Rulebook::from_files(files, None).is_err(), "{to}");
    }
    let edit = |file: &str, from, to| edited(file, from, to);
    for wrong in [
        Files { codes: edit(&base.codes, "[2, \"Tidak\"]", "[1, \"Tidak\"]"), ..base.clone() },
        Files { codes: edit(&base.codes, "name = \"desil\"", "name = \"ya_tidak\""), ..base.clone() },
        Files { codes: edit(&base.codes, "[[1, \"Ya\"], [2, \"Tidak\"]]", "[]"), ..base.clone() },
        Files { reasons: edit(&base.reasons, "\"NIK_DATE\"", "\"NIK_DATUM\""), ..base.clone() },
        Files { reasons: edit(&base.reasons, "\"NIK_DATE\"", "\"NIK_AREA\""), ..base.clone() },
        Files { reasons: edit(&base.reasons, "\"error\"", "\"fatal\""), ..base.clone() },
        Files { rulebook: edit(&base.rulebook, "21, 22", "21, 99"), ..base.clone() },
        Files { rulebook: "version = 1".into(), ..base.clone() },
        Files { wilayah: "52 Nusa Tenggara Barat".into(), ..base.clone() },
        Files { bridge: Some("a,b\n".into()), ..base.clone() },
    ] {
        assert!(Rulebook::from_files(wrong, None).is_err());
    }
}

#[test]
fn a_later_edition_is_data_only() {
    let base = Files::builtin();
    let column = "columns = [\n    { number = 64, name = \"lintang\", kind = \"keluarga\", block = 2, type = \"text\" },";
    let later = Files {
        rulebook: edited(&base.rulebook, "version = 1", "version = 2"),
        codes: edited(&base.codes, "[5, \"Lainnya\"]]", "[5, \"Lainnya\"], [6, \"Rusunawa\"]]"),
        columns: edited(&base.columns, "columns = [", column),
        ..base
    };
    let book = Rulebook::from_files(later, None).expect("a later edition");
    assert_eq!(book.version(), 2);
    assert_eq!(book.label(Column(19), 6), Some("Rusunawa"));
    assert_eq!(book.column(Column(64)).map(|c| c.name.as_str()), Some("lintang"));
    assert!(!Rulebook::builtin().is_code(Column(19), 6));
}
