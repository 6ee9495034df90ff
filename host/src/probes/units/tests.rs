//! What a bus can do before systemd comes into play. With a real bus, and systemd on it: the end-to-end tests.

use std::path::Path;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::task::JoinSet;
use zbus::fdo;

use super::*;

/// What a test waits for before it calls it hung.
const PATIENCE: Duration = Duration::from_secs(30);

async fn over(socket: &Path, within: Duration) -> UnitError {
    let address = format!("unix:path={}", socket.display());
    ask(Builder::address(address.as_str()), "nginx.service", within).await.unwrap_err()
}

/// A bus that says this to whoever comes, and then hangs up.
fn bus(words: &'static [u8]) -> (TempDir, JoinSet<()>) {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("bus")).unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(words).await;
        }
    });
    (folder, tasks)
}

#[tokio::test]
async fn no_bus_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let missing = over(&folder.path().join("bus"), PATIENCE).await;
    assert!(
        matches!(&missing, UnitError::Unavailable(text) if text.starts_with("there is no system bus")),
        "{missing:?}"
    );
    drop(UnixListener::bind(folder.path().join("left")).unwrap());
    assert!(matches!(over(&folder.path().join("left"), PATIENCE).await, UnitError::Unavailable(_)));
}

#[tokio::test]
async fn a_bus_that_hangs_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let _listener = UnixListener::bind(folder.path().join("bus")).unwrap();
    let late = over(&folder.path().join("bus"), Duration::from_millis(50)).await;
    let text = "systemd did not answer over the system bus within 50 ms (read timeout)";
    assert_eq!(late, UnitError::Timeout(text.to_owned()));
}

#[tokio::test]
async fn what_is_no_bus_is_told() {
    for words in
        [&b""[..], b"REJECTED EXTERNAL\r\n", b"\xff\xfe\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"]
    {
        let (folder, _tasks) = bus(words);
        let error = over(&folder.path().join("bus"), PATIENCE).await;
        assert!(!matches!(error, UnitError::Timeout(_)), "{words:?}: {error:?}");
        assert!(!error.to_string().contains('\n'), "{error:?}");
    }
}

#[test]
fn what_the_bus_says_is_understood() {
    let of = |error: fdo::Error| UnitError::of_asking(&zbus::Error::FDO(Box::new(error)));
    let text = String::new;
    assert!(matches!(of(fdo::Error::NameHasNoOwner(text())), UnitError::Unavailable(_)));
    assert!(matches!(of(fdo::Error::ServiceUnknown(text())), UnitError::Unavailable(_)));
    assert!(matches!(of(fdo::Error::AccessDenied(text())), UnitError::Forbidden(_)));
    assert!(matches!(of(fdo::Error::NoReply(text())), UnitError::Timeout(_)));
    assert!(matches!(of(fdo::Error::UnknownMethod(text())), UnitError::Other(_)));
}
