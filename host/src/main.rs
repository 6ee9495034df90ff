//! The command `pihook`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pihook::cli::main(std::env::args_os()).into()
}
