//! `dtsen-node`: a region's node.

use std::process::ExitCode;

use dtsen_kit::{sqlite, terminal};
use dtsen_node::commands::{Cli, run};

fn main() -> ExitCode {
    let cli: Cli = terminal::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(cli)));
    result.unwrap_or_else(|error| {
        eprintln!("Gagal: {error:#}");
        if let Some(advice) = sqlite::advice(error.as_ref()) {
            eprintln!("→ {advice}");
        }
        ExitCode::FAILURE
    })
}
