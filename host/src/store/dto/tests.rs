use std::sync::Arc;
use std::time::Duration;

use pihook_core::monitor::{HeldNotice, Incident, Muting, SavedIncident, SavedService};
use pihook_core::{
    Alert, AlertKind, Colour, Field, FieldLayout, IncidentId, Mention, Message, Reason, ServiceId, Severity,
    SinkId, Status, Timestamp, ZoneId,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::{AlertDto, MessageDto, ServiceDto, decode, encode};

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_nanosecond(), Timestamp::MAX.as_nanosecond());
    (first..=last).prop_map(|nanos| Timestamp::from_nanosecond(nanos).unwrap())
}

fn duration() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos))
}

fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

fn sinks() -> impl Strategy<Value = Vec<SinkId>> {
    vec(text().prop_map(|name| SinkId::new(&name)), 0..4)
}

fn mention() -> impl Strategy<Value = Mention> {
    prop_oneof![
        Just(Mention::Here),
        Just(Mention::Everyone),
        text().prop_map(Mention::Role),
        text().prop_map(Mention::User),
    ]
}

prop_compose! {
    fn alert()(
        words in (
            select(&AlertKind::ALL[..]),
            select(&Reason::ALL[..]),
            select(&Status::ALL[..]),
            select(&Severity::ALL[..]),
        ),
        numbers in (any::<u64>(), any::<u32>(), any::<u32>()),
        texts in (text(), text(), text(), text()),
        mention in of(mention()),
        times in (timestamp(), timestamp()),
        durations in (duration(), of(duration())),
        sinks in sinks(),
    ) -> Alert {
        Alert {
            kind: words.0,
            reason: words.1,
            incident: IncidentId(numbers.0),
            service: ServiceId::new(&texts.0),
            name: Arc::from(texts.1),
            zone: ZoneId::new(&texts.2),
            status: words.2,
            severity: words.3,
            level: numbers.1,
            mention,
            formatter: None,
            at: times.0,
            since: times.1,
            lasted: durations.0,
            failures: numbers.2,
            summary: texts.3,
            response_time: durations.1,
            sinks,
        }
    }
}

prop_compose! {
    fn message()(
        title in text(),
        body in text(),
        fields in vec((text(), text(), select(vec![FieldLayout::Row, FieldLayout::Cell])), 0..5),
        colour in select(vec![Colour::Good, Colour::Warning, Colour::Bad, Colour::Neutral]),
    ) -> Message {
        let fields = fields.into_iter().map(|(name, value, layout)| Field { name, value, layout }).collect();
        Message { title, body, fields, colour }
    }
}

prop_compose! {
    fn record()(
        id in any::<u64>(),
        opened in timestamp(),
        closed in of(timestamp()),
        severity in select(&Severity::ALL[..]),
        status in select(&Status::ALL[..]),
        reason in text(),
        checks_failed in any::<u32>(),
        acknowledged in of(timestamp()),
    ) -> Incident {
        Incident { id: IncidentId(id), opened, closed, severity, status, reason, checks_failed, acknowledged }
    }
}

prop_compose! {
    fn incident()(
        record in record(),
        saved_at in timestamp(),
        status in select(&Status::ALL[..]),
        level in any::<u32>(),
        lasted in duration(),
        told in sinks(),
        announced in any::<bool>(),
        maintenance in select(vec![Muting::Muted, Muting::Audible]),
        since_alert in duration(),
        held_recovery in of((timestamp(), duration())),
        last in (text(), of(duration())),
        flapping in any::<bool>(),
    ) -> SavedIncident {
        SavedIncident {
            record,
            saved_at,
            status,
            level,
            lasted,
            told,
            announced,
            maintenance,
            since_alert,
            held_recovery,
            last_summary: last.0,
            last_response_time: last.1,
            flapping,
        }
    }
}

prop_compose! {
    fn service()(
        streaks in any::<[u32; 3]>(),
        suspect_since in of(timestamp()),
        suspect_for in duration(),
        incident in of(incident()),
        held in of((text(), timestamp())),
        (outcomes, explained_by) in (any::<u64>(), of(text())),
    ) -> SavedService {
        let [bad_streak, good_streak, unknown_streak] = streaks;
        let held_notice = held.map(|(text, at)| HeldNotice { text, at });
        SavedService {
            bad_streak,
            good_streak,
            unknown_streak,
            suspect_since,
            suspect_for,
            incident,
            held_notice,
            outcomes,
            explained_by,
        }
    }
}

proptest! {
    #[test]
    fn alerts_come_back(alert in alert()) {
        let json = encode(&AlertDto::from(&alert)).unwrap();
        prop_assert_eq!(Alert::from(decode::<AlertDto>(&json).unwrap()), alert);
    }

    #[test]
    fn messages_come_back(message in message()) {
        let json = encode(&MessageDto::from(&message)).unwrap();
        prop_assert_eq!(Message::from(decode::<MessageDto>(&json).unwrap()), message);
    }

    #[test]
    fn states_come_back(service in service()) {
        let json = encode(&ServiceDto::from(&service)).unwrap();
        prop_assert_eq!(SavedService::from(decode::<ServiceDto>(&json).unwrap()), service);
    }

    #[test]
    fn nothing_that_is_read_panics(json in "\\PC{0,200}") {
        let _alert = decode::<AlertDto>(&json);
        let _message = decode::<MessageDto>(&json);
        let _state = decode::<ServiceDto>(&json);
    }
}
