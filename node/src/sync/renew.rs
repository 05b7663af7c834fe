//! Certificates renew themselves after two thirds of their life.

use dtsen_kit::tls;
use dtsen_proto::pb;

use super::{Report, Session, SyncError};
use crate::identity;

/// Renews the certificate if it is time.
pub(super) async fn renew_if_due(session: &mut Session<'_>, report: &mut Report) -> Result<(), SyncError> {
    let agent = session.agent;
    let current = agent.identity.load()?;
    let certificate = current.chain.first().map(Vec::as_slice).unwrap_or_default();
    if !identity::renewal_due(certificate, agent.ambient.now_ms()) {
        return Ok(());
    }
    let key = tls::new_key()?;
    let request = pb::RenewRequest { csr: tls::request(&key)?, session: session.token.clone() };
    let reply = session.client.renew(request).await?.into_inner();
    agent.identity.replace(&key, &reply.certificate)?;
    report.renewed = true;
    Ok(())
}
