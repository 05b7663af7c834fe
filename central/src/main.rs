//! `dtsen-central`: the hub.

use std::process::ExitCode;

use dtsen_central::commands::{Cli, run};
use dtsen_kit::{sqlite, terminal};

fn main() -> ExitCode {
    let cli: Cli = terminal::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Gagal: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Gagal: {error:#}");
            if let Some(advice) = sqlite::advice(error.as_ref()) {
                eprintln!("→ {advice}");
            }
            ExitCode::FAILURE
        }
    }
}
