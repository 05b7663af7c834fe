//! The long forms of the fault tests: seed after seed until the minutes are over; the next run goes on from there.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use dtsen_tests::{
    faults::{
        forked_chain, kills,
        place::{self, Engine, Place},
        restored_hub, two_hubs, wait, weak_link,
    },
    wire::mutation::Mutations,
};
use serde::{Deserialize, Serialize};

/// Bentuk panjang uji kerusakan; dilanjutkan dari tempat terakhir berhenti.
#[derive(Parser)]
struct Arguments {
    /// Menit
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Berkas kecil berisi seed yang sudah selesai
    #[arg(long, default_value = "target/long.json")]
    state: PathBuf,
    /// Hanya sambungan 20 kB/s yang diputus tiap menit dengan 10.000 data, satu kali
    #[arg(long)]
    weak_link: bool,
    /// Hanya kiriman yang diubah, sampai 10 juta
    #[arg(long)]
    mutations: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// Last seed that is done.
    seed: u64,
    /// Kills so far.
    kills: u64,
    /// Whether the weak link is done.
    weak_link: bool,
    /// Mutated batches so far.
    #[serde(default)]
    mutations: u64,
}

/// Kills of one seed and database.
const KILLS: u32 = 200;
/// Mutated batches that are tried once in all, and between two writes of the state.
const MUTATIONS: u64 = 10_000_000;
const MUTATIONS_AT_ONCE: u64 = 100_000;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut state: State = match std::fs::read(&arguments.state) {
        Ok(bytes) => serde_json::from_slice(&bytes).context("the state file")?,
        Err(_) => State::default(),
    };
    if arguments.weak_link || !(state.weak_link || arguments.mutations) {
        on(Engine::Sqlite, "weak_link", 1, |place| weak_link::run(place, weak_link::LONG))?;
        state.weak_link = true;
        save(&arguments, &state)?;
    }
    if arguments.weak_link {
        return Ok(());
    }
    let end = wait::now() + Duration::from_mins(arguments.minutes);
    mutations(&arguments, &mut state, end)?;
    if arguments.mutations {
        return Ok(());
    }
    while wait::now() < end {
        let seed = state.seed + 1;
        on(Engine::Sqlite, "restored_hub", seed, restored_hub::run)?;
        on(Engine::Sqlite, "forked_token", seed, forked_chain::through_the_token)?;
        on(Engine::Sqlite, "forked_chain", seed, forked_chain::through_the_chain)?;
        on(Engine::Sqlite, "forked_batch", seed, forked_chain::through_a_batch)?;
        on(Engine::Sqlite, "kills", seed, |place| kills::run(place, KILLS))?;
        state.kills += u64::from(KILLS);
        if place::server().is_some() {
            on(Engine::Postgres, "kills", seed, |place| kills::run(place, KILLS))?;
            on(Engine::Postgres, "two_hubs", seed, two_hubs::run)?;
            state.kills += u64::from(KILLS);
        }
        state.seed = seed;
        save(&arguments, &state)?;
        println!("seed {seed} done, {} kills so far", state.kills);
    }
    Ok(())
}

/// Mutated batches from where the last run stopped.
fn mutations(arguments: &Arguments, state: &mut State, end: std::time::Instant) -> anyhow::Result<()> {
    let mutations = Mutations::new(1)?;
    while state.mutations < MUTATIONS && wait::now() < end {
        let outcome = mutations.run(state.mutations..state.mutations + MUTATIONS_AT_ONCE)?;
        state.mutations += outcome.tried;
        save(arguments, state)?;
        println!("{} mutated batches so far, the last {outcome:?}", state.mutations);
    }
    Ok(())
}

fn save(arguments: &Arguments, state: &State) -> anyhow::Result<()> {
    let next = arguments.state.with_extension("tmp");
    std::fs::write(&next, serde_json::to_vec(state)?)?;
    std::fs::rename(&next, &arguments.state).with_context(|| format!("{}", arguments.state.display()))
}

fn on<T: std::fmt::Debug>(
    engine: Engine,
    name: &str,
    seed: u64,
    run: impl FnOnce(&Place) -> anyhow::Result<T>,
) -> anyhow::Result<()> {
    let Some(place) = Place::new(engine, name, seed)? else { return Ok(()) };
    let found = place.tell(run(&place)).with_context(|| format!("{name}, {engine:?}, seed {seed}"))?;
    println!("{name} {engine:?} seed {seed}: {found:?}");
    Ok(())
}
