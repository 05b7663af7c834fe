//! The rulebook in force, from the hub, with its signature checked before it is used.

use dtsen_proto::{
    envelope::{self, PayloadType},
    limits, pb,
    refusal::Refusal,
};
use sha2::{Digest, Sha256};

use super::{Agent, SyncError, connect};

/// Fetches the bundle of a version.
pub async fn fetch(agent: &Agent, version: u32) -> Result<Vec<u8>, SyncError> {
    let mut client = connect(agent).await?;
    let mut bundle = Vec::new();
    loop {
        let request = pb::RulebookRequest { version, offset: bundle.len() as u64 };
        let reply = client.rulebook(request).await?.into_inner();
        let missing = Refusal::Malformed { what: "rulebook statement" };
        let statement = reply.statement.as_ref().ok_or(missing.clone())?;
        let key = &agent.hub.receipt;
        let statement =
            envelope::verify::<pb::RulebookStatement>(statement, PayloadType::RULEBOOK, key)?.into_inner();
        let length = usize::try_from(statement.length).ok().filter(|l| *l <= limits::MAX_RULEBOOK_BYTES);
        let length = length.ok_or(missing.clone())?;
        if reply.data.is_empty() && bundle.len() < length {
            return Err(missing.into());
        }
        bundle.extend_from_slice(&reply.data);
        if bundle.len() >= length {
            let fits = statement.version == version && statement.digest == Sha256::digest(&bundle).as_slice();
            return if fits { Ok(bundle) } else { Err(Refusal::BadSignature.into()) };
        }
    }
}
