//! How long Discord wants us to wait. Its numbers are taken at their word only within bounds.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;

const SHORTEST: f64 = 0.1;
const LONGEST: f64 = 3600.0;
/// For a 429 that does not say: those of the proxies in front of Discord may not.
const UNSAID: f64 = 5.0;

#[derive(Deserialize)]
struct Limited {
    retry_after: f64,
}

/// How long to wait after a 429.
pub(super) fn wait(headers: &HeaderMap, body: &[u8]) -> Duration {
    let said = serde_json::from_slice::<Limited>(body).ok().map(|limited| limited.retry_after);
    let seconds = said
        .filter(|seconds| is_sane(*seconds))
        .or_else(|| number(headers, "retry-after"))
        .or_else(|| number(headers, "x-ratelimit-reset-after"))
        .unwrap_or(UNSAID);
    bounded(seconds)
}

/// How long the next request must wait, if this one was the last that the bucket allowed.
pub(super) fn exhausted(headers: &HeaderMap) -> Option<Duration> {
    let remaining = number(headers, "x-ratelimit-remaining")?;
    let reset = number(headers, "x-ratelimit-reset-after")?;
    (remaining < 1.0).then(|| bounded(reset))
}

fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    let seconds = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
    is_sane(seconds).then_some(seconds)
}

fn is_sane(seconds: f64) -> bool {
    seconds.is_finite() && seconds >= 0.0
}

fn bounded(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[track_caller]
    fn check(pairs: &[(&str, &str)], body: &str, expect_seconds: f64) {
        assert_eq!(wait(&headers(pairs), body.as_bytes()), Duration::from_secs_f64(expect_seconds));
    }

    #[test]
    fn the_body_is_more_exact_than_the_header() {
        check(&[("retry-after", "2")], r#"{"message":"slow down","retry_after":1.25,"global":false}"#, 1.25);
        check(&[("retry-after", "2")], "<html>error 1015</html>", 2.0);
        check(&[("x-ratelimit-reset-after", "3.5")], "", 3.5);
        check(&[], "", 5.0);
    }

    #[test]
    fn nonsense_is_bounded() {
        check(&[], r#"{"retry_after":0}"#, 0.1);
        check(&[], r#"{"retry_after":1e300}"#, 3600.0);
        check(&[("retry-after", "7")], r#"{"retry_after":-1}"#, 7.0);
        check(&[("retry-after", "NaN")], r#"{"retry_after":"soon"}"#, 5.0);
        check(&[("retry-after", "inf")], "[]", 5.0);
    }

    #[test]
    fn an_empty_bucket_says_when_it_refills() {
        let reset = ("x-ratelimit-reset-after", "1.5");
        assert_eq!(
            exhausted(&headers(&[("x-ratelimit-remaining", "0"), reset])),
            Some(Duration::from_millis(1500))
        );
        assert_eq!(exhausted(&headers(&[("x-ratelimit-remaining", "1"), reset])), None);
        assert_eq!(exhausted(&headers(&[reset])), None);
    }
}
