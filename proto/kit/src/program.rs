//! A program from its command to its exit code.

use std::{io, panic, process::ExitCode};

use tokio::runtime::{Builder, Runtime};

use crate::{advice::advice, secret};

/// Runs a command. What fails is told with what the operator can do about it.
pub fn run(command: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let result = runtime().map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(command));
    result.unwrap_or_else(|error| {
        eprintln!("Gagal: {}", secret::masked(&format!("{error:#}")));
        if let Some(advice) = advice(error.as_ref()) {
            eprintln!("→ {advice}");
        }
        ExitCode::FAILURE
    })
}

/// Where the system gives no thread, tokio panics and then waits for ever for the threads that it has: the program ends.
fn runtime() -> io::Result<Runtime> {
    let before = panic::take_hook();
    panic::set_hook(Box::new(|reason| {
        eprintln!("Gagal: program tidak dapat dimulai, memori atau utas kurang ({reason})");
        std::process::exit(1);
    }));
    let runtime = Builder::new_multi_thread().enable_all().build();
    panic::set_hook(before);
    runtime
}
