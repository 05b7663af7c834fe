//! The verdict feed: signed entries in dense positions.

use std::collections::VecDeque;

use dtsen_proto::{
    envelope::{self, PayloadType},
    id::Position,
    pb,
    refusal::Refusal,
};

use super::{Report, Session, SyncError};
use crate::store::{FeedEntry, StoreError};

/// Takes up everything that is new.
pub(super) async fn follow(session: &mut Session<'_>, report: &mut Report) -> Result<(), SyncError> {
    loop {
        let after = session.agent.store.feed_end().await?;
        let entries = fetch(session, after).await?;
        if entries.is_empty() {
            return Ok(());
        }
        report.feed += session.agent.store.apply_feed(&entries).await.map_err(not_ours)?;
    }
}

/// Entries after a position, each verified; none when there are no more.
async fn fetch(session: &mut Session<'_>, after: u64) -> Result<Vec<FeedEntry>, SyncError> {
    let request = pb::FeedRequest { after, session: session.token.clone() };
    let reply = session.client.feed(request).await?.into_inner();
    let mut entries = Vec::with_capacity(reply.entries.len());
    for entry in reply.entries {
        let key = &session.agent.hub.receipt;
        let verdicts = envelope::verify::<pb::Verdicts>(&entry, PayloadType::VERDICTS, key)?;
        if verdicts.get().region != session.agent.region.to_string() {
            return Err(Refusal::WrongRegion.into());
        }
        entries.push((verdicts, entry));
    }
    Ok(entries)
}

/// Takes the feed up step by step, while the batches that it is about are read back.
#[derive(Default)]
pub(super) struct Reader {
    fetched: VecDeque<FeedEntry>,
    ended: bool,
}

impl Reader {
    /// Takes up the entries before the first that is about a later batch.
    pub(super) async fn until(&mut self, session: &mut Session<'_>, last: Position) -> Result<(), SyncError> {
        let store = &session.agent.store;
        loop {
            if self.fetched.is_empty() && !self.ended {
                let after = store.feed_end().await?;
                self.fetched.extend(fetch(session, after).await?);
                self.ended = self.fetched.is_empty();
            }
            let is_known = |(verdicts, _): &FeedEntry| {
                let verdicts = verdicts.get();
                (verdicts.epoch, verdicts.sequence) <= (last.epoch, last.sequence.into())
            };
            let count = self.fetched.iter().take_while(|entry| is_known(entry)).count();
            if count == 0 {
                return Ok(());
            }
            let entries: Vec<FeedEntry> = self.fetched.drain(..count).collect();
            store.apply_feed(&entries).await.map_err(not_ours)?;
        }
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
