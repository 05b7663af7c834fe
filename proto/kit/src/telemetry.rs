//! Logs: one line an event on standard error, no personal data.

use tracing_subscriber::{EnvFilter, fmt};

/// Sends logs to standard error; `json` for machines. The filter comes from `--log`, e.g. `info` or `dtsen_node=debug`.
pub fn init(filter: &str, json: bool) {
    // Drivers and HTTP/2 log payloads at debug level: never let them.
    let filter = format!("{filter},sqlx=warn,h2=warn,hyper=warn,tower=warn,rustls=warn");
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start in one process (tests) keeps the first subscriber.
    let _ = if json { builder.json().try_init() } else { builder.try_init() };
}

/// An error with all its causes, joined by ": ".
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
