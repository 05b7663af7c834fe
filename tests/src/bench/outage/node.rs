//! A node that enrols, connects and pushes, without a store of its own.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dtsen_central::{enrolment, hub::Decided};
use dtsen_kit::{
    ambient::Ambient,
    net::{self, Target, Tcp},
    tls,
};
use dtsen_node::enrol::Applicant;
use dtsen_proto::{
    batch,
    chain::Head,
    enrol::Token,
    key::Signer,
    limits,
    pb::{self, exchange_client::ExchangeClient},
    region::Region,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::Form;
use crate::{bench::crowd::Crowd, faults::wait, wire::peer};

/// A node that is about to push.
pub(super) struct Waiting {
    pub(super) identity: tls::Identity,
    pub(super) region: Region,
    pub(super) session: Vec<u8>,
    pub(super) requests: Vec<pb::SubmitRequest>,
}

type Exchange = ExchangeClient<tonic::transport::Channel>;

/// What all nodes write into.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) receipts: Mutex<Vec<Duration>>,
    pub(super) delayed: AtomicUsize,
    pub(super) errors: Mutex<BTreeMap<String, usize>>,
    pub(super) done: Vec<AtomicUsize>,
    taken: AtomicUsize,
    /// What each had when half of all batches were in custody.
    pub(super) half: Mutex<Option<Vec<usize>>>,
}

impl Seen {
    /// Of so many nodes.
    pub(super) fn of(nodes: usize) -> Self {
        Self { done: (0..nodes).map(|_| AtomicUsize::new(0)).collect(), ..Self::default() }
    }

    pub(super) fn failed(&self, what: &str, status: &Status) {
        let why = format!("{what}: {:?} {}", status.code(), status.message());
        *self.errors.lock().unwrap_or_else(PoisonError::into_inner).entry(why).or_default() += 1;
    }

    fn receipt(&self, node: usize, half: usize, time: Duration) {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner).push(time);
        self.done[node].fetch_add(1, Ordering::Relaxed);
        if self.taken.fetch_add(1, Ordering::Relaxed) + 1 == half {
            let now = self.done.iter().map(|done| done.load(Ordering::Relaxed)).collect();
            *self.half.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }
}

fn by(actor: &str) -> Decided {
    Decided { actor: actor.into(), reason: String::new() }
}

/// Enrols a region as its node and two operators would, without the network.
pub(super) async fn enrol(
    hub: &dtsen_central::hub::Hub,
    region: Region,
) -> anyhow::Result<(Signer, tls::Identity, Vec<u8>)> {
    let token: Token = enrolment::invite(hub, region, by("pengundang")).await?.parse()?;
    let applicant = Applicant::create(&Ambient::system())?;
    let request = applicant.request(&token);
    enrolment::enrol(hub, &request).await?;
    enrolment::confirm(hub, region, &applicant.fingerprint(), by("pemeriksa")).await?;
    let granted = enrolment::enrol(hub, &request).await?;
    let identity = tls::Identity { key: applicant.tls_key, chain: vec![granted.certificate] };
    Ok((applicant.signer, identity, granted.session))
}

/// The batches of a region, sealed one upon the other.
pub(super) fn seal(region: Region, signer: &Signer, form: Form) -> anyhow::Result<Vec<pb::SubmitRequest>> {
    if !region.is_regency() {
        return Ok(Vec::new());
    }
    let crowd = Crowd::of_newcomers(region)?;
    let (mut head, mut requests) = (Head::start(region), Vec::new());
    for nth in 0..form.batches as u64 {
        let numbers = nth * form.deltas..(nth + 1) * form.deltas;
        let deltas =
            numbers.map(|number| crowd.delta(number, 0, None)).collect::<anyhow::Result<Vec<_>>>()?;
        let draft = peer::draft(head);
        let sealed = batch::seal(signer, &draft, &deltas);
        head = Head::after(draft.position, sealed.id);
        requests.push(peer::submission(&sealed));
    }
    Ok(requests)
}

/// What the hub asks to wait, if that is all that it has against a call.
fn delay(status: &Status) -> Option<Duration> {
    let details = status.get_error_details();
    let delay = details.retry_info().and_then(|info| info.retry_delay);
    delay.filter(|_| status.code() == Code::ResourceExhausted)
}

/// What a node fails at, and how.
type Failed = (&'static str, Status);

/// One node connects and says Hello.
pub(super) async fn greet(
    node: &Waiting,
    target: Target,
    seen: &Seen,
) -> Result<(Exchange, Vec<u8>), Failed> {
    let channel = net::connect(Arc::new(Tcp), &target)
        .await
        .map_err(|error| ("connect", Status::unavailable(error.to_string())))?;
    let mut hub = ExchangeClient::new(channel)
        .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_MESSAGE_BYTES);
    let hello = peer::hello(Head::start(node.region), node.session.clone());
    loop {
        match hub.hello(hello.clone()).await {
            Ok(reply) => return Ok((hub, reply.into_inner().session)),
            Err(status) => wait_if_told(status, seen).await.map_err(|status| ("hello", status))?,
        }
    }
}

/// It pushes batch after batch, and waits when it is told to.
pub(super) async fn push(
    number: usize,
    node: Waiting,
    (mut hub, session): (Exchange, Vec<u8>),
    half: usize,
    seen: &Seen,
) -> Result<(), Failed> {
    for mut request in node.requests {
        request.session.clone_from(&session);
        loop {
            let begun = wait::now();
            match hub.submit(request.clone()).await {
                Ok(_) => break seen.receipt(number, half, begun.elapsed()),
                Err(status) => wait_if_told(status, seen).await.map_err(|status| ("submit", status))?,
            }
        }
    }
    Ok(())
}

async fn wait_if_told(status: Status, seen: &Seen) -> Result<(), Status> {
    let delay = delay(&status).ok_or(status)?;
    seen.delayed.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(delay).await;
    Ok(())
}
