//! What the process ends with. Documented in docs/commands.md; scripts depend on it.

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// All is well: every service up, the configuration valid.
    Ok,
    /// `check`: some service is down or degraded. `alert test`: the alert was not accepted.
    /// `db check`: the database is damaged.
    Bad,
    /// `check`: of some service PiHook cannot tell, and none is down or degraded.
    Unknown,
    /// The command line cannot be understood (`EX_USAGE`).
    Usage,
    /// Something failed that should not have (`EX_SOFTWARE`).
    Internal,
    /// The configuration is missing or wrong (`EX_CONFIG`).
    Config,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(match code {
            ExitCode::Ok => 0,
            ExitCode::Bad => 1,
            ExitCode::Unknown => 2,
            ExitCode::Usage => 64,
            ExitCode::Internal => 70,
            ExitCode::Config => 78,
        })
    }
}
