//! An attack that goes on until it is told to stop, beside whatever honest peers do meanwhile.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use rustls::ClientConfig;
use tokio::runtime::Runtime;

use super::{certificates, client, flood::Flood, peer::Peer, stall::Stall};
use crate::federation::Hub;

/// Floods at once, each on a connection of its own.
const FLOODS: usize = 2;
/// Pause before the next round of a flood.
const NEXT_ROUND: Duration = Duration::from_millis(20);
/// Pause before a connection that stands still is opened again: sitting is the attack, not connecting.
const SIT_AGAIN: Duration = Duration::from_secs(1);

/// Whom an attack is against, and with what.
#[derive(Debug, Clone)]
pub struct Aim {
    /// Port of the exchange.
    pub port: u16,
    /// Port of enrolment.
    pub enrol_port: u16,
    /// With the certificate of an enrolled region.
    pub tls: Arc<ClientConfig>,
    /// Without a certificate.
    pub anonymous: Arc<ClientConfig>,
    /// Session of that region.
    pub session: Vec<u8>,
}

impl Aim {
    /// At a hub, with the keys of a region.
    pub fn at(hub: &Hub, peer: &Peer) -> anyhow::Result<Self> {
        let authority = certificates::authority(hub)?;
        let port = |url: String| anyhow::Ok(url.rsplit(':').next().context("a port")?.parse()?);
        Ok(Self {
            port: port(hub.exchange_url())?,
            enrol_port: port(hub.enrol_url())?,
            tls: client::config(authority.certificate(), Some(&peer.identity))?,
            anonymous: client::config(authority.certificate(), None)?,
            session: peer.session.clone(),
        })
    }
}

/// What is done to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Frames without end.
    Flood(Flood),
    /// Connections that stand still.
    Stall(Stall),
}

impl Attack {
    /// Every attack there is.
    pub const ALL: [Self; 13] = [
        Self::Flood(Flood::Streams),
        Self::Flood(Flood::RapidReset),
        Self::Flood(Flood::MadeYouReset),
        Self::Flood(Flood::EmptyData),
        Self::Flood(Flood::Continuation),
        Self::Flood(Flood::Ping),
        Self::Flood(Flood::Settings),
        Self::Stall(Stall::SilentReader),
        Self::Stall(Stall::Upload),
        Self::Stall(Stall::EndlessStream),
        Self::Stall(Stall::Handshake),
        Self::Stall(Stall::HalfClosed),
        Self::Stall(Stall::Enrolment),
    ];
}

/// What an attack came to so far.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Connections that got as far as they wanted.
    pub rounds: u64,
    /// Connections that did not come about.
    pub failed: u64,
    /// Frames or bytes that the hub took.
    pub sent: u64,
    /// Streams that the hub reset.
    pub resets: u64,
    /// Calls that the hub answered.
    pub answers: u64,
    /// Connections that the hub ended.
    pub closed: u64,
    /// Connections on which the hub read no more.
    pub full: u64,
    /// Reasons of the hub's GOAWAYs, and how many of each.
    pub goaways: BTreeMap<u32, u64>,
}

/// Counts that the tasks of an attack share.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<Counts>>);

impl Tally {
    /// Adds something.
    pub fn add(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The counts now.
    pub fn counts(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Attackers have computers of their own: what an attack costs them is not to be taken from the hub's processors, nor from
/// the honest region's, which are the same ones here.
fn give_way() {
    /// As far behind all others as there is.
    const LAST: i32 = 19;
    // Of this thread alone. Where it is not allowed the figures are worse, no more.
    let _ = rustix::process::setpriority_process(None, LAST);
}

/// An attack under way. It ends when it is dropped.
pub struct Assault {
    tally: Tally,
    runtime: Option<Runtime>,
}

impl Assault {
    /// Begins an attack.
    pub fn begin(attack: Attack, aim: &Aim) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .on_thread_start(give_way)
            .enable_all()
            .build()?;
        let tally = Tally::default();
        let (at_once, pause) = match attack {
            Attack::Flood(_) => (FLOODS, NEXT_ROUND),
            Attack::Stall(stall) => (stall.connections(), SIT_AGAIN),
        };
        for nth in 0..at_once {
            let (aim, tally) = (aim.clone(), tally.clone());
            runtime.spawn(async move {
                loop {
                    let ended = match attack {
                        Attack::Flood(flood) => flood.round(&aim, &tally).await,
                        Attack::Stall(stall) => stall.hold(nth, &aim, &tally).await,
                    };
                    if ended.is_err() {
                        tally.add(|t| t.failed += 1);
                    }
                    tokio::time::sleep(pause).await;
                }
            });
        }
        Ok(Self { tally, runtime: Some(runtime) })
    }

    /// What it came to so far.
    pub fn counts(&self) -> Counts {
        self.tally.counts()
    }
}

impl Drop for Assault {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
