use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;
use tokio::task::JoinSet;

use super::*;

/// What a test waits for before it calls it hung.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server on a socket that answers each connection with the same bytes.
struct Server {
    folder: TempDir,
    _tasks: JoinSet<()>,
}

/// What becomes of the connection after the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Close,
    Hang,
}

impl Server {
    fn start(answer: Vec<u8>, then: Then) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine.sock")).unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&answer).await;
                if then == Then::Hang {
                    std::future::pending::<()>().await;
                }
            }
        });
        Self { folder, _tasks: tasks }
    }

    fn json(status: &str, body: &str) -> Self {
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        Self::start(format!("{head}\r\n\r\n{body}").into_bytes(), Then::Close)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    async fn ask(&self) -> Result<ContainerState, ContainerError> {
        ContainerProbe.inspect("jellyfin", &self.socket(), PATIENCE).await
    }

    /// The text without the socket's path.
    async fn refusal(&self) -> String {
        let error = self.ask().await.unwrap_err().to_string();
        error.replace(self.socket().to_str().unwrap(), "SOCKET")
    }
}

const DOCKER: &str = include_str!("fixtures/docker.json");
const PODMAN: &str = include_str!("fixtures/podman.json");

#[tokio::test]
async fn docker_is_understood() {
    let state = Server::json("200 OK", DOCKER).ask().await.unwrap();
    let expected = ContainerState {
        state: "running".to_owned(),
        health: Some("unhealthy".to_owned()),
        health_output: "curl: (7) Failed to connect to localhost port 8096: Connection refused\n".to_owned(),
        exit_code: 0,
        out_of_memory: false,
        restarts: 2,
        started_ms: 1_795_348_800_123,
        image: "jellyfin/jellyfin:10.10".to_owned(),
    };
    assert_eq!(state, expected);
}

#[tokio::test]
async fn podman_is_understood() {
    let state = Server::json("200 OK", PODMAN).ask().await.unwrap();
    let expected = ContainerState {
        state: "exited".to_owned(),
        health: None,
        health_output: String::new(),
        exit_code: 137,
        out_of_memory: true,
        restarts: 0,
        started_ms: 1_795_345_200_987,
        image: "docker.io/library/nginx:alpine".to_owned(),
    };
    assert_eq!(state, expected);
}

#[test]
fn the_environment_is_not_taken_over() {
    assert!(DOCKER.contains("hunter2") && PODMAN.contains("hunter2"), "else this shows nothing");
    for fixture in [DOCKER, PODMAN] {
        let shown = format!("{:?}", answer::parse(fixture.as_bytes()).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn one_that_was_never_started_and_odd_numbers() {
    let text = r#"{"State":{"Status":"created","StartedAt":"0001-01-01T00:00:00Z","ExitCode":99999999999,"Health":null},"RestartCount":-1}"#;
    let state = answer::parse(text.as_bytes()).unwrap();
    assert_eq!((state.started_ms, state.exit_code, state.restarts, state.health), (0, i32::MAX, 0, None));
    let text = r#"{"State":{"Status":"running","StartedAt":"soon","Health":{"Status":"none","Log":null}},"RestartCount":99999999999}"#;
    let state = answer::parse(text.as_bytes()).unwrap();
    assert_eq!((state.started_ms, state.restarts, state.health), (0, u32::MAX, None));
    let text = r#"{"State":{"Status":"running","ExitCode":null,"OOMKilled":null,"StartedAt":null,"Health":{"Status":null}},"RestartCount":null,"Config":{"Image":null}}"#;
    let expected = ContainerState { state: "running".to_owned(), ..ContainerState::default() };
    assert_eq!(answer::parse(text.as_bytes()), Some(expected));
    for text in ["", "{}", "[]", r#"{"State":"running"}"#, r#"{"State":{}}"#] {
        assert_eq!(answer::parse(text.as_bytes()), None, "{text}");
    }
}

#[tokio::test]
async fn answers_that_are_errors() {
    for (status, body, expected) in [
        ("404 Not Found", r#"{"message":"No such container: jellyfin"}"#, "there is no container jellyfin"),
        (
            "404 Not Found",
            r#"{"cause":"no such container","message":"no container with name or ID \"jellyfin\" found: no such container","response":404}"#,
            "there is no container jellyfin",
        ),
        ("404 Not Found", "404 page not found", "what listens on SOCKET answered with HTTP 404"),
        ("403 Forbidden", "", "what listens on SOCKET does not let `GET /containers/` through (HTTP 403)"),
        (
            "500 Internal Server Error",
            r#"{"message":"some\nthing broke"}"#,
            "what listens on SOCKET answered with HTTP 500: some thing broke",
        ),
        ("200 OK", "[1, 2", "what answers on SOCKET is neither Docker nor Podman"),
        ("200 OK", r#"{"State":{}}"#, "what answers on SOCKET is neither Docker nor Podman"),
    ] {
        assert_eq!(Server::json(status, body).refusal().await, expected);
    }
}

#[tokio::test]
async fn answers_that_are_none() {
    let silent = Server::start(Vec::new(), Then::Hang);
    let error = ContainerProbe.inspect("a", &silent.socket(), Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, ContainerError::Timeout(_)), "{error:?}");
    let slow = Server::start(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{".to_vec(), Then::Hang);
    let error = ContainerProbe.inspect("a", &slow.socket(), Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, ContainerError::Timeout(_)), "{error:?}");
    let huge =
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n".to_vec(), vec![b' '; 5_000_000]].concat();
    let huge = Server::start(huge, Then::Close).refusal().await;
    assert_eq!(huge, "what answers on SOCKET is neither Docker nor Podman");
    let garbage = Server::start(b"\x00\x01SSH-2.0\r\n\r\n".to_vec(), Then::Close).refusal().await;
    assert_eq!(garbage, "what answers on SOCKET is neither Docker nor Podman");
    let closed = Server::start(Vec::new(), Then::Close).refusal().await;
    assert!(closed.starts_with("the connection to SOCKET broke"), "{closed}");
}

#[tokio::test]
async fn nobody_listens() {
    let folder = tempfile::tempdir().unwrap();
    let ask = async |name: &str| {
        ContainerProbe.inspect("a", &folder.path().join(name), PATIENCE).await.unwrap_err()
    };
    let missing = ask("missing.sock").await;
    assert!(matches!(&missing, ContainerError::Unavailable(text) if text.starts_with("there is no socket")));
    drop(UnixListener::bind(folder.path().join("left.sock")).unwrap());
    let left = ask("left.sock").await;
    assert!(matches!(&left, ContainerError::Unavailable(text) if text.starts_with("nobody listens on")));
    fs::write(folder.path().join("file"), "x").unwrap();
    assert!(matches!(ask("file").await, ContainerError::Unavailable(_)));
}

#[tokio::test]
async fn names_stay_within_their_place() {
    for name in ["", "a/b", "../info", "a\0b", &"x".repeat(256)] {
        let error = ContainerProbe.inspect(name, Path::new("/nowhere"), PATIENCE).await.unwrap_err();
        assert_eq!(error, ContainerError::Other("this is no name of a container".to_owned()), "{name}");
    }
    assert_eq!(
        (encoded("a_b.c-d"), encoded(".."), encoded("a?b c")),
        ("a_b.c-d".into(), "%2E%2E".into(), "a%3Fb%20c".into())
    );
}

proptest! {
    #[test]
    fn any_name_is_one_step_of_a_path(name in any::<String>()) {
        let text = encoded(&name);
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_~.%".contains(&byte)), "{text}");
        prop_assert!(text != "." && text != "..");
    }

    #[test]
    fn any_answer_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = answer::parse(&body);
        prop_assert!(answer::message(&body).chars().count() <= 200);
    }
}
