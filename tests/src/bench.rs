//! What the exchange costs, beside what the same rows cost the database alone: sealed batches in through mTLS, verified,
//! custody, applied, verdicts out; COPY; logical replication. All in one run, because machines differ and are shared.

pub mod baseline;
pub mod cost;
pub mod crowd;
pub mod outage;
pub mod pipeline;
pub mod report;
