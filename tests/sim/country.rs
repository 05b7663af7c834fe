//! The whole country for a season, in [`dtsen_tests::model`].

use dtsen_tests::model::{Plan, run};

#[test]
fn a_season_of_the_country_ends_well() {
    for seed in 0..3 {
        let report = run(Plan::country(seed)).unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
        println!("seed {seed}: {report:?}");
        assert!(report.stopped > 0 && report.generations > 1, "nothing happened: {report:?}");
    }
}

#[test]
fn the_same_season_is_the_same() {
    let plan = Plan { days: 10, ..Plan::country(7) };
    assert_eq!(run(plan).expect("well"), run(plan).expect("well"));
}
