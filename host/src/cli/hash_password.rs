//! `pihook hash-password`: what services.yaml may know a password by.

use std::io::{self, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Failure;
use crate::exit_code::ExitCode;
use crate::password::{LONGEST, PasswordHash};

pub(super) fn run() -> Result<ExitCode, Failure> {
    let failed =
        |error: io::Error| Failure::new(ExitCode::Internal, format!("cannot read a password: {error}"));
    let password = if io::stdin().is_terminal() {
        let password = ask("Password: ").map_err(failed)?;
        if ask("The same again: ").map_err(failed)? != password {
            return Err(Failure::new(ExitCode::Usage, "the two are not the same"));
        }
        password
    } else {
        piped().map_err(failed)?
    };
    if password.is_empty() || password.len() > LONGEST {
        return Err(Failure::new(ExitCode::Usage, format!("a password has 1 to {LONGEST} bytes")));
    }
    let hash = PasswordHash::of(&password).map_err(|error| Failure::new(ExitCode::Internal, error))?;
    let _ = writeln!(io::stdout().lock(), "{}", hash.as_str());
    Ok(ExitCode::Ok)
}

/// The first line of what is piped in.
fn piped() -> io::Result<String> {
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(2);
    let mut text = String::new();
    io::stdin().lock().take(most).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Asks at the terminal, which does not show what is typed.
fn ask(prompt: &str) -> io::Result<String> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{prompt}")?;
    stderr.flush()?;
    let mut line = String::new();
    {
        let _quiet = Quiet::begin()?;
        io::stdin().read_line(&mut line)?;
    }
    writeln!(stderr)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
