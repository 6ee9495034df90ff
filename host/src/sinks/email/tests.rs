use std::path::Path;

use pihook_core::AlertKind;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::sinks::Memory;
use crate::sinks::samples::mail::{Encrypted, MailServer};
use crate::sinks::samples::{Notes, alert, message};

const USER: &str = "pi";
const PASSWORD: &str = "correct-horse-battery";
const SOON: Duration = Duration::from_secs(5);

/// The key and certificate of a server on this machine.
struct Certificate {
    folder: TempDir,
}

impl Certificate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { folder }
    }

    fn cert(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

fn settings(port: u16, tls: EmailTls, ca_file: Option<&Path>) -> EmailSettings {
    EmailSettings {
        server: "localhost".to_owned(),
        port,
        tls,
        login: None,
        from: "PiHook äöü <pi@example.org>".to_owned(),
        to: vec!["me@example.org".to_owned(), "\"You, too\" <you@example.org>".to_owned()],
        ca_file: ca_file.map(Path::to_owned),
    }
}

fn with_login(settings: EmailSettings) -> EmailSettings {
    EmailSettings { login: Some((USER.to_owned(), Secret::new(PASSWORD.to_owned()))), ..settings }
}

fn sink(settings: EmailSettings) -> EmailSink {
    EmailSink::new(settings, Duration::from_secs(2)).unwrap()
}

/// A server that wants STARTTLS and a login, and a sink that has both.
async fn usual(certificate: &Certificate) -> (MailServer, EmailSink) {
    let (cert, key) = (certificate.cert(), certificate.key());
    let server = MailServer::start(Encrypted::StartTls(&cert, &key), Some((USER, PASSWORD))).await;
    let sink = sink(with_login(settings(server.port, EmailTls::StartTls, Some(&cert))));
    (server, sink)
}

async fn send(sink: &EmailSink) -> Verdict {
    let verdict = sink.send(&message(), &SendContext::of(&alert(AlertKind::Opened))).await;
    let seen = format!("{verdict:?} {sink:?}");
    let encoded = STANDARD.encode(format!("\0{USER}\0{PASSWORD}"));
    assert!(!seen.contains(PASSWORD) && !seen.contains(&encoded), "{seen}");
    verdict
}

#[tokio::test]
async fn the_mails_of_an_incident_form_a_thread_that_survives_restarts() {
    let certificate = Certificate::new();
    let (server, first) = usual(&certificate).await;
    let notes = Notes::default();
    for (delivery, kind) in [(1, AlertKind::Opened), (1, AlertKind::Opened), (2, AlertKind::Recovered)] {
        let alert = alert(kind);
        let context = SendContext { delivery, memory: &notes, ..SendContext::of(&alert) };
        assert_eq!(first.send(&message(), &context).await, Verdict::Sent);
    }
    let mails = server.wait_for(3, SOON).await;
    let id = &mails[0]["headers"]["message-id"];
    assert_eq!(mails[1]["headers"]["message-id"], *id, "the same delivery has the same number");
    assert!(mails[1]["headers"]["in-reply-to"].is_null());
    assert_ne!(mails[2]["headers"]["message-id"], *id);
    assert_eq!(mails[2]["headers"]["in-reply-to"], *id);
    assert_eq!(mails[2]["headers"]["references"], *id);
    assert_eq!(notes.recall(THREAD, "1").await.as_deref(), id.as_str());
}

#[tokio::test]
async fn a_mail_is_what_a_reader_of_mail_understands() {
    let certificate = Certificate::new();
    let (server, sink) = usual(&certificate).await;
    let alert = alert(AlertKind::Opened);
    let hostile = Message {
        title: "NAS is down 🦀\r\nBcc: all@example.org\nX-Evil: 1".to_owned(),
        body: format!("first\n.\r\n.\r\nMAIL FROM:<evil@example.org>\n{}", "ü".repeat(2000)),
        ..message()
    };
    assert_eq!(sink.send(&hostile, &SendContext::of(&alert)).await, Verdict::Sent);
    let mail = server.wait_for(1, SOON).await.remove(0);
    let headers = &mail["headers"];
    assert_eq!(headers["subject"], "NAS is down 🦀 Bcc: all@example.org X-Evil: 1");
    assert_eq!(headers["auto-submitted"], "auto-generated");
    assert_eq!(headers["from"], "PiHook äöü <pi@example.org>");
    assert_eq!(headers["to"], "me@example.org, \"You, too\" <you@example.org>");
    assert_eq!(headers["date"], "Sun, 22 Nov 2026 09:02:30 +0000");
    assert!(headers["bcc"].is_null() && headers["x-evil"].is_null(), "{headers}");
    let body = mail["body"].as_str().unwrap().replace("\r\n", "\n");
    assert!(body.starts_with("first\n.\n.\nMAIL FROM:<evil@example.org>\nüüü"), "{body}");
    assert_eq!(mail["sender"], "pi@example.org");
    assert_eq!(mail["recipients"], json!(["me@example.org", "you@example.org"]));
    assert_eq!((&mail["encrypted"], &mail["user"]), (&json!(true), &json!(USER)));
}

#[tokio::test]
async fn mail_goes_over_each_kind_of_connection() {
    let certificate = Certificate::new();
    let (cert, key) = (certificate.cert(), certificate.key());
    let implicit = MailServer::start(Encrypted::Implicit(&cert, &key), Some((USER, PASSWORD))).await;
    let over_tls = with_login(settings(implicit.port, EmailTls::Implicit, Some(&cert)));
    assert_eq!(send(&sink(over_tls)).await, Verdict::Sent);
    assert_eq!(implicit.wait_for(1, SOON).await[0]["encrypted"], true);
    let clear = MailServer::start(Encrypted::No, None).await;
    assert_eq!(send(&sink(settings(clear.port, EmailTls::None, None))).await, Verdict::Sent);
    assert_eq!(clear.wait_for(1, SOON).await[0]["encrypted"], false);
    // Who wants STARTTLS never sends in the clear.
    let stripped = send(&sink(settings(clear.port, EmailTls::StartTls, Some(&cert)))).await;
    assert!(matches!(&stripped, Verdict::Retry(why) if why.contains("STARTTLS")), "{stripped:?}");
    assert_eq!(clear.tried(), 1);
}

#[tokio::test]
async fn each_answer_leads_to_its_verdict() {
    let certificate = Certificate::new();
    let (mut server, sink) = usual(&certificate).await;
    let answers = [
        ("mail", "421 4.3.0 busy", "retry"),
        ("rcpt", "451 4.7.1 greylisted", "retry"),
        ("data", "452 4.3.1 full", "retry"),
        ("data", "550 5.7.1 spam", "refused"),
        ("data", "554 5.6.0 no", "refused"),
        ("auth", "454 4.7.0 later", "retry"),
        ("auth", "535 5.7.8 wrong", "disabled"),
        ("mail", "530 5.7.0 log in", "disabled"),
        ("mail", "550 5.7.1 not you", "disabled"),
        ("data", "hang", "retry"),
        ("data", "close", "retry"),
    ];
    for (stage, answer, leads_to) in answers {
        server.script(json!([[stage, answer]])).await;
        let verdict = send(&sink).await;
        let (kind, why) = match &verdict {
            Verdict::Retry(why) => ("retry", why.as_str()),
            Verdict::Refused(why) => ("refused", why.as_str()),
            Verdict::Disabled(why) => ("disabled", why.as_str()),
            Verdict::Sent | Verdict::Wait(_) => ("", ""),
        };
        assert_eq!(kind, leads_to, "{stage} {answer}: {verdict:?}");
        if let Some((code, _)) = answer.split_once(' ') {
            assert!(why.starts_with(&format!("the mail server answered {code} ")), "{why}");
        }
    }
    server.script(json!([])).await;
    assert_eq!((send(&sink).await, server.wait_for(1, SOON).await.len()), (Verdict::Sent, 1));
}

#[tokio::test]
async fn a_recipient_who_is_refused_does_not_keep_the_mail_from_the_others() {
    let certificate = Certificate::new();
    let (mut server, sink) = usual(&certificate).await;
    server.script(json!([["rcpt", "550 5.1.1 unknown"]])).await;
    assert_eq!(send(&sink).await, Verdict::Sent);
    assert_eq!(server.wait_for(1, SOON).await[0]["recipients"], json!(["you@example.org"]));
    server.script(json!([["rcpt", "550 5.1.1 unknown"], ["rcpt", "550 5.1.1 unknown"]])).await;
    let verdict = send(&sink).await;
    assert!(matches!(&verdict, Verdict::Disabled(why) if why.contains("550 5.1.1 unknown")), "{verdict:?}");
}

#[tokio::test]
async fn a_question_goes_as_far_as_one_can_without_sending() {
    let certificate = Certificate::new();
    let (mut server, sink) = usual(&certificate).await;
    assert_eq!(sink.ask().await, Ok(()));
    server.script(json!([["auth", "535 5.7.8 wrong"]])).await;
    let why = sink.ask().await.unwrap_err();
    assert!(why.starts_with("the mail server answered 535 "), "{why}");
    server.script(json!([["rcpt", "550 no"], ["rcpt", "550 no"]])).await;
    assert!(sink.ask().await.is_err());
    assert_eq!((server.tried(), server.taken().len()), (0, 0));
}

#[tokio::test]
async fn what_is_not_trusted_gets_neither_mail_nor_password() {
    let (certificate, other) = (Certificate::new(), Certificate::new());
    let (server, _) = usual(&certificate).await;
    let strange = sink(with_login(settings(server.port, EmailTls::StartTls, Some(&other.cert()))));
    let verdict = send(&strange).await;
    assert!(matches!(&verdict, Verdict::Retry(why) if why.contains("certificate")), "{verdict:?}");
    let nobody = settings(server.port, EmailTls::StartTls, Some(&certificate.cert()));
    assert!(matches!(send(&sink(nobody)).await, Verdict::Disabled(_)), "the server wants a login");
    assert_eq!(server.tried(), 0);
    drop(server);
}

#[test]
fn settings_that_no_mail_can_be_sent_with_are_refused() {
    let good = settings(25, EmailTls::StartTls, None);
    let of = |settings| EmailSink::new(settings, SOON).map(drop).unwrap_err();
    assert_eq!(of(EmailSettings { from: "nobody".to_owned(), ..good.clone() }), EmailError::From);
    assert_eq!(
        of(EmailSettings { from: "a@b.org\r\nBcc: c@d.org".to_owned(), ..good.clone() }),
        EmailError::From
    );
    for to in [vec![], vec!["a@b.org".to_owned(), "ü@b.org".to_owned()]] {
        assert_eq!(of(EmailSettings { to, ..good.clone() }), EmailError::To);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    for path in [file.path(), Path::new("/nowhere")] {
        let error = of(EmailSettings { ca_file: Some(path.to_owned()), ..good.clone() });
        assert!(matches!(error, EmailError::CaFile(_)), "{error:?}");
    }
}
