//! What a node and the hub make of their heads: pure.

use dtsen_proto::{chain::Head, id::BatchId};

/// How the heads stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// The node may go on.
    Even,
    /// Two different batches under one number.
    Fork,
    /// The hub holds batches that the node does not: the node was restored from an older copy.
    Behind,
    /// The hub opened an epoch that nobody has used yet.
    NewEpoch,
    /// The node is in an epoch that the hub never opened.
    UnknownEpoch,
    /// The hub began a generation that the node has not entered: it hands back what the hub lost.
    HandBack,
}

/// Compares heads. `stored` is what the hub holds at the node's head, if anything; `entered` says whether the node has
/// entered the hub's generation.
pub(super) fn compare(node: Head, hub: Head, stored: Option<BatchId>, entered: bool) -> Compared {
    // Whatever the node sealed before: nothing of it that the hub does not hold is part of the chain any more.
    if node.position.epoch < hub.position.epoch && hub.position.sequence == 0 {
        return Compared::NewEpoch;
    }
    let same_place = if node.position == hub.position { Some(hub.id) } else { stored };
    if same_place.is_some_and(|id| id != node.id) {
        return Compared::Fork;
    }
    let (at, hub_at) = (node.position, hub.position);
    match at.epoch.cmp(&hub_at.epoch) {
        std::cmp::Ordering::Less => Compared::Behind,
        std::cmp::Ordering::Equal if at.sequence < hub_at.sequence => Compared::Behind,
        _ if !entered => Compared::HandBack,
        std::cmp::Ordering::Equal => Compared::Even,
        std::cmp::Ordering::Greater => Compared::UnknownEpoch,
    }
}

/// Whether the node has nothing left to hand back: both have the same last batch, and the node sealed nothing since.
pub(super) fn is_back(node: Head, hub: Head) -> bool {
    node.id == hub.id && (node.position == hub.position || node.position.sequence == 0)
}

#[cfg(test)]
mod tests {
    use dtsen_proto::id::Position;

    use super::*;

    fn head(epoch: u32, sequence: u32, id: u8) -> Head {
        let region = "52.71".parse().expect("a region");
        Head { position: Position { region, epoch, sequence }, id: BatchId::new([id; 32]) }
    }

    #[test]
    fn every_standing_has_its_case() {
        let hub = head(2, 5, 5);
        let id = |n| Some(BatchId::new([n; 32]));
        for (node, stored, entered, expected) in [
            (head(2, 5, 5), id(5), true, Compared::Even),
            (head(2, 5, 6), id(5), true, Compared::Fork),
            (head(2, 7, 7), None, true, Compared::Even),
            (head(2, 3, 3), id(3), true, Compared::Behind),
            (head(2, 3, 9), id(3), true, Compared::Fork),
            (head(1, 9, 9), id(9), true, Compared::Behind),
            (head(3, 0, 5), None, true, Compared::UnknownEpoch),
            (head(3, 0, 5), None, false, Compared::HandBack),
            (head(2, 7, 7), None, false, Compared::HandBack),
            (head(2, 5, 5), id(5), false, Compared::HandBack),
            (head(2, 3, 3), id(3), false, Compared::Behind),
        ] {
            assert_eq!(compare(node, hub, stored, entered), expected, "{node:?}");
        }
        let opened = head(3, 0, 5);
        assert_eq!(compare(head(2, 5, 5), opened, id(5), true), Compared::NewEpoch);
        assert_eq!(compare(head(2, 9, 9), opened, None, false), Compared::NewEpoch);
        assert_eq!(compare(head(2, 5, 6), opened, id(5), true), Compared::NewEpoch, "the other branch");
        assert_eq!(compare(head(3, 0, 4), opened, None, true), Compared::Fork);
    }

    #[test]
    fn nothing_is_left_when_both_end_with_the_same_batch() {
        assert!(is_back(head(1, 4, 4), head(1, 4, 4)));
        assert!(is_back(head(2, 0, 4), head(1, 4, 4)), "the node entered an epoch that the hub lost");
        assert!(!is_back(head(1, 5, 5), head(1, 4, 4)));
        assert!(!is_back(head(2, 1, 5), head(1, 4, 4)));
    }
}
