//! Who gets through the door, and what connections cost that never become calls.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use dtsen_kit::tls;
use dtsen_proto::{id::Position, limits, pb};
use dtsen_tests::{
    faults::{place::Place, wait},
    wire::{
        certificates,
        client::{Client, Refused},
        peer::Peer,
        stage::Stage,
    },
};

/// Connections that stand still.
const STALLED: usize = 20;
/// A connection whose certificate is not registered lives 10 s; the test machine may be slow.
const OUT: Duration = Duration::from_secs(30);
/// More than the hub keeps of them.
const STRANGERS: usize = 40;

/// Says Hello with a certificate; the session is never looked at.
fn hello(stage: &Stage, identity: Option<&tls::Identity>) -> Result<pb::HelloReply, Refused> {
    let request = stage.peer.hello_request();
    match Client::connect(&stage.hub, identity) {
        Ok(mut client) => client.call(async |hub| hub.hello(request).await),
        Err(error) => {
            Err(Refused { reason: String::new(), code: tonic::Code::Unavailable, text: error.to_string() })
        }
    }
}

/// Nothing is answered: the handshake fails.
fn shut_out(stage: &Stage, what: &str, identity: Option<&tls::Identity>) -> anyhow::Result<()> {
    let before = stage.state()?;
    let refused = hello(stage, identity).err().with_context(|| format!("{what} was answered"))?;
    let broken =
        matches!(refused.code, tonic::Code::Unavailable | tonic::Code::Unknown | tonic::Code::Cancelled);
    ensure!(refused.reason.is_empty() && broken, "{what}: {refused:?}");
    ensure!(before == stage.state()?, "{what}: something changed");
    Ok(())
}

pub(super) fn run(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    let region = stage.peer.region;
    shut_out(&stage, "no certificate", None)?;
    shut_out(&stage, "a certificate of another authority", Some(&certificates::foreign(region)?))?;
    shut_out(&stage, "a certificate that ran out", Some(&certificates::expired(&stage.hub, region)?))?;
    shut_out(&stage, "a certificate of a listener", Some(&certificates::server(&stage.hub)?))?;
    let unknown = certificates::unregistered(&stage.hub, region)?;
    every_call_is_refused(&mut stage, "a certificate that is not registered", &unknown)?;
    let nobody = certificates::unregistered(&stage.hub, "31.71".parse()?)?;
    every_call_is_refused(&mut stage, "a certificate of a region that never enrolled", &nobody)?;
    // A batch of the hostile region through the connection of the honest one, and the other way round.
    let mut honest = Peer::of(&stage.honest.node, &stage.hub)?;
    honest.hello().map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    stage.refused("its own batch through another region's connection", "WRONG_REGION", |peer, deltas| {
        let session = honest.session.clone();
        let request = pb::SubmitRequest { session, ..peer.request(&peer.seal(deltas)) };
        honest.submit(request)
    })?;
    let position = Position { region: honest.region, ..honest.draft().position };
    stage.refused("another region's place through its own connection", "WRONG_REGION", |peer, deltas| {
        let draft = dtsen_proto::batch::Draft { position, ..peer.draft() };
        super::send(peer, &draft, deltas)
    })?;
    stage.honest_goes_on()?;

    let deltas = stage.deltas.clone();
    stage.peer.deliver(&deltas)?;
    stage.hub.run(&["region", "revoke", "52.71", "--by", "petugas", "--reason", "uji"])?;
    stage.refused("revoked, on a connection of before", "CERTIFICATE_UNKNOWN", |peer, deltas| {
        let draft = peer.draft();
        super::send(peer, &draft, deltas)
    })?;
    let revoked =
        tls::Identity { key: stage.peer.identity.key.clone(), chain: stage.peer.identity.chain.clone() };
    every_call_is_refused(&mut stage, "revoked", &revoked)?;
    stage.end()
}

/// The handshake goes through, and every call says why it is refused.
fn every_call_is_refused(stage: &mut Stage, what: &str, identity: &tls::Identity) -> anyhow::Result<()> {
    let before = stage.state()?;
    let mut client = Client::connect(&stage.hub, Some(identity))?;
    let hello = stage.peer.hello_request();
    let session = || stage.peer.session.clone();
    let submit = stage.peer.request(&stage.peer.seal(&stage.deltas[..5]));
    let feed = pb::FeedRequest { session: session(), after: 0 };
    let back = pb::ReadBackRequest { session: session(), ..Default::default() };
    let slice = pb::SliceRequest { session: session(), have_version: 0 };
    let part = pb::SlicePartRequest { session: session(), ..Default::default() };
    let renew = pb::RenewRequest { session: session(), csr: tls::request(&identity.key)? };
    let answers = [
        client.call(async |hub| hub.hello(hello).await).map(drop),
        client.call(async |hub| hub.submit(submit).await).map(drop),
        client.call(async |hub| hub.feed(feed).await).map(drop),
        client.call(async |hub| hub.read_back(back).await).map(drop),
        client.call(async |hub| hub.slice(slice).await).map(drop),
        client.call(async |hub| hub.slice_part(part).await).map(drop),
        client.call(async |hub| hub.consistency(pb::ConsistencyRequest::default()).await).map(drop),
        client.call(async |hub| hub.rulebook(pb::RulebookRequest { version: 1, offset: 0 }).await).map(drop),
        client.call(async |hub| hub.renew(renew).await).map(drop),
    ];
    for (nth, answer) in answers.into_iter().enumerate() {
        let reason = answer.err().map(|refused| refused.reason);
        ensure!(
            reason.as_deref() == Some("CERTIFICATE_UNKNOWN"),
            "{what}: call {nth} was answered {reason:?}"
        );
    }
    ensure!(before == stage.state()?, "{what}: something changed");
    Ok(())
}

fn port(stage: &Stage) -> anyhow::Result<u16> {
    Ok(stage.hub.exchange_url().rsplit(':').next().context("a port")?.parse()?)
}

pub(super) fn stalled(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    let port = port(&stage)?;
    let mut standing = Vec::new();
    for nth in 0..STALLED {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        if nth % 2 == 1 {
            // The head of a record of 512 bytes that never comes.
            stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0])?;
        }
        standing.push(stream);
    }
    stage.honest_goes_on()?;
    strangers(&mut stage)?;
    // The hub puts out who never ends a handshake.
    for mut stream in standing {
        stream.set_read_timeout(Some(OUT))?;
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        ensure!(
            ended.as_ref().map_or_else(|e| e.kind() == std::io::ErrorKind::ConnectionReset, |_| true),
            "a stalled handshake was kept: {ended:?}"
        );
    }
    stage.end()
}

/// Certificates of our own authority that are not registered: many at once, for long, with much.
fn strangers(stage: &mut Stage) -> anyhow::Result<()> {
    let identity = certificates::unregistered(&stage.hub, stage.peer.region)?;
    let mut kept = Vec::new();
    let mut told = 0;
    let request = stage.peer.hello_request();
    for _ in 0..STRANGERS {
        let Ok(mut client) = Client::connect(&stage.hub, Some(&identity)) else { continue };
        let again = request.clone();
        let refused =
            client.call(async |hub| hub.hello(again).await).err().context("a stranger was answered")?;
        told += usize::from(refused.reason == "CERTIFICATE_UNKNOWN");
        kept.push(client);
    }
    ensure!(told >= 8, "only {told} of {STRANGERS} were told why");
    stage.honest_goes_on()?;
    // Nobody is told once the places are taken; the places come free by themselves.
    let heavy = pb::SubmitRequest { data: vec![0; limits::MAX_CHUNK_BYTES], ..Default::default() };
    drop(kept);
    let refused = wait::until(OUT, || {
        let mut client = Client::connect(&stage.hub, Some(&identity)).map_err(|e| e.to_string())?;
        let again = request.clone();
        let first = client.call(async |hub| hub.hello(again).await).err().ok_or("answered")?;
        if first.reason != "CERTIFICATE_UNKNOWN" {
            return Err(format!("{first:?}"));
        }
        let heavy = heavy.clone();
        client.call(async |hub| hub.submit(heavy).await).err().ok_or("answered".into())
    })?;
    ensure!(refused.reason.is_empty(), "a stranger could bring a megabyte: {refused:?}");
    Ok(())
}
