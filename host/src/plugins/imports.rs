//! The host's side of the WIT imports. Types are converted here, at the wall.

mod commands;
mod containers;
mod dns;
pub(super) mod files;
mod filesystems;
mod heartbeat;
mod http;
mod icmp;
mod net;
mod processes;
mod system;
mod tcp;
mod tls;
mod units;

use std::time::Duration;

use tokio::task::JoinSet;
use wasmtime::component::{HasSelf, Linker};

use super::bindings::check::pihook::plugin as wit;
use super::bindings::formatter::pihook::plugin as formatter;
use super::log_lines::Level;
use super::run::RunState;

/// Links what plugins may import: PiHook's interfaces, and WASI with an empty world behind it.
pub(super) fn link(linker: &mut Linker<RunState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wit::log::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::clock::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::state::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::heartbeat::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::http::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::files::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::filesystems::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::commands::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::system::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::processes::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::units::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::containers::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::dns::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::icmp::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::tcp::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    wit::tls::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    formatter::history::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    formatter::limits::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    Ok(())
}

impl wit::types::Host for RunState {}

impl wit::log::Host for RunState {
    fn write(&mut self, level: wit::log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            wit::log::Level::Debug => Level::Debug,
            wit::log::Level::Info => Level::Info,
            wit::log::Level::Warn => Level::Warn,
            wit::log::Level::Error => Level::Error,
        };
        self.log.write(level, &message);
        Ok(())
    }
}

impl wit::clock::Host for RunState {
    fn now_ms(&mut self) -> wasmtime::Result<i64> {
        Ok(self.reach.clock.now().wall.as_millisecond())
    }

    fn monotonic_ns(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(self.reach.clock.now().uptime.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl wit::state::Host for RunState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.reach.kept.get(&key).cloned())
    }

    fn set(&mut self, key: String, value: Option<Vec<u8>>) -> wasmtime::Result<Result<(), String>> {
        Ok(self.reach.kept.set(key, value))
    }
}

/// Runs a probe in a task of its own: an import's future is polled on the guest's small stack, and some probes are not
/// modest. The task ends with whoever waits for it.
///
/// # Errors
/// If the probe panicked; the text for humans.
async fn aside<T: Send + 'static>(probe: impl Future<Output = T> + Send + 'static) -> Result<T, String> {
    let mut task = JoinSet::new();
    task.spawn(probe);
    match task.join_next().await {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(_)) | None => Err("the probe broke off".to_owned()),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
