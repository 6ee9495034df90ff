use super::*;
use crate::store::tests as store;

fn mere(name: &str) -> Commit {
    store::ordinary(name, name)
}

fn telling(kind: AlertKind, incident: u64) -> Commit {
    Commit { outcome: None, ..store::telling(vec![store::alert(kind, incident, &["discord"])]) }
}

fn names(pending: &Pending) -> Vec<&str> {
    pending.log.iter().map(|line| line.service.as_str()).collect()
}

fn told(pending: &Pending) -> Vec<(AlertKind, u64)> {
    pending.alerts.iter().map(|(_, alert)| (alert.kind, alert.incident.0)).collect()
}

#[test]
fn what_replaces_itself_is_there_once_and_the_newest_wins() {
    let mut pending = Pending::default();
    let entries = |value: u8| Some([("key".to_owned(), vec![value])].into());
    for failed in 1..=3 {
        let state = SavedService { bad_streak: failed, ..SavedService::default() };
        let incident = Incident { checks_failed: failed, ..store::incident() };
        let commit = Commit { state: Some(state), incident: Some(incident), ..mere("a") };
        let mut later = Pending::default();
        later.push(commit, entries(u8::try_from(failed).unwrap()), None);
        pending.append(later);
    }
    assert_eq!((pending.states.len(), pending.incidents.len(), pending.kept.len()), (1, 1, 1));
    assert_eq!(pending.states[&ServiceId::new("a")].bad_streak, 3);
    assert_eq!(pending.incidents[&IncidentId(7)].1.checks_failed, 3);
    assert_eq!(Some(&pending.kept[&ServiceId::new("a")]), entries(3).as_ref());
    assert_eq!(names(&pending), ["a", "a", "a"], "and all of the log");
}

#[test]
fn outcomes_give_way_even_in_an_outage_the_ordinary_ones_first() {
    let mut pending = Pending::default();
    pending.push(Commit { urgency: Urgency::AtOnce, ..mere("urgent") }, None, None);
    for name in ["1", "2", "3", "4"] {
        let commit = Commit { state: Some(store::state()), incident: Some(store::incident()), ..mere(name) };
        pending.push(commit, None, None);
    }
    pending.bound(3);
    assert_eq!(names(&pending), ["urgent", "3", "4"]);
    assert_eq!((pending.states.len(), pending.incidents.len()), (4, 1), "what counts stays");
    pending.push(Commit { urgency: Urgency::Soon, ..mere("5") }, None, None);
    pending.bound(1);
    assert_eq!(names(&pending), ["5"]);
    let lost = pending.written();
    assert_eq!((lost.outcomes, lost.incidents, lost.alerts), (5, 0, 0));
}

#[test]
fn of_alerts_news_give_way_first_and_then_what_is_over_as_a_whole() {
    let mut pending = Pending::default();
    let (opened, reminder, recovered) = (AlertKind::Opened, AlertKind::Reminder, AlertKind::Recovered);
    for (kind, incident) in
        [(recovered, 1), (opened, 2), (reminder, 2), (recovered, 2), (opened, 3), (recovered, 3), (opened, 4)]
    {
        pending.push(telling(kind, incident), None, None);
    }
    pending.bound(6);
    assert!(!told(&pending).contains(&(reminder, 2)));
    pending.bound(5);
    assert_eq!(told(&pending), [(recovered, 1), (opened, 3), (recovered, 3), (opened, 4)]);
    pending.bound(1);
    assert_eq!(told(&pending), [(recovered, 1), (opened, 4)], "at most an end and a beginning for a service");
    let lost = pending.written();
    assert_eq!((lost.outcomes, lost.incidents, lost.alerts), (0, 0, 5));
}

#[test]
fn of_news_only_the_newest_of_each_service_stays() {
    let mut pending = Pending::default();
    for service in ["a", "a", "b", "a", "c"] {
        let commit = Commit { service: ServiceId::new(service), ..telling(AlertKind::Notice, 0) };
        pending.push(commit, None, None);
    }
    pending.push(telling(AlertKind::Opened, 1), None, None);
    let services = |pending: &Pending| -> String {
        pending.alerts.iter().map(|(service, _)| &service.as_str()[..1]).collect()
    };
    pending.bound(5);
    assert_eq!(services(&pending), "abacj");
    pending.bound(1);
    assert_eq!(services(&pending), "bacj", "one for each service, and what else must be told");
}

#[test]
fn whoever_waits_is_answered_once() {
    let mut pending = Pending::default();
    assert_eq!(pending.urgency(), None);
    let (ack, mut answer) = oneshot::channel();
    pending.push(Commit { urgency: Urgency::Soon, ..mere("a") }, None, Some(ack));
    assert!(answer.try_recv().is_err());
    pending.deferred();
    assert!(matches!(answer.try_recv(), Ok(Err(StoreError::Deferred))));
    pending.push(mere("b"), None, None);
    assert_eq!(pending.urgency(), Some(Urgency::Soon), "it is kept");
    pending.written();
}

#[test]
fn notes_of_what_was_told_do_not_outgrow_the_limit() {
    let mut pending = Pending::default();
    let note = |alert: Arc<Alert>| Told {
        alert,
        sink: pihook_core::SinkId::new("discord"),
        ended: crate::store::Ended::Sent,
        at: pihook_core::Timestamp::UNIX_EPOCH,
    };
    pending.push(telling(AlertKind::Opened, 1), None, None);
    pending.note_told(note(pending.alerts[0].1.clone()));
    for incident in 2..6 {
        // Of alerts that have given way.
        pending.note_told(note(Arc::new(store::alert(AlertKind::Reminder, incident, &["discord"]))));
    }
    pending.bound(9);
    assert_eq!(pending.told.len(), 5);
    pending.bound(3);
    let kept: Vec<_> = pending.told.iter().map(|told| told.alert.incident.0).collect();
    assert_eq!(kept, [1], "the note of one that is still to be written stays");
}
