//! The enrolment service, on a listener of its own.

use std::sync::Arc;

use dtsen_proto::pb::{self, enrolment_server::Enrolment};
use tonic::{Request, Response, Status};

use super::status::from_fault;
use crate::{enrolment, hub::Hub};

/// Serves nodes that are not known yet.
pub struct EnrolmentService {
    hub: Arc<Hub>,
}

impl EnrolmentService {
    /// A service of a hub.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }
}

#[tonic::async_trait]
impl Enrolment for EnrolmentService {
    async fn enrol(&self, request: Request<pb::EnrolRequest>) -> Result<Response<pb::EnrolReply>, Status> {
        enrolment::enrol(&self.hub, request.get_ref()).await.map(Response::new).map_err(from_fault)
    }
}
