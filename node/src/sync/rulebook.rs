//! The rulebook in force, from the hub: its signature, length and digest are checked before it is kept or used.

use dtsen_proto::{
    envelope::{self, PayloadType},
    limits, pb,
    pb::exchange_client::ExchangeClient,
    refusal::Refusal,
    rulebook::Rulebook,
};
use sha2::{Digest, Sha256};
use tonic::transport::Channel;

use super::{Agent, Report, Session, SyncError, connect};
use crate::{
    rulebook::{self, Held},
    store::setting,
};

/// Takes the hub's rulebook if it is another than the one in use.
pub(super) async fn take(session: &mut Session<'_>, report: &mut Report) -> Result<(), SyncError> {
    let store = &session.agent.store;
    let held = rulebook::held(store).await?;
    report.rulebook = held.version;
    let (version, digest) = session.rulebook.clone();
    let same = held.version == version && held.digest == digest;
    if same && rulebook::is_whole(store, &held).await? {
        return Ok(());
    }
    if !same && is_older(&held, version, session.generation) {
        return Err(Refusal::Rollback.into());
    }
    if u64::from(version) > session.generation.saturating_mul(limits::VERSIONS_PER_GENERATION) {
        return Err(Refusal::Malformed { what: "version of the rulebook" }.into());
    }
    let unfit = format!("{} {version} {}", env!("CARGO_PKG_VERSION"), hex::encode(&digest));
    if store.text_setting(setting::RULEBOOK_UNFIT).await?.is_some_and(|known| known == unfit) {
        report.rulebook_unfit = Some(version);
        return Ok(());
    }
    let fetched = pull(session.agent, &mut session.client, version).await?;
    if Sha256::digest(&fetched.bundle).as_slice() != digest {
        return Err(Refusal::Malformed { what: "hello reply" }.into());
    }
    match Rulebook::from_bundle(&fetched.bundle) {
        Ok(book) if book.version() == version => {
            rulebook::keep(store, &fetched.bundle, &fetched.statement, session.generation).await?;
            tracing::info!(version, "a new rulebook is in use");
            (report.rulebook, report.rulebook_taken, report.rulebook_unfit) = (version, true, None);
        }
        // The hub's own word, and a program that does not understand it: data goes on, the hub checks all of it anyway.
        _ => {
            tracing::warn!(version, "the hub's rulebook does not fit this program");
            store.set_setting(setting::RULEBOOK_UNFIT, unfit.as_bytes()).await?;
            report.rulebook_unfit = Some(version);
        }
    }
    Ok(())
}

/// Whether the hub offers what came before, or other contents under a number that it gave already. A restored hub may have
/// lost versions: its new generation says so.
fn is_older(held: &Held, offered: u32, generation: u64) -> bool {
    held.generation.is_some_and(|taken| offered <= held.version && generation <= taken)
}

/// Fetches the bundle of a version.
pub async fn fetch(agent: &Agent, version: u32) -> Result<Vec<u8>, SyncError> {
    Ok(pull(agent, &mut connect(agent).await?, version).await?.bundle)
}

/// A bundle that is the one that the statement speaks of.
struct Fetched {
    bundle: Vec<u8>,
    statement: pb::Envelope,
}

async fn pull(
    agent: &Agent,
    client: &mut ExchangeClient<Channel>,
    version: u32,
) -> Result<Fetched, SyncError> {
    let mut bundle = Vec::new();
    loop {
        let request = pb::RulebookRequest { version, offset: bundle.len() as u64 };
        let reply = client.rulebook(request).await?.into_inner();
        let missing = Refusal::Malformed { what: "rulebook statement" };
        let statement = reply.statement.ok_or(missing.clone())?;
        let key = &agent.hub.receipt;
        let read =
            envelope::verify::<pb::RulebookStatement>(&statement, PayloadType::RULEBOOK, key)?.into_inner();
        let length = usize::try_from(read.length).ok().filter(|l| *l <= limits::MAX_RULEBOOK_BYTES);
        let length = length.ok_or(missing.clone())?;
        if reply.data.is_empty() && bundle.len() < length {
            return Err(missing.into());
        }
        bundle.extend_from_slice(&reply.data);
        if bundle.len() >= length {
            let fits = read.version == version
                && bundle.len() == length
                && read.digest == Sha256::digest(&bundle).as_slice();
            return if fits { Ok(Fetched { bundle, statement }) } else { Err(Refusal::BadSignature.into()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_rulebook_is_taken_only_in_a_new_generation() {
        let held = |generation| Held { version: 3, digest: vec![1], generation };
        assert!(is_older(&held(Some(1)), 2, 1));
        assert!(is_older(&held(Some(1)), 3, 1), "other contents under one number");
        assert!(!is_older(&held(Some(1)), 4, 1));
        assert!(!is_older(&held(Some(1)), 2, 2), "a restored hub");
        assert!(!is_older(&held(None), 2, 1), "the built-in one was nobody's word");
    }
}
