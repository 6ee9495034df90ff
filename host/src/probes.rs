//! The host's IO for checks: raw observations of the outside world, and no judgement.
//!
//! A probe knows neither the sandbox nor the types of its interface; whoever hosts the plugins converts at that wall.

pub mod http;
mod roots;

pub use roots::system_roots;
