//! Who may use the loopback port: whoever can read the token's file.

use sha2::{Digest, Sha256};
use tonic::{Request, Status, service::Interceptor};

/// Wants `authorization: Bearer TOKEN`.
#[derive(Clone)]
pub(super) struct Bearer {
    /// Digests are compared, so that the time taken tells nothing about the token.
    digest: [u8; 32],
}

impl Bearer {
    pub(super) fn new(token: &str) -> Self {
        Self { digest: Sha256::digest(token.trim()).into() }
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let shown = request.metadata().get("authorization").and_then(|v| v.to_str().ok());
        let token = shown.and_then(|v| v.strip_prefix("Bearer ")).unwrap_or_default();
        let digest: [u8; 32] = Sha256::digest(token).into();
        if digest == self.digest {
            Ok(request)
        } else {
            Err(Status::unauthenticated("tunjukkan token lokal: authorization: Bearer …"))
        }
    }
}
