use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;

fn at(line: usize, what: What) -> Event {
    Event { at: line, began: line, ended: line, what }
}

fn file(name: &str) -> PathBuf {
    PathBuf::from("/d").join(name)
}

fn made(name: &str) -> What {
    What::Open { path: file(name), create: true, truncate: true, append: false }
}

fn wrote(name: &str, offset: u64, byte: u8, length: usize) -> What {
    What::Write { path: file(name), offset: Some(offset), data: vec![byte; length] }
}

/// Every outcome of many cuts of these events.
fn outcomes(events: &[Event]) -> Vec<BTreeMap<PathBuf, Vec<u8>>> {
    let mut disk = Disk::default();
    for event in events {
        disk.apply(event);
    }
    (0..300).map(|seed| disk.after_cut(&mut ChaCha8Rng::seed_from_u64(seed)).into_iter().collect()).collect()
}

#[test]
fn what_was_flushed_is_there_and_what_was_not_may_be() {
    let found = outcomes(&[
        at(1, made("a")),
        at(2, wrote("a", 0, 1, 1024)),
        at(3, What::Sync(file("a"))),
        at(4, wrote("a", 0, 2, 1024)),
    ]);
    let heads: std::collections::BTreeSet<(u8, u8)> =
        found.iter().map(|files| (files[&file("a")][0], files[&file("a")][512])).collect();
    assert_eq!(heads, [(1, 1), (1, 2), (2, 1), (2, 2)].into(), "every sector is old or new, in any order");
    assert!(found.iter().all(|files| files[&file("a")].len() == 1024));
}

#[test]
fn a_flush_covers_only_writes_that_had_ended() {
    let events = [
        at(1, made("a")),
        Event { at: 2, began: 2, ended: 5, what: wrote("a", 0, 9, 512) },
        Event { at: 4, began: 3, ended: 4, what: What::Sync(file("a")) },
    ];
    assert!(outcomes(&events).iter().any(|files| files[&file("a")].is_empty()));
}

#[test]
fn names_come_in_order_and_with_their_flush() {
    let unflushed = outcomes(&[at(1, made("a")), at(2, made("b"))]);
    assert!(unflushed.iter().any(BTreeMap::is_empty));
    assert!(unflushed.iter().all(|files| files.contains_key(&file("a")) || !files.contains_key(&file("b"))));
    let flushed = outcomes(&[at(1, made("a")), at(2, made("b")), at(3, What::Sync(file("b")))]);
    assert!(flushed.iter().all(|files| files.len() == 2), "the journal is in order");
}

#[test]
fn a_rename_is_certain_after_its_folder_was_flushed() {
    let mut events = vec![
        at(1, made("new")),
        at(2, wrote("new", 0, 7, 100)),
        at(3, What::Sync(file("new"))),
        at(4, What::Rename(file("new"), file("final"))),
    ];
    let before = outcomes(&events);
    assert!(before.iter().any(|files| files.contains_key(&file("new"))));
    assert!(before.iter().any(|files| files.contains_key(&file("final"))));
    events.push(at(5, What::Sync("/d".into())));
    let whole = vec![7; 100];
    assert!(
        outcomes(&events).iter().all(|files| files.get(&file("final")) == Some(&whole) && files.len() == 1)
    );
}

#[test]
fn writes_without_an_offset_follow_one_another() {
    let write = |byte| What::Write { path: file("a"), offset: None, data: vec![byte; 3] };
    let found = outcomes(&[at(1, made("a")), at(2, write(1)), at(3, write(2)), at(4, What::Sync(file("a")))]);
    assert!(found.iter().all(|files| files[&file("a")] == [1, 1, 1, 2, 2, 2]));
}

#[test]
fn who_opens_a_file_again_writes_from_its_beginning_unless_to_append() {
    let open = |append| What::Open { path: file("a"), create: false, truncate: false, append };
    let write = |byte| What::Write { path: file("a"), offset: None, data: vec![byte; 2] };
    let again = |append| [at(1, made("a")), at(2, write(1)), at(3, open(append)), at(4, write(2))];
    for (append, held) in [(false, vec![2, 2]), (true, vec![1, 1, 2, 2])] {
        let events = [again(append).to_vec(), vec![at(5, What::Sync(file("a")))]].concat();
        assert!(outcomes(&events).iter().all(|files| files[&file("a")] == held));
    }
}

#[test]
fn what_a_failed_flush_left_never_comes_to_the_disk() {
    let found = outcomes(&[
        at(1, made("a")),
        at(2, What::Sync(file("a"))),
        at(3, wrote("a", 0, 1, 512)),
        at(4, What::SyncFailed(file("a"))),
        at(5, What::Sync(file("a"))),
    ]);
    assert!(found.iter().all(|files| files[&file("a")].is_empty()));
}
