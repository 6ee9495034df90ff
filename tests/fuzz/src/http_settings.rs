//! The http check's settings, and the answers that they judge: any settings are read or explained, any answer is judged.

use pihook_check_http::settings::Settings;
use pihook_check_http::{Http, check};
use pihook_plugin::http::{Certificate, Response};
use pihook_plugin::settings::{problems, read};
use pihook_plugin::{Run, Status};

/// Takes what stands before the first NUL as settings, the two bytes after it as a status, and the rest as a body.
pub fn run(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let Ok(json) = std::str::from_utf8(parts.next().unwrap_or_default()) else { return };
    let answer = parts.next().unwrap_or_default();
    let found = problems::<Http>(json);
    for problem in &found {
        assert!(!problem.what.is_empty() && !problem.remedy.is_empty(), "{problem:?}");
    }
    match read::<Settings>(json) {
        Err(mistakes) => assert!(!mistakes.is_empty() && !found.is_empty()),
        Ok(settings) => judge(&settings, answer),
    }
}

fn judge(settings: &Settings, answer: &[u8]) {
    let request = check::request(settings, &Run::default());
    assert!(!request.url.is_empty() && !request.method.is_empty());
    let (status, body) = answer.split_at(answer.len().min(2));
    let status = status.iter().fold(0, |number, byte| number * 256 + u16::from(*byte));
    let response = Response {
        status,
        body: body.to_vec(),
        body_truncated: body.len() % 2 == 1,
        certificate: Some(Certificate { not_after_ms: i64::from(status) << 30, ..Certificate::default() }),
        ..Response::default()
    };
    let outcome = check::judge(&settings.expect, Ok(response), 1 << 40).expect("an answer is judged");
    assert_eq!(outcome.status == Status::Up, outcome.summary == format!("HTTP {status}"), "{outcome:?}");
}
