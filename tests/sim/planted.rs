//! Every checker sees the damage that it is there for.

use dtsen_tests::sim::planted::{Ended, Where};

/// Damage, and the checker that must name it.
const DAMAGE: &[(Where, &str, &str)] = &[
    (
        Where::Hub,
        "UPDATE region SET status = 'cloned' WHERE region = (SELECT min(region) FROM region)",
        "nobody_is_halted",
    ),
    (Where::Node, "INSERT INTO setting (name, value) VALUES ('halted', x'61')", "nobody_is_halted"),
    (Where::Node, "INSERT INTO setting (name, value) VALUES ('hub_fork', x'61')", "nobody_is_halted"),
    (
        Where::Hub,
        "UPDATE application SET epoch = 1, sequence = 1, decision = NULL,
             region = (SELECT min(region) FROM application WHERE epoch = 1 AND sequence = 1)
         WHERE apply_no = (SELECT max(apply_no) FROM application)",
        "nothing_is_applied_twice",
    ),
    (Where::Hub, "DELETE FROM application WHERE apply_no = 1", "nothing_is_applied_twice"),
    (
        Where::Hub,
        "UPDATE batch SET accepted = accepted - 1 WHERE sequence = 1",
        "each_delta_has_one_current_verdict",
    ),
    (
        Where::Hub,
        "INSERT INTO verdict SELECT region, epoch, sequence, 0, 1, 4, NULL, 1, x'' FROM batch WHERE sequence = 1",
        "each_delta_has_one_current_verdict",
    ),
    (
        Where::Hub,
        "UPDATE batch_body SET body = zeroblob(length(body)) WHERE sequence = 1",
        "every_receipted_batch_is_at_the_hub_with_the_same_bytes",
    ),
    (
        Where::Hub,
        "UPDATE batch SET header = CAST(header || x'2a00' AS BLOB) WHERE sequence = 1",
        "every_receipted_batch_is_at_the_hub_with_the_same_bytes",
    ),
    (
        Where::Hub,
        "DELETE FROM batch WHERE (region, epoch, sequence) IN
             (SELECT region, epoch, max(sequence) FROM batch GROUP BY region, epoch)",
        "every_receipted_batch_is_at_the_hub_with_the_same_bytes",
    ),
    (
        Where::Node,
        "UPDATE batch SET receipt = CAST(substr(receipt, 1, length(receipt) - 1) || x'00' AS BLOB) WHERE sequence = 1",
        "receipts_never_change",
    ),
    (Where::Node, "DELETE FROM batch WHERE sequence = 1", "each_delta_has_one_current_verdict"),
    (
        Where::Node,
        "UPDATE setting SET value = CAST(substr(value, 1, 10) || zeroblob(32) AS BLOB) WHERE name = 'head'",
        "chains_have_no_gap_or_fork",
    ),
    (
        Where::Hub,
        "UPDATE feed SET entry = CAST(entry || x'2a00' AS BLOB) WHERE position = 1",
        "feeds_say_the_same",
    ),
    (Where::Node, "UPDATE slice_leaf SET leaf = zeroblob(32)", "slice_is_what_the_hub_signed"),
    (Where::Node, "DELETE FROM feed WHERE position = (SELECT max(position) FROM feed)", "feeds_are_whole"),
    (Where::Hub, "UPDATE record SET body = zeroblob(length(body))", "audits_find_nothing"),
    (Where::Hub, "DELETE FROM holder", "audits_find_nothing"),
    (Where::Hub, "DELETE FROM decision WHERE number = 1", "audits_find_nothing"),
];

#[test]
fn every_checker_sees_its_damage() {
    for (place, statement, checker) in DAMAGE {
        let mut ended = Ended::new().expect("a simulation that ends well");
        ended.check().expect("nothing is wrong yet");
        ended.damage(*place, statement).expect("the statement runs");
        let seen = ended.check().expect_err(statement);
        let seen = format!("{seen:#}");
        assert!(seen.contains(checker), "{checker} should have seen {statement}: {seen}");
    }
}

#[test]
fn a_node_that_nobody_misses_is_missed() {
    let mut ended = Ended::new().expect("a simulation that ends well");
    ended.roll_back_the_node().expect("its disk is emptied");
    let seen = format!("{:#}", ended.check().expect_err("nobody noticed"));
    assert!(seen.contains("every_restore_is_found"), "{seen}");
}
