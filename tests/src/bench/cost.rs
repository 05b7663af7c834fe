//! What a command of a node costs: its time, and the most memory that it had.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde::Serialize;

use crate::federation::Node;

/// How often the memory of the process is looked at. The figure asked for is its own high-water mark.
const LOOK: Duration = Duration::from_millis(20);
/// Exit code of a command that went well although some rows have errors.
const ROWS_WITH_ERRORS: i32 = 3;

/// What a command cost.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cost {
    /// From its start to its end.
    pub seconds: f64,
    /// The high-water mark of its resident memory.
    pub memory_mb: u64,
}

/// Runs a command that must go well.
#[expect(clippy::disallowed_methods, reason = "a benchmark")]
pub fn measure(node: &Node, arguments: &[&str]) -> anyhow::Result<Cost> {
    let begun = Instant::now();
    let mut child = node.command(arguments)?.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let path = format!("/proc/{}/status", child.id());
    let mut memory_mb = 0;
    let status = loop {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kb = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
        memory_mb = memory_mb.max(kb.unwrap_or(0) / 1_024);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    ensure!(status.success() || status.code() == Some(ROWS_WITH_ERRORS), "{arguments:?}: {status}");
    Ok(Cost { seconds: begun.elapsed().as_secs_f64(), memory_mb })
}
