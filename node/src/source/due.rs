//! Sources that the running node reads by itself.

use std::{collections::BTreeSet, time::Duration};

use futures::future::BoxFuture;

use super::{
    config::{self, Config, State},
    run::{Confirmed, Ran, RunError, Runner},
};
use crate::home::HomeError;

/// How often it is looked which sources are due.
const LOOK: Duration = Duration::from_secs(5);

/// Reads every source that has a time, when it is due, until the process ends. `tell` gets a line when something happened.
pub fn forever<'a>(runner: &'a Runner<'a>, tell: &'a mut (dyn FnMut(String) + Send)) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let mut damaged = BTreeSet::new();
        loop {
            for (name, config) in config::each(runner.home) {
                let config = match config {
                    Ok(config) => config,
                    Err(error) => {
                        // Once, until it is mended.
                        if damaged.insert(name.clone()) {
                            tell(format!("ALARM {name}: {error}"));
                        }
                        continue;
                    }
                };
                damaged.remove(&name);
                let Ok(before) = config::state(runner.store, &name).await else { continue };
                if !is_due(&config, &before, runner.ambient.now_ms()) {
                    continue;
                }
                let ran = alone(runner, &name).await;
                let alarm = config::state(runner.store, &name).await.ok().and_then(|state| state.alarm);
                match (ran, alarm) {
                    // An import by hand holds the lock: the next look is soon.
                    (Err(RunError::Home(HomeError::Locked(_))), _) => {}
                    (_, Some(alarm)) if before.alarm.as_ref() != Some(&alarm) => {
                        tell(format!("ALARM {name}: {alarm}"));
                    }
                    (Ok(Ran::Imported(summary)), None) => {
                        let queued: u64 = summary.files.iter().map(|file| file.counts.queued).sum();
                        if before.alarm.is_some() {
                            tell(format!("sumber {name} terbaca lagi"));
                        }
                        if queued > 0 {
                            tell(format!("sumber {name}: {queued} perubahan masuk antrean kirim"));
                        }
                    }
                    (Ok(Ran::Unchanged), None) if before.alarm.is_some() => {
                        tell(format!("sumber {name} terbaca lagi"));
                    }
                    _ => {}
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

/// Each reading is a turn of its own: what the node does by itself is taken back one by one.
async fn alone(runner: &Runner<'_>, name: &str) -> Result<Ran, RunError> {
    let turn = runner.turn().await?;
    runner.run(&turn, name, Confirmed::default(), &mut |_, _, _| {}).await
}

/// Whether a source is to be read now. A clock that went back does not keep it waiting.
fn is_due(config: &Config, state: &State, now_ms: i64) -> bool {
    let Ok(Some(pause)) = config.pause() else { return false };
    let since = now_ms - state.tried_ms;
    since < 0 || u128::try_from(since).is_ok_and(|since| since >= pause.as_millis())
}
