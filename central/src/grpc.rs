//! The services, thin: who asks, the call, the answer.

pub mod enrolment;
pub mod exchange;
pub mod status;
mod turns;
