//! One simulation, what came of it, and the undisturbed run that it is compared with.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, LazyLock, Mutex, OnceLock},
};

use super::{
    ambient::Elapsed,
    contents::Contents,
    driver::Driver,
    plan::Plan,
    restores::Tally,
    trace::{Event, Trace, digest},
    world::lock,
};

/// Events shown of a run that failed.
const SHOWN: usize = 200;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What it was.
    pub plan: Plan,
    /// What happened.
    pub events: Vec<Event>,
    /// Digest of it.
    pub digest: String,
    /// Virtual milliseconds that it took.
    pub elapsed_ms: u64,
    /// Restores that had to be found, and were.
    pub found: Tally,
    /// Batches that the hub took while its own clock was wrong.
    pub wrong_days: usize,
    /// What everybody holds in the end.
    pub contents: Contents,
    /// Why it failed.
    pub failure: Option<String>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {}", self.plan.seed, self.plan)?;
        let events = self.events.len();
        writeln!(f, "trace {} over {} virtual ms, {events} events", self.digest, self.elapsed_ms)?;
        let Some(failure) = &self.failure else { return writeln!(f, "well; found {:?}", self.found) };
        let told: Vec<&Event> = self.events.iter().filter(|event| !event.quiet).collect();
        for event in &told[told.len().saturating_sub(SHOWN)..] {
            writeln!(f, "{:>9} {:<10} {}", event.at_ms, event.who, event.what)?;
        }
        writeln!(f, "FAILED: {failure}")?;
        writeln!(f, "commit {}", commit())?;
        writeln!(
            f,
            "again: DTSEN_SIM_SEED={} cargo nextest run --release --locked --workspace -E 'binary(sim) & test(replay)' --no-capture",
            self.plan.seed
        )
    }
}

fn commit() -> String {
    let git = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output();
    git.map_or_else(|_| "unknown".into(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Runs a seed and compares with the undisturbed run of the same files.
pub fn run(seed: u64) -> Outcome {
    run_plan(Plan::of(seed))
}

/// Runs a plan and compares with the undisturbed run of the same files.
pub fn run_plan(plan: Plan) -> Outcome {
    let mut outcome = drive(plan);
    // What the hub judged by a wrong day may rightly have another verdict.
    if outcome.failure.is_none() && outcome.wrong_days == 0 {
        let expected = undisturbed(outcome.plan.workload);
        outcome.failure = outcome
            .contents
            .difference(&expected, !outcome.plan.loses_nodes())
            .map(|difference| format!("contents_equal_an_undisturbed_run: {difference}"));
    }
    outcome
}

/// Contents that the first who asks for them makes.
type Once = Arc<OnceLock<Arc<Contents>>>;

/// Contents of the undisturbed run of some files; one run for each in a process.
fn undisturbed(workload: u64) -> Arc<Contents> {
    static RUNS: LazyLock<Mutex<BTreeMap<u64, Once>>> = LazyLock::new(Mutex::default);
    let run = lock(&RUNS).entry(workload).or_default().clone();
    let contents = run.get_or_init(|| {
        let outcome = drive(Plan::undisturbed(workload));
        assert!(outcome.failure.is_none(), "the undisturbed run failed\n{outcome}");
        Arc::new(outcome.contents)
    });
    contents.clone()
}

fn drive(plan: Plan) -> Outcome {
    let elapsed = Arc::<Elapsed>::default();
    let trace = Trace::new(&elapsed);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut driver = Driver::new(plan.clone(), trace.clone(), elapsed.clone())?;
        let contents = driver.drive()?;
        Ok::<_, anyhow::Error>((contents, driver.tally(), driver.wrong_days()?))
    }));
    let (failure, (contents, found, wrong_days)) = match result {
        Ok(Ok(done)) => (None, done),
        Ok(Err(error)) => (Some(format!("{error:#}")), Default::default()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            (Some(text.unwrap_or_default()), Default::default())
        }
    };
    let events = trace.take();
    let digest = digest(&events);
    Outcome { plan, digest, events, elapsed_ms: elapsed.ms(), found, wrong_days, contents, failure }
}
