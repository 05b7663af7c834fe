//! What a node and the hub make of their heads: pure.

use dtsen_proto::{chain::Head, id::BatchId};

use crate::store::{Session, Status};

/// What is known when a node of a region that exchanges says Hello.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The node's head.
    pub node: Head,
    /// The hub's, in the epoch that is open.
    pub hub: Head,
    /// The hub's head in the last epoch that somebody used, if the hub lost what it gave the node a receipt for.
    pub used: Option<Head>,
    /// What the hub holds at the node's head, if anything.
    pub stored: Option<BatchId>,
    /// The last batch that the node has a receipt for; zeros if none.
    pub last: BatchId,
    /// Whether the node has entered the hub's generation.
    pub entered: bool,
    /// Tokens of the region.
    pub session: &'a Session,
    /// The token that was shown.
    pub token: &'a [u8],
}

/// What becomes of a Hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// The region has to be stopped, and why.
    Stop(Status, &'static str),
    /// The node is in an epoch that the hub never opened.
    UnknownEpoch,
    /// The node may go on, from this head of the hub: unused epochs after it are void.
    Go(Way, Head),
}

/// How a node goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As before.
    On,
    /// It hands back what the hub lost.
    HandBack,
    /// It enters the epoch that is open.
    Enter,
    /// The epoch is closed and another opened for it: everything is back.
    OpenNext,
}

/// Judges a Hello.
pub fn judge(facts: &Facts<'_>) -> Judgement {
    let Facts { node, hub, stored, entered, .. } = *facts;
    // An operator opened epochs before the region could hand back what the hub lost: what comes back belongs before them,
    // and nobody has used them. Where a copy of the node has gone on in the place of what was lost, nothing can come
    // back: it is sealed anew in the epoch that is open.
    let before = facts.used.filter(|used| compare(node, *used, stored, entered) == Compared::HandBack);
    let hub = before.unwrap_or(hub);
    let way = match compare(node, hub, stored, entered) {
        Compared::Fork => {
            return Judgement::Stop(Status::Forked, "kepala rantai node dan pusat berbeda");
        }
        Compared::Behind => {
            let why =
                "node menunjukkan data yang lebih lama: dipulihkan dari salinan, atau salinannya berjalan";
            return Judgement::Stop(Status::Restored, why);
        }
        _ if !facts.session.admits(facts.token) => {
            let why = "token sesi lama dipakai: salinan node sedang berjalan";
            return Judgement::Stop(Status::Cloned, why);
        }
        Compared::UnknownEpoch => return Judgement::UnknownEpoch,
        Compared::Even => Way::On,
        Compared::NewEpoch => Way::Enter,
        // What has no receipt is read back if the hub has it, and sealed anew if not: keys that the region has no longer
        // may have signed it.
        Compared::HandBack if facts.last == hub.id || is_back(node, hub) => Way::OpenNext,
        Compared::HandBack => Way::HandBack,
    };
    Judgement::Go(way, hub)
}

/// How the heads stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
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
fn compare(node: Head, hub: Head, stored: Option<BatchId>, entered: bool) -> Compared {
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
fn is_back(node: Head, hub: Head) -> bool {
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

    #[test]
    fn what_was_lost_comes_back_before_unused_epochs_but_not_in_the_place_of_a_copy() {
        let session = Session::open();
        let (opened, node) = (head(3, 0, 5), head(2, 7, 7));
        let judged = |used, stored, entered| {
            let facts = Facts {
                node,
                hub: opened,
                used,
                stored,
                last: node.id,
                entered,
                session: &session,
                token: &[],
            };
            judge(&facts)
        };
        let used = head(2, 5, 5);
        assert_eq!(judged(Some(used), None, false), Judgement::Go(Way::HandBack, used));
        let copy = head(2, 9, 9);
        let other = Some(BatchId::new([8; 32]));
        assert_eq!(judged(Some(copy), other, false), Judgement::Go(Way::Enter, opened));
        assert_eq!(judged(None, None, true), Judgement::Go(Way::Enter, opened));
    }
}
