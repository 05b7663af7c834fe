//! A weak link that is cut again and again: everything arrives, and nothing starts from zero.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, ensure};

use super::{
    ledger,
    place::Place,
    proxy::{Link, Proxy},
    source::{self, Source},
    wait,
};
use crate::federation::Hub;

/// What a run is like.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The link.
    pub link: Link,
    /// Families; about four deltas each.
    pub families: u64,
    /// Whether some batch must be longer than what the link carries between two cuts.
    pub must_resume: bool,
    /// Time for everything.
    pub deadline: Duration,
}

/// The form of `tests/run`: a batch of 1,000 deltas does not fit between two cuts, so that without resuming it would
/// never arrive; nor would it if every connection began with a large piece that the hub has already.
pub const SHORT: Form = Form {
    link: Link { bytes_per_second: 6_000, cut_every: Duration::from_secs(8) },
    families: 350,
    must_resume: true,
    deadline: Duration::from_secs(100),
};
/// 20 kB/s, cut every minute. 10,000 deltas take half a minute, so there are four times as many; a batch fits between
/// two cuts here, and is resumed only where a cut falls into it.
pub const LONG: Form = Form {
    link: Link { bytes_per_second: 20_000, cut_every: Duration::from_mins(1) },
    families: 10_000,
    must_resume: false,
    deadline: Duration::from_mins(30),
};
/// What a connection costs beside the bodies: handshakes, Hello, and the first piece sent again.
const CONNECTION: u64 = 64 * 1024;

/// What went over the link.
#[derive(Debug)]
pub struct Found {
    /// Deltas that arrived.
    pub deltas: u64,
    /// Bytes of their bodies.
    pub bodies: u64,
    /// Bytes of the longest.
    pub longest: u64,
    /// Bytes carried towards the hub.
    pub carried: u64,
    /// Cuts.
    pub cuts: u64,
}

/// One run.
pub fn run(place: &Place, form: Form) -> anyhow::Result<Found> {
    let plans = source::plans(place.seed(), &[("52.71", form.families)])?;
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let source = Source::enrol(&hub, &place.path("node"), &plans[0])?;
    source.load(0)?;
    let port = hub.exchange_url().rsplit_once(':').and_then(|(_, p)| p.parse().ok()).context("a port")?;
    let proxy = Proxy::start(port, form.link)?;
    source.node.reach_hub_at(&proxy.url())?;
    let log = std::fs::File::create(source.node.home().join(crate::federation::OUTPUT))?;
    let mut child =
        source.node.command(&["sync"])?.stdout(Stdio::from(log.try_clone()?)).stderr(log).spawn()?;
    let arrived = wait::until(form.deadline, || {
        let totals = ledger::totals(&source.node).map_err(|e| format!("{e:#}"))?;
        if totals.sent > 0 && totals.pending + totals.sealed + totals.waiting == 0 {
            Ok(totals)
        } else {
            Err(format!("{totals:?}, {} cuts, {} bytes carried", proxy.cuts(), proxy.up()))
        }
    });
    child.kill()?;
    child.wait()?;
    let deltas = arrived?.sent;
    let bodies: Vec<u64> = ledger::batches(&source.node)?.iter().map(|b| b.body.len() as u64).collect();
    let (bodies, longest) = (bodies.iter().sum(), bodies.iter().copied().max().unwrap_or_default());
    let found = Found { deltas, bodies, longest, carried: proxy.up(), cuts: proxy.cuts() };
    ensure!(found.cuts > 0, "the link was never cut: {found:?}");
    let between_cuts = u128::from(form.link.bytes_per_second) * form.link.cut_every.as_millis() / 1_000;
    ensure!(
        !form.must_resume || u128::from(found.longest) > between_cuts,
        "every batch fits between two cuts, so nothing shows that they are resumed: {found:?}"
    );
    let most = found.bodies * 5 / 4 + (found.cuts + 1) * CONNECTION;
    ensure!(found.carried < most, "more than {most} bytes were carried: {found:?}");
    source.node.reach_hub_at(&hub.exchange_url())?;
    ledger::check(&hub, &[&source.node])?;
    Ok(found)
}
