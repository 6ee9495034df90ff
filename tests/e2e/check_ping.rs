//! The check `ping` with real echo requests, to loopback alone.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use serde_json::{Value, json};

use crate::alone;
use crate::oneshot::Home;

const ALLOWED: &str = "echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range";

async fn home(services: &[(&str, Value)]) -> Home {
    let services: Vec<_> = services
        .iter()
        .map(|(name, settings)| json!({ "name": name, "check": "ping", "settings": settings }))
        .collect();
    let defaults = json!({ "retries": 0, "connect_timeout": "2s", "read_timeout": "1s" });
    Home::new(&json!({ "defaults": defaults, "services": services }).to_string()).await
}

/// Status and summary of each service.
fn told(rows: &Value) -> Vec<(&str, &str)> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| (row["status"].as_str().unwrap(), row["summary"].as_str().unwrap()))
        .collect()
}

fn metrics(row: &Value) -> Vec<&str> {
    row["metrics"].as_array().unwrap().iter().map(|metric| metric["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_answers_and_who_does_not() {
    if !alone::is_possible().await {
        return;
    }
    let home = home(&[
        ("IPv4", json!({ "host": "127.0.0.1" })),
        ("IPv6", json!({ "host": "::1", "count": 20, "interval": "10ms", "payload": 1400 })),
        ("name", json!({ "host": "localhost", "count": 1, "payload": 0 })),
        ("no way", json!({ "host": "192.0.2.1" })),
        ("no network", json!({ "host": "198.51.100.1" })),
        ("no name", json!({ "host": "nas.invalid" })),
    ])
    .await;
    let script = format!("{ALLOWED}\nip route add unreachable 192.0.2.0/24");
    let ran = alone::check(&home, &script).await.ended(1);
    let rows = ran.json();
    let told = told(&rows);
    assert_eq!(told[..2], [("up", "127.0.0.1 answers"), ("up", "::1 answers")]);
    assert!(told[2].0 == "up" && told[2].1.starts_with("localhost ("), "{:?}", told[2]);
    let nowhere = "no echo request can be sent to";
    assert_eq!(told[3], ("down", &*format!("{nowhere} 192.0.2.1: no route to the host")));
    assert_eq!(told[4], ("down", &*format!("{nowhere} 198.51.100.1: no route to its network")));
    assert!(told[5].0 == "down" && told[5].1.starts_with("the name nas.invalid "), "{:?}", told[5]);

    let all = ["loss_percent", "rtt_min_ms", "rtt_avg_ms", "rtt_max_ms", "jitter_ms"];
    assert_eq!((metrics(&rows[0]), metrics(&rows[1])), (all.to_vec(), all.to_vec()));
    assert_eq!(metrics(&rows[2]), all[..4]);
    let average = rows[0]["metrics"][2]["value"].as_f64().unwrap();
    // A response time is kept in whole nanoseconds.
    let response = rows[0]["response_ms"].as_f64().unwrap();
    assert!(average > 0.0 && (response - average).abs() < 1e-4, "{}", rows[0]);
}

#[tokio::test]
async fn silence_is_a_loss() {
    if !alone::is_possible().await {
        return;
    }
    let home = home(&[("silent", json!({ "host": "127.0.0.1", "interval": "10ms" }))]).await;
    let script = format!("{ALLOWED}\necho 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all");
    let rows = alone::check(&home, &script).await.ended(1).json();
    assert_eq!(told(&rows), [("down", "no answer from 127.0.0.1 to 3 echo requests")]);
    assert_eq!(rows[0]["metrics"], json!([{ "name": "loss_percent", "value": 100.0, "unit": "percent" }]));
    assert_eq!(rows[0]["response_ms"], Value::Null);
}

#[tokio::test]
async fn what_is_forbidden_is_told_with_its_remedy() {
    if !alone::is_possible().await {
        return;
    }
    let home = home(&[("IPv4", json!({ "host": "127.0.0.1" })), ("IPv6", json!({ "host": "::1" }))]).await;
    let script = "echo '0 100' > /proc/sys/net/ipv4/ping_group_range";
    let other_group = ["setpriv", "--regid=65534", "--clear-groups"];
    let rows = alone::check_as(&home, script, &other_group).await.ended(2).json();
    for (status, summary) in told(&rows) {
        assert_eq!(status, "unknown");
        let remedy = "PiHook's user may not send echo requests, for none of its groups is in net.ipv4.ping_group_range; \
                      as root: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"; and to keep it so: echo \
                      'net.ipv4.ping_group_range = 0 2147483647' > /etc/sysctl.d/60-ping.conf";
        assert!(summary.ends_with(remedy), "{summary}");
    }
    // And where the group is allowed, it answers: it is no matter of being root.
    let script = "echo '65534 65534' > /proc/sys/net/ipv4/ping_group_range";
    let rows = alone::check_as(&home, script, &other_group).await.ended(0).json();
    assert_eq!(told(&rows), [("up", "127.0.0.1 answers"), ("up", "::1 answers")]);
}
