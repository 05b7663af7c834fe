//! What did not change is not asked for again, and what comes of it is what a whole reading gives.

use std::os::unix::fs::PermissionsExt as _;

use dtsen_proto::record::Action;
use dtsen_tests::{mariadb::MariaDb, opensid};

use crate::node::Reader;

/// People of the village, in five ranges of ids.
const PEOPLE: u64 = 5_000;
/// Rows of one or two ranges with those that say which tables there are; far from all of them.
const FEW: u64 = 2_500;

/// Rows that the server has sent so far.
fn sent(server: &MariaDb) -> u64 {
    let status = server.run("", "SHOW GLOBAL STATUS LIKE 'Rows_sent'");
    status.split_whitespace().last().and_then(|sent| sent.parse().ok()).expect("a number")
}

#[test]
fn only_what_changed_is_asked_for() {
    let Some(server) = MariaDb::start() else { return };
    let origin = server.database("desa", &opensid::village(PEOPLE));
    let reader = Reader::new();
    reader.run(&["source", "add", "opensid", &origin]);
    let changed = |sql: &str| {
        if !sql.is_empty() {
            server.run("desa", sql);
        }
        let before = sent(&server);
        reader.run(&["source", "run", "opensid"]);
        let sent = sent(&server) - before;
        (reader.take_pending(), sent)
    };
    let (all, rows) = changed("");
    assert!(all.len() as u64 > PEOPLE && rows > PEOPLE, "{} {rows}", all.len());
    let kept = reader.node.home().join("sources/opensid.rows");
    let mode = std::fs::metadata(&kept).expect("the rows are kept").permissions().mode();
    assert_eq!(mode & 0o077, 0, "for nobody else");

    let (deltas, rows) = changed("UPDATE tweb_penduduk SET pekerjaan_id = 88 WHERE id = 1000");
    assert_eq!(deltas.len(), 1, "one person");
    assert!((1_000..FEW).contains(&rows), "{rows}");

    // Without a touch of `updated_at`, in a table that is joined; families are 3n, 3n + 1 and 3n + 2.
    let (deltas, rows) = changed("UPDATE tweb_keluarga SET alamat = 'JL BARU' WHERE id = 700");
    assert_eq!(deltas.len(), 4, "a family and its three members");
    assert!((1_000..FEW).contains(&rows), "{rows}");

    let (deltas, rows) = changed("DELETE FROM tweb_penduduk WHERE id = 3011");
    let gone = deltas.iter().filter(|(_, delta)| delta.action == Action::Gone).count();
    assert_eq!((deltas.len(), gone), (2, 1), "who is gone, and a family of two");
    assert!((1_000..FEW).contains(&rows), "{rows}");

    let mut bytes = std::fs::read(&kept).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&kept, bytes).expect("writes");
    let (deltas, rows) = changed("UPDATE tweb_penduduk SET pekerjaan_id = 88 WHERE id = 4000");
    assert_eq!(deltas.len(), 1, "one person, whatever became of the rows that were kept");
    assert!(rows > PEOPLE - 10, "the whole was read: {rows}");

    reader.run(&["source", "remove", "opensid"]);
    assert!(!kept.exists(), "nothing of it stays behind");
}
