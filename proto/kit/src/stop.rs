//! When a process that serves is asked to end.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by SIGTERM or Ctrl-C.
pub fn on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    tokio::spawn(watch(stop.clone()));
    stop
}

async fn watch(stop: CancellationToken) {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            // Without a handler for SIGTERM, Ctrl-C still works.
            let _ = tokio::signal::ctrl_c().await;
        }
    }
    stop.cancel();
}
