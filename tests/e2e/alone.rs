//! Commands in a network of their own that has nothing but loopback, and whose settings can be changed.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a helper that fails fails its test, and what is left out is said"
)]

use std::ffi::OsStr;

use tokio::process::Command;

use crate::oneshot::{Home, Ran, run};

/// Whether this machine and its user can make such a network; says so if not.
pub(crate) async fn is_possible() -> bool {
    let tried =
        Command::new("unshare").args(["--net", "--mount", "ip", "link", "set", "lo", "up"]).output().await;
    let reason = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("not tested, since no network of its own can be made: {reason}");
    false
}

/// Runs `pihook check --json` in the home, in such a network, after this shell script. The script sees what is mounted there
/// as its own.
pub(crate) async fn check(home: &Home, script: &str) -> Ran {
    check_as(home, script, &[]).await
}

/// The same, by way of this command.
pub(crate) async fn check_as(home: &Home, script: &str, by: &[&str]) -> Ran {
    let pihook = home.command(["check", "--json"]);
    let pihook = pihook.as_std();
    let script =
        format!("set -e\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nip link set lo up\n{script}\nexec \"$@\"");
    let mut command = Command::new("unshare");
    command
        .args(["--net", "--mount", "sh", "-c", &script, "sh"])
        .args(by)
        .arg(pihook.get_program())
        .args(pihook.get_args().map(OsStr::to_owned).collect::<Vec<_>>())
        .current_dir(home.path())
        .env("TZ", "Etc/UTC")
        .kill_on_drop(true);
    run(&mut command).await
}
