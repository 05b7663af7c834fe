//! The verdict feed: signed entries in dense positions.

use super::{Report, Session, SyncError};
use dtsen_proto::{
    envelope::{self, PayloadType},
    pb,
    refusal::Refusal,
};

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
        report.feed += session.agent.store.apply_feed(&entries).await?;
    }
}
