//! The verdict feed: signed entries in dense positions.

use dtsen_proto::{
    envelope::{self, PayloadType},
    pb,
    refusal::Refusal,
};

use super::{Report, Session, SyncError};
use crate::store::StoreError;

/// Takes up everything that is new.
pub(super) async fn follow(session: &mut Session<'_>, report: &mut Report) -> Result<(), SyncError> {
    loop {
        let after = session.agent.store.feed_end().await?;
        let request = pb::FeedRequest { after, session: session.token.clone() };
        let reply = session.client.feed(request).await?.into_inner();
        if reply.entries.is_empty() {
            return Ok(());
        }
        let mut entries = Vec::with_capacity(reply.entries.len());
        for entry in &reply.entries {
            let key = &session.agent.hub.receipt;
            let verdicts = envelope::verify::<pb::Verdicts>(entry, PayloadType::VERDICTS, key)?;
            if verdicts.get().region != session.agent.region.to_string() {
                return Err(Refusal::WrongRegion.into());
            }
            entries.push((verdicts, entry.clone()));
        }
        report.feed += session.agent.store.apply_feed(&entries).await.map_err(not_ours)?;
    }
}

/// Entries that are signed and still do not follow what is here are the hub's fault, not the store's.
fn not_ours(error: StoreError) -> SyncError {
    match error {
        StoreError::FeedGap { .. } | StoreError::UnknownBatch(_) | StoreError::OtherBatch(_) => {
            Refusal::Malformed { what: "next entry of the feed" }.into()
        }
        other => other.into(),
    }
}
