//! Certificates that nobody should have.

use dtsen_central::{authority::Authority, home::Home};
use dtsen_kit::{ambient::Ambient, tls};
use dtsen_proto::{record::Day, region::Region};

use crate::federation::{HUB_NAME, Hub};

/// Today, as the hub counts.
fn today() -> Day {
    Day::of_ms(Ambient::system().now_ms())
}

/// The hub's authority, from its home.
pub fn authority(hub: &Hub) -> anyhow::Result<Authority> {
    Ok(Home::at(hub.home()).authority()?)
}

fn issue(authority: &Authority, region: Region, day: Day) -> anyhow::Result<tls::Identity> {
    let key = tls::new_key()?;
    let request = tls::request(&key)?;
    let certificate = authority.node(region, &request, day, Ambient::system().bytes())?;
    Ok(tls::Identity { key, chain: vec![certificate] })
}

/// Of the hub's own authority, for this region, and never registered.
pub fn unregistered(hub: &Hub, region: Region) -> anyhow::Result<tls::Identity> {
    issue(&authority(hub)?, region, today())
}

/// Of the hub's own authority, run out a month ago.
pub fn expired(hub: &Hub, region: Region) -> anyhow::Result<tls::Identity> {
    issue(&authority(hub)?, region, Day(today().0 - 30 - dtsen_central::authority::NODE_DAYS))
}

/// Of another authority that has the name of the hub's.
pub fn foreign(region: Region) -> anyhow::Result<tls::Identity> {
    issue(&Authority::create(HUB_NAME, today())?, region, today())
}

/// A listener's certificate of the hub's own authority.
pub fn server(hub: &Hub) -> anyhow::Result<tls::Identity> {
    Ok(authority(hub)?.server(HUB_NAME, today(), Ambient::system().bytes())?)
}
