//! Compiling a plugin, in a child process: compilation can take any amount of memory and time, and must not take the
//! daemon with it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use wasmtime::Engine;

use super::cache::write_compiled;
use super::engine::engine_config;

/// The hidden command that the child runs.
pub const COMPILE_COMMAND: &str = "__compile";

/// What the child may take.
const CHILD_MEMORY: u64 = 1 << 30;
const CHILD_CPU_SECONDS: u64 = 300;
const CHILD_DEADLINE: Duration = Duration::from_secs(600);

/// Largest plugin that is accepted, in bytes. A Python plugin has about 40 MB.
pub(super) const MAX_PLUGIN_BYTES: u64 = 64 << 20;

/// Why a plugin could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The child could not be started or talked to.
    #[error("the compiler cannot be started")]
    Start(#[source] io::Error),
    /// It took too long.
    #[error("compiling took longer than {} s", .0.as_secs())]
    Deadline(Duration),
    /// It refused the plugin, or exceeded its limits. The text is the child's.
    #[error("{0}")]
    Refused(String),
    /// It is no component.
    #[error("{0}")]
    Invalid(String),
    /// The result could not be written.
    #[error("cannot write {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

/// Who compiles.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// A child process of this executable, under limits of its own.
    Child(PathBuf),
    /// This process: for tests, whose executable has no such command.
    ThisProcess,
}

impl Compiler {
    /// Compiles `wasm` into the file `output`, with its digest beside it.
    pub(super) async fn compile(&self, wasm: &[u8], output: &Path) -> Result<(), CompileError> {
        match self {
            Compiler::Child(executable) => compile_in_child(executable, wasm, output).await,
            Compiler::ThisProcess => compile_here(wasm, output),
        }
    }
}

async fn compile_in_child(executable: &Path, wasm: &[u8], output: &Path) -> Result<(), CompileError> {
    let mut child = Command::new(executable)
        .arg(COMPILE_COMMAND)
        .arg(output)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(CompileError::Start)?;
    let mut stdin = child.stdin.take();
    let feed = async {
        if let Some(stdin) = &mut stdin {
            // A child that gave up early closes the pipe; its own message says more than this error would.
            let _ = stdin.write_all(wasm).await;
        }
        drop(stdin.take());
    };
    let whole = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = tokio::time::timeout(CHILD_DEADLINE, whole)
        .await
        .map_err(|_| CompileError::Deadline(CHILD_DEADLINE))?
        .map_err(CompileError::Start)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().chars().take(2000).collect::<String>();
    Err(CompileError::Refused(if said.is_empty() {
        format!("the compiler ended with {}: the plugin may be too large to compile here", output.status)
    } else {
        said
    }))
}

/// What the child does: a plugin from standard input becomes a compiled file.
pub fn compile_from_stdin(output: &Path) -> Result<(), CompileError> {
    let limit = |resource, most| {
        // Not fatal: the limits protect the machine, and a system that denies them has its own.
        let _ = setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    };
    limit(Resource::As, CHILD_MEMORY);
    limit(Resource::Cpu, CHILD_CPU_SECONDS);
    let _ = rustix::process::nice(19);
    let mut wasm = Vec::new();
    io::stdin().lock().take(MAX_PLUGIN_BYTES + 1).read_to_end(&mut wasm).map_err(CompileError::Start)?;
    compile_here(&wasm, output)
}

fn compile_here(wasm: &[u8], output: &Path) -> Result<(), CompileError> {
    if wasm.len() as u64 > MAX_PLUGIN_BYTES {
        return Err(CompileError::Invalid(format!("it is larger than {} MiB", MAX_PLUGIN_BYTES >> 20)));
    }
    let invalid = |error: wasmtime::Error| CompileError::Invalid(format!("{error:#}"));
    let engine = Engine::new(&engine_config()).map_err(invalid)?;
    let compiled = engine.precompile_component(wasm).map_err(invalid)?;
    write_compiled(output, &compiled).map_err(|error| CompileError::Write(output.to_owned(), error))
}
