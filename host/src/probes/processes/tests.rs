use std::process::{Child, Command, Stdio};

use super::*;

/// A process of these tests, ended with them.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A copy of `cat` under a name of its own, which waits for input that never comes.
fn start(folder: &Path, name: &str, arguments: &[&str]) -> Started {
    let program = folder.join(name);
    if !program.exists() {
        fs::copy("/bin/cat", &program).unwrap();
    }
    let mut command = Command::new(program);
    Started(command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
}

async fn find(name: &str, text: Option<&str>) -> Vec<RunningProcess> {
    let query = ProcessQuery { name: name.to_owned(), command_contains: text.map(str::to_owned) };
    ProcessProbe::default().find(query, Duration::from_secs(60)).await.unwrap()
}

#[tokio::test]
async fn processes_are_found_by_name_and_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let short = "pihooktestshort";
    let long = "pihook-test-with-a-long-name";
    let longer = "pihook-test-with-another-name";
    let first = start(folder.path(), short, &["-", "-u"]);
    let second = start(folder.path(), short, &["-"]);
    let _third = start(folder.path(), long, &[]);
    let found = find(short, None).await;
    let pids: Vec<u32> = found.iter().map(|process| process.pid).collect();
    let mut expected = [first.0.id(), second.0.id()];
    if found[0].age == found[1].age {
        expected.sort_unstable();
    }
    assert_eq!(pids, expected);
    assert!(found.iter().all(|process| process.memory > 0 && process.state != 'Z'), "{found:?}");
    assert!(found.iter().all(|process| process.age < Duration::from_secs(600)), "{found:?}");
    // The words of a command line are parted by spaces.
    let with_text = find(short, Some("- -u")).await;
    assert_eq!(with_text.iter().map(|process| process.pid).collect::<Vec<_>>(), [first.0.id()]);
    assert!(find(short, Some("-- -u")).await.is_empty());
    // A name that the kernel has cut is still the whole name, and not that of its neighbour.
    assert_eq!(find(long, None).await.len(), 1);
    assert!(find(longer, None).await.is_empty());
    assert!(find("no-such-program", None).await.is_empty());
}

#[tokio::test]
async fn one_that_has_ended_is_a_zombie_until_it_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(folder.path(), "pihooktestdead", &[]);
    child.0.kill().unwrap();
    let zombie = async {
        loop {
            match find("pihooktestdead", None).await.first() {
                Some(process) if process.state == 'Z' => return,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), zombie).await.expect("it is a zombie");
}

#[test]
fn the_program_is_told_from_the_command_line() {
    for (name, comm, command, expected) in [
        ("mosquitto", "MainThread", &b"/usr/sbin/mosquitto\0-c\0x"[..], true),
        ("node", "MainThread", b"node\0server.js\0", true),
        ("nginx", "other", b"nginx: worker process", false),
        // The kernel has cut the name and the process has changed its command line.
        ("systemd-resolved", "systemd-resolve", b"[resolver]", true),
        ("systemd-resolved", "systemd-resolve", b"/lib/systemd/systemd-resolved\0", true),
        ("systemd-resolved", "systemd-resolve", b"systemd-resolve\0", false),
        ("systemd-resolved", "systemd-resolve", b"", true),
        ("cat", "cats", b"", false),
    ] {
        assert_eq!(is_program(name.as_bytes(), comm.as_bytes(), command), expected, "{name} {comm}");
    }
}

#[test]
fn what_hides_the_processes_of_others_is_told() {
    let proc = tempfile::tempdir().unwrap();
    let query = ProcessQuery { name: "x".to_owned(), command_contains: None };
    let error = look(proc.path(), &query).unwrap_err().to_string();
    assert!(error.contains("hidepid") && error.contains("entity not found"), "{error}");
}
