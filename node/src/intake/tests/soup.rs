//! Whatever the bytes, reading ends, and every row is told or read.

use super::*;

/// Bytes that look a little like a table.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"|".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"5271014101909001".to_vec()),
        Just(b"3,40413E+15".to_vec()),
        Just(b"31/02/1990".to_vec()),
        Just("é\u{a0}".as_bytes().to_vec()),
        Just(b"|a|b|c|1".to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_the_reader_panic(soup in soup()) {
        let sample = file(soup);
        if let Ok(mut table) = open_sample(&sample) {
            let mut row = RawRow::new();
            while table.next_row(&mut row).expect("reads") {
                reader().read_row(&table, &row, None);
            }
        }
    }

    #[test]
    fn no_rows_make_the_reader_panic_or_lose_a_good_one(soup in soup()) {
        // A row before and after: the one before is always whole.
        let mut content = format!("{MEMBERS}\n{}\n", member(9001)).into_bytes();
        content.extend_from_slice(&soup);
        // Past the soup's open quotes, at most eight lines of it.
        content.extend_from_slice(format!("\n{}\n", member(9002)).as_bytes());
        let sample = file(content);
        let all = read_all(&sample);
        let newlines = memchr::memchr_iter(b'\n', &std::fs::read(&sample.path).expect("reads")).count();
        prop_assert!(all.iter().is_sorted_by_key(|(line, _)| *line));
        prop_assert!(all.iter().all(|(line, _)| usize::try_from(*line).expect("small") <= newlines));
        prop_assert!(lines(&all).contains(&2));
        prop_assert_eq!(all.last().and_then(|(_, r)| r.delta.as_ref()?.natural_key().map(str::to_owned)),
            Some("5271014101909002".to_owned()));
    }
}
