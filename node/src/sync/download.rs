//! A slice back: parts resume where they broke; the switch is one transaction after everything was verified.

use dtsen_proto::{
    limits, pb,
    refusal::Refusal,
    slice::{self, Expectation},
};

use super::{Report, Session, SyncError};

/// Takes the newest slice if it is not here yet.
pub(super) async fn take_slice(session: &mut Session<'_>, report: &mut Report) -> Result<(), SyncError> {
    let agent = session.agent;
    let have = agent.store.slice_version().await?;
    report.slice_version = have;
    if session.release <= have {
        return Ok(());
    }
    let taken = match take(session, have, have).await {
        // A hub that came back from an older copy may have given this version twice: then only a whole slice fits.
        Err(SyncError::Invalid(Refusal::ManifestMismatch)) if have > 0 => take(session, have, 0).await?,
        other => other?,
    };
    if let Some(version) = taken {
        report.slice_version = version;
        report.slice_taken = true;
    }
    Ok(())
}

/// Takes the newest slice as a difference to the version `base`, or whole if that is 0. Tells its version if it is not the
/// one held already.
async fn take(session: &mut Session<'_>, have: u64, base: u64) -> Result<Option<u64>, SyncError> {
    let agent = session.agent;
    let request = pb::SliceRequest { have_version: base, session: session.token.clone() };
    let reply = match session.client.slice(request).await.map_err(SyncError::from) {
        Ok(reply) => reply.into_inner(),
        // The region became known after this release: the next one has a slice for it.
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let expected = Expectation {
        region: agent.region,
        have,
        generation: session.generation,
        now_ms: agent.ambient.now_ms(),
        release_key: &agent.hub.release,
        receipt_key: &agent.hub.receipt,
    };
    let offer = slice::check_offer(&reply, &expected)?;
    if offer.get().manifest.version == have {
        return Ok(None);
    }
    for part in &offer.get().manifest.parts {
        fetch(session, part).await?;
    }
    if let Err(error) = agent.store.apply_slice(&offer).await {
        // A damaged part must not be met again at every try.
        agent.store.clear_parts().await?;
        return Err(error.into());
    }
    Ok(Some(offer.get().manifest.version))
}

/// Brings a part into the store, from where it broke.
async fn fetch(session: &mut Session<'_>, part: &pb::Part) -> Result<(), SyncError> {
    let length = usize::try_from(part.length).ok().filter(|l| *l <= limits::MAX_PART_BYTES);
    let length = length.ok_or(Refusal::ManifestMismatch)?;
    loop {
        let held = session.agent.store.part_length(&part.digest).await?;
        if held >= length {
            return Ok(());
        }
        let request = pb::SlicePartRequest {
            digest: part.digest.clone(),
            offset: held as u64,
            session: session.token.clone(),
        };
        let data = session.client.slice_part(request).await?.into_inner().data;
        if data.is_empty() || held + data.len() > length {
            return Err(Refusal::ManifestMismatch.into());
        }
        session.agent.store.add_part(&part.digest, &data).await?;
    }
}
