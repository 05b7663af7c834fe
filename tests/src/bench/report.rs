//! What a run of the benchmark says.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{baseline::Rate, outage::Outage, pipeline::Phase};

/// A figure for people that the hub does not know, and one for people whom it knows.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Both {
    /// New.
    pub new: f64,
    /// Changed.
    pub changed: f64,
}

/// What a delta costs at a size of the registry, in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Growth {
    /// Records at the hub afterwards.
    pub records: u64,
    /// A new one.
    pub new_us: f64,
    /// A changed one.
    pub changed_us: f64,
}

/// The whole run. Rates in deltas or rows a second.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Through the hub on PostgreSQL.
    pub pipeline_postgres_per_s: Option<Both>,
    /// Through the hub on SQLite.
    pub pipeline_sqlite_per_s: Option<Both>,
    /// COPY into a table with the same key and index.
    pub copy_per_s: Option<Both>,
    /// Logical replication between two databases.
    pub logical_replication_per_s: Option<Both>,
    /// Pipeline on PostgreSQL through logical replication.
    pub ratio_to_logical_replication: Option<Both>,
    /// Submission to receipt of batches of 1,000 while four regions push, on PostgreSQL.
    pub receipt_p50_ms: Option<f64>,
    /// The same, of a hundred the slowest.
    pub receipt_p99_ms: Option<f64>,
    /// Submission to verdict of one record on an idle hub, on PostgreSQL.
    pub single_correction_p50_ms: Option<f64>,
    /// The same, of a hundred the slowest.
    pub single_correction_p99_ms: Option<f64>,
    /// The cost of a delta on PostgreSQL as the registry grows.
    pub growth: Vec<Growth>,
    /// Every node at once, by database.
    pub outage: BTreeMap<&'static str, Outage>,
    /// Mean bytes of a delta as it is sealed.
    pub delta_bytes: usize,
    /// Of the whole run.
    pub seconds: f64,
}

impl From<Rate> for Both {
    fn from(rate: Rate) -> Self {
        Self { new: rate.new, changed: rate.changed }
    }
}

impl Growth {
    /// From the phases at a size.
    pub fn of(records: u64, new: &Phase, changed: &Phase) -> Self {
        let us = |phase: &Phase| 1e6 / phase.per_second();
        Self { records, new_us: us(new), changed_us: us(changed) }
    }
}

/// So many in that time, a second.
pub fn per_second(count: u64, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// The value that so many of a hundred do not exceed, in milliseconds.
pub fn percentile(values: &[Duration], of_hundred: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * of_hundred).div_ceil(100).checked_sub(1)?;
    Some(sorted.get(at)?.as_secs_f64() * 1_000.0)
}

impl Report {
    /// For people.
    pub fn print(&self) {
        let both = |name: &str, both: Option<Both>| match both {
            Some(Both { new, changed }) => println!("{name:<34} {new:>12.1} new {changed:>12.1} changed"),
            None => println!("{name:<34} not measured"),
        };
        both("pipeline on PostgreSQL, per s", self.pipeline_postgres_per_s);
        both("pipeline on SQLite, per s", self.pipeline_sqlite_per_s);
        both("COPY, per s", self.copy_per_s);
        both("logical replication, per s", self.logical_replication_per_s);
        both("ratio to logical replication", self.ratio_to_logical_replication);
        let ms = |name: &str, value: Option<f64>| match value {
            Some(ms) => println!("{name:<34} {ms:>12.1} ms"),
            None => println!("{name:<34} not measured"),
        };
        ms("receipt p50", self.receipt_p50_ms);
        ms("receipt p99", self.receipt_p99_ms);
        ms("single correction p50", self.single_correction_p50_ms);
        ms("single correction p99", self.single_correction_p99_ms);
        for Growth { records, new_us, changed_us } in &self.growth {
            println!(
                "cost at {records:>9} records            {new_us:>12.1} µs new {changed_us:>11.1} µs changed"
            );
        }
        println!("a delta has {} bytes; the run took {:.0} s", self.delta_bytes, self.seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_values() {
        let values: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&values, 50), Some(100.0));
        assert_eq!(percentile(&values, 99), Some(198.0));
        assert_eq!(percentile(&values[..1], 99), Some(200.0));
        assert_eq!(percentile(&[], 99), None);
    }
}
