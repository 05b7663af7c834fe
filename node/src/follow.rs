//! When to exchange: once until everything is judged, or for ever with back-off.

mod pace;

use std::time::Duration;

use dtsen_kit::telemetry::chain;
use futures::future::BoxFuture;
use tokio::time::Instant;

pub use self::pace::{Ended, Pace};
use crate::sync::{Agent, Report, SyncError, sync_once};

/// Pause between two looks for verdicts.
const LOOK: Duration = Duration::from_millis(200);
/// Hand-backs and other answers of "say Hello again" in a row.
const AGAINS: u32 = 8;

/// One exchange, said Hello again as often as the hub asks for it at once.
async fn exchange(agent: &Agent, report: &mut Report) -> Result<(), SyncError> {
    for _ in 0..AGAINS {
        match sync_once(agent, report).await {
            Err(SyncError::Refused { retry_ms: Some(ms), .. })
                if pace::is_at_once(Duration::from_millis(ms)) =>
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

/// Exchanges until the process ends. `tell` gets a line when something happened.
pub fn forever<'a>(agent: &'a Agent, tell: &'a mut (dyn FnMut(String) + Send)) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let mut pace = Pace::default();
        loop {
            let mut report = Report::default();
            let result = exchange(agent, &mut report).await;
            let waiting = agent.store.totals().await.is_ok_and(|totals| totals.waiting > 0);
            let ended = ended(&report, &result, waiting);
            let [random] = agent.ambient.bytes::<1>();
            let pause = pace.after(ended, random);
            match result {
                Ok(()) => {
                    if report.batches + report.feed > 0 || report.slice_taken {
                        tell(format!(
                            "terkirim {} data, {} putusan diterima, irisan versi {}",
                            report.deltas, report.feed, report.slice_version
                        ));
                    }
                    if report.rulebook_taken {
                        tell(format!("buku aturan versi {} dipakai mulai impor berikutnya", report.rulebook));
                    }
                }
                Err(error) => {
                    tell(format!("{}; mencoba lagi dalam {} detik", chain(&error), pause.as_secs().max(1)));
                }
            }
            tokio::time::sleep(pause).await;
        }
    })
}

fn ended(report: &Report, result: &Result<(), SyncError>, waiting: bool) -> Ended {
    let carried = report.bytes + report.feed > 0;
    match result {
        Ok(()) => Ended::Well { waiting },
        Err(SyncError::Stopped(_)) => Ended::Stopped,
        Err(SyncError::Refused { retry_ms: Some(ms), .. }) => {
            Ended::Broken { carried, asked: Some(Duration::from_millis(*ms)) }
        }
        Err(_) => Ended::Broken { carried, asked: None },
    }
}
