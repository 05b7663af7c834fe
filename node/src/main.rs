//! `dtsen-node`: a region's node.

use std::process::ExitCode;

use dtsen_kit::{program, terminal};
use dtsen_node::commands::{Cli, run};

fn main() -> ExitCode {
    let cli: Cli = terminal::parse();
    program::run(run(cli))
}
