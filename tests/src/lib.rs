//! stub
pub mod population;
