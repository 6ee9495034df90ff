//! A folder with a configuration, and commands that are run in it once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// The program under test.
pub(crate) const PIHOOK: &str = env!("CARGO_BIN_EXE_pihook");

/// How long a command may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a `services.yaml`, in which commands run as a newcomer would run them.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    /// A folder with this configuration, and with the plugins compiled as after a first start.
    pub(crate) async fn new(services: &str) -> Self {
        let home = Self::bare();
        home.write("services.yaml", services);
        home.seed("data").await;
        home
    }

    /// An empty folder.
    pub(crate) fn bare() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path below it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.join(name), content).unwrap();
    }

    /// Gives a data folder the compiled plugins.
    pub(crate) async fn seed(&self, data: &str) {
        let data = self.join(data);
        fs::create_dir_all(&data).unwrap();
        std::os::unix::fs::symlink(compiled_plugins().await, data.join("cache")).unwrap();
    }

    /// `pihook` with these arguments, ready to be changed further. Of the environment it sees only what is given.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(PIHOOK);
        command.args(arguments).current_dir(self.path()).env_clear().env("TZ", "Etc/UTC").kill_on_drop(true);
        command
    }

    /// Runs `pihook` with these arguments to its end.
    pub(crate) async fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        run(&mut self.command(arguments)).await
    }
}

/// What a command printed, and what it ended with.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it complained about.
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails unless the command ended with this code, and shows then what it said.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Runs a command to its end.
pub(crate) async fn run(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output();
    let output = timeout(PATIENCE, output).await.expect("the command ends in time").unwrap();
    Ran::from(output)
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what people read is UTF-8");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let code = output.status.code().unwrap_or_else(|| panic!("{}: {stderr}", output.status));
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self { code, stdout, stderr }
    }
}
fn plugin_folders() -> Vec<String> {
    let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins")).unwrap();
    let mut names: Vec<String> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The plugin cache of a data folder in which all bundled plugins were used: compiled once for all tests.
async fn compiled_plugins() -> &'static Path {
    static COMPILED: OnceCell<PathBuf> = OnceCell::const_new();
    let compiled = COMPILED.get_or_init(|| async {
        // Kept between runs, which is safe: compiled files are named by what they were made of.
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
        let home = Home::bare();
        let mut services = format!("data_dir: {}\nservices:\n", data.display());
        for id in plugin_folders() {
            services += &format!("  - {{ name: {id}, check: {id} }}\n");
        }
        home.write("services.yaml", &services);
        fs::create_dir_all(&data).unwrap();
        // Their settings are missing, and some are no checks; they are compiled all the same.
        home.run(["validate"]).await.ended(78);
        data.join("cache")
    });
    compiled.await
}
