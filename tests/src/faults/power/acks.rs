//! What hub and node said to each other and to operators, and from which line of the trace on they must stand by it.
//!
//! The wire is encrypted, so the line is found from the other end: the first time that the peer writes the signature
//! into its own database it has read it; the bytes that it had read from the connection until then are counted, and the
//! sender's call that brought the count up to them is where it was said. Nothing is promised earlier than it was said.

use std::{collections::HashMap, path::Path};

use anyhow::{Context as _, ensure};
use dtsen_node::store::BatchRow;
use dtsen_proto::pb;
use prost::Message as _;

use super::{
    record::Recording,
    trace::{Event, Link, What},
};
use crate::faults::{ledger, wait};

/// Length of the pieces of a signature that are looked for; a page of SQLite may end in one of them, not in all.
const PIECE: usize = 16;

/// Something that was said.
#[derive(Debug, Clone)]
pub enum Ack {
    /// The hub sent the receipt of this batch.
    Custody(Box<BatchRow>),
    /// The hub sent this entry of the feed.
    Verdicts {
        /// From 1.
        position: u64,
        /// As signed.
        entry: Vec<u8>,
    },
    /// The hub said that a release is published.
    Published(u64),
    /// The node sent this batch.
    Sealed(Box<BatchRow>),
    /// The node said that so many deltas are queued, of all imports so far.
    Queued(u64),
    /// The node said what it has after an exchange.
    Exchanged {
        /// Receipts.
        batches: u64,
        /// Entries of the feed.
        feed: u64,
        /// Slice in use.
        slice: u64,
    },
}

/// Acknowledgements with the lines from which on they hold, in order.
#[derive(Debug, Default, Clone)]
pub struct Acks {
    /// The hub's.
    pub hub: Vec<(usize, Ack)>,
    /// The node's.
    pub node: Vec<(usize, Ack)>,
}

/// Reads what was said from a recording.
pub fn of(recording: &Recording) -> anyhow::Result<Acks> {
    let mut acks = Acks::default();
    let batches = ledger::batches(&recording.source.node)?;
    let (mut heard, mut sealed) = (Vec::new(), Vec::new());
    for row in batches {
        let receipt = row.receipt.as_ref().context("all batches have receipts in the end")?;
        heard.push((receipt.signature.clone(), Ack::Custody(Box::new(row.clone()))));
        sealed.push((row.header.signature.clone(), Ack::Sealed(Box::new(row))));
    }
    for (position, entry) in (1..).zip(feed(recording)?) {
        let signature = pb::Envelope::decode(entry.as_slice())?.signature;
        heard.push((signature, Ack::Verdicts { position, entry }));
    }
    let port = recording.hub.exchange_url().rsplit_once(':').context("a port")?.1.to_owned();
    let hub = format!(":{port}");
    let of_hub = |link: &Link| link.from.ends_with(&hub);
    let of_node = |link: &Link| link.to.ends_with(&hub);
    acks.hub = said(&recording.events, heard, recording.source.node.home(), &of_hub)?;
    acks.node = said(&recording.events, sealed, recording.hub.home(), &of_node)?;
    told(recording, &mut acks)?;
    acks.hub.sort_by_key(|(line, _)| *line);
    acks.node.sort_by_key(|(line, _)| *line);
    Ok(acks)
}

fn feed(recording: &Recording) -> anyhow::Result<Vec<Vec<u8>>> {
    wait::block_on(async { Ok(recording.source.node.store().await?.feed_after(0, u32::MAX).await?) })
}

/// The lines at which a sender said what its peer wrote down later, each with its signature.
fn said(
    events: &[Event],
    what: Vec<(Vec<u8>, Ack)>,
    peer: &Path,
    is_from: &dyn Fn(&Link) -> bool,
) -> anyhow::Result<Vec<(usize, Ack)>> {
    let signatures: Vec<&[u8]> = what.iter().map(|(signature, _)| signature.as_slice()).collect();
    let written = first_written(events, &signatures, peer);
    let lines = written.into_iter().map(|written| said_before(events, written?, is_from));
    let lines: Option<Vec<usize>> = lines.collect();
    let lines = lines.context("something that was said is not in the trace")?;
    Ok(lines.into_iter().zip(what).map(|(line, (_, ack))| (line, ack)).collect())
}

/// For every signature the first event at which somebody writes it into files below a folder.
fn first_written(events: &[Event], signatures: &[&[u8]], folder: &Path) -> Vec<Option<usize>> {
    let mut pieces = HashMap::new();
    let mut begins = vec![false; 1 << 16];
    for (which, signature) in signatures.iter().enumerate() {
        for piece in signature.as_chunks::<PIECE>().0 {
            begins[usize::from(u16::from_be_bytes([piece[0], piece[1]]))] = true;
            pieces.insert(*piece, which);
        }
    }
    let mut found = vec![None; signatures.len()];
    for (at, event) in events.iter().enumerate() {
        let What::Write { path, data, .. } = &event.what else { continue };
        if !path.starts_with(folder) {
            continue;
        }
        for part in data.windows(PIECE) {
            if begins[usize::from(u16::from_be_bytes([part[0], part[1]]))]
                && let Some(which) = pieces.get(part)
            {
                found[*which].get_or_insert(at);
            }
        }
    }
    found
}

/// The line at which was sent what had been read when the event at `written` happened.
fn said_before(events: &[Event], written: usize, is_from: &dyn Fn(&Link) -> bool) -> Option<usize> {
    let link = events[..written].iter().rev().find_map(|event| match &event.what {
        What::Received(link, _) if is_from(&link.reversed()) => Some(link),
        _ => None,
    })?;
    let read = events[..written].iter().map(|event| match &event.what {
        What::Received(of, bytes) if of == link => *bytes,
        _ => 0,
    });
    let (read, sender, mut sent): (u64, _, _) = (read.sum(), link.reversed(), 0);
    events.iter().find_map(|event| match &event.what {
        What::Sent(of, bytes) if *of == sender => {
            sent += bytes;
            (sent >= read).then_some(event.at)
        }
        _ => None,
    })
}

/// What operators read.
fn told(recording: &Recording, acks: &mut Acks) -> anyhow::Result<()> {
    let (mut queued, mut batches, mut feed, mut published) = (0, 0, 0, 0);
    for printed in &recording.printed {
        let wrote = |event: &&Event| matches!(&event.what, What::Write { path, .. } if *path == printed.file);
        let line = || {
            let last = recording.events.iter().rfind(wrote);
            last.map(|event| event.at).with_context(|| format!("{} said nothing", printed.command))
        };
        match printed.command.as_str() {
            "import" => {
                let said = printed.json()?;
                let files = said["files"].as_array().context("files")?;
                queued += files.iter().filter_map(|file| file["queued"].as_u64()).sum::<u64>();
                acks.node.push((line()?, Ack::Queued(queued)));
            }
            "sync" => {
                let said = printed.json()?;
                batches += said["batches"].as_u64().context("batches")?;
                feed += said["feed"].as_u64().context("feed")?;
                let slice = said["slice_version"].as_u64().context("slice_version")?;
                acks.node.push((line()?, Ack::Exchanged { batches, feed, slice }));
            }
            "publish" => {
                published += 1;
                acks.hub.push((line()?, Ack::Published(published)));
            }
            _ => {}
        }
    }
    ensure!(queued > 0 && batches > 0 && feed > 0 && published > 0, "the recorded run did too little");
    Ok(())
}
