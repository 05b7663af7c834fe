//! When to exchange: once until everything is judged, or for ever with back-off.

use std::time::Duration;

use dtsen_kit::telemetry::chain;
use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::sync::{Agent, Report, SyncError, sync_once};

/// Pause between two looks for verdicts.
const LOOK: Duration = Duration::from_millis(200);
/// First and longest pause after a failure, and the pause when there is nothing to do.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
const IDLE_PAUSE: Duration = Duration::from_secs(30);
/// Hand-backs and other answers of "say Hello again" in a row.
const AGAINS: u32 = 8;

/// One exchange, said Hello again as often as the hub asks for it at once.
async fn exchange(agent: &Agent, report: &mut Report) -> Result<(), SyncError> {
    for _ in 0..AGAINS {
        match sync_once(agent, report).await {
            Err(SyncError::Refused { retry_ms: Some(ms), .. })
                if Duration::from_millis(ms) <= FIRST_PAUSE =>
            {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            other => return other,
        }
    }
    sync_once(agent, report).await
}

/// Exchanges until everything that was sent is judged, for at most `patience`.
pub fn until_judged(agent: &Agent, patience: Duration) -> BoxFuture<'_, (Report, Result<(), SyncError>)> {
    Box::pin(async move {
        let mut report = Report::default();
        let until = Instant::now() + patience;
        loop {
            let result = exchange(agent, &mut report).await;
            if result.is_err() || Instant::now() >= until {
                return (report, result);
            }
            match agent.store.totals().await {
                Ok(totals) if totals.waiting == 0 => return (report, Ok(())),
                Ok(_) => tokio::time::sleep(LOOK).await,
                Err(error) => return (report, Err(error.into())),
            }
        }
    })
}

/// A pause between half and whole of `ceiling`, so that 552 nodes do not come back in one second.
fn jittered(agent: &Agent, ceiling: Duration) -> Duration {
    let [random] = agent.ambient.bytes::<1>();
    ceiling / 2 + ceiling.mul_f64(f64::from(random) / 512.0)
}

/// Exchanges until the process ends. `tell` gets a line when something happened.
pub fn forever<'a>(agent: &'a Agent, tell: &'a mut (dyn FnMut(String) + Send)) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let mut pause = FIRST_PAUSE;
        loop {
            let mut report = Report::default();
            match exchange(agent, &mut report).await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    if report.batches + report.feed > 0 || report.slice_taken {
                        tell(format!(
                            "terkirim {} data, {} putusan diterima, irisan versi {}",
                            report.deltas, report.feed, report.slice_version
                        ));
                    }
                    if report.rulebook_taken {
                        tell(format!("buku aturan versi {} dipakai mulai impor berikutnya", report.rulebook));
                    }
                    let waiting = agent.store.totals().await.map_or(0, |t| t.waiting);
                    let idle = if waiting > 0 { FIRST_PAUSE } else { IDLE_PAUSE };
                    tokio::time::sleep(jittered(agent, idle)).await;
                }
                Err(error) => {
                    // A link that breaks again and again but carries something each time is no reason to wait longer.
                    if report.bytes + report.feed > 0 {
                        pause = FIRST_PAUSE;
                    }
                    let wait = match &error {
                        SyncError::Refused { retry_ms: Some(ms), .. } => {
                            pause.max(Duration::from_millis(*ms))
                        }
                        SyncError::Stopped(_) => LONGEST_PAUSE,
                        _ => pause,
                    };
                    let wait = jittered(agent, wait);
                    tell(format!("{}; mencoba lagi dalam {} detik", chain(&error), wait.as_secs().max(1)));
                    tokio::time::sleep(wait).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    })
}
