use super::*;

const BACKUP: &str = "0123456789abcdef";

fn id() -> ServiceId {
    ServiceId::new("backup")
}

fn tokens() -> Vec<(ServiceId, Secret)> {
    vec![(id(), Secret::new(BACKUP.to_owned()))]
}

fn moment(uptime: u64, wall: i64) -> Moment {
    let wall = Timestamp::from_second(1_800_000_000 + wall).unwrap();
    Moment { uptime: Duration::from_secs(uptime), wall }
}

fn sign(message: &str) -> Sign {
    Sign { ok: true, message: message.to_owned(), took: None }
}

fn ago(heartbeats: &Heartbeats, now: Moment) -> u64 {
    heartbeats.known(&id(), now).unwrap().last.unwrap().1.as_secs()
}

#[test]
fn tokens_lead_to_their_services_until_they_change() {
    let heartbeats = Heartbeats::default();
    heartbeats.follow(tokens(), Vec::new(), moment(0, 0));
    assert_eq!(heartbeats.owner(BACKUP), Some(id()));
    for wrong in ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF"] {
        assert_eq!(heartbeats.owner(wrong), None, "{wrong}");
    }
    heartbeats.heard(&id(), sign("x"), moment(5, 5)).unwrap();
    heartbeats.follow(vec![(id(), Secret::new("another-token-16".to_owned()))], Vec::new(), moment(9, 9));
    assert_eq!(heartbeats.owner(BACKUP), None);
    assert_eq!(heartbeats.owner("another-token-16"), Some(id()));
    assert_eq!(ago(&heartbeats, moment(10, 10)), 5, "what is known of the service is kept");
    heartbeats.follow(Vec::new(), Vec::new(), moment(11, 11));
    assert_eq!(heartbeats.known(&id(), moment(12, 12)), None);
    assert_eq!(heartbeats.heard(&id(), sign("x"), moment(12, 12)), None);
    assert!(!format!("{heartbeats:?}").contains(BACKUP));
}

#[test]
fn what_was_in_this_run_is_measured_by_uptime() {
    let heartbeats = Heartbeats::default();
    heartbeats.follow(tokens(), Vec::new(), moment(0, 0));
    heartbeats.heard(&id(), sign("x"), moment(100, 0)).unwrap();
    for wall in [-1_000_000_000, 0, 1_000_000_000] {
        assert_eq!(ago(&heartbeats, moment(160, wall)), 60);
        let waited = heartbeats.known(&id(), moment(160, wall)).unwrap().waited;
        assert_eq!(waited.as_secs(), 160);
    }
}

#[test]
fn what_was_before_the_start_is_measured_by_the_wall_and_never_lies_ahead() {
    for (came, expected) in [(-3600, 3600), (0, 0), (3600, 0)] {
        let heartbeats = Heartbeats::default();
        let came = moment(0, came).wall;
        let record = Record { service: id(), since: came, last: Some((came, sign("x"))) };
        heartbeats.follow(tokens(), vec![record], moment(50, 0));
        assert_eq!(ago(&heartbeats, moment(50, 0)), expected);
        // From then on it does not matter what the wall clock does.
        assert_eq!(ago(&heartbeats, moment(60, 1_000_000)), expected + 10);
        assert_eq!(heartbeats.known(&id(), moment(60, -9)).unwrap().waited.as_secs(), expected + 10);
    }
}

#[test]
fn a_jump_of_the_wall_clock_is_corrected_for_what_was_in_this_run() {
    let heartbeats = Heartbeats::default();
    let old = moment(0, -86_400).wall;
    heartbeats.follow(tokens(), vec![Record { service: id(), since: old, last: None }], moment(1, 0));
    heartbeats.heard(&id(), sign("x"), moment(100, 100)).unwrap();
    let corrected = heartbeats.correct(moment(160, 1_000_160));
    let expected = Record { service: id(), since: old, last: Some((moment(0, 1_000_100).wall, sign("x"))) };
    assert_eq!(corrected, [expected]);
}

#[test]
fn who_listens_is_told() {
    let heartbeats = Heartbeats::default();
    heartbeats.follow(tokens(), Vec::new(), moment(0, 0));
    let listening = |now| heartbeats.known(&id(), now).unwrap().listening.map(|time| time.as_secs());
    assert_eq!(listening(moment(5, 5)), None);
    heartbeats.listen(moment(10, 10));
    assert_eq!(listening(moment(30, 0)), Some(20));
    heartbeats.stop_listening();
    assert_eq!(listening(moment(31, 31)), None);
    heartbeats.heard_elsewhere();
    assert_eq!(listening(moment(40, 40)), Some(u64::MAX));
}
