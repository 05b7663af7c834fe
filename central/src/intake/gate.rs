//! How much the hub takes in at once. Who comes while others are served stands in line, and goes before those who were served
//! more often; who finds no place is told when to come again. So all regions at once, after an outage, wait for one another
//! and not for ever, and no region can keep the others out.

mod line;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dtsen_kit::ambient::Ambient;
use dtsen_proto::{refusal::Refusal, region::Region};
use tokio::sync::oneshot;

pub use self::line::{Arrival, Line, Place, come_again_ms};

/// The gate of a hub process.
pub struct Gate {
    line: Mutex<Line<oneshot::Sender<()>>>,
    ambient: Ambient,
}

impl Gate {
    /// Nobody is there.
    pub fn new(ambient: Ambient) -> Arc<Self> {
        Arc::new(Self { line: Mutex::new(Line::default()), ambient })
    }

    fn line(&self) -> MutexGuard<'_, Line<oneshot::Sender<()>>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a call of this region away if it would find no place now: before anybody reads half a megabyte for nothing.
    pub fn knock(&self, region: Region) -> Result<(), Refusal> {
        if self.line().is_full_for(region) { Err(self.come_again(region)) } else { Ok(()) }
    }

    /// Waits until a call of this region is served. It is as long as the pass lives.
    pub async fn enter(self: &Arc<Self>, region: Region) -> Result<Pass, Refusal> {
        let (wake, woken) = oneshot::channel();
        let arrival = self.line().arrive(region, wake);
        let pass = |place| Pass { gate: self.clone(), place };
        match arrival {
            Arrival::Served(place) => Ok(pass(place)),
            Arrival::Waits(place) => {
                // Made before waiting: whoever gives up on the way leaves the line.
                let pass = pass(place);
                woken.await.map(|()| pass).map_err(|_| self.come_again(region))
            }
            Arrival::Full => Err(self.come_again(region)),
        }
    }

    /// Whether somebody stands in line.
    pub fn has_a_line(&self) -> bool {
        self.line().len().1 > 0
    }

    fn come_again(&self, region: Region) -> Refusal {
        let (turns, random) = (self.line().compare(region), u32::from_be_bytes(self.ambient.bytes()));
        Refusal::Quota { retry_after_ms: come_again_ms(turns, random) }
    }
}

/// One call that is served or in line.
pub struct Pass {
    gate: Arc<Gate>,
    place: Place,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let next = self.gate.line().leave(self.place, self.gate.ambient.now_ms());
        if let Some(wake) = next {
            // One who gave up meanwhile leaves by its own pass.
            let _ = wake.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{line::AT_ONCE, *};

    fn region(number: u32) -> Region {
        Region::from_number(1101 + number).expect("a region")
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_line() {
        let gate = Gate::new(Ambient::system());
        let mut passes = Vec::new();
        for number in 0..u32::try_from(AT_ONCE).expect("small") {
            passes.push(gate.enter(region(number)).await.expect("served at once"));
        }
        let waiting =
            tokio::time::timeout(std::time::Duration::from_millis(10), gate.enter(region(80))).await;
        assert!(waiting.is_err(), "it waits");
        assert_eq!(gate.line().len().1, 0, "and is gone");
        let (next, ()) = tokio::join!(gate.enter(region(80)), async { drop(passes.pop()) });
        drop((next.expect("served"), passes));
        assert_eq!(gate.line().len(), (0, 0));
    }
}
