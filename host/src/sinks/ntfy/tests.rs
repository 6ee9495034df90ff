use pihook_core::AlertKind;

use super::*;
use crate::sinks::samples::receiver::{Provider, Receiver, Reply};
use crate::sinks::samples::{alert, client, huge, message};

const TOKEN: &str = "tk_T0kenThatMustNotBeSeen";

fn sink_at(ntfy: &Receiver) -> NtfySink {
    let settings = NtfySettings {
        server: ntfy.base().parse().unwrap(),
        topic: Secret::new("secret-topic".to_owned()),
        login: NtfyLogin::Token(Secret::new(TOKEN.to_owned())),
        click: Some("http://pi.lan:8420".to_owned()),
    };
    NtfySink::new(settings, client())
}

async fn verdict(reply: Reply) -> Verdict {
    let ntfy = Receiver::start(Provider::Ntfy).await;
    ntfy.script([reply]);
    let sink = sink_at(&ntfy);
    let verdict = sink.send(&message(), &SendContext::of(&alert(AlertKind::Opened))).await;
    let seen = format!("{verdict:?} {sink:?}");
    assert!(!seen.contains(TOKEN) && !seen.contains("secret-topic"), "{seen}");
    verdict
}

#[tokio::test]
async fn a_message_arrives_as_loud_as_it_is() {
    let ntfy = Receiver::start(Provider::Ntfy).await;
    let sink = sink_at(&ntfy);
    for (kind, severity) in [
        (AlertKind::Opened, Severity::Critical),
        (AlertKind::Opened, Severity::Warning),
        (AlertKind::Recovered, Severity::Critical),
    ] {
        let alert = pihook_core::Alert { severity, ..alert(kind) };
        assert_eq!(sink.send(&message(), &SendContext::of(&alert)).await, Verdict::Sent);
    }
    let taken = ntfy.taken();
    assert_eq!(taken[0].path, "/");
    assert_eq!(taken[0].header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(taken[0].body["topic"], "secret-topic");
    assert_eq!(taken[0].body["title"], "NAS <1> & co is down");
    assert_eq!(taken[0].body["click"], "http://pi.lan:8420");
    assert!(taken[0].body["message"].as_str().unwrap().starts_with("connection refused\n"));
    let priorities: Vec<_> = taken.iter().map(|taken| taken.body["priority"].as_u64().unwrap()).collect();
    assert_eq!(priorities, [5, 4, 2]);
    assert_eq!(sink.ask().await, Ok(()));
}

#[tokio::test]
async fn the_longest_message_is_no_attachment() {
    let ntfy = Receiver::start(Provider::Ntfy).await;
    let alert = alert(AlertKind::Opened);
    for form in [Form::Rich, Form::Plain] {
        let context = SendContext { form, ..SendContext::of(&alert) };
        assert_eq!(sink_at(&ntfy).send(&huge(), &context).await, Verdict::Sent);
    }
    assert_eq!(ntfy.violations(), [""; 0]);
    let lengths: Vec<_> = ntfy.taken().iter().map(|it| it.body["message"].as_str().unwrap().len()).collect();
    assert!(lengths[0] > 4000 && lengths[1] <= 1000, "{lengths:?}");
}

#[tokio::test]
async fn each_answer_leads_to_its_verdict() {
    let limited = Reply::Refuse(429, vec![("retry-after", "9".to_owned())], String::new());
    assert_eq!(verdict(limited).await, Verdict::Wait(Duration::from_secs(9)));
    let nice = "limit reached: too many requests, please be nice";
    assert_eq!(verdict(Reply::ntfy(42_901, nice)).await, Verdict::Wait(PAUSE));
    assert_eq!(
        verdict(Reply::ntfy(42_908, "limit reached: too many messages")).await,
        Verdict::Wait(QUOTA_PAUSE)
    );
    for (code, error) in [
        (40_101, "unauthorized"),
        (40_301, "forbidden"),
        (40_401, "page not found"),
        (40_010, "invalid request: topic name is disallowed"),
    ] {
        let verdict = verdict(Reply::ntfy(code, error)).await;
        assert!(matches!(&verdict, Verdict::Disabled(why) if why.contains(error)), "{verdict:?}");
    }
    for code in [40_024, 41_301, 41_303] {
        assert!(matches!(verdict(Reply::ntfy(code, "no")).await, Verdict::Refused(_)), "{code}");
    }
    for reply in [
        Reply::ntfy(50_001, "internal server error"),
        Reply::status(401),
        Reply::status(200),
        Reply::Hang,
        Reply::Close,
    ] {
        let verdict = verdict(reply.clone()).await;
        assert!(matches!(verdict, Verdict::Retry(_)), "{reply:?}: {verdict:?}");
    }
}
