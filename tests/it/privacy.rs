//! Promise 7: a whole demo run with logs at their finest, and no NIK, No. KK or name in clear in anything that was logged or
//! printed.

use std::{collections::BTreeSet, path::Path, process::Command};

use anyhow::{Context as _, ensure};
use dtsen_tests::{demo, federation};

/// Families of the first region.
const FAMILIES: u64 = 200;

fn logs(folder: &Path, found: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            logs(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "log") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

/// Every run of digits of 16 places.
fn numbers(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 16).collect()
}

/// Who is shown in clear, in which text.
fn hits(found: &[(String, String)]) -> anyhow::Result<Vec<String>> {
    let mut hits = Vec::new();
    for population in demo::populations(FAMILIES)? {
        for family in population.iter() {
            let people = family.members.iter().flat_map(|m| [&m.person.nik, &m.person.name]);
            for secret in std::iter::once(&family.kk).chain(people) {
                let is_number = secret.bytes().all(|b| b.is_ascii_digit());
                for (name, text) in found {
                    let hit = if is_number {
                        numbers(text).contains(secret.as_str())
                    } else {
                        text.contains(secret)
                    };
                    if hit {
                        hits.push(format!("{name} shows {secret}"));
                    }
                }
            }
        }
    }
    Ok(hits)
}

/// The search finds whom it must find: somebody of the demo, planted in lines as a log would have them.
fn the_search_finds() -> anyhow::Result<()> {
    let populations = demo::populations(FAMILIES)?;
    let population = populations.first().context("a region")?;
    let family = population.family(population.families() - 1);
    let person = &family.members.first().context("a head")?.person;
    for (secret, line) in [
        (&person.nik, format!("2026 DEBUG upsert nik={} region=52.71", person.nik)),
        (&person.nik, format!("{{\"number\":\"{}\"}}", person.nik)),
        (&person.name, format!("WARN name={:?} differs", person.name)),
        (&family.kk, format!("kk \"{}\", baris 7", family.kk)),
    ] {
        let found = hits(&[("planted".into(), line)])?;
        ensure!(
            found.iter().any(|hit| hit.ends_with(secret.as_str())),
            "planted {secret} is not found: {found:?}"
        );
    }
    let masked = format!("nik=••••••••••••{} region=52.71", &person.nik[12..]);
    ensure!(hits(&[("masked".into(), masked)])?.is_empty(), "a masked number is found");
    Ok(())
}

#[test]
fn a_demo_run_shows_nobody() -> anyhow::Result<()> {
    if crate::quick("privacy") {
        return Ok(());
    }
    the_search_finds()?;
    let folder = tempfile::tempdir()?;
    let families = FAMILIES.to_string();
    let keep = folder.path().to_str().context("a path in UTF-8")?;
    let mut command = Command::new(federation::program("demo")?);
    command.env(federation::LOG_LEVEL, "debug");
    let output = command.args(["--once", "--families", &families, "--keep", keep]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = Vec::new();
    for place in demo::populations(FAMILIES)? {
        let home = folder.path().join(place.region().to_string());
        for arguments in [&["findings"][..], &["findings", "--json"], &["status"], &["slice", "status"]] {
            let node = Command::new(federation::program("dtsen-node")?)
                .args(["--log", "debug", "--home"])
                .arg(&home)
                .args(arguments)
                .output()?;
            let text = [node.stdout, node.stderr].concat();
            found.push((arguments.join(" "), String::from_utf8_lossy(&text).into_owned()));
        }
    }
    logs(folder.path(), &mut found)?;
    let hub = found.iter().find(|(name, _)| name.ends_with("hub.log")).context("no log of the hub")?;
    ensure!(!hub.1.is_empty(), "the hub logged nothing");
    let printed =
        found.iter().filter(|(name, text)| name.ends_with("output.log") && !text.is_empty()).count();
    ensure!(printed == 4, "output of {printed} homes instead of four");
    found.push(("stdout".into(), String::from_utf8_lossy(&output.stdout).into_owned()));
    found.push(("stderr".into(), String::from_utf8_lossy(&output.stderr).into_owned()));
    let hits = hits(&found)?;
    ensure!(hits.is_empty(), "{} times somebody is shown: {:#?}", hits.len(), &hits[..hits.len().min(10)]);
    eprintln!("privacy: {} texts, nobody in them", found.len());
    Ok(())
}
