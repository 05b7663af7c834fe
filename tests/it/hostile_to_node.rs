//! Promises 3 and 6 at the node: a hub that lies, with the real hub's keys. The node's program ends with an error, names the
//! refusal by its code, and uses nothing of it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use dtsen_kit::net::Tcp;
use dtsen_node::{home::Home, sync};
use dtsen_tests::{
    faults::{
        ledger,
        place::{Engine, Place},
        source::{self, Source},
        wait,
    },
    federation::Hub,
    wire::{middle::Middle, twist::Twist},
};
use serde_json::Value;

const REGIONS: [(&str, u64); 2] = [("52.71", 20), ("75.71", 10)];
/// How long a node waits for verdicts that it will not take.
const PATIENCE: Duration = Duration::from_secs(30);

struct Stage {
    hub: Hub,
    source: Source,
    other: Source,
    middle: Middle,
}

impl Stage {
    /// A hub with two regions, a release of both, and a node that takes everything through the hub in the middle.
    fn set(place: &Place) -> anyhow::Result<Self> {
        let plans = source::plans(place.seed(), &REGIONS)?;
        let mut hub = Hub::create(&place.path("pusat"), place.database())?;
        hub.start()?;
        let source = Source::enrol(&hub, &place.path("node"), &plans[0])?;
        let other = Source::enrol(&hub, &place.path("node"), &plans[1])?;
        other.load(0)?;
        other.node.sync()?;
        let middle = Middle::start(&hub, &source.node)?;
        source.node.reach_hub_at(&middle.url())?;
        source.load(0)?;
        source.node.sync()?;
        hub.release()?;
        let report = source.node.sync()?;
        ensure!(report["slice_version"] == 1, "no slice through the middle: {report}");
        Ok(Self { hub, source, other, middle })
    }

    /// What the node uses: its slice, its records, the verdicts that it holds.
    fn used(&self) -> anyhow::Result<Vec<Value>> {
        let status = self.source.node.json(&["status"])?;
        let names = [
            "slice",
            "keluarga",
            "individu",
            "accepted",
            "warned",
            "held",
            "rejected",
            "generation",
            "epoch",
            "halted",
        ];
        Ok(names.iter().map(|name| status[name].clone()).collect())
    }

    /// The hub lies: the node says which code, and uses nothing.
    fn lie(&self, twist: Twist, code: &str) -> anyhow::Result<()> {
        let (what, before) = (format!("{twist:?}"), self.used()?);
        let what = &what[..what.len().min(40)];
        self.middle.tell(twist);
        let exchange = self.source.node.try_sync(PATIENCE)?;
        self.middle.tell(Twist::Honest);
        ensure!(!exchange.well, "{what}: the node took it: {exchange:?}");
        ensure!(exchange.told.contains(&format!("({code})")), "{what}: not {code} but: {}", exchange.told);
        let after = self.used()?;
        ensure!(before == after, "{what}: {before:?} became {after:?}");
        self.source.node.run(&["verify"])?;
        Ok(())
    }

    /// The hub is honest again: everything that waited comes through.
    fn honest(&self) -> anyhow::Result<Value> {
        let report = self.source.node.sync()?;
        ledger::check(&self.hub, &[&self.source.node, &self.other.node])?;
        Ok(report)
    }
}

fn run(name: &str, scenario: impl FnOnce(&Stage) -> anyhow::Result<()>) -> anyhow::Result<()> {
    crate::scenario(name, Engine::Sqlite, |place| scenario(&Stage::set(place)?))
}

#[test]
fn receipts_and_verdicts_that_are_not_its_own_are_not_taken() -> anyhow::Result<()> {
    run("lies_verdicts", |stage| {
        stage.source.load(1)?;
        stage.lie(Twist::ReceiptTampered, "BAD_SIGNATURE")?;
        stage.lie(Twist::ReceiptByLogKey, "KEY_UNKNOWN")?;
        stage.lie(Twist::ReceiptOfAnother, "MALFORMED")?;
        stage.lie(Twist::VerdictTampered, "BAD_SIGNATURE")?;
        stage.lie(Twist::VerdictOfRegion("75.71".into()), "WRONG_REGION")?;
        stage.lie(Twist::FeedGap, "MALFORMED")?;
        stage.lie(Twist::VerdictOfAnother, "MALFORMED")?;
        stage.honest()?;
        Ok(())
    })
}

#[test]
fn slices_that_are_not_the_signed_newest_are_not_used() -> anyhow::Result<()> {
    run("lies_slices", |stage| {
        let first = stage.middle.offer().context("the first offer went through")?;
        stage.source.load(1)?;
        stage.source.node.sync()?;
        stage.hub.release()?;
        stage.lie(Twist::ManifestTampered, "MANIFEST_MISMATCH")?;
        stage.lie(Twist::PartTampered, "MANIFEST_MISMATCH")?;
        stage.lie(Twist::ManifestEndless, "MANIFEST_MISMATCH")?;
        stage.lie(Twist::PartEndless, "MANIFEST_MISMATCH")?;
        stage.lie(Twist::FreshnessExpired, "EXPIRED")?;
        stage.lie(Twist::ReleaseExpired, "EXPIRED")?;
        stage.lie(Twist::MixAndMatch, "MANIFEST_MISMATCH")?;
        stage.lie(Twist::ReleaseByReceiptKey, "KEY_UNKNOWN")?;
        stage.lie(Twist::ManifestReplayed(Box::new(first.clone())), "MANIFEST_MISMATCH")?;
        let report = stage.honest()?;
        ensure!(report["slice_version"] == 2, "the second slice: {report}");
        stage.lie(Twist::OfferReplayed(Box::new(first)), "ROLLBACK")?;
        stage.honest()?;
        Ok(())
    })
}

#[test]
fn versions_that_nothing_could_follow_are_not_taken() -> anyhow::Result<()> {
    run("lies_fast_forward", |stage| {
        stage.source.load(1)?;
        stage.source.node.sync()?;
        stage.hub.release()?;
        stage.lie(Twist::FastForward, "MANIFEST_MISMATCH")?;
        let report = stage.honest()?;
        ensure!(report["slice_version"] == 2, "the second slice: {report}");
        stage.lie(Twist::RulebookFastForward, "MALFORMED")?;
        let report = stage.honest()?;
        ensure!(report["rulebook"] == 1, "not the rulebook of before: {report}");
        Ok(())
    })
}

#[test]
fn a_log_or_generation_that_nobody_signed_is_not_believed() -> anyhow::Result<()> {
    run("lies_log", |stage| {
        stage.lie(Twist::GenerationUnsigned, "MALFORMED")?;
        stage.lie(Twist::GenerationByLogKey, "KEY_UNKNOWN")?;
        stage.lie(Twist::EpochUnsigned, "MALFORMED")?;
        stage.lie(Twist::EpochByLogKey, "KEY_UNKNOWN")?;
        stage.lie(Twist::LogByReceiptKey, "BAD_SIGNATURE")?;
        stage.honest()?;
        for twist in [Twist::LogForked, Twist::LogForkedLonger, Twist::LogRolledBack, Twist::LogGone] {
            stage.lie(twist, "LOG_INCONSISTENT")?;
        }
        let status = stage.source.node.json(&["status"])?;
        ensure!(status["hub_fork"] == true, "the other history was not kept: {status}");
        stage.honest()?;
        Ok(())
    })
}

#[test]
fn a_rulebook_with_another_digest_is_not_used() -> anyhow::Result<()> {
    run("lies_rulebook", |stage| {
        let fetch = |twist| {
            stage.middle.tell(twist);
            let home = Home::at(stage.source.node.home());
            wait::block_on(async {
                let (store, region) = home.store().await?;
                let agent = home.agent(store, region, Arc::new(Tcp)).await?;
                Ok(sync::fetch_rulebook(&agent, 1).await)
            })
        };
        let good = fetch(Twist::Honest)?;
        ensure!(good.is_ok_and(|bundle| !bundle.is_empty()), "the rulebook does not come through");
        for (twist, code) in
            [(Twist::RulebookTampered, "BAD_SIGNATURE"), (Twist::RulebookByLogKey, "KEY_UNKNOWN")]
        {
            match fetch(twist.clone())? {
                Err(sync::SyncError::Invalid(refusal)) if refusal.code() == code => {}
                other => anyhow::bail!("{twist:?}: {:?}", other.map(|bundle| bundle.len())),
            }
        }
        // The same in an exchange: data goes both ways, the rulebook is refused by name, and the one before stays.
        let bridge = stage.hub.home().join("bridge.csv");
        std::fs::write(&bridge, "kode_bps,kode_dagri\n5271,52.71\n")?;
        let bridge = bridge.to_str().context("a path in UTF-8")?;
        let why = ["--by", "petugas", "--reason", "jembatan"];
        stage.hub.run(&[&["rulebook", "load", "--bridge", bridge], &why[..]].concat())?;
        stage.lie(Twist::RulebookTampered, "BAD_SIGNATURE")?;
        stage.lie(Twist::RulebookByLogKey, "KEY_UNKNOWN")?;
        ensure!(stage.source.node.json(&["status"])?["rulebook"] == 1, "a refused rulebook is in use");
        stage.middle.tell(Twist::RulebookUnreadable);
        let report = stage.source.node.sync()?;
        ensure!(report["rulebook"] == 1 && report["rulebook_unfit"] == 2, "not told: {report}");
        let shown = stage.source.node.run(&["status"])?;
        ensure!(shown.contains("tidak terbaca"), "status is silent about it: {shown}");
        stage.middle.tell(Twist::Honest);
        let report = stage.honest()?;
        ensure!(report["rulebook"] == 2, "the honest one was not taken: {report}");
        stage.lie(Twist::RulebookRolledBack, "ROLLBACK")?;
        ensure!(stage.source.node.json(&["status"])?["rulebook"] == 2, "an older rulebook is in use");
        stage.honest()?;
        Ok(())
    })
}
