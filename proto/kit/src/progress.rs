//! Progress of long work: a bar on a terminal, plain lines elsewhere.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How far a piece of work is.
pub struct Progress {
    bar: ProgressBar,
    label: String,
    plain: bool,
    last: Instant,
}

impl Progress {
    /// Begins; `total` 0 if it is not known.
    #[expect(clippy::disallowed_methods, reason = "only paces what is printed")]
    pub fn new(label: &str, total: u64) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            (total > 0).then_some(total),
            if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
        );
        let style = if total > 0 {
            "{prefix} [{bar:30}] {human_pos}/{human_len} · sisa {eta}"
        } else {
            "{prefix} {spinner} {human_pos} · {elapsed}"
        };
        bar.set_style(ProgressStyle::with_template(style).expect("a constant template"));
        bar.set_prefix(label.to_owned());
        Self { bar, label: label.to_owned(), plain, last: Instant::now() }
    }

    /// Sets how much is done.
    #[expect(clippy::disallowed_methods, reason = "only paces what is printed")]
    pub fn at(&mut self, done: u64) {
        self.bar.set_position(done);
        if self.plain && self.last.elapsed() >= LINE_EVERY {
            self.last = Instant::now();
            match self.bar.length() {
                Some(total) => eprintln!("{}: {done} dari {total}", self.label),
                None => eprintln!("{}: {done}", self.label),
            }
        }
    }

    /// Ends; the bar goes.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
