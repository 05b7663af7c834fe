//! Peers that do not keep to the protocol: a raw client in front of a real hub, a hub in the middle in front of a real
//! node. Their keys are real: they come from the homes of the programs that enrolled.

pub mod assault;
pub mod certificates;
pub mod client;
pub mod flood;
pub mod local;
pub mod middle;
pub mod mutation;
pub mod peer;
pub mod raw;
pub mod stage;
pub mod stall;
pub mod twist;
