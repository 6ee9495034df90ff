//! `pihook run`: the daemon.

use super::args::RunArgs;
use super::{Failure, Place};
use crate::app::{self, Purpose};
use crate::exit_code::ExitCode;
use crate::telemetry;

/// Threads for blocking calls, such as name resolution; more than these wait.
const BLOCKING_THREADS: usize = 64;

pub(super) fn run(place: &Place, args: &RunArgs) -> Result<ExitCode, Failure> {
    telemetry::start(args.log_format, super::environment("PIHOOK_LOG").as_deref());
    // One thread: handing a check from thread to thread cost a fifth of its CPU time. A guest that computes on and on
    // yields after a tenth of a second; SQLite and whatever blocks have threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(std::time::Duration::from_secs(5))
        .thread_stack_size(512 << 10)
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(&error))?;
    let result = runtime.block_on(async {
        let prepared = super::validate::prepare(place, Purpose::Run).await?;
        app::run(prepared).await.map_err(|error| Failure::internal(&error))
    });
    // A name that is still being resolved must not hold the end up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result.map(|()| ExitCode::Ok)
}
