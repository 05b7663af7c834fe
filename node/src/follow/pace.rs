//! When to exchange next: pure.

use std::time::Duration;

/// First and longest pause after a failure, and the pause when there is nothing to do.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
const IDLE_PAUSE: Duration = Duration::from_secs(30);

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Well.
    Well {
        /// Whether verdicts are still due.
        waiting: bool,
    },
    /// It broke, or the hub refused it.
    Broken {
        /// Whether it carried something.
        carried: bool,
        /// What the hub asked to wait.
        asked: Option<Duration>,
    },
    /// A person has to act first.
    Stopped,
}

/// Pauses of a node: short while all is well, longer with every failure in a row.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { pause: FIRST_PAUSE }
    }
}

impl Pace {
    /// The pause before the next exchange.
    pub fn after(&mut self, ended: Ended, random: u8) -> Duration {
        let ceiling = match ended {
            Ended::Well { waiting } => {
                self.pause = FIRST_PAUSE;
                return jittered(if waiting { FIRST_PAUSE } else { IDLE_PAUSE }, random);
            }
            Ended::Broken { carried, asked } => {
                // A link that breaks again and again but carries something each time is no reason to wait longer.
                if carried {
                    self.pause = FIRST_PAUSE;
                }
                self.pause.max(asked.unwrap_or_default())
            }
            Ended::Stopped => LONGEST_PAUSE,
        };
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        jittered(ceiling, random)
    }
}

/// Whether what the hub asks to wait is so short that it belongs to the same exchange.
pub(super) fn is_at_once(asked: Duration) -> bool {
    asked <= FIRST_PAUSE
}

/// A pause between half and whole of `ceiling`, so that 552 nodes do not come back in one second.
fn jittered(ceiling: Duration, random: u8) -> Duration {
    ceiling / 2 + ceiling.mul_f64(f64::from(random) / 512.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_double_the_pause_and_success_ends_that() {
        let mut pace = Pace::default();
        let broken = Ended::Broken { carried: false, asked: None };
        let pauses: Vec<u128> = (0..11).map(|_| pace.after(broken, 0).as_millis()).collect();
        assert_eq!(
            pauses,
            [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 150_000, 150_000]
        );
        assert_eq!(pace.after(Ended::Well { waiting: false }, 0), IDLE_PAUSE / 2);
        assert_eq!(pace.after(broken, 0), FIRST_PAUSE / 2);
    }

    #[test]
    fn what_carries_something_does_not_wait_longer_and_the_hub_is_obeyed() {
        let mut pace = Pace::default();
        for _ in 0..9 {
            let pause = pace.after(Ended::Broken { carried: true, asked: None }, 255);
            assert!(pause < FIRST_PAUSE, "{pause:?}");
        }
        let asked = Duration::from_mins(1);
        assert!(pace.after(Ended::Broken { carried: true, asked: Some(asked) }, 0) >= asked / 2);
    }
}
