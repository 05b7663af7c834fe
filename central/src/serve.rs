//! The hub as a server: two doors, two lanes, and an orderly end.

mod one_message;

use std::{sync::Arc, time::Duration};

use dtsen_kit::{
    ambient::Ambient,
    net::Listen,
    telemetry::chain,
    tls::{self, TlsError},
};
use dtsen_proto::{
    limits,
    pb::{
        enrolment_server::EnrolmentServer,
        exchange_server::{ExchangeServer, SERVICE_NAME},
    },
};
use futures::future::BoxFuture;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{body::Body, transport::Server};
use tower::{
    BoxError,
    filter::FilterLayer,
    layer::util::{Identity, Stack},
    util::{MapRequestLayer, MapResponseLayer},
};

use crate::{
    authority::ServerIdentity,
    door::{self, Peer, Policy, Visit},
    grpc::{enrolment::EnrolmentService, exchange::ExchangeService, status::from_refusal},
    hub::Hub,
    intake::Gate,
    journal, lane, release,
};

/// Calls at once on one connection. A node needs two; the default of tonic is no limit at all.
const STREAMS: u32 = 16;
/// Streams that a peer may make fail before the connection goes (CVE-2025-8671).
const ERROR_RESETS: usize = 64;
/// Calls served at once on one connection.
const CALLS: usize = 8;
/// Bytes of request headers.
const HEADER_BYTES: u32 = 16 * 1024;
/// Time for one call, from its first byte to its answer.
const CALL: Duration = Duration::from_mins(2);
/// Sign of life on an idle connection, and how long an answer may take.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);
/// Connections are renewed so that a revocation and a new address reach everybody.
const CONNECTION_AGE: Duration = Duration::from_hours(1);
const CONNECTION_GRACE: Duration = Duration::from_mins(2);
/// How often freshness is looked at.
const REFRESH: Duration = Duration::from_hours(1);

/// Says when an answer was given, by the hub's clock; hyper would add the computer's.
fn date(ambient: Ambient) -> impl Fn(http::Response<Body>) -> http::Response<Body> + Clone {
    move |mut response| {
        let now = jiff::Timestamp::from_millisecond(ambient.now_ms()).unwrap_or_default();
        let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
        if let Some(value) = text.ok().and_then(|text| text.try_into().ok()) {
            response.headers_mut().insert(http::header::DATE, value);
        }
        response
    }
}

type Limit = fn(http::Request<Body>) -> http::Request<Body>;
type Layered<F> = Server<Stack<MapRequestLayer<Limit>, Stack<MapResponseLayer<F>, Identity>>>;

fn server(
    ambient: &Ambient,
) -> Layered<impl Fn(http::Response<Body>) -> http::Response<Body> + Clone + use<>> {
    Server::builder()
        .layer(MapResponseLayer::new(date(ambient.clone())))
        .layer(MapRequestLayer::new(one_message::only as Limit))
        .max_concurrent_streams(STREAMS)
        .http2_max_local_error_reset_streams(Some(ERROR_RESETS))
        .concurrency_limit_per_connection(CALLS)
        .load_shed(true)
        .timeout(CALL)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .max_connection_age(CONNECTION_AGE)
        .max_connection_age_grace(CONNECTION_GRACE)
}

/// Answers a submission that would find no place at the gate by its headers alone: over a weak link its body takes half a
/// minute.
fn knock(gate: &Gate, request: http::Request<Body>) -> Result<http::Request<Body>, BoxError> {
    let call = request.uri().path().trim_start_matches('/').split_once('/');
    let region = request.extensions().get::<Peer>().and_then(|peer| peer.region);
    if let Some(region) = region.filter(|_| call == Some((SERVICE_NAME, "Submit"))) {
        gate.knock(region).map_err(|refusal| from_refusal(&refusal))?;
    }
    Ok(request)
}

/// The hub's two listeners.
pub struct Listeners {
    /// For registered nodes.
    pub exchange: Box<dyn Listen>,
    /// For enrolment.
    pub enrolment: Box<dyn Listen>,
}

/// A server that failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// TLS material.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// tonic.
    #[error("the server ended")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves until `stop`; then takes no new call, ends those under way, gives the leases back.
pub fn serve(
    hub: Arc<Hub>,
    listeners: Listeners,
    holder: String,
    stop: CancellationToken,
) -> BoxFuture<'static, Result<(), ServeError>> {
    Box::pin(async move {
        let identity = Arc::new(ServerIdentity::new(hub.clone())?);
        let exchange_tls = tls::server(identity.clone(), Some(hub.authority.certificate()), &hub.ambient)?;
        let enrol_tls = tls::server(identity, None, &hub.ambient)?;
        let tasks = TaskTracker::new();
        // The lanes stop after the doors, so that what was taken is still decided if there is time.
        let lanes = CancellationToken::new();
        let gate = Gate::new(hub.ambient.clone());
        tasks.spawn(lane::run(hub.clone(), gate.clone(), holder.clone(), lanes.clone()));
        tasks.spawn(journal::run(hub.clone(), holder, lanes.clone()));
        tasks.spawn(keep_fresh(hub.clone(), lanes.clone()));
        tasks.close();

        let guests = door::open(listeners.exchange, exchange_tls, Policy::Regions(hub.clone()));
        let at_gate = gate.clone();
        let exchange = ExchangeServer::new(ExchangeService::new(hub.clone(), gate))
            .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
            .max_encoding_message_size(limits::MAX_MESSAGE_BYTES);
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<ExchangeServer<ExchangeService>>().await;
        let exchange = server(&hub.ambient)
            .layer(FilterLayer::new(move |request| knock(&at_gate, request)))
            .add_service(health_service)
            .add_service(exchange)
            .serve_with_incoming_shutdown(ReceiverStream::new(guests), stop.clone().cancelled_owned());

        let guests = door::open(listeners.enrolment, enrol_tls, Policy::Anybody(Visit::ENROLMENT));
        let enrolment = EnrolmentServer::new(EnrolmentService::new(hub.clone()))
            .max_decoding_message_size(limits::MAX_CHUNK_BYTES / 16);
        let enrolment = server(&hub.ambient)
            .add_service(enrolment)
            .serve_with_incoming_shutdown(ReceiverStream::new(guests), stop.clone().cancelled_owned());

        let served = tokio::try_join!(exchange, enrolment);
        lanes.cancel();
        tasks.wait().await;
        served?;
        Ok(())
    })
}

async fn keep_fresh(hub: Arc<Hub>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = release::refresh(&hub).await {
            tracing::warn!(error = %chain(&error), "freshness was not renewed");
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep(REFRESH) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};

    use super::*;

    #[tokio::test]
    async fn a_submission_without_a_place_is_answered_by_its_headers() {
        let gate = Gate::new(Ambient::system());
        let region = dtsen_proto::region::Region::from_number(5271).expect("a region");
        let call = |name: &str| {
            let request = http::Request::builder().uri(format!("https://hub/{SERVICE_NAME}/{name}"));
            let peer = Peer { region: Some(region), fingerprint: [0; 32] };
            knock(&gate, request.extension(peer).body(Body::empty()).expect("a request"))
        };
        assert!(call("Submit").is_ok(), "nobody is there");
        let one = gate.enter(region).await.expect("served");
        let _other = gate.enter(region).await.expect("served");
        let told = call("Submit").expect_err("two of the region are served");
        let told: &Status = told.downcast_ref().expect("a status");
        assert_eq!(told.code(), Code::ResourceExhausted);
        assert!(call("Hello").is_ok(), "only submissions stand in line");
        drop(one);
        assert!(call("Submit").is_ok());
    }
}
