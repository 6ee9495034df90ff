//! The judgement: settings to a request, and an answer to an outcome. No IO.

use pihook_plugin::net::{Error, Target};
use pihook_plugin::tcp::{Answer, MAX_BYTES, Request};
use pihook_plugin::text::{one_line, slower_than};
use pihook_plugin::{Failure, Outcome, Run};

use crate::settings::{Expect, Settings};

/// How much of a text is quoted, in characters.
const QUOTED: usize = 60;

/// The request that the settings ask for.
#[must_use]
pub fn request(settings: &Settings, run: &Run) -> Request {
    let expect = &settings.expect;
    Request {
        target: Target::new(settings.host.0.clone(), settings.port.0, run),
        send: settings.send.clone().map(|words| words.0.into_bytes()),
        receive: expect.contains.is_some() || expect.matches.is_some(),
        until: expect.contains.clone().map(|wanted| wanted.0.into_bytes()),
        max_bytes: MAX_BYTES,
    }
}

/// Judges what happened.
///
/// # Errors
/// A [`Failure`] if nothing happened for a reason that is not the service's fault.
pub fn judge(settings: &Settings, answer: Result<Answer, Error>) -> Result<Outcome, Failure> {
    match answer {
        Ok(answer) => Ok(measured(verdict(settings, &answer), &answer)),
        Err(error) => error.into_verdict(),
    }
}

fn verdict(settings: &Settings, answer: &Answer) -> Outcome {
    let expect = &settings.expect;
    if let Some(fault) = fault(expect, &answer.received) {
        return Outcome::down(fault);
    }
    let port = settings.port.0;
    // The same text each time: equal summaries take less room in the history.
    let well = if answer.answer_ms.is_some() {
        format!("port {port} answers as expected")
    } else {
        format!("port {port} is open")
    };
    match expect.max_response_time.and_then(|limit| slower_than(total(answer), limit.0)) {
        Some(slow) => Outcome::degraded(format!("{well}, but in {slow}")),
        None => Outcome::up(well),
    }
}

fn fault(expect: &Expect, received: &[u8]) -> Option<String> {
    let said = String::from_utf8_lossy(received);
    let answer = || {
        if received.is_empty() {
            String::from("the empty answer")
        } else {
            format!("the answer {}", quoted(said.trim_end()))
        }
    };
    if let Some(wanted) = &expect.contains
        && !contains(received, wanted.0.as_bytes())
    {
        return Some(format!("{} lacks {}", answer(), quoted(&wanted.0)));
    }
    match &expect.matches {
        Some(pattern) if !pattern.0.is_match(&said) => {
            Some(format!("{} does not match {}", answer(), quoted(pattern.0.as_str())))
        }
        _ => None,
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || text.windows(wanted.len()).any(|window| window == wanted)
}

fn total(answer: &Answer) -> f64 {
    answer.connection.connect_ms + answer.answer_ms.unwrap_or(0.0)
}

fn measured(outcome: Outcome, answer: &Answer) -> Outcome {
    let connection = &answer.connection;
    let values = [
        ("dns_ms", connection.dns_ms),
        ("connect_ms", Some(connection.connect_ms)),
        ("answer_ms", answer.answer_ms),
    ];
    let outcome = outcome.response_ms(total(answer));
    values.into_iter().fold(outcome, |outcome, (name, value)| match value {
        Some(value) => outcome.metric(name, value, "ms"),
        None => outcome,
    })
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text, QUOTED))
}

#[cfg(test)]
mod tests {
    use pihook_plugin::Status;
    use pihook_plugin::net::Connection;
    use pihook_plugin::settings::read;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn settings(expect: Value) -> Settings {
        read(&json!({"host": "nas.lan", "port": 22, "expect": expect}).to_string()).expect("they are good")
    }

    fn answer(received: &[u8], answer_ms: Option<f64>) -> Answer {
        let connection = Connection { dns_ms: Some(1.0), connect_ms: 2.5, ..Connection::default() };
        Answer { connection, received: received.to_vec(), answer_ms }
    }

    #[track_caller]
    fn assert_verdict(expect: Value, answer: Answer, status: Status, summary: &str) {
        let outcome = judge(&settings(expect), Ok(answer)).expect("an answer is judged");
        assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
    }

    #[test]
    fn settings_become_a_request() {
        let run = Run::default();
        let asked = |expect| {
            let request = request(&settings(expect), &run);
            (request.receive, request.until)
        };
        assert_eq!(asked(json!({})), (false, None));
        assert_eq!(asked(json!({"max_response_time": "1s"})), (false, None));
        assert_eq!(asked(json!({"matches": "x"})), (true, None));
        assert_eq!(asked(json!({"matches": "x", "contains": "y"})), (true, Some(b"y".to_vec())));
        let plain = request(&settings(json!({})), &run);
        assert_eq!((plain.target.host.as_str(), plain.target.port, plain.send), ("nas.lan", 22, None));
    }

    #[test]
    fn an_open_port_is_up() {
        assert_verdict(json!({}), answer(b"", None), Status::Up, "port 22 is open");
        assert_verdict(
            json!({"max_response_time": "2ms"}),
            answer(b"", None),
            Status::Degraded,
            "port 22 is open, but in 3 ms, slower than 2 ms",
        );
    }

    #[test]
    fn the_answer_decides() {
        let ssh = || answer(b"SSH-2.0-OpenSSH_9.2p1\r\n", Some(7.5));
        assert_verdict(json!({"contains": "SSH-2"}), ssh(), Status::Up, "port 22 answers as expected");
        assert_verdict(json!({"matches": "^SSH-2\\.0"}), ssh(), Status::Up, "port 22 answers as expected");
        assert_verdict(
            json!({"contains": "HTTP"}),
            ssh(),
            Status::Down,
            "the answer \"SSH-2.0-OpenSSH_9.2p1\" lacks \"HTTP\"",
        );
        assert_verdict(
            json!({"matches": "^220 "}),
            ssh(),
            Status::Down,
            "the answer \"SSH-2.0-OpenSSH_9.2p1\" does not match \"^220 \"",
        );
        assert_verdict(
            json!({"contains": "x"}),
            answer(b"", Some(1.0)),
            Status::Down,
            "the empty answer lacks \"x\"",
        );
        let exactly = json!({"contains": "SSH", "max_response_time": "10ms"});
        assert_verdict(exactly, ssh(), Status::Up, "port 22 answers as expected");
        assert_verdict(
            json!({"contains": "SSH", "max_response_time": "9ms"}),
            ssh(),
            Status::Degraded,
            "port 22 answers as expected, but in 10 ms, slower than 9 ms",
        );
    }

    #[test]
    fn the_documentation_names_each_metric() {
        let outcome = judge(&settings(json!({})), Ok(answer(b"", Some(1.0)))).expect("it is judged");
        let names: Vec<&str> = outcome.metrics.iter().map(|metric| metric.name.as_str()).collect();
        let guide = include_str!("../../../docs/checks/tcp.md");
        assert_eq!(pihook_plugin::guide::column(guide, "Metric"), names);
        assert_eq!(outcome.response_ms, Some(3.5));
    }

    #[test]
    fn errors_are_down_or_unknown() {
        let judged = |error| judge(&settings(json!({})), Err(error));
        assert_eq!(judged(Error::Refused("no".into())), Ok(Outcome::down("no")));
        assert_eq!(judged(Error::Denied("no".into())), Err(Failure::Denied("no".into())));
    }

    proptest! {
        #[test]
        fn any_answer_is_judged(received in any::<Vec<u8>>(), ms in any::<f64>()) {
            let settings = settings(json!({"contains": "a", "matches": "b", "max_response_time": "1s"}));
            let outcome = judge(&settings, Ok(answer(&received, Some(ms)))).expect("it is judged");
            prop_assert!(!outcome.summary.contains('\n'));
        }
    }
}
