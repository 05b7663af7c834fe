//! A region that enrolled honestly and then does what it likes with its keys.

use std::sync::Mutex;

use anyhow::Context as _;
use dtsen_kit::{ambient::Ambient, net::Tcp, tls};
use dtsen_node::{
    home::Home,
    store::{Sealing, setting},
};
use dtsen_proto::{
    batch::{self, Draft, Sealed},
    chain::Head,
    id::Position,
    key::Signer,
    limits, pb,
    region::Region,
};

use super::client::{Client, Refused};
use crate::{
    faults::wait,
    federation::{Hub, Node},
};

/// Keys, session and chain of a region, and its open connection.
pub struct Peer {
    /// The region.
    pub region: Region,
    /// Signs its batches.
    pub signer: Signer,
    /// Its TLS key and certificate.
    pub identity: tls::Identity,
    /// Token of the last Hello.
    pub session: Vec<u8>,
    /// Where its chain ends, as far as receipts say.
    pub head: Head,
    /// Its connection.
    pub client: Client,
}

impl Peer {
    /// Takes over the keys of an enrolled node.
    pub fn of(node: &Node, hub: &Hub) -> anyhow::Result<Self> {
        let home = Home::at(node.home());
        let (agent, session, head) = wait::block_on(async {
            let (store, region) = home.store().await?;
            let session = store.setting(setting::SESSION).await?.context("enrolment gives a session")?;
            let head = store.head().await?.context("enrolment gives a head")?;
            Ok((home.agent(store, region, std::sync::Arc::new(Tcp)).await?, session, head))
        })?;
        let identity = agent.identity.load()?;
        let client = Client::connect(hub, Some(&identity))?;
        Ok(Self { region: agent.region, signer: agent.signer, identity, session, head, client })
    }

    /// A Hello as an honest node of this head would say it.
    pub fn hello_request(&self) -> pb::HelloRequest {
        hello(self.head, self.session.clone())
    }

    /// Says Hello and keeps the session.
    pub fn hello(&mut self) -> Result<pb::HelloReply, Refused> {
        let request = self.hello_request();
        let reply = self.client.call(async |hub| hub.hello(request).await)?;
        self.session.clone_from(&reply.session);
        Ok(reply)
    }

    /// What the next batch says of itself.
    pub fn draft(&self) -> Draft {
        draft(self.head)
    }

    /// The next batch.
    pub fn seal(&self, deltas: &[Vec<u8>]) -> Sealed {
        batch::seal(&self.signer, &self.draft(), deltas)
    }

    /// The chain goes on after a batch that was sealed.
    pub fn sealed(&mut self, sealed: &Sealed) {
        self.head = Head::after(self.draft().position, sealed.id);
    }

    /// A request that brings a batch in one piece.
    pub fn request(&self, sealed: &Sealed) -> pb::SubmitRequest {
        pb::SubmitRequest { session: self.session.clone(), ..submission(sealed) }
    }

    /// Sends a request as it is.
    pub fn submit(&mut self, request: pb::SubmitRequest) -> Result<pb::SubmitReply, Refused> {
        self.client.call(async |hub| hub.submit(request).await)
    }

    /// Sends a good batch: the chain goes on. Gives the receipt.
    pub fn deliver(&mut self, deltas: &[Vec<u8>]) -> anyhow::Result<pb::Receipt> {
        let sealed = self.seal(deltas);
        let reply = self.submit(self.request(&sealed)).map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        self.sealed(&sealed);
        receipt(&reply)
    }
}

/// A Hello of a node whose chain ends here.
pub fn hello(head: Head, session: Vec<u8>) -> pb::HelloRequest {
    pb::HelloRequest {
        protocol: dtsen_proto::PROTOCOL_VERSION,
        session,
        epoch: head.position.epoch,
        sequence: head.position.sequence.into(),
        head: head.id.as_bytes().to_vec(),
        generation: 1,
        ..Default::default()
    }
}

/// What the batch after a head says of itself.
pub fn draft(head: Head) -> Draft {
    Draft {
        position: Position { sequence: head.position.sequence + 1, ..head.position },
        previous: head.id,
        rulebook: 1,
        generation: 1,
        log: (0, [0; 32]),
        created_ms: Ambient::system().now_ms(),
    }
}

/// A batch in one piece, without a session.
pub fn submission(sealed: &Sealed) -> pb::SubmitRequest {
    let (encoding, data) = batch::encode_body(&sealed.body);
    pb::SubmitRequest {
        header: Some(sealed.envelope.clone()),
        encoding: encoding.into(),
        encoded_length: data.len() as u64,
        data,
        ..Default::default()
    }
}

/// The receipt in a reply.
pub fn receipt(reply: &pb::SubmitReply) -> anyhow::Result<pb::Receipt> {
    let envelope = reply.receipt.as_ref().context("a receipt")?;
    Ok(prost::Message::decode(envelope.payload.as_slice())?)
}

/// The deltas that a node would send next. They are sealed in a copy of its home, so that nothing changes here.
pub fn deltas(node: &Node, copy: &std::path::Path, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let copy = node.clone_to(copy)?;
    let signer = Signer::from_seed(&[1; 32]);
    let taken = Mutex::new(Vec::new());
    let ambient = Ambient::system();
    wait::block_on(async {
        let sealing = Sealing {
            now_ms: ambient.now_ms(),
            max_deltas: count,
            max_bytes: limits::MAX_BODY_BYTES,
            rulebook: 1,
            generation: 1,
            log: (0, [0; 32]),
            salt: &|| ambient.bytes(),
            seal: &|draft, deltas| {
                *taken.lock().expect("one thread") = deltas.to_vec();
                batch::seal(&signer, draft, deltas)
            },
        };
        copy.store().await?.seal(&sealing).await?.context("something waits")?;
        Ok(())
    })?;
    Ok(taken.into_inner()?)
}
