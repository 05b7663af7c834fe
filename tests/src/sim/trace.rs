//! What happened when, in virtual time. Two runs of one seed must tell the same, byte for byte.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};

use super::ambient::Elapsed;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Virtual milliseconds since the beginning.
    pub at_ms: u64,
    /// Which host, or the driver.
    pub who: &'static str,
    /// What.
    pub what: String,
    /// Whether it is one of the many that only the comparison needs.
    pub quiet: bool,
}

/// A trace that several hosts write.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace {
    elapsed: Arc<Elapsed>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Trace {
    /// Of a simulation with this time.
    pub(super) fn new(elapsed: &Arc<Elapsed>) -> Self {
        Self { elapsed: elapsed.clone(), events: Arc::default() }
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, who: &'static str, what: String, quiet: bool) {
        let at_ms = self.elapsed.ms();
        self.events().push(Event { at_ms, who, what, quiet });
    }

    /// An event that a person reads.
    pub(super) fn tell(&self, who: &'static str, what: impl Into<String>) {
        self.put(who, what.into(), false);
    }

    /// An event that only the comparison needs.
    pub(super) fn note(&self, who: &'static str, what: impl Into<String>) {
        self.put(who, what.into(), true);
    }

    /// Everything so far, taken out.
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events())
    }
}

/// Digest over all events.
pub(super) fn digest(events: &[Event]) -> String {
    let mut hash = Sha256::new();
    let mut line = String::new();
    for event in events {
        line.clear();
        writeln!(line, "{} {} {}", event.at_ms, event.who, event.what).expect("a text");
        hash.update(line.as_bytes());
    }
    hash.finalize().iter().take(8).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a text");
        hex
    })
}
