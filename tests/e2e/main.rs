//! The real binary against real servers. One test program, so that it is linked once.
//!
//! Tests talk to loopback only, end only processes that they started, and wait for a state with a bound; none sleeps.

#[path = "../fixtures/browser.rs"]
mod browser;
#[path = "../fixtures/bus.rs"]
mod bus;
#[path = "../fixtures/discord.rs"]
mod discord;
#[path = "../fixtures/dns.rs"]
mod dns;
#[path = "../fixtures/mail.rs"]
mod mail;
#[path = "../fixtures/proxy.rs"]
mod proxy;
#[path = "../fixtures/receiver.rs"]
mod receiver;
#[path = "../fixtures/web.rs"]
mod web;

mod alone;
mod api;
mod check_apt_updates;
mod check_commands;
mod check_container;
mod check_disk;
mod check_disk_health;
mod check_dns;
mod check_heartbeat;
mod check_ping;
mod check_system;
mod check_systemd_unit;
mod check_tcp;
mod check_tls;
mod check_wan_ip;
mod commands;
mod configuration;
mod crashes;
mod daemon;
mod dashboard;
mod db_commands;
mod delivery;
mod faults;
mod flapping;
mod formatters;
mod fuzz;
mod grafana;
mod hanging;
mod http_check;
mod layers;
mod login;
mod maintenance_windows;
mod migrations;
mod oneshot;
mod outages;
mod own;
mod reload;
mod secrets;
mod service_page;
mod sink_email;
mod sink_exec;
mod sinks;
mod storms;
mod unprivileged;
mod watchdog;
mod zones;
