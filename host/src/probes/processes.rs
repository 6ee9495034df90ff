//! Running processes, from `/proc`. Command lines may be secret: they are compared here and go no further.
//!
//! `/proc` is read directly: one small file for each process that is not looked for, where a library would read several.

mod stat;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::lane::{Lane, Stuck};
use stat::Stat;

/// More processes are not told.
const MOST: usize = 1000;
/// How much of a command line is read.
const COMMAND_BYTES: u64 = 64 << 10;
/// Checks that look for processes at once.
const AT_ONCE: usize = 2;
/// The kernel cuts a process's own name to so many bytes.
const COMM_BYTES: usize = 15;

/// Looks for processes. Nothing is kept between two looks but the places for them.
pub struct ProcessProbe {
    lane: Lane,
}

/// Which processes are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessQuery {
    /// The program's name.
    pub name: String,
    /// Text that must be in the command line too.
    pub command_contains: Option<String>,
}

/// One process.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningProcess {
    /// Its number.
    pub pid: u32,
    /// Its state as the kernel's letter.
    pub state: char,
    /// Memory that it has resident, in bytes.
    pub memory: u64,
    /// CPU time that it has used.
    pub cpu: Duration,
    /// How long it has been running.
    pub age: Duration,
}

/// The machine did not tell; the text for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProcessError(String);

impl Default for ProcessProbe {
    fn default() -> Self {
        Self { lane: Lane::new(AT_ONCE) }
    }
}

impl ProcessProbe {
    /// The processes that match, the oldest first.
    ///
    /// # Errors
    /// If `/proc` does not tell, of others' processes in particular, or does not within this time.
    pub async fn find(
        &self,
        query: ProcessQuery,
        within: Duration,
    ) -> Result<Vec<RunningProcess>, ProcessError> {
        let looked =
            self.lane.run("looking through /proc", within, move || look(Path::new("/proc"), &query)).await;
        looked.map_err(|error| match error {
            Stuck::Late(_) => ProcessError(format!(
                "looking through /proc took longer than {} ms (read timeout)",
                within.as_millis()
            )),
            Stuck::Broke(text) => ProcessError(text),
        })?
    }
}

fn look(proc: &Path, query: &ProcessQuery) -> Result<Vec<RunningProcess>, ProcessError> {
    // The first process is always there, and is always somebody else's.
    if let Err(error) = read(&proc.join("1/stat"), COMMAND_BYTES) {
        return Err(ProcessError(format!(
            "/proc does not show this user the processes of others ({}): with the mount option hidepid, PiHook's user has \
             to be in the group that the option gid= names; under systemd, ProtectProc= has to be left out",
            error.kind()
        )));
    }
    let unreadable = |error: io::Error| ProcessError(format!("/proc cannot be read: {error}"));
    let text = fs::read_to_string(proc.join("uptime")).map_err(unreadable)?;
    let uptime = text.split_ascii_whitespace().next().and_then(|seconds| seconds.parse().ok());
    let uptime: f64 =
        uptime.ok_or_else(|| ProcessError("/proc/uptime is not what it should be".to_owned()))?;
    let mut found = Vec::new();
    for entry in fs::read_dir(proc).map_err(unreadable)? {
        let Some(pid) = entry.ok().and_then(|entry| entry.file_name().to_str()?.parse().ok()) else {
            continue;
        };
        let folder = proc.join(format!("{pid}"));
        // One that has ended meanwhile is no more.
        let Some(stat) = read(&folder.join("stat"), 4096).ok().and_then(|text| Stat::parse(&text)) else {
            continue;
        };
        if matches(query, &stat, &folder) {
            found.push((stat.started, pid, stat));
        }
    }
    found.sort_by_key(|(started, pid, _)| (*started, *pid));
    found.truncate(MOST);
    let ticks = rustix::param::clock_ticks_per_second();
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    Ok(found.into_iter().map(|(_, pid, stat)| stat.describe(pid, uptime, ticks, page)).collect())
}

/// Whether it is one of those looked for. Its command line is read only if the answer depends on it.
fn matches(query: &ProcessQuery, stat: &Stat, folder: &Path) -> bool {
    let name = query.name.as_bytes();
    let by_comm = stat.comm == name;
    let text = query.command_contains.as_deref();
    if stat.kernel || (by_comm && text.is_none()) {
        return by_comm && text.is_none();
    }
    let command = read(&folder.join("cmdline"), COMMAND_BYTES).unwrap_or_default();
    if !by_comm && !is_program(name, &stat.comm, &command) {
        return false;
    }
    text.is_none_or(|text| contains(&command, text.as_bytes()))
}

/// Whether a process whose own name is another is of this program: by the first word of its command line, or since the
/// kernel has cut its name.
fn is_program(name: &[u8], comm: &[u8], command: &[u8]) -> bool {
    let first = command.split(|byte| *byte == 0).next().unwrap_or_default();
    let program = first.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let cut = name.len() > COMM_BYTES && name.get(..COMM_BYTES) == Some(comm);
    // Where the first word is still the program's, it is another one with the same beginning.
    program == name || (cut && !program.starts_with(comm))
}

/// Whether the text is in the command line, its words parted by spaces.
fn contains(command: &[u8], text: &[u8]) -> bool {
    let spaced = |byte: u8| if byte == 0 { b' ' } else { byte };
    text.is_empty()
        || command
            .windows(text.len())
            .any(|window| window.iter().zip(text).all(|(byte, wanted)| spaced(*byte) == *wanted))
}

fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests;
