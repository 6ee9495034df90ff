use pihook_core::{Alert, AlertKind};

use super::*;
use crate::sinks::samples::receiver::{Provider, Receiver, Reply};
use crate::sinks::samples::{Notes, alert, client, huge, message};

const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

fn sink_at(telegram: &Receiver) -> TelegramSink {
    let place = |chat: &str, topic| TelegramChat { chat: chat.to_owned(), topic };
    let settings = TelegramSettings {
        token: Secret::new(TOKEN.to_owned()),
        api: telegram.base().parse().unwrap(),
        chat: place("-100123", Some(7)),
        chats: [(Severity::Warning, place("-100456", None))].into(),
        silent_recoveries: true,
    };
    TelegramSink::new(settings, client())
}

/// What a fresh sink says of this reply.
async fn verdict(reply: Reply) -> Verdict {
    let telegram = Receiver::start(Provider::Telegram).await;
    telegram.script([reply]);
    let sink = sink_at(&telegram);
    let verdict = sink.send(&message(), &SendContext::of(&alert(AlertKind::Opened))).await;
    assert!(!format!("{verdict:?} {sink:?}").contains(TOKEN), "{verdict}");
    verdict
}

#[tokio::test]
async fn a_message_arrives_as_html_in_its_topic() {
    let telegram = Receiver::start(Provider::Telegram).await;
    let sink = sink_at(&telegram);
    assert_eq!(sink.send(&message(), &SendContext::of(&alert(AlertKind::Opened))).await, Verdict::Sent);
    let taken = &telegram.taken()[0];
    assert_eq!(taken.path, format!("/bot{TOKEN}/sendMessage"));
    assert_eq!(taken.body["chat_id"], "-100123");
    assert_eq!(taken.body["message_thread_id"], 7);
    assert_eq!(taken.body["link_preview_options"]["is_disabled"], true);
    assert!(taken.body["disable_notification"].is_null());
    let text = taken.body["text"].as_str().unwrap();
    assert!(text.starts_with("<b>NAS &lt;1&gt; &amp; co is down</b>\nconnection refused"), "{text}");
    assert!(text.contains("\n<b>Zone:</b> local"), "{text}");
    assert_eq!(sink.ask().await, Ok(()));
}

#[tokio::test]
async fn severities_have_chats_and_recoveries_are_silent() {
    let telegram = Receiver::start(Provider::Telegram).await;
    let warning = Alert { severity: Severity::Warning, ..alert(AlertKind::Recovered) };
    assert_eq!(sink_at(&telegram).send(&message(), &SendContext::of(&warning)).await, Verdict::Sent);
    let taken = &telegram.taken()[0];
    assert_eq!(taken.body["chat_id"], "-100456");
    assert!(taken.body["message_thread_id"].is_null());
    assert_eq!(taken.body["disable_notification"], true);
}

#[tokio::test]
async fn the_longest_message_is_within_the_limits() {
    let telegram = Receiver::start(Provider::Telegram).await;
    let alert = alert(AlertKind::Opened);
    for form in [Form::Rich, Form::Plain] {
        let context = SendContext { form, ..SendContext::of(&alert) };
        assert_eq!(sink_at(&telegram).send(&huge(), &context).await, Verdict::Sent);
    }
    assert_eq!(telegram.violations(), [""; 0]);
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed_for_good() {
    let telegram = Receiver::start(Provider::Telegram).await;
    let notes = Notes::default();
    let moved = "Bad Request: group chat was upgraded to a supergroup chat";
    telegram.script([Reply::telegram(400, moved, json!({ "migrate_to_chat_id": -1_009_876_543_210_i64 }))]);
    let alert = alert(AlertKind::Opened);
    let context = SendContext { memory: &notes, ..SendContext::of(&alert) };
    for _ in 0..2 {
        // A sink after a restart knows as well.
        assert_eq!(sink_at(&telegram).send(&message(), &context).await, Verdict::Sent);
    }
    assert!(telegram.taken().iter().all(|taken| taken.body["chat_id"] == "-1009876543210"));
    assert_eq!(telegram.requests(), 3, "the old number was tried once");
}

#[tokio::test]
async fn one_message_a_second() {
    let telegram = Receiver::start(Provider::Telegram).await;
    let sink = sink_at(&telegram);
    let alert = alert(AlertKind::Opened);
    assert_eq!(sink.send(&message(), &SendContext::of(&alert)).await, Verdict::Sent);
    let next = sink.send(&message(), &SendContext::of(&alert)).await;
    assert!(matches!(next, Verdict::Wait(wait) if wait <= PACE), "{next:?}");
}

#[tokio::test]
async fn each_answer_leads_to_its_verdict() {
    let none = || json!({});
    let limited = Reply::telegram(429, "Too Many Requests: retry after 7", json!({ "retry_after": 7 }));
    assert_eq!(verdict(limited).await, Verdict::Wait(Duration::from_secs(7)));
    for (code, description) in [
        (401, "Unauthorized"),
        (404, "Not Found"),
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: bot was kicked from the group chat"),
        (400, "Bad Request: chat not found"),
        (400, "Bad Request: message thread not found"),
    ] {
        let verdict = verdict(Reply::telegram(code, description, none())).await;
        assert!(matches!(&verdict, Verdict::Disabled(why) if why.contains(description)), "{verdict:?}");
    }
    let unparsed = Reply::telegram(400, "Bad Request: can't parse entities: …", none());
    assert!(matches!(verdict(unparsed).await, Verdict::Refused(_)));
    let echo = Reply::telegram(400, &format!("Bad Request: what of {TOKEN}?"), none());
    assert!(matches!(verdict(echo).await, Verdict::Refused(why) if why.contains("***")));
    for reply in [
        Reply::telegram(502, "Bad Gateway", none()),
        Reply::status(500),
        // Not Telegram's own words.
        Reply::status(401),
        Reply::status(200),
        Reply::Hang,
        Reply::Close,
    ] {
        let verdict = verdict(reply.clone()).await;
        assert!(matches!(verdict, Verdict::Retry(_)), "{reply:?}: {verdict:?}");
    }
}
