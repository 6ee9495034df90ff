//! The judgement: settings to a request, and what was shown to an outcome. No IO, no clock.

use pihook_plugin::calendar::Civil;
use pihook_plugin::net::{Error, Target};
use pihook_plugin::text::{count, one_line, span};
use pihook_plugin::tls::{self, Answer, Certificate, Distrust, Request};
use pihook_plugin::{Failure, Outcome, Run};

use crate::settings::{Settings, Starttls, Version};

const MS_PER_DAY: i64 = 86_400_000;

/// The request that the settings ask for.
#[must_use]
pub fn request(settings: &Settings, run: &Run) -> Request {
    Request {
        target: Target::new(settings.host.0.clone(), settings.port(), run),
        server_name: settings.server_name.clone().map(|name| name.0),
        starttls: match settings.starttls {
            None => tls::Starttls::None,
            Some(Starttls::Smtp) => tls::Starttls::Smtp,
            Some(Starttls::Imap) => tls::Starttls::Imap,
        },
        ca_file: settings.ca_file.clone().map(|path| path.0),
    }
}

/// Judges what was shown, at a time in milliseconds since 1970 UTC.
///
/// # Errors
/// A [`Failure`] if nothing was shown for a reason that is not the service's fault.
pub fn judge(settings: &Settings, answer: Result<Answer, Error>, now_ms: i64) -> Result<Outcome, Failure> {
    match answer {
        Ok(answer) => Ok(measured(verdict(settings, &answer, now_ms), settings, &answer, now_ms)),
        Err(error) => error.into_verdict(),
    }
}

fn verdict(settings: &Settings, answer: &Answer, now_ms: i64) -> Outcome {
    let Some(first) = first_to_end(settings, answer, now_ms) else {
        return Outcome::down("the server showed no certificate that can be read");
    };
    let faults = faults(settings, answer, first, now_ms);
    if !faults.is_empty() {
        return Outcome::down(faults.join("; "));
    }
    let until = date(first.not_after_ms);
    let mut doubts = Vec::new();
    let left = first.not_after_ms.saturating_sub(now_ms);
    if u64::try_from(left).unwrap_or(0) < settings.valid_for.0 {
        let (which, left) = (name_of(&answer.chain, first), distance(first.not_after_ms, now_ms));
        let wanted = settings.valid_for;
        doubts.push(format!("{which} expires in {left} ({until}), wanted at least {wanted}"));
    }
    if is_too_old(&answer.version, settings.min_version) {
        let wanted = spelled(settings.min_version);
        doubts.push(format!("the server chose {}, wanted at least {wanted}", one_line(&answer.version, 20)));
    }
    if !doubts.is_empty() {
        return Outcome::degraded(doubts.join("; "));
    }
    // The date and not the days, so that the text stays the same: equal summaries take less room in the history.
    Outcome::up(format!("valid until {until}"))
}

/// Everything for which a client would turn away.
fn faults(settings: &Settings, answer: &Answer, first: &Certificate, now_ms: i64) -> Vec<String> {
    let mut faults = Vec::new();
    if first.not_after_ms <= now_ms {
        let (which, ago) = (name_of(&answer.chain, first), distance(first.not_after_ms, now_ms));
        faults.push(format!("{which} expired {ago} ago ({})", date(first.not_after_ms)));
    }
    if let Some(early) = counting(settings, answer).find(|shown| shown.not_before_ms > now_ms) {
        let which = name_of(&answer.chain, early);
        faults.push(format!("{which} is not valid before {}", date(early.not_before_ms)));
    }
    match &answer.distrust {
        Some(Distrust::UnknownIssuer(text) | Distrust::WrongName(text)) if settings.verify => {
            faults.push(one_line(text, 300));
        }
        // Most likely it says once more what has been said.
        Some(Distrust::Other(text)) if settings.verify && faults.is_empty() => {
            faults.push(one_line(text, 300));
        }
        Some(_) | None => {}
    }
    faults
}

/// The certificates whose time counts. Where the server's own is trusted, those of its issuers that are out of time are
/// not needed for that: others vouch for it. Such ones are often sent along for old clients.
fn counting<'a>(settings: &Settings, answer: &'a Answer) -> impl Iterator<Item = &'a Certificate> {
    let trusted = settings.verify && answer.distrust.is_none();
    answer.chain.iter().take(if trusted { 1 } else { usize::MAX })
}

/// The certificate whose time is over first. Of equals the server's own.
fn first_to_end<'a>(settings: &Settings, answer: &'a Answer, now_ms: i64) -> Option<&'a Certificate> {
    let still_valid = answer.chain.iter().skip(1).filter(|shown| shown.not_after_ms > now_ms);
    counting(settings, answer).chain(still_valid).min_by_key(|shown| shown.not_after_ms)
}

fn name_of(chain: &[Certificate], shown: &Certificate) -> String {
    if chain.first().is_some_and(|own| std::ptr::eq(own, shown)) {
        return String::from("the certificate");
    }
    format!("the issuer's certificate {}", one_line(&shown.subject, 80))
}

fn is_too_old(version: &str, least: Version) -> bool {
    match least {
        Version::Tls12 => !matches!(version, "TLS 1.2" | "TLS 1.3"),
        Version::Tls13 => version != "TLS 1.3",
    }
}

fn spelled(version: Version) -> &'static str {
    match version {
        Version::Tls12 => "TLS 1.2",
        Version::Tls13 => "TLS 1.3",
    }
}

fn date(ms: i64) -> String {
    Civil::from_ms(ms).date()
}

/// In whole days, and finer within the last one.
fn distance(a: i64, b: i64) -> String {
    let ms = a.abs_diff(b);
    match ms / MS_PER_DAY.unsigned_abs() {
        0 if ms < 60_000 => String::from("less than a minute"),
        0 => span(ms / 60_000 * 60_000),
        days => count(days, "day"),
    }
}

fn measured(outcome: Outcome, settings: &Settings, answer: &Answer, now_ms: i64) -> Outcome {
    let connection = &answer.connection;
    let total = connection.connect_ms + answer.starttls_ms.unwrap_or(0.0) + answer.handshake_ms;
    let mut outcome = outcome.response_ms(total);
    if let Some(first) = first_to_end(settings, answer, now_ms) {
        let days = first.not_after_ms.saturating_sub(now_ms).div_euclid(MS_PER_DAY);
        outcome = outcome.metric("certificate_days_left", days as f64, "days");
        outcome =
            outcome.metric("certificate_not_after_seconds", first.not_after_ms as f64 / 1000.0, "seconds");
    }
    outcome = outcome.metric("handshake_ms", answer.handshake_ms, "ms");
    outcome = outcome.metric("connect_ms", connection.connect_ms, "ms");
    match connection.dns_ms {
        Some(dns) => outcome.metric("dns_ms", dns, "ms"),
        None => outcome,
    }
}

#[cfg(test)]
mod tests {
    use pihook_plugin::Status;
    use pihook_plugin::net::Connection;
    use pihook_plugin::settings::read;
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-22 12:00 UTC.
    const NOW: i64 = 1_795_348_800_000;

    fn settings(rest: &str) -> Settings {
        read(&format!("{{\"host\": \"mail.lan\"{rest}}}")).expect("they are good")
    }

    /// A chain whose certificates end so many days from now.
    fn answer(days: &[i64]) -> Answer {
        let certificate = |(index, days): (usize, &i64)| Certificate {
            subject: format!("CN={index}"),
            not_before_ms: 0,
            not_after_ms: NOW + days * MS_PER_DAY,
            ..Certificate::default()
        };
        Answer {
            connection: Connection { dns_ms: Some(1.0), connect_ms: 2.0, ..Connection::default() },
            handshake_ms: 4.0,
            version: "TLS 1.3".into(),
            chain: days.iter().enumerate().map(certificate).collect(),
            ..Answer::default()
        }
    }

    #[track_caller]
    fn assert_verdict(rest: &str, answer: Answer, status: Status, summary: &str) {
        let outcome = judge(&settings(rest), Ok(answer), NOW).expect("it is judged");
        assert_eq!((outcome.status, outcome.summary.as_str()), (status, summary));
    }

    #[test]
    fn the_time_that_is_left_decides() {
        assert_verdict("", answer(&[69]), Status::Up, "valid until 2027-01-30");
        assert_verdict("", answer(&[14]), Status::Up, "valid until 2026-12-06");
        assert_verdict(
            "",
            answer(&[13]),
            Status::Degraded,
            "the certificate expires in 13 days (2026-12-05), wanted at least 14 d",
        );
        assert_verdict(", \"valid_for\": \"3d\"", answer(&[3]), Status::Up, "valid until 2026-11-25");
        assert_verdict("", answer(&[-3]), Status::Down, "the certificate expired 3 days ago (2026-11-19)");
        assert_verdict(
            "",
            answer(&[0]),
            Status::Down,
            "the certificate expired less than a minute ago (2026-11-22)",
        );
        let mut early = answer(&[69]);
        early.chain[0].not_before_ms = NOW + MS_PER_DAY;
        assert_verdict("", early, Status::Down, "the certificate is not valid before 2026-11-23");
    }

    #[test]
    fn an_issuer_that_ends_sooner_counts() {
        assert_verdict(
            "",
            answer(&[69, 5, 400]),
            Status::Degraded,
            "the issuer's certificate CN=1 expires in 5 days (2026-11-27), wanted at least 14 d",
        );
        let expired = "the issuer's certificate CN=1 expired 1 day ago (2026-11-21)";
        let untimely = Distrust::Other("a certificate of its chain is not valid at this time".into());
        let distrusted = Answer { distrust: Some(untimely), ..answer(&[69, -1]) };
        assert_verdict("", distrusted.clone(), Status::Down, expired);
        assert_verdict(", \"verify\": false", distrusted, Status::Down, expired);
        // Somebody else vouches for it.
        assert_verdict("", answer(&[69, -1]), Status::Up, "valid until 2027-01-30");
        let mut early = answer(&[69, 400]);
        early.chain[1].not_before_ms = NOW + MS_PER_DAY;
        assert_verdict("", early.clone(), Status::Up, "valid until 2027-01-30");
        let text = "the issuer's certificate CN=1 is not valid before 2026-11-23";
        assert_verdict(", \"verify\": false", early, Status::Down, text);
    }

    #[test]
    fn distrust_is_down_unless_it_is_let_pass() {
        let with = |distrust| Answer { distrust: Some(distrust), ..answer(&[69]) };
        for distrust in [Distrust::UnknownIssuer, Distrust::WrongName, Distrust::Other] {
            assert_verdict("", with(distrust("why".into())), Status::Down, "why");
            let lenient = ", \"verify\": false";
            assert_verdict(lenient, with(distrust("why".into())), Status::Up, "valid until 2027-01-30");
        }
        let both = Answer { distrust: Some(Distrust::WrongName("why".into())), ..answer(&[-3]) };
        assert_verdict("", both, Status::Down, "the certificate expired 3 days ago (2026-11-19); why");
    }

    #[test]
    fn the_version_has_a_least() {
        let with = |version: &str| Answer { version: version.into(), ..answer(&[69]) };
        assert_verdict("", with("TLS 1.2"), Status::Up, "valid until 2027-01-30");
        let strict = ", \"min_version\": \"1.3\"";
        assert_verdict(strict, with("TLS 1.3"), Status::Up, "valid until 2027-01-30");
        let old = "the server chose TLS 1.2, wanted at least TLS 1.3";
        assert_verdict(strict, with("TLS 1.2"), Status::Degraded, old);
        let both = Answer { version: "TLS 1.2".into(), ..answer(&[0, 1]) };
        assert_verdict(
            strict,
            both,
            Status::Down,
            "the certificate expired less than a minute ago (2026-11-22)",
        );
    }

    #[test]
    fn without_a_certificate_there_is_nothing_to_trust() {
        let nothing = "the server showed no certificate that can be read";
        assert_verdict("", answer(&[]), Status::Down, nothing);
        let failed = judge(&settings(""), Err(Error::Other("own".into())), NOW);
        assert_eq!(failed, Err(Failure::Other("own".into())));
    }

    #[test]
    fn the_documentation_names_each_metric() {
        let outcome = judge(&settings(""), Ok(answer(&[69])), NOW).expect("it is judged");
        let names: Vec<&str> = outcome.metrics.iter().map(|metric| metric.name.as_str()).collect();
        let guide = include_str!("../../../docs/checks/tls.md");
        assert_eq!(pihook_plugin::guide::column(guide, "Metric"), names);
        assert_eq!((outcome.response_ms, outcome.metrics[0].value), (Some(6.0), 69.0));
    }

    proptest! {
        #[test]
        fn any_times_are_judged(times in prop::collection::vec((any::<i64>(), any::<i64>()), 0..5), now in any::<i64>()) {
            let mut answer = answer(&vec![0; times.len()]);
            for (shown, (from, until)) in answer.chain.iter_mut().zip(times) {
                (shown.not_before_ms, shown.not_after_ms) = (from, until);
            }
            prop_assert!(judge(&settings(""), Ok(answer), now).is_ok());
        }
    }
}
