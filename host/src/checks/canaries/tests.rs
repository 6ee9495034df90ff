use std::future::ready;

use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;

use super::*;
use crate::clock::SystemClock;

/// Finds everybody degraded, so that it is seen who was left to it.
struct Others;

impl CheckRunner for Others {
    fn run(&self, service: ServiceId) -> Pin<Box<dyn Future<Output = Finished> + Send>> {
        let outcome = Outcome {
            status: Status::Degraded,
            summary: "left to others".to_owned(),
            notice: None,
            response_time: None,
            attempts: 1,
            metrics: Vec::new(),
            at: pihook_core::Timestamp::UNIX_EPOCH,
        };
        Box::pin(ready(Finished { service, outcome, kept: None }))
    }
}

async fn outcome_of(addresses: &[&str]) -> Outcome {
    let spec = CanarySpec {
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        retries: 1,
        connect_timeout: Duration::from_secs(30),
        read_timeout: Duration::from_secs(30),
    };
    let zone = ServiceId::new("pihook:zone:external");
    let specs = [(zone.clone(), Arc::new(spec))].into();
    let runner = CanaryRunner::new(Arc::new(SystemClock::start()), Arc::default(), specs, Others);
    assert_eq!(runner.run(ServiceId::new("a")).await.outcome.status, Status::Degraded);
    let Finished { service, outcome, kept } = runner.run(zone).await;
    assert_eq!((service.as_str(), kept), ("pihook:zone:external", None));
    outcome
}

/// The address of a server that answers with this status to whatever it is asked.
async fn server(status: u16) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().fallback(move || ready(StatusCode::from_u16(status).unwrap()));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test]
async fn one_answer_is_enough_whatever_it_says() {
    let nobody = nobody().await;
    for status in [200, 204, 302, 404, 500] {
        let (silent, server) = (format!("http://{nobody}"), format!("http://{}", server(status).await));
        let outcome = outcome_of(&[&silent, &server]).await;
        assert_eq!((outcome.status, outcome.attempts), (Status::Up, 1), "{status}: {}", outcome.summary);
        assert_eq!(outcome.summary, format!("{server} answers"));
        assert!(outcome.response_time.is_some());
    }
}

#[tokio::test]
async fn an_answer_ends_the_wait_for_the_others() {
    // It takes connections and says nothing; the read timeout is far longer than the test waits.
    let mute = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mute = format!("http://{}", mute.local_addr().unwrap());
    let server = format!("http://{}", server(200).await);
    let asked = tokio::time::timeout(Duration::from_secs(20), outcome_of(&[&mute, &server])).await;
    assert_eq!(asked.unwrap().status, Status::Up);
}

#[tokio::test]
async fn a_port_that_takes_connections_is_an_answer() {
    let server = server(200).await;
    assert_eq!(outcome_of(&[&server]).await.status, Status::Up);
}

#[tokio::test]
async fn nobody_is_told_with_the_reasons_after_another_attempt() {
    let (one, other) = (nobody().await, nobody().await);
    let outcome = outcome_of(&[&format!("http://{one}"), &other]).await;
    assert_eq!((outcome.status, outcome.attempts), (Status::Down, 2));
    let expected = format!("cut off: no canary answers (http://{one}: ");
    assert!(outcome.summary.starts_with(&expected), "{}", outcome.summary);
    assert!(outcome.summary.contains(&format!("; {other}: ")), "{}", outcome.summary);
    let alone = outcome_of(&[&one]).await;
    assert!(alone.summary.starts_with("cut off: its canary does not answer ("), "{}", alone.summary);
}
