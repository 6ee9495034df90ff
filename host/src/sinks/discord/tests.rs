use std::sync::Arc;

use jiff::Zoned;
use pihook_core::{
    Alert, AlertKind, Colour, Field, FieldLayout, IncidentId, Mention, Reason, Secret, ServiceId, Severity,
    Status, ZoneId,
};
use proptest::prelude::*;
use rustls::RootCertStore;

use super::fake::{Answer, FakeDiscord, TOKEN, violations};
use super::*;
use crate::sinks::samples::Notes;
use crate::sinks::{Form, Late};

/// Long enough for loopback, short enough to wait for in a test.
const TIMEOUT: Duration = Duration::from_millis(500);

fn alert(mention: Option<Mention>) -> Alert {
    Alert {
        kind: AlertKind::Opened,
        reason: Reason::Failures,
        incident: IncidentId(1),
        service: ServiceId::new("jellyfin"),
        name: Arc::from("Jellyfin"),
        zone: ZoneId::new("local"),
        status: Status::Down,
        severity: Severity::Critical,
        level: 0,
        mention,
        formatter: None,
        at: "2026-11-22T09:02:30.5Z".parse().unwrap(),
        since: "2026-11-22T09:00:00Z".parse().unwrap(),
        lasted: Duration::from_secs(150),
        failures: 3,
        summary: "connection refused".to_owned(),
        response_time: None,
        sinks: Vec::new(),
    }
}

fn message() -> Message {
    let field =
        |name: &str, value: &str, layout| Field { name: name.to_owned(), value: value.to_owned(), layout };
    Message {
        title: "Jellyfin is down".to_owned(),
        body: "connection refused".to_owned(),
        fields: vec![
            field("Zone", "local", FieldLayout::Cell),
            field("Reason", "3 failures", FieldLayout::Row),
        ],
        colour: Colour::Bad,
    }
}

fn sink_at(url: String) -> DiscordSink {
    let client = HttpClient::new(Arc::new(RootCertStore::empty()), TIMEOUT).unwrap();
    let settings = DiscordSettings {
        url: Secret::new(url),
        username: Some("PiHook".to_owned()),
        thread_id: None,
        silent_recoveries: false,
        update: false,
    };
    DiscordSink::new(&settings, client).unwrap()
}

async fn send(sink: &DiscordSink, message: &Message, form: Form) -> Verdict {
    sink.send(message, &SendContext { form, ..SendContext::of(&alert(None)) }).await
}

/// What a fresh sink says of this answer.
async fn verdict(answer: Answer) -> Verdict {
    let discord = FakeDiscord::start().await;
    discord.script([answer]);
    let verdict = send(&sink_at(discord.url()), &message(), Form::Rich).await;
    assert_eq!(discord.violations(), [""; 0]);
    assert!(!format!("{verdict:?} {verdict}").contains(TOKEN), "{verdict}");
    verdict
}

#[tokio::test]
async fn a_message_arrives_as_an_embed() {
    let discord = FakeDiscord::start().await;
    assert_eq!(send(&sink_at(discord.url()), &message(), Form::Rich).await, Verdict::Sent);
    let received = discord.received();
    assert_eq!(received[0].query, "wait=true");
    insta::assert_snapshot!(received[0].body, @r#"{"allowed_mentions":{"parse":[]},"embeds":[{"color":14300723,"description":"connection refused","fields":[{"inline":true,"name":"Zone","value":"local"},{"inline":false,"name":"Reason","value":"3 failures"}],"timestamp":"2026-11-22T09:02:30.500Z","title":"Jellyfin is down"}],"username":"PiHook"}"#);
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn plain_messages_are_bare_text() {
    let discord = FakeDiscord::start().await;
    assert_eq!(send(&sink_at(discord.url()), &message(), Form::Plain).await, Verdict::Sent);
    insta::assert_snapshot!(discord.received()[0].body, @r#"{"allowed_mentions":{"parse":[]},"content":"Jellyfin is down\nconnection refused\nZone: local\nReason: 3 failures"}"#);
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn success_is_sent() {
    assert_eq!(verdict(Answer::Ok).await, Verdict::Sent);
    assert_eq!(verdict(Answer::NoContent).await, Verdict::Sent);
}

#[tokio::test]
async fn a_rate_limit_is_a_wait() {
    assert_eq!(verdict(Answer::RateLimited(1.5)).await, Verdict::Wait(Duration::from_millis(1500)));
    assert_eq!(verdict(Answer::RateLimited(1e12)).await, Verdict::Wait(Duration::from_secs(3600)));
    assert_eq!(verdict(Answer::RateLimitedByProxy(7)).await, Verdict::Wait(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_dead_webhook_disables() {
    let expect = [
        (
            Answer::Unauthorized,
            "Discord answered 401 Invalid Webhook Token (code 50027): the webhook's address",
        ),
        (Answer::Forbidden, "Discord answered 403 Missing Permissions (code 50013): the webhook's address"),
        (Answer::NotFound, "Discord answered 404 Unknown Webhook (code 10015): the webhook does not exist"),
        (
            Answer::NoThread,
            "Discord answered 400 Webhooks posted to forum channels must have a thread_name or thread_id \
             (code 220001): set thread_id",
        ),
        (Answer::Status(302), "Discord answered 302: nothing can be posted to this address"),
        (Answer::Status(405), "Discord answered 405: nothing can be posted to this address"),
    ];
    for (answer, start) in expect {
        let verdict = verdict(answer).await;
        assert!(matches!(&verdict, Verdict::Disabled(why) if why.starts_with(start)), "{verdict:?}");
    }
}

#[tokio::test]
async fn a_bad_request_is_refused_in_either_shape() {
    let Verdict::Refused(why) = verdict(Answer::BadRequest).await else { panic!("not refused") };
    assert!(why.starts_with("Discord answered 400 Invalid Form Body (code 50035) {\"content\""), "{why}");
    let Verdict::Refused(why) = verdict(Answer::BadRequestShort).await else { panic!("not refused") };
    assert_eq!(why, r#"Discord answered 400 {"embeds":["0"]}"#);
}

#[tokio::test]
async fn an_echoed_address_is_redacted() {
    let Verdict::Refused(why) = verdict(Answer::Echo).await else { panic!("not refused") };
    assert_eq!(why, "Discord answered 400 *** and the token ***");
}

#[tokio::test]
async fn what_may_pass_is_retried() {
    let why =
        |verdict| if let Verdict::Retry(why) = verdict { why } else { panic!("not retried: {verdict:?}") };
    assert_eq!(why(verdict(Answer::ServerError).await), "Discord answered 500 upstream connect error");
    for code in [401, 403, 404] {
        // Not Discord's own words, so perhaps not its opinion.
        assert_eq!(why(verdict(Answer::Status(code)).await), format!("Discord answered {code}"));
        let foreign = why(verdict(Answer::Foreign(code)).await);
        assert_eq!(foreign, format!("Discord answered {code} Log in first"));
    }
    let blocked = why(verdict(Answer::Blocked).await);
    assert_eq!(blocked, "Discord answered 403 internal network error (code 40333)");
    assert_eq!(why(verdict(Answer::Hang).await), "no answer in time");
    assert_eq!(why(verdict(Answer::TakeAndHang).await), "no answer in time");
    let closed = why(verdict(Answer::Close).await);
    assert!(closed.contains("connection closed before message completed"), "{closed}");
}

#[tokio::test]
async fn only_a_webhook_is_an_answer_to_a_question() {
    let discord = FakeDiscord::start().await;
    let sink = sink_at(discord.url());
    assert_eq!(sink.ask().await, Ok(()));
    discord.captive(true);
    let page = Err("Discord answered 200 <html>Log in to use this network</html>".to_owned());
    assert_eq!(sink.ask().await, page);
    discord.captive(false);
    discord.revoke(TOKEN);
    assert_eq!(sink.ask().await, Err("Discord answered 404 Unknown Webhook (code 10015)".to_owned()));
    discord.restore(TOKEN);
    assert_eq!((sink.ask().await, discord.asked(), discord.requests()), (Ok(()), 4, 0));
    drop(discord);
    let why = sink.ask().await.unwrap_err();
    assert!(!why.contains(TOKEN) && !why.contains("http://"), "{why}");
}

#[tokio::test]
async fn a_refused_connection_does_not_show_the_address() {
    let discord = FakeDiscord::start().await;
    let sink = sink_at(discord.url());
    drop(discord);
    let Verdict::Retry(why) = send(&sink, &message(), Form::Rich).await else { panic!("not retried") };
    assert!(why.starts_with("error sending request: client error (Connect): "), "{why}");
    assert!(!why.contains(TOKEN) && !why.contains("http://"), "{why}");
    assert!(!format!("{sink:?}").contains(TOKEN));
}

#[tokio::test]
async fn an_empty_bucket_holds_the_next_message_back() {
    let discord = FakeDiscord::start().await;
    discord.script([Answer::LastOfBucket(0.2), Answer::Ok]);
    let sink = sink_at(discord.url());
    assert_eq!(send(&sink, &message(), Form::Rich).await, Verdict::Sent);
    let Verdict::Wait(wait) = send(&sink, &message(), Form::Rich).await else { panic!("did not wait") };
    assert!(wait <= Duration::from_millis(200), "{wait:?}");
    assert_eq!(discord.requests(), 1);
    tokio::time::sleep(wait).await;
    assert_eq!(send(&sink, &message(), Form::Rich).await, Verdict::Sent);
}

#[tokio::test]
async fn only_the_level_s_mention_pings() {
    let hostile = Message { title: "@everyone <@&7> <@8> @here".to_owned(), ..message() };
    let expect = [
        (None, vec![]),
        (Some(Mention::Here), vec!["@here"]),
        (Some(Mention::Everyone), vec!["@everyone"]),
        (Some(Mention::Role("123".to_owned())), vec!["roles:123"]),
        (Some(Mention::User("456".to_owned())), vec!["users:456"]),
        (Some(Mention::User("456>@everyone".to_owned())), vec![]),
    ];
    let discord = FakeDiscord::start().await;
    let sink = sink_at(discord.url());
    for (mention, pings) in expect {
        for form in [Form::Rich, Form::Plain] {
            let alert = alert(mention.clone());
            let verdict = sink.send(&hostile, &SendContext { form, ..SendContext::of(&alert) }).await;
            assert_eq!(verdict, Verdict::Sent);
            assert_eq!(discord.received().last().unwrap().pings(), pings);
        }
    }
    assert_eq!(discord.violations(), [""; 0]);
}

fn settings(url: String) -> DiscordSettings {
    let url = Secret::new(url);
    DiscordSettings { url, username: None, thread_id: None, silent_recoveries: false, update: false }
}

fn sink_with(settings: &DiscordSettings) -> DiscordSink {
    DiscordSink::new(settings, HttpClient::new(Arc::new(RootCertStore::empty()), TIMEOUT).unwrap()).unwrap()
}

fn recovered() -> Alert {
    Alert { kind: AlertKind::Recovered, status: Status::Up, ..alert(Some(Mention::Here)) }
}

#[tokio::test]
async fn only_recoveries_are_silent_and_only_if_that_is_wanted() {
    let discord = FakeDiscord::start().await;
    let (bad, good) = (alert(None), Alert { mention: None, ..recovered() });
    let mixed = [&bad];
    let all_good = [&good];
    for silent_recoveries in [true, false] {
        let sink = sink_with(&DiscordSettings { silent_recoveries, ..settings(discord.url()) });
        for form in [Form::Rich, Form::Plain] {
            for (alert, also, is_good) in [
                (&good, &[][..], true),
                (&good, &all_good[..], true),
                (&good, &mixed[..], false),
                (&bad, &[][..], false),
            ] {
                let context = SendContext { also, form, ..SendContext::of(alert) };
                assert_eq!(sink.send(&message(), &context).await, Verdict::Sent);
                let flags = discord.received().pop().unwrap().body["flags"].as_u64();
                assert_eq!(flags, (silent_recoveries && is_good).then_some(4096));
            }
        }
    }
}

#[tokio::test]
async fn a_digest_pings_everybody_that_its_alerts_would() {
    let discord = FakeDiscord::start().await;
    let sink = sink_at(discord.url());
    let of = |mention| alert(Some(mention));
    let others: Vec<_> = [
        Mention::Role("1".to_owned()),
        Mention::Here,
        Mention::User("2".to_owned()),
        Mention::Role("1".to_owned()),
        Mention::Everyone,
        Mention::Role("none".to_owned()),
    ]
    .into_iter()
    .map(of)
    .chain((10..200).map(|id| of(Mention::User(id.to_string()))))
    .collect();
    let others: Vec<&Alert> = others.iter().collect();
    let first = alert(None);
    for form in [Form::Rich, Form::Plain] {
        let context = SendContext { also: &others, form, ..SendContext::of(&first) };
        assert_eq!(sink.send(&message(), &context).await, Verdict::Sent);
        let pings = discord.received().pop().unwrap().pings();
        assert_eq!(pings[..3], ["@everyone", "roles:1", "users:2"]);
        assert_eq!(pings.len(), 22);
    }
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn the_end_of_an_incident_changes_its_newest_message() {
    let discord = FakeDiscord::start().await;
    let updating =
        DiscordSettings { update: true, thread_id: Some("77".to_owned()), ..settings(discord.url()) };
    let (sink, notes) = (sink_with(&updating), Notes::default());
    let send = async |alert: &Alert, form| {
        let context = SendContext { form, memory: &notes, ..SendContext::of(alert) };
        sink.send(&message(), &context).await
    };
    let reminder = Alert { kind: AlertKind::Reminder, ..alert(None) };
    assert_eq!(send(&alert(Some(Mention::Here)), Form::Rich).await, Verdict::Sent);
    assert_eq!(send(&reminder, Form::Rich).await, Verdict::Sent);
    assert_eq!(send(&recovered(), Form::Rich).await, Verdict::Sent);
    let (received, edits) = (discord.received(), discord.edits());
    assert_eq!((received.len(), edits.len()), (2, 1));
    assert_eq!(edits[0].id, received[1].id);
    assert_eq!(edits[0].query, "thread_id=77");
    assert_eq!(edits[0].pings(), [""; 0]);
    insta::assert_snapshot!(edits[0].body, @r#"{"allowed_mentions":{"parse":[]},"content":null,"embeds":[{"color":14300723,"description":"connection refused","fields":[{"inline":true,"name":"Zone","value":"local"},{"inline":false,"name":"Reason","value":"3 failures"}],"timestamp":"2026-11-22T09:02:30.500Z","title":"Jellyfin is down"}]}"#);

    // In plain words, the rest goes away.
    assert_eq!(send(&recovered(), Form::Plain).await, Verdict::Sent);
    insta::assert_snapshot!(discord.edits()[1].body, @r#"{"allowed_mentions":{"parse":[]},"content":"Jellyfin is down\nconnection refused\nZone: local\nReason: 3 failures","embeds":[]}"#);
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_changed_is_told_anew() {
    let discord = FakeDiscord::start().await;
    let (sink, notes) =
        (sink_with(&DiscordSettings { update: true, ..settings(discord.url()) }), Notes::default());
    let send = async |alert: &Alert, also: &[&Alert]| {
        let context = SendContext { also, memory: &notes, ..SendContext::of(alert) };
        sink.send(&message(), &context).await
    };
    // Unknown, as after a reinstallation.
    assert_eq!(send(&recovered(), &[]).await, Verdict::Sent);
    // Deleted by somebody.
    assert_eq!(send(&alert(None), &[]).await, Verdict::Sent);
    discord.delete(&discord.received()[1].id);
    assert_eq!(send(&recovered(), &[]).await, Verdict::Sent);
    // With others.
    assert_eq!(send(&alert(None), &[]).await, Verdict::Sent);
    assert_eq!(send(&recovered(), &[&recovered()]).await, Verdict::Sent);
    assert_eq!((discord.received().len(), discord.edits().len()), (5, 0));
    // A message whose number did not come is not changed, and was sent all the same.
    discord.script([Answer::NoContent, Answer::Ok]);
    let other = Alert { incident: IncidentId(2), ..alert(None) };
    assert_eq!(send(&other, &[]).await, Verdict::Sent);
    assert_eq!(send(&Alert { incident: IncidentId(2), ..recovered() }, &[]).await, Verdict::Sent);
    assert_eq!((discord.received().len(), discord.edits().len()), (7, 0));
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn a_change_that_fails_is_judged_like_a_message() {
    type Expected = fn(&Verdict) -> bool;
    let cases: [(Answer, Expected); 6] = [
        (Answer::ServerError, |verdict| matches!(verdict, Verdict::Retry(_))),
        (Answer::Close, |verdict| matches!(verdict, Verdict::Retry(_))),
        (Answer::Hang, |verdict| matches!(verdict, Verdict::Retry(_))),
        (Answer::RateLimited(1.5), |verdict| *verdict == Verdict::Wait(Duration::from_millis(1500))),
        (Answer::BadRequest, |verdict| matches!(verdict, Verdict::Refused(_))),
        (Answer::NotFound, |verdict| matches!(verdict, Verdict::Disabled(_))),
    ];
    for (answer, is_expected) in cases {
        let discord = FakeDiscord::start().await;
        let (sink, notes) =
            (sink_with(&DiscordSettings { update: true, ..settings(discord.url()) }), Notes::default());
        let of = |alert| SendContext { memory: &notes, ..SendContext::of(alert) };
        let (bad, good) = (alert(None), recovered());
        assert_eq!(sink.send(&message(), &of(&bad)).await, Verdict::Sent);
        discord.script([answer]);
        let verdict = sink.send(&message(), &of(&good)).await;
        assert!(is_expected(&verdict), "{answer:?}: {verdict:?}");
        assert!(!format!("{verdict:?}").contains(TOKEN), "{verdict:?}");
        assert_eq!(discord.received().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn a_late_message_says_so() {
    let discord = FakeDiscord::start().await;
    let sink = sink_at(discord.url());
    let alert = alert(None);
    let now = "2026-11-22T09:16:40Z".parse().unwrap();
    let late = Late::of(Zoned::new(alert.at, jiff::tz::TimeZone::UTC), now);
    for form in [Form::Rich, Form::Plain] {
        sink.send(&message(), &SendContext { late: late.as_ref(), form, ..SendContext::of(&alert) }).await;
        let text = discord.received().last().unwrap().text();
        assert!(text.ends_with("\ndelivered late: decided at 09:02, 14 min ago"), "{text}");
    }
}

/// The parts of Unicode that break things.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>(),
        "[a-z ]{0,40}",
        Just("👩‍👩‍👧‍👦".to_owned()),
        Just("e\u{301}\u{323}".to_owned()),
        Just("\u{0}\u{1b}\u{202e}\u{feff}\u{200b}".to_owned()),
        Just(r"\*_~`|<[@everyone](https://evil)".to_owned()),
        Just("\n# - > 1. ".to_owned()),
        Just(" \t\u{a0}\u{3000}".to_owned()),
    ];
    let repeated = (part.clone(), 0_usize..3000)
        .prop_map(|(part, times)| part.repeat(times.min(9000 / part.len().max(1))));
    prop_oneof![3 => part, 1 => repeated]
}

fn any_message() -> impl Strategy<Value = Message> {
    let field = (text(), text(), any::<bool>()).prop_map(|(name, value, cell)| Field {
        name,
        value,
        layout: if cell { FieldLayout::Cell } else { FieldLayout::Row },
    });
    (text(), text(), prop::collection::vec(field, 0..40)).prop_map(|(title, body, fields)| Message {
        title,
        body,
        fields,
        colour: Colour::Warning,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_message_is_within_all_limits(message in any_message(), late in any::<bool>(), mention in any::<bool>()) {
        let alert = alert(mention.then_some(Mention::Here));
        let late = late.then(|| Late::of(Zoned::new(alert.at, jiff::tz::TimeZone::UTC), jiff::Timestamp::MAX)).flatten();
        for form in [Form::Rich, Form::Plain] {
            let context = SendContext { late: late.as_ref(), form, ..SendContext::of(&alert) };
            let body = serde_json::to_value(Payload::new(&message, &context, Some("PiHook"), payload::Sound::Usual)).unwrap();
            prop_assert_eq!(violations(&body), Vec::<String>::new());
            let pings: &[&str] = if mention { &["@here"] } else { &[] };
            prop_assert_eq!(super::fake::pings(&body), pings);
        }
    }
}
