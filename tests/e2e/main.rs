//! The real binary against real servers. One test program, so that it is linked once.
//!
//! Tests talk to loopback only, end only processes that they started, and wait for a state with a bound; none sleeps.

#[path = "../fixtures/discord.rs"]
mod discord;
#[path = "../fixtures/dns.rs"]
mod dns;
#[path = "../fixtures/web.rs"]
mod web;

mod check_wan_ip;
mod commands;
mod configuration;
mod crashes;
mod daemon;
mod delivery;
mod fuzz;
mod http_check;
mod layers;
mod oneshot;
mod outages;
mod reload;
mod secrets;
