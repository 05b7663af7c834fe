//! The harness: an invented population, a federation of real processes, the demo. Never shipped.

pub mod bench;
pub mod demo;
pub mod faults;
pub mod federation;
pub mod mariadb;
pub mod model;
pub mod opensid;
pub mod population;
pub mod sim;
pub mod wire;
