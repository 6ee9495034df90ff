use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::process_group::FOLDERS;

const LONG: Duration = Duration::from_secs(60);

fn command(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn shell(script: &str) -> Vec<String> {
    command(&["sh", "-c", script])
}

async fn run(words: &[String], within: Duration) -> Result<CommandOutput, CommandError> {
    loop {
        match CommandProbe::default().run(words, within).await {
            // A script that was just written is also open in children that other tests start at that moment.
            Err(CommandError::Other(text)) if text.contains("text file busy") => {
                tokio::task::yield_now().await
            }
            result => return result,
        }
    }
}

/// A pipe in a folder: whoever opens it for writing waits for its reader, and its reader waits until no process has it
/// open any more.
struct Alive {
    folder: tempfile::TempDir,
}

impl Alive {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
        assert!(made.success());
        Self { folder }
    }

    fn pipe(&self) -> PathBuf {
        self.folder.path().join("pipe")
    }

    /// A process that stays, with a child and a grandchild, all of which hold the pipe open.
    fn family(&self) -> Vec<String> {
        let pipe = self.pipe();
        shell(&format!("exec 3>{}; (sleep 1000 & sleep 1000) & sleep 1000", pipe.display()))
    }

    /// A reader that sees the end when none of them is left.
    fn opened(&self) -> tokio::task::JoinHandle<()> {
        let pipe = self.pipe();
        tokio::task::spawn_blocking(move || assert!(fs::read(pipe).unwrap().is_empty()))
    }
}

#[tokio::test]
async fn what_it_wrote_and_how_it_ended_is_told() {
    let output = run(&shell("echo out; echo err >&2; exit 3"), LONG).await.unwrap();
    assert_eq!((output.exit_code, output.truncated), (Some(3), false));
    assert_eq!((&*output.stdout, &*output.stderr), (&b"out\n"[..], &b"err\n"[..]));
    let output = run(&shell("kill -TERM $$"), LONG).await.unwrap();
    assert_eq!(output.exit_code, None);
}

#[tokio::test]
async fn arguments_are_no_shell_code() {
    let output = run(&command(&["echo", "$HOME; `id` *", ""]), LONG).await.unwrap();
    assert_eq!(output.stdout, b"$HOME; `id` * \n");
}

#[tokio::test]
async fn it_sees_no_environment_and_has_no_input() {
    let output = run(&command(&["env"]), LONG).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["LC_ALL=C", &format!("PATH={FOLDERS}")]);
    let output = run(&shell("cat; pwd"), LONG).await.unwrap();
    assert_eq!(output.stdout, b"/\n");
}

#[tokio::test]
async fn too_much_is_cut_and_the_end_still_told() {
    let output =
        run(&shell("head -c 300000 /dev/zero; head -c 20000 /dev/zero >&2; exit 5"), LONG).await.unwrap();
    assert_eq!((output.stdout.len(), output.stderr.len()), (256 << 10, 16 << 10));
    assert_eq!((output.exit_code, output.truncated), (Some(5), true));
}

#[tokio::test]
async fn who_writes_for_ever_is_killed() {
    for script in ["yes", "yes >&2", "yes & yes >&2 & wait"] {
        let output = run(&shell(script), LONG).await.unwrap();
        assert!(output.truncated && output.exit_code.is_none(), "{script}: {:?}", output.exit_code);
        assert!(output.stdout.len() <= 256 << 10 && output.stderr.len() <= 16 << 10);
    }
}

#[tokio::test]
async fn who_takes_too_long_is_killed_with_all_children() {
    let alive = Alive::new();
    let reader = alive.opened();
    let error = run(&alive.family(), Duration::from_millis(500)).await.unwrap_err();
    let text = "`sh` did not end within 500 ms (read timeout) and was killed";
    assert_eq!(error, CommandError::Timeout(text.to_owned()));
    // A slow machine may not even have started it; then nobody ever writes.
    let unblocked = tokio::task::spawn_blocking({
        let pipe = alive.pipe();
        move || drop(fs::OpenOptions::new().read(true).write(true).open(pipe))
    });
    unblocked.await.unwrap();
    timeout(LONG, reader).await.expect("all of them died").unwrap();
}

#[tokio::test]
async fn it_dies_with_its_children_when_nobody_waits_any_more() {
    let alive = Alive::new();
    let running = tokio::spawn({
        let family = alive.family();
        async move { run(&family, LONG).await }
    });
    // Opening it for reading returns when the family has opened it.
    let pipe = alive.pipe();
    let file = timeout(LONG, tokio::task::spawn_blocking(move || fs::File::open(pipe).unwrap())).await;
    let file = file.expect("they have started").unwrap();
    running.abort();
    let end = tokio::task::spawn_blocking(move || std::io::read_to_string(file).unwrap());
    assert_eq!(timeout(LONG, end).await.expect("all of them died").unwrap(), "");
}

#[tokio::test]
async fn what_it_leaves_running_is_killed_at_its_end() {
    let alive = Alive::new();
    let reader = alive.opened();
    let script = format!("exec 3>{}; sleep 1000 & echo done", alive.pipe().display());
    let output = run(&shell(&script), LONG).await.unwrap();
    assert_eq!((output.exit_code, &*output.stdout), (Some(0), &b"done\n"[..]));
    timeout(LONG, reader).await.expect("the child died").unwrap();
}

#[tokio::test]
async fn nothing_is_left_to_reap() {
    for _ in 0..3 {
        run(&shell("exit 0"), LONG).await.unwrap();
    }
    let failed = run(&command(&["sleep", "1000"]), Duration::from_millis(300)).await;
    assert!(matches!(failed, Err(CommandError::Timeout(_))));
    // Children that ended and were not reaped are shown as zombies of this process.
    let zombies = || {
        let own = std::process::id().to_string();
        let stats = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let stat = fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
            let (name, rest) = stat.rsplit_once(") ")?;
            Some((name.to_owned(), rest.split(' ').take(2).map(str::to_owned).collect::<Vec<_>>()))
        });
        stats
            .filter(|(name, fields)| name.ends_with("(sleep") && *fields == ["Z".to_owned(), own.clone()])
            .count()
    };
    let gone = async {
        while zombies() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LONG, gone).await.expect("the killed one is reaped");
}

#[tokio::test]
async fn only_a_few_run_at_once() {
    let probe = Arc::new(CommandProbe::default());
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let probe = probe.clone();
        running.spawn(async move { probe.run(&command(&["sleep", "1000"]), LONG).await });
    }
    while probe.places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let error = probe.run(&command(&["true"]), Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(&error, CommandError::Other(text) if text.contains("4 commands at once")), "{error}");
    running.shutdown().await;
    assert!(probe.run(&command(&["true"]), LONG).await.is_ok(), "their places are free again");
}

fn script(folder: &Path, name: &str, content: &str, mode: u32) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_cannot_run_is_told_with_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    for (program, what) in [
        (
            "no-such-program".to_owned(),
            "in /usr/local/sbin, /usr/local/bin, /usr/sbin, /usr/bin, /sbin, /bin: install",
        ),
        (missing, "install it, or correct its path"),
        (script(folder.path(), "plain", "#!/bin/sh\n", 0o644), "may not execute"),
        (
            script(folder.path(), "odd", "#!/no/interpreter\n", 0o755),
            "the interpreter in a script's first line",
        ),
        (script(folder.path(), "text", "neither\n", 0o755), "begins with a line such as `#!/bin/sh`"),
        (folder.path().to_str().unwrap().to_owned(), "may not execute"),
    ] {
        let error = run(&command(&[&program]), LONG).await.unwrap_err();
        assert!(
            matches!(&error, CommandError::NotRunnable(text) if text.contains(what)),
            "{program}: {error}"
        );
    }
    assert!(matches!(run(&[], LONG).await, Err(CommandError::Other(_))));
    let good = script(folder.path(), "good", "#!/bin/sh\necho fine\n", 0o755);
    assert_eq!(run(&command(&[&good]), LONG).await.unwrap().stdout, b"fine\n");
}
