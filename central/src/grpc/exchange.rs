//! The exchange service: every call is of the region that the certificate names.

use std::sync::Arc;

use dtsen_proto::{
    id::Position,
    limits,
    pb::{self, exchange_server::Exchange},
    refusal::Refusal,
};
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::{
    status::{from_fault, from_refusal, from_store},
    turns::{Turn, Turns},
};
use crate::{
    door::{self, Peer},
    enrolment, generation, hello,
    hub::Hub,
    intake::{self, Fault, Gate},
    journal, release,
    store::{RegionRow, Status as Standing},
};

/// Serves nodes.
pub struct ExchangeService {
    hub: Arc<Hub>,
    gate: Arc<Gate>,
    turns: Turns,
}

type Answer<T> = Result<Response<T>, Status>;

impl ExchangeService {
    /// A service of a hub.
    pub fn new(hub: Arc<Hub>, gate: Arc<Gate>) -> Self {
        Self { hub, gate, turns: Turns::default() }
    }

    /// The region that asks, as registered now: a revocation counts for open connections too. It is its turn until the
    /// answer is made.
    async fn region<T>(&self, request: &Request<T>) -> Result<(RegionRow, Turn), Status> {
        let peer = request.extensions().get::<Peer>().copied();
        let known = peer.and_then(|p| p.region.map(|region| (p, region)));
        let (peer, region) = known.ok_or_else(|| from_refusal(&Refusal::CertificateUnknown))?;
        let turn = self.turns.take(region).await;
        let row = self.hub.store.region(region).await.map_err(|e| from_store(&e))?;
        let row = row.filter(|row| door::is_registered(row, &peer));
        row.map(|row| (row, turn)).ok_or_else(|| from_refusal(&Refusal::CertificateUnknown))
    }

    /// The region that asks, with a session that Hello opened and nothing that stops it.
    async fn session<T>(&self, request: &Request<T>, session: &[u8]) -> Result<(RegionRow, Turn), Status> {
        let (row, turn) = self.region(request).await?;
        match row.status {
            Standing::Active => {}
            Standing::Cloned => return Err(from_refusal(&Refusal::Cloned)),
            _ => return Err(from_refusal(&Refusal::Suspended)),
        }
        let tokens = self.hub.store.session(row.region).await.map_err(|e| from_store(&e))?;
        match tokens {
            Some(tokens) if tokens.holds(session) => Ok((row, turn)),
            _ => Err(from_refusal(&Refusal::Cloned)),
        }
    }
}

#[tonic::async_trait]
impl Exchange for ExchangeService {
    async fn hello(&self, request: Request<pb::HelloRequest>) -> Answer<pb::HelloReply> {
        let (row, _turn) = self.region(&request).await?;
        hello::hello(&self.hub, &row, request.get_ref()).await.map(Response::new).map_err(from_fault)
    }

    async fn submit(&self, request: Request<pb::SubmitRequest>) -> Answer<pb::SubmitReply> {
        let (row, turn) = self.session(&request, &request.get_ref().session).await?;
        if self.hub.stopped().await.map_err(|e| from_store(&e))?.is_some() {
            return Err(from_refusal(&Refusal::IntakeStopped));
        }
        // At the gate it stands in line for itself.
        drop(turn);
        let _pass = self.gate.enter(row.region).await.map_err(|r| from_refusal(&r))?;
        let progress = intake::submit(&self.hub, &row, request.get_ref()).await.map_err(from_fault)?;
        let queue = match progress.receipt {
            Some(_) => Some(intake::queue(&self.hub).await.map_err(|e| from_store(&e))?),
            None => None,
        };
        Ok(Response::new(pb::SubmitReply {
            next_offset: progress.next_offset,
            receipt: progress.receipt,
            queue,
        }))
    }

    async fn hand_back_verdicts(
        &self,
        request: Request<pb::HandBackVerdictsRequest>,
    ) -> Answer<pb::HandBackVerdictsReply> {
        let (row, _turn) = self.session(&request, &request.get_ref().session).await?;
        let entries = &request.get_ref().entries;
        let kept = generation::lost::keep(&self.hub, row.region, entries).await;
        kept.map(|()| Response::new(pb::HandBackVerdictsReply {})).map_err(from_fault)
    }

    async fn feed(&self, request: Request<pb::FeedRequest>) -> Answer<pb::FeedReply> {
        let (row, _turn) = self.session(&request, &request.get_ref().session).await?;
        let store = &self.hub.store;
        let limit = u32::try_from(limits::MAX_FEED_ENTRIES).expect("small");
        let after = request.get_ref().after;
        let raw = store.feed_after(row.region, after, limit).await.map_err(|e| from_store(&e))?;
        let mut entries = Vec::with_capacity(raw.len());
        let mut bytes = 0;
        for entry in raw {
            bytes += entry.len();
            if bytes > limits::MAX_MESSAGE_BYTES / 2 && !entries.is_empty() {
                break;
            }
            entries.push(decode(&entry, "feed")?);
        }
        let last = store.feed_end(row.region).await.map_err(|e| from_store(&e))?;
        Ok(Response::new(pb::FeedReply { entries, last }))
    }

    async fn read_back(&self, request: Request<pb::ReadBackRequest>) -> Answer<pb::ReadBackReply> {
        let asked = request.get_ref();
        let (row, _turn) = self.session(&request, &asked.session).await?;
        let after = u32::try_from(asked.after).unwrap_or(u32::MAX);
        let found = self.hub.store.batches_after(row.region, asked.epoch, after, 1).await;
        let Some(batch) = found.map_err(|e| from_store(&e))?.into_iter().next() else {
            return Ok(Response::new(pb::ReadBackReply { last: true, ..Default::default() }));
        };
        let body = batch.body.unwrap_or_default();
        let offset = usize::try_from(asked.offset).unwrap_or(usize::MAX).min(body.len());
        let end = body.len().min(offset + PIECE_REPLY_BYTES);
        Ok(Response::new(pb::ReadBackReply {
            header: Some(decode(&batch.header, "batch")?),
            receipt: Some(decode(&batch.receipt, "batch")?),
            encoding: batch.encoding,
            body: body[offset..end].to_vec(),
            last: false,
            encoded_length: body.len() as u64,
        }))
    }

    async fn inclusion(&self, request: Request<pb::InclusionRequest>) -> Answer<pb::InclusionReply> {
        let (row, _turn) = self.region(&request).await?;
        let asked = request.get_ref();
        let sequence = u32::try_from(asked.sequence).unwrap_or(u32::MAX);
        let position = Position { region: row.region, epoch: asked.epoch, sequence };
        let proof = journal::inclusion(&self.hub, asked.generation, position, asked.size).await;
        let proof = proof.map_err(from_fault)?;
        Ok(Response::new(pb::InclusionReply { proof: Some(proof) }))
    }

    async fn consistency(&self, request: Request<pb::ConsistencyRequest>) -> Answer<pb::ConsistencyProof> {
        let (_, _turn) = self.region(&request).await?;
        let proof = journal::consistency(&self.hub, *request.get_ref()).await;
        proof.map(Response::new).map_err(from_fault)
    }

    async fn slice(&self, request: Request<pb::SliceRequest>) -> Answer<pb::SliceReply> {
        let (row, _turn) = self.session(&request, &request.get_ref().session).await?;
        let reply = release::offer(&self.hub, row.region, request.get_ref().have_version).await;
        reply.map(Response::new).map_err(from_fault)
    }

    async fn slice_part(&self, request: Request<pb::SlicePartRequest>) -> Answer<pb::SlicePartReply> {
        let asked = request.get_ref();
        let (row, _turn) = self.session(&request, &asked.session).await?;
        let part = self.hub.store.part(row.region, &asked.digest).await.map_err(|e| from_store(&e))?;
        let part = part.ok_or_else(|| from_refusal(&Refusal::NotFound { what: "slice part" }))?;
        let offset = usize::try_from(asked.offset).unwrap_or(usize::MAX).min(part.len());
        let end = part.len().min(offset + PIECE_REPLY_BYTES);
        Ok(Response::new(pb::SlicePartReply { data: part[offset..end].to_vec() }))
    }

    async fn rulebook(&self, request: Request<pb::RulebookRequest>) -> Answer<pb::RulebookReply> {
        let (_, _turn) = self.region(&request).await?;
        let asked = request.get_ref();
        let (store, rulebooks) = (&*self.hub.store, &self.hub.rulebooks);
        if !rulebooks.has(store, asked.version).await.map_err(|e| from_store(&e))? {
            return Err(from_refusal(&Refusal::NotFound { what: "rulebook of that version" }));
        }
        let rulebook = rulebooks.version(store, asked.version).await.map_err(|e| from_store(&e))?;
        let bundle = rulebook.book.packed();
        let offset = usize::try_from(asked.offset).unwrap_or(usize::MAX).min(bundle.len());
        let end = bundle.len().min(offset + PIECE_REPLY_BYTES);
        let statement = Some(self.hub.rulebook_statement(&rulebook));
        Ok(Response::new(pb::RulebookReply { statement, data: bundle[offset..end].to_vec() }))
    }

    async fn renew(&self, request: Request<pb::RenewRequest>) -> Answer<pb::RenewReply> {
        let (row, _turn) = self.session(&request, &request.get_ref().session).await?;
        let asking = request.extensions().get::<Peer>().map_or([0; 32], |peer| peer.fingerprint);
        let certificate = enrolment::renew(&self.hub, &row, asking, &request.get_ref().csr).await;
        certificate.map(|certificate| Response::new(pb::RenewReply { certificate })).map_err(from_fault)
    }
}

/// Bytes of one reply with a piece of a body, part or rulebook: small enough to resume often on a weak link, and not to be
/// much where somebody asks and does not read.
const PIECE_REPLY_BYTES: usize = 256 * 1024;

fn decode(bytes: &[u8], table: &'static str) -> Result<pb::Envelope, Status> {
    pb::Envelope::decode(bytes).map_err(|_| {
        from_fault(Fault::Store(crate::store::StoreError::Inconsistent { table, column: "envelope" }))
    })
}
