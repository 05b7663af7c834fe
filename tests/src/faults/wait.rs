//! Waiting for a condition with a deadline; nothing here waits for time alone, except a fault for its moment.

use std::time::{Duration, Instant};

use anyhow::bail;

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// The clock of the harness.
#[expect(clippy::disallowed_methods, reason = "real processes run on real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Lets time pass: the moment of a fault, or the pause between two looks.
pub fn pass(time: Duration) {
    let until = now() + time;
    while let Some(left) = until.checked_duration_since(now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

/// Looks until there is a result; after the deadline says what was seen last.
pub fn until<T>(deadline: Duration, mut look: impl FnMut() -> Result<T, String>) -> anyhow::Result<T> {
    let end = now() + deadline;
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(status) if now() >= end => bail!("not within {deadline:?}: {status}"),
            Err(_) => pass(LOOK),
        }
    }
}

/// Runs a future to its end.
pub fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}
