//! The chain of a region's batches: what may come next, and what is evidence of a fault.

use crate::{
    batch::Header,
    id::{BatchId, Position},
    refusal::Refusal,
    region::Region,
};

/// Last batch of a region's chain that is in custody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its place; sequence 0 before the first batch of an epoch.
    pub position: Position,
    /// Its id; the last batch of the epoch before, or zero, before the first.
    pub id: BatchId,
}

impl Head {
    /// Where a region starts.
    pub fn start(region: Region) -> Self {
        Self { position: Position { region, epoch: 1, sequence: 0 }, id: BatchId::ZERO }
    }

    /// The head after this batch.
    #[must_use]
    pub fn after(position: Position, id: BatchId) -> Self {
        Self { position, id }
    }
}

/// What to do with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It continues the chain.
    Next,
    /// It is in custody already: its receipt goes out again.
    Repeat,
}

/// Judges a batch whose signature is good. `stored` is the id in custody under its number, if there is one.
pub fn judge(head: Head, stored: Option<BatchId>, header: &Header, id: BatchId) -> Result<Step, Refusal> {
    let at = header.position;
    if at.region != head.position.region {
        return Err(Refusal::WrongRegion);
    }
    let open = head.position.epoch;
    let fork = Refusal::ChainFork { sequence: at.sequence };
    match stored {
        Some(stored) if stored == id => return Ok(Step::Repeat),
        Some(_) => return Err(fork),
        None => {}
    }
    if at.epoch < open {
        return Err(Refusal::EpochClosed { open });
    }
    if at.epoch > open {
        return Err(Refusal::EpochUnknown { open });
    }
    let expected = head.position.sequence + 1;
    if at.sequence != expected {
        return Err(Refusal::ChainGap { expected });
    }
    if header.previous != head.id {
        return Err(fork);
    }
    Ok(Step::Next)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{batch, key::Signer};

    fn chain(n: u32) -> Vec<(Header, BatchId)> {
        let signer = Signer::from_seed(&[5; 32]);
        let mut head = Head::start("52.71".parse().expect("a region"));
        (1..=n)
            .map(|sequence| {
                let position = Position { sequence, ..head.position };
                let draft = batch::Draft {
                    position,
                    previous: head.id,
                    rulebook: 1,
                    generation: 1,
                    log: (0, [0; 32]),
                    created_ms: 0,
                };
                let sealed = batch::seal(&signer, &draft, &[sequence.to_be_bytes().to_vec()]);
                head = Head::after(position, sealed.id);
                let header = batch::open(&sealed.envelope, &signer.public()).expect("opens");
                (header.into_inner(), sealed.id)
            })
            .collect()
    }

    proptest! {
        /// However batches are repeated, reordered and lost on the way, the chain holds a prefix, each batch once, in order.
        #[test]
        fn any_delivery_gives_a_prefix_in_order(deliveries in proptest::collection::vec(0usize..12, 0..80)) {
            let batches = chain(12);
            let mut head = Head::start("52.71".parse().expect("a region"));
            let mut stored = BTreeMap::new();
            for at in deliveries {
                let (header, id) = &batches[at];
                let before = head;
                match judge(head, stored.get(&header.position).copied(), header, *id) {
                    Ok(Step::Next) => {
                        prop_assert_eq!(header.position.sequence, before.position.sequence + 1);
                        prop_assert!(stored.insert(header.position, *id).is_none());
                        head = Head::after(header.position, *id);
                    }
                    Ok(Step::Repeat) => prop_assert!(header.position.sequence <= head.position.sequence),
                    Err(Refusal::ChainGap { expected }) => prop_assert_eq!(expected, head.position.sequence + 1),
                    Err(other) => prop_assert!(false, "unexpected {}", other),
                }
            }
            prop_assert_eq!(stored.len(), head.position.sequence as usize);
        }
    }

    #[test]
    fn names_what_is_wrong() {
        let batches = chain(3);
        let head = Head::after(batches[1].0.position, batches[1].1);
        let (third, id) = batches[2].clone();
        assert_eq!(judge(head, None, &third, id), Ok(Step::Next));
        assert_eq!(
            judge(head, Some(id), &batches[0].0, batches[0].1),
            Err(Refusal::ChainFork { sequence: 1 })
        );
        let other = Header { previous: BatchId::ZERO, ..third.clone() };
        assert_eq!(judge(head, None, &other, id), Err(Refusal::ChainFork { sequence: 3 }));
        let closed = Head { position: Position { epoch: 2, sequence: 0, ..head.position }, ..head };
        assert_eq!(judge(closed, None, &third, id), Err(Refusal::EpochClosed { open: 2 }));
        let elsewhere = Head::start("52.03".parse().expect("a region"));
        assert_eq!(judge(elsewhere, None, &third, id), Err(Refusal::WrongRegion));
    }
}
