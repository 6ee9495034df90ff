//! What the tests of the sinks have in common.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pihook_core::plain::plain_message;
use pihook_core::{Alert, AlertKind, IncidentId, Message, Reason, ServiceId, Severity, Status, ZoneId};
use rustls::RootCertStore;

use super::{HttpClient, Memory, Recalling, Remembering};

#[path = "../../../tests/fixtures/mail.rs"]
pub(super) mod mail;
/// The other end.
#[path = "../../../tests/fixtures/receiver.rs"]
pub(super) mod receiver;

pub(super) fn client() -> HttpClient {
    HttpClient::new(Arc::new(RootCertStore::empty()), Duration::from_millis(500)).unwrap()
}

pub(super) fn alert(kind: AlertKind) -> Alert {
    Alert {
        kind,
        reason: Reason::Failures,
        incident: IncidentId(1),
        service: ServiceId::new("nas"),
        name: Arc::from("NAS <1> & co"),
        zone: ZoneId::new("local"),
        status: Status::Down,
        severity: Severity::Critical,
        level: 0,
        mention: None,
        at: "2026-11-22T09:02:30.5Z".parse().unwrap(),
        since: "2026-11-22T09:00:00Z".parse().unwrap(),
        lasted: Duration::from_secs(150),
        failures: 3,
        summary: "connection refused".to_owned(),
        response_time: None,
        formatter: None,
        sinks: Vec::new(),
    }
}

pub(super) fn message() -> Message {
    plain_message(&alert(AlertKind::Opened))
}

/// A message that is longer than any provider takes, of what takes the most room.
pub(super) fn huge() -> Message {
    let mut message = message();
    message.body = "<&🦀>".repeat(5000);
    for field in &mut message.fields {
        field.value = "&<ü".repeat(2000);
    }
    message
}

/// Remembers within the test.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<BTreeMap<String, String>>);

impl Memory for Notes {
    fn recall<'a>(&'a self, topic: &'a str, key: &'a str) -> Recalling<'a> {
        let found = self.0.lock().unwrap().get(&format!("{topic}/{key}")).cloned();
        Box::pin(std::future::ready(found))
    }

    fn remember<'a>(&'a self, topic: &'a str, key: &'a str, value: &'a str) -> Remembering<'a> {
        self.0.lock().unwrap().insert(format!("{topic}/{key}"), value.to_owned());
        Box::pin(std::future::ready(()))
    }
}
