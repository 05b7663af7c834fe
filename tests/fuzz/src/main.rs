//! One libFuzzer program for all decoders; `DTSEN_FUZZ` names the one. `tests/fuzz/run` builds and starts it.

#![no_main]

// The reader of files names this crate for its messages.
extern crate self as dtsen_kit;

mod bytes;
#[allow(dead_code, reason = "of which the reader of files needs one function")]
pub mod files;
// Links to the reader of files alone: the whole node would bring a database and a server into the build.
#[allow(dead_code, unused_imports, reason = "the node uses more of it")]
mod intake;
mod intake_files;
mod seeds;
mod wire;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

/// A decoder under test. It returns, or the input is a finding.
type Target = fn(&[u8]);

/// Names as `tests/fuzz/run` lists them.
const TARGETS: [(&str, Target); 8] = [
    ("header", wire::header),
    ("body", wire::body),
    ("slice", wire::slice),
    ("checkpoint", wire::checkpoint),
    ("proof", wire::proof),
    ("rulebook", wire::rulebook),
    ("intake", intake_files::read),
    ("sources", intake_files::deliver),
];

static TARGET: OnceLock<Target> = OnceLock::new();

/// Chooses the target and writes its first inputs.
fn begin() {
    let name = std::env::var("DTSEN_FUZZ").unwrap_or_default();
    let Some((_, target)) = TARGETS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!("DTSEN_FUZZ names no target; there are {}", names.join(", "));
        std::process::exit(2);
    };
    if let Ok(folder) = std::env::var("DTSEN_FUZZ_SEEDS") {
        seeds::write(&name, folder.as_ref());
    }
    let _ = TARGET.set(*target);
}

fuzz_target!(init: begin(), |data: &[u8]| {
    if let Some(target) = TARGET.get() {
        target(data);
    }
});
