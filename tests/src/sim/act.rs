//! What the driver does to the world.

/// A kind of trouble. A plan has some of them, so that each is also seen without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Messages lost one way or both, kept back, or slow.
    Network,
    /// Processes end at any moment.
    Crashes,
    /// A reply is lost and the process that waited for it starts anew: what it asked comes twice.
    Twice,
    /// Clocks jump, by an hour up to years.
    Clocks,
    /// Regions are suspended, or their keys revoked; they enrol again.
    Revoked,
    /// A node comes back from an older copy.
    RestoredNode,
    /// The hub comes back from an older copy.
    RestoredHub,
    /// A copy of a node runs beside it.
    Cloned,
    /// The disk of a node is emptied.
    EmptyDisk,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Network,
        Self::Crashes,
        Self::Twice,
        Self::Clocks,
        Self::Revoked,
        Self::RestoredNode,
        Self::RestoredHub,
        Self::Cloned,
        Self::EmptyDisk,
    ];
}

/// Something that the driver does to the world. Nodes by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Messages between hub and node are dropped, both ways.
    Partition(usize),
    /// The node's messages to the hub are dropped.
    LoseRequests(usize),
    /// The hub's messages to the node are dropped: what was asked is done, the reply is lost.
    LoseReplies(usize),
    /// Messages are kept back and arrive later, in another order.
    Hold(usize),
    /// Every message takes so many milliseconds.
    Slow(usize, u64),
    /// Messages pass again; those held arrive.
    Heal(usize),
    /// The hub's process ends at once.
    CrashHub,
    /// It starts again.
    StartHub,
    /// A node's process ends at once.
    CrashNode(usize),
    /// It starts again.
    StartNode(usize),
    /// The hub's clock is wrong by so many milliseconds.
    HubClock(i64),
    /// A node's clock is.
    NodeClock(usize, i64),
    /// A region is stopped by the hub's operators.
    Suspend(usize),
    /// It may go on.
    Resume(usize),
    /// The keys of a region are revoked.
    Revoke(usize),
    /// A copy of a node's home is put away.
    CopyNode(usize),
    /// A node's process ends; its database, or its whole home, is the copy's from now on.
    RestoreNode {
        /// Which.
        node: usize,
        /// Whether its keys are the copy's too.
        whole: bool,
    },
    /// A copy of the hub's home is put away.
    CopyHub,
    /// The hub's process ends; its home is the copy's from now on.
    RestoreHub,
    /// A copy of a node's home, the one put away or one of now, runs beside it.
    Clone(usize),
    /// A node's process ends; its home has nothing but the name of its region.
    EmptyDisk(usize),
    /// An operator makes a release.
    Release,
}
