//! `dtsen-node`: a region's node.

use std::process::ExitCode;

use clap::Parser as _;
use dtsen_node::commands::{Cli, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Gagal: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("Gagal: {error:#}");
            ExitCode::FAILURE
        }
    }
}
