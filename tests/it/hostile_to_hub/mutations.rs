//! Mutated batches before the checks that the hub runs.

use anyhow::ensure;
use dtsen_tests::wire::mutation::Mutations;

/// Tried on every run; `long` tries 10 million once.
const MUTATIONS: u64 = 100_000;

pub(super) fn run() -> anyhow::Result<()> {
    let outcome = Mutations::new(1)?.run(0..MUTATIONS)?;
    eprintln!("{outcome:?}");
    ensure!(outcome.tried == MUTATIONS && outcome.unchanged < MUTATIONS / 20, "hardly anything was changed");
    // Changes that go past every check would leave these out.
    for code in
        ["BAD_SIGNATURE", "BODY_MISMATCH", "KEY_UNKNOWN", "PAYLOAD_TYPE", "HEADER_LIMITS", "MALFORMED"]
    {
        let refused = outcome.refused.get(code).copied().unwrap_or(0);
        ensure!(refused > MUTATIONS / 1_000, "only {refused} were refused with {code}: {outcome:?}");
    }
    ensure!(outcome.refused.contains_key("ERASED_ON_ARRIVAL"), "no delta was erased on the way: {outcome:?}");
    Ok(())
}
