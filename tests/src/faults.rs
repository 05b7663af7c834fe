//! Faults in a federation of real processes: kills, pauses, copies, weak links; and what must still be true after them.

pub mod bit_rot;
pub mod contents;
pub mod forked_chain;
pub mod kills;
pub mod ledger;
pub mod little_memory;
pub mod lost_server;
pub mod place;
pub mod power;
pub mod proxy;
pub mod restored_hub;
pub mod restored_node;
pub mod server;
pub mod source;
pub mod steps;
pub mod two_hubs;
pub mod wait;
pub mod weak_link;
