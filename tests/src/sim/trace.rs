//! What happened when, in virtual time. Two runs of one seed must tell the same, byte for byte.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Virtual milliseconds since the beginning.
    pub at_ms: u64,
    /// Which host, or the driver.
    pub who: String,
    /// What.
    pub what: String,
    /// Whether it is one of the many that only the comparison needs.
    pub quiet: bool,
}

/// A trace that several hosts write.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace(Arc<Mutex<(u64, Vec<Event>)>>);

impl Trace {
    fn inner(&self) -> MutexGuard<'_, (u64, Vec<Event>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver's time, for what it tells itself.
    pub(super) fn at(&self, ms: u64) {
        self.inner().0 = ms;
    }

    fn put(&self, who: &str, what: String, quiet: bool) {
        let mut inner = self.inner();
        let now = turmoil::sim_elapsed().and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok());
        let at_ms = now.unwrap_or(inner.0);
        inner.1.push(Event { at_ms, who: who.to_owned(), what, quiet });
    }

    /// An event that a person reads.
    pub(super) fn tell(&self, who: &str, what: impl Into<String>) {
        self.put(who, what.into(), false);
    }

    /// An event that only the comparison needs.
    pub(super) fn note(&self, who: &str, what: impl Into<String>) {
        self.put(who, what.into(), true);
    }

    /// Everything so far.
    pub(super) fn events(&self) -> Vec<Event> {
        self.inner().1.clone()
    }
}

/// Digest over all events.
pub(super) fn digest(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        writeln!(text, "{} {} {}", event.at_ms, event.who, event.what).expect("a text");
    }
    Sha256::digest(text.as_bytes()).iter().take(8).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a text");
        hex
    })
}
