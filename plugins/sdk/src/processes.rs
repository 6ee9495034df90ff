//! Running processes, without their command lines: those may hold secrets.

use std::fmt;

/// Which processes are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The program's name, such as `mosquitto`.
    pub name: String,
    /// Text that must be in the command line too.
    pub command_contains: Option<String>,
}

/// One process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its state as the kernel's letter: `R`, `S`, `D`, `Z`, `T` …
    pub state: String,
    /// Memory that it has resident, in bytes.
    pub memory_bytes: u64,
    /// CPU time that it has used, in milliseconds.
    pub cpu_ms: u64,
    /// How long it has been running, in seconds.
    pub age_seconds: f64,
}

/// Why processes cannot be looked at, a whole phrase for humans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// The processes that match, the oldest first; at most 1,000.
///
/// # Errors
/// An [`Error`] if it is not granted, or if the machine does not tell.
pub fn find(query: &Query) -> Result<Vec<Process>, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::processes::find(query).map_err(Error);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error(format!("no host to look for {}: this is a native build", query.name)))
}
