//! `dtsen-central`: the hub.

use std::process::ExitCode;

use dtsen_central::commands::{Cli, run};
use dtsen_kit::{program, terminal};

fn main() -> ExitCode {
    let cli: Cli = terminal::parse();
    program::run(async { run(cli).await.map(|()| ExitCode::SUCCESS) })
}
