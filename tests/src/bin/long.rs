//! The long forms of the fault tests: seed after seed until the minutes are over; the next run goes on from there.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use dtsen_tests::{
    faults::{
        forked_chain, kills,
        place::{self, Engine, Place},
        power, restored_hub, two_hubs, wait, weak_link,
    },
    sim::{Plan, Sweep},
    wire::mutation::Mutations,
};
use serde::{Deserialize, Serialize};

/// Bentuk panjang uji kerusakan; dilanjutkan dari tempat terakhir berhenti.
#[derive(Parser)]
struct Arguments {
    /// Menit
    #[arg(long, default_value_t = 60)]
    minutes: u64,
    /// Catatan yang sudah selesai; dilanjutkan dari situ, dan ikut disimpan bersama kode
    #[arg(long, default_value = "tests/long.json")]
    state: PathBuf,
    /// Hanya ini
    #[arg(long, value_name = "NAMA")]
    only: Option<Only>,
}

/// One of the long forms alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    /// Sambungan 20 kB/s yang diputus tiap menit dengan 10.000 data, satu kali
    WeakLink,
    /// Kiriman yang diubah, sampai 10 juta
    Mutations,
    /// Pemadaman listrik, sampai 10.000 kali
    Power,
    /// Pembunuhan proses, sampai 1.000 kali untuk node dan 300 kali untuk pusat pada tiap basis data
    Kills,
    /// Simulasi acak, sampai 30.000 seed
    Seeds,
    /// Simulasi pemulihan dari salinan lama, sampai 1.000 kali untuk node dan 1.000 kali untuk pusat
    Restores,
}

/// Kills on one database.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
struct Kills {
    hub: u32,
    nodes: u32,
}

impl Kills {
    fn enough(self) -> bool {
        self.hub >= HUB_KILLS && self.nodes >= NODE_KILLS
    }

    fn add(&mut self, found: Option<kills::Tally>) {
        let found = found.unwrap_or_default();
        self.hub += found.hub;
        self.nodes += found.nodes;
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// Last seed that is done.
    seed: u64,
    /// Kills so far, on one database as on both.
    kills: u64,
    /// Whether the weak link is done.
    weak_link: bool,
    /// Mutated batches so far.
    #[serde(default)]
    mutations: u64,
    /// Power cuts so far.
    cuts: u64,
    /// Kills so far, by database.
    on_sqlite: Kills,
    on_postgres: Kills,
    /// Simulated seeds, and those of plans that restore.
    seeds: Sweep,
    restores: Sweep,
}

/// Power cuts that were promised once, and cuts of one recorded run.
const CUTS: u64 = 10_000;
const CUTS_OF_ONE_RUN: u64 = 1_000;
/// Kills that were promised once, on each database.
const NODE_KILLS: u32 = 1_000;
const HUB_KILLS: u32 = 300;
/// Kills of one seed and database.
const KILLS: u32 = 200;
/// Mutated batches that are tried once in all, and between two writes of the state.
const MUTATIONS: u64 = 10_000_000;
const MUTATIONS_AT_ONCE: u64 = 100_000;
/// Seeds that are simulated once in all, and between two writes of the state.
const SEEDS: u64 = 30_000;
const SEEDS_AT_ONCE: u64 = 100;
/// Restores of nodes, and of the hub, that are simulated once.
const RESTORES: u32 = 1_000;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut state: State = match std::fs::read(&arguments.state) {
        Ok(bytes) => serde_json::from_slice(&bytes).context("the state file")?,
        Err(_) => State::default(),
    };
    let (all, only) = (arguments.only.is_none(), |form| arguments.only == Some(form));
    if only(Only::WeakLink) || (all && !state.weak_link) {
        on(Engine::Sqlite, "weak_link", 1, |place| weak_link::run(place, weak_link::LONG))?;
        state.weak_link = true;
        save(&arguments, &state)?;
    }
    let end = wait::now() + Duration::from_mins(arguments.minutes);
    if all || only(Only::Mutations) {
        mutations(&arguments, &mut state, end)?;
    }
    while (all || only(Only::Power)) && state.cuts < CUTS && wait::now() < end {
        let run = 1 + state.cuts / CUTS_OF_ONE_RUN;
        on(Engine::Sqlite, "power", run, |place| power::run(place, CUTS_OF_ONE_RUN))?;
        state.cuts += CUTS_OF_ONE_RUN;
        save(&arguments, &state)?;
        println!("{} of {CUTS} power cuts so far", state.cuts);
    }
    for sweep in [&mut state.seeds, &mut state.restores] {
        if only(Only::Seeds) || only(Only::Restores) {
            sweep.try_failed_again(|outcome| println!("{outcome}"));
        }
    }
    while only(Only::Seeds) && state.seeds.done < SEEDS && wait::now() < end {
        simulate(&mut state.seeds, 0, end);
        save(&arguments, &state)?;
    }
    while only(Only::Restores) && !restored(&state.restores) && wait::now() < end {
        simulate(&mut state.restores, Plan::RESTORES, end);
        save(&arguments, &state)?;
    }
    let failed = [&state.seeds.failed, &state.restores.failed];
    anyhow::ensure!(failed.iter().all(|seeds| seeds.is_empty()), "seeds failed: {failed:?}");
    while only(Only::Kills) && wait::now() < end && !enough(&state) {
        kill(&mut state)?;
        save(&arguments, &state)?;
    }
    while all && wait::now() < end {
        let seed = state.seed + 1;
        on(Engine::Sqlite, "restored_hub", seed, restored_hub::run)?;
        on(Engine::Sqlite, "forked_token", seed, forked_chain::through_the_token)?;
        on(Engine::Sqlite, "forked_chain", seed, forked_chain::through_the_chain)?;
        on(Engine::Sqlite, "forked_batch", seed, forked_chain::through_a_batch)?;
        kill(&mut state)?;
        if place::server().is_some() {
            on(Engine::Postgres, "two_hubs", seed, two_hubs::run)?;
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

/// The next simulated seeds; those that fail are told and kept.
fn simulate(sweep: &mut Sweep, first: u64, end: std::time::Instant) {
    sweep.go_on(first, SEEDS_AT_ONCE, end, |outcome| println!("{outcome}"));
    let Sweep { done, failed, found } = &sweep;
    println!("{done} seeds so far, failed: {failed:?}; found {found:?}");
}

/// Whether as many restores were found as were promised.
fn restored(sweep: &Sweep) -> bool {
    sweep.found.nodes >= RESTORES && sweep.found.hubs >= RESTORES
}

/// Whether there were as many kills as were promised, on the databases that are here.
fn enough(state: &State) -> bool {
    state.on_sqlite.enough() && (place::server().is_none() || state.on_postgres.enough())
}

/// Kills on both databases; every run has a seed of its own.
fn kill(state: &mut State) -> anyhow::Result<()> {
    let seed = 1 + state.kills / u64::from(KILLS);
    state.on_sqlite.add(on(Engine::Sqlite, "kills", seed, |place| kills::run(place, KILLS))?);
    if place::server().is_some() {
        state.on_postgres.add(on(Engine::Postgres, "kills", seed, |place| kills::run(place, KILLS))?);
    }
    state.kills += u64::from(KILLS);
    println!("kills on SQLite {:?}, on PostgreSQL {:?}", state.on_sqlite, state.on_postgres);
    Ok(())
}

fn save(arguments: &Arguments, state: &State) -> anyhow::Result<()> {
    let next = arguments.state.with_extension("tmp");
    std::fs::write(&next, serde_json::to_vec_pretty(state)?)?;
    std::fs::rename(&next, &arguments.state).with_context(|| format!("{}", arguments.state.display()))
}

fn on<T: std::fmt::Debug>(
    engine: Engine,
    name: &str,
    seed: u64,
    run: impl FnOnce(&Place) -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let Some(place) = Place::new(engine, name, seed)? else { return Ok(None) };
    let found = place.tell(run(&place)).with_context(|| format!("{name}, {engine:?}, seed {seed}"))?;
    println!("{name} {engine:?} seed {seed}: {found:?}");
    Ok(Some(found))
}
