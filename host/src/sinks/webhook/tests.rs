use std::process::Command;

use pihook_core::AlertKind;

use super::*;
use crate::sinks::samples::receiver::{Provider, Receiver, Reply};
use crate::sinks::samples::{alert, client, message};

const SECRET: &str = "0123456789abcdef-key";
const HEADER: &str = "Bearer header-value-9";
const PATH: &str = "/hook/path-that-is-secret";

fn sink_at(receiver: &Receiver) -> WebhookSink {
    let settings = WebhookSettings {
        url: Secret::new(format!("{}{PATH}", receiver.base())),
        secret: Some(Secret::new(SECRET.to_owned())),
        headers: vec![("Authorization".to_owned(), Secret::new(HEADER.to_owned()))],
    };
    WebhookSink::new(settings, client()).unwrap()
}

async fn verdict(reply: Reply) -> Verdict {
    let receiver = Receiver::start(Provider::Webhook).await;
    receiver.script([reply]);
    let sink = sink_at(&receiver);
    let verdict = sink.send(&message(), &SendContext::of(&alert(AlertKind::Opened))).await;
    let seen = format!("{verdict:?} {sink:?}");
    assert!([SECRET, HEADER, "path-that"].iter().all(|secret| !seen.contains(secret)), "{seen}");
    verdict
}

/// The example of docs/sinks.md, as a receiver in Python would run it.
fn python_agrees(stamp: &str, body: &str, signature: &str) -> bool {
    let documentation = include_str!("../../../../docs/sinks.md");
    let example = documentation.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let call = "import sys\nsys.exit(0 if is_genuine(*[a.encode() for a in sys.argv[1:3]], sys.argv[3], sys.argv[4]) else 1)";
    let code = format!("{example}\n{call}");
    let status = Command::new("python3").args(["-c", &code, SECRET, body, stamp, signature]).status();
    status.unwrap().success()
}

#[tokio::test]
async fn a_message_arrives_signed_and_as_the_schema_says() {
    let receiver = Receiver::start(Provider::Webhook).await;
    let sink = sink_at(&receiver);
    let alert = alert(AlertKind::Opened);
    for delivery in [4, 4, 5] {
        let context = SendContext { delivery, ..SendContext::of(&alert) };
        assert_eq!(sink.send(&message(), &context).await, Verdict::Sent);
    }
    let taken = receiver.taken();
    assert_eq!(taken[0].path, PATH);
    assert_eq!(taken[0].header("authorization"), HEADER);
    let keys: Vec<_> = taken.iter().map(|taken| taken.header("idempotency-key")).collect();
    assert!(keys[0] == keys[1] && keys[1] != keys[2], "{keys:?}");
    let (stamp, signature) = (taken[0].header("x-pihook-timestamp"), taken[0].header("x-pihook-signature"));
    assert_eq!(stamp, "1795338150");
    assert!(python_agrees(stamp, &taken[0].raw, signature));
    assert!(!python_agrees(stamp, &taken[0].raw.replace("down", "up"), signature));
    assert!(!python_agrees("1795338151", &taken[0].raw, signature));
    follows_schema(&taken[0].body);
}

/// Looks at what the schema requires and allows, of objects within objects.
fn follows_schema(body: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/webhook.schema.json")).unwrap();
    object_follows("body", body, &schema);
}

fn object_follows(place: &str, value: &Value, schema: &Value) {
    let properties = schema["properties"].as_object().unwrap();
    let object = value.as_object().unwrap();
    let (mut known, mut there): (Vec<_>, Vec<_>) = (properties.keys().collect(), object.keys().collect());
    known.sort();
    there.sort();
    assert_eq!(there, known, "{place}");
    assert_eq!(schema["required"].as_array().map(Vec::len), Some(known.len()), "{place}: all are required");
    for (key, value) in object {
        let property = &properties[key];
        if let Some(words) = property["enum"].as_array() {
            assert!(words.contains(value), "{place}.{key}: {value}");
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let declared = &property["type"];
        let among = declared.as_array().is_some_and(|kinds| kinds.contains(&json!(kind)));
        assert!(among || declared == kind || property["const"] == *value, "{place}.{key}: {value}");
        if value.is_object() {
            object_follows(key, value, property);
        }
    }
}

#[tokio::test]
async fn each_answer_leads_to_its_verdict() {
    for status in [429, 503] {
        let reply = Reply::Refuse(status, vec![("retry-after", "9".to_owned())], String::new());
        assert_eq!(verdict(reply).await, Verdict::Wait(Duration::from_secs(9)));
    }
    for status in [302, 401, 403, 405, 410] {
        assert!(matches!(verdict(Reply::status(status)).await, Verdict::Disabled(_)), "{status}");
    }
    for status in [400, 413, 415, 422] {
        assert!(matches!(verdict(Reply::status(status)).await, Verdict::Refused(_)), "{status}");
    }
    let echo = format!("{SECRET} {HEADER} {PATH}");
    let echo = verdict(Reply::Refuse(400, Vec::new(), echo)).await;
    assert_eq!(echo, Verdict::Refused("the receiver answered 400 *** *** ***".to_owned()));
    for reply in [Reply::status(404), Reply::status(500), Reply::status(503), Reply::Hang, Reply::Close] {
        assert!(matches!(verdict(reply.clone()).await, Verdict::Retry(_)), "{reply:?}");
    }
}
