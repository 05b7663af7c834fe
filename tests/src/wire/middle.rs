//! A hub in the middle: it has the real hub's TLS and signing keys, passes every call on, and alters one thing.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dtsen_central::{door, home::Home, hub::Keys};
use dtsen_kit::{
    ambient::Ambient,
    net::{self, Target, Tcp},
    tls,
};
use dtsen_proto::{
    limits, pb,
    pb::{
        exchange_client::ExchangeClient,
        exchange_server::{Exchange, ExchangeServer},
    },
};
use rustls::sign::SingleCertAndKey;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Response, Status,
    transport::{Channel, Server},
};

use super::{certificates, twist::Twist};
use crate::federation::{HUB_NAME, Hub, Node};

/// Nodes may stay with the hub in the middle as long as with their own.
const STAY: door::Visit = door::Visit { time: Duration::from_hours(1), bytes: usize::MAX };

/// The hub in the middle, on a port of its own until it is dropped.
pub struct Middle {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    twist: Mutex<Twist>,
    offer: Mutex<Option<pb::SliceReply>>,
    keys: Keys,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Middle {
    /// Stands between a node and its hub. Towards the hub it uses the node's own certificate.
    pub fn start(hub: &Hub, node: &Node) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let ambient = Ambient::system();
        let (keys, _) = Home::at(hub.home()).keys()?;
        let shared = Arc::new(Shared { twist: Mutex::default(), offer: Mutex::default(), keys });
        let authority = certificates::authority(hub)?;
        let identity = dtsen_node::home::Home::at(node.home()).identity().load()?;
        let target = Target {
            url: hub.exchange_url(),
            server_name: HUB_NAME.into(),
            tls: tls::client(authority.certificate(), &identity, &ambient)?,
        };
        let shown = SingleCertAndKey::from(tls::shown(&certificates::server(hub)?)?);
        let server = tls::server(Arc::new(shown), Some(authority.certificate()), &ambient)?;
        let address = runtime.block_on(async {
            let channel = net::connect(Arc::new(Tcp), &target).await?;
            let exchange = ExchangeClient::new(channel).max_decoding_message_size(limits::MAX_MESSAGE_BYTES);
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            let guests = door::open(Box::new(listener), server, door::Policy::Anybody(STAY));
            let between = Between { shared: shared.clone(), exchange };
            let service = ExchangeServer::new(between).max_decoding_message_size(limits::MAX_MESSAGE_BYTES);
            let serving = Server::builder().add_service(service);
            tokio::spawn(serving.serve_with_incoming(ReceiverStream::new(guests)));
            anyhow::Ok(address)
        })?;
        Ok(Self { address, shared, _runtime: runtime })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Tells the lie from now on.
    pub fn tell(&self, twist: Twist) {
        *lock(&self.shared.twist) = twist;
    }

    /// The last offer of a slice that the hub made.
    pub fn offer(&self) -> Option<pb::SliceReply> {
        lock(&self.shared.offer).clone()
    }
}

struct Between {
    shared: Arc<Shared>,
    exchange: ExchangeClient<Channel>,
}

impl Between {
    fn twist(&self) -> Twist {
        lock(&self.shared.twist).clone()
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Exchange for Between {
    async fn hello(&self, request: Request<pb::HelloRequest>) -> Answer<pb::HelloReply> {
        let mut reply = self.exchange.clone().hello(request.into_inner()).await?.into_inner();
        self.twist().hello(&self.shared.keys, &mut reply);
        Ok(Response::new(reply))
    }

    async fn submit(&self, request: Request<pb::SubmitRequest>) -> Answer<pb::SubmitReply> {
        let mut reply = self.exchange.clone().submit(request.into_inner()).await?.into_inner();
        self.twist().submit(&self.shared.keys, &mut reply);
        Ok(Response::new(reply))
    }

    async fn hand_back_verdicts(
        &self,
        request: Request<pb::HandBackVerdictsRequest>,
    ) -> Answer<pb::HandBackVerdictsReply> {
        self.exchange.clone().hand_back_verdicts(request.into_inner()).await
    }

    async fn feed(&self, request: Request<pb::FeedRequest>) -> Answer<pb::FeedReply> {
        let mut reply = self.exchange.clone().feed(request.into_inner()).await?.into_inner();
        self.twist().feed(&self.shared.keys, &mut reply);
        Ok(Response::new(reply))
    }

    async fn read_back(&self, request: Request<pb::ReadBackRequest>) -> Answer<pb::ReadBackReply> {
        self.exchange.clone().read_back(request.into_inner()).await
    }

    async fn inclusion(&self, request: Request<pb::InclusionRequest>) -> Answer<pb::InclusionReply> {
        self.exchange.clone().inclusion(request.into_inner()).await
    }

    async fn consistency(&self, request: Request<pb::ConsistencyRequest>) -> Answer<pb::ConsistencyProof> {
        match self.twist().consistency() {
            Some(proof) => Ok(Response::new(proof)),
            None => self.exchange.clone().consistency(request.into_inner()).await,
        }
    }

    async fn slice(&self, request: Request<pb::SliceRequest>) -> Answer<pb::SliceReply> {
        let mut reply = self.exchange.clone().slice(request.into_inner()).await?.into_inner();
        *lock(&self.shared.offer) = Some(reply.clone());
        self.twist().slice(&self.shared.keys, &mut reply);
        Ok(Response::new(reply))
    }

    async fn slice_part(&self, request: Request<pb::SlicePartRequest>) -> Answer<pb::SlicePartReply> {
        let mut reply = self.exchange.clone().slice_part(request.into_inner()).await?.into_inner();
        self.twist().part(&mut reply);
        Ok(Response::new(reply))
    }

    async fn rulebook(&self, request: Request<pb::RulebookRequest>) -> Answer<pb::RulebookReply> {
        let mut reply = self.exchange.clone().rulebook(request.into_inner()).await?.into_inner();
        self.twist().rulebook(&self.shared.keys, &mut reply);
        Ok(Response::new(reply))
    }

    async fn renew(&self, request: Request<pb::RenewRequest>) -> Answer<pb::RenewReply> {
        self.exchange.clone().renew(request.into_inner()).await
    }
}
