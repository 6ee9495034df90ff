//! The check `dns` against a real server, dnsmasq, on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a helper that fails fails its test, and what is left out is said"
)]

use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::process::{Child, Command};
use tokio::time::{Duration, sleep, timeout};

use crate::alone;
use crate::oneshot::{Home, PATIENCE};

/// What the server knows.
const ZONE: &str = "\
no-resolv
no-hosts
no-daemon
local=/test/
host-record=nas.test,192.168.1.10,fd00::10,300
cname=web.test,nas.test
cname=www.test,web.test
mx-host=test,mail.test,10
srv-host=_sip._tcp.test,sip.test,5060,0,5
caa-record=test,0,issue,letsencrypt.org
txt-record=test,\"v=spf1 -all\"
";

/// The zone as a file's text, with a text that is cut in two and a name with more addresses than go into a UDP packet.
fn zone(home: &Home) -> String {
    let many: String = (1..=90).map(|last| format!("192.0.2.{last} many.test\n")).collect();
    home.write("many.hosts", &many);
    let (one, two) = ("a".repeat(200), "b".repeat(200));
    format!("{ZONE}txt-record=long.test,{one},{two}\naddn-hosts={}\n", home.join("many.hosts").display())
}

/// A server that ends with this.
struct Dnsmasq {
    address: SocketAddr,
    _child: Child,
}

impl Dnsmasq {
    /// On an address of loopback. None, and it says so, if there is no dnsmasq.
    async fn start(home: &Home, host: &str) -> Option<Self> {
        home.write("zone.conf", &zone(home));
        // Somebody else may take the port between looking for it and using it.
        for _ in 0..10 {
            let address = free(host).await;
            let child = Command::new("dnsmasq")
                .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
                .arg(format!("--conf-file={}", home.join("zone.conf").display()))
                .arg(format!("--port={}", address.port()))
                .arg(format!("--listen-address={host}"))
                .args(["--bind-interfaces", "--pid-file", "--user=root", "--log-facility=-"])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn();
            let mut child = match child {
                Ok(child) => child,
                Err(error) => {
                    eprintln!("not tested, since there is no dnsmasq: {error}");
                    return None;
                }
            };
            let answers = async {
                while TcpStream::connect(address).await.is_err() {
                    sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::select! {
                started = timeout(PATIENCE, answers) => {
                    started.expect("dnsmasq starts");
                    return Some(Self { address, _child: child });
                }
                _ = child.wait() => {}
            }
        }
        panic!("dnsmasq does not start");
    }
}

/// A port that is free for UDP and TCP.
async fn free(host: &str) -> SocketAddr {
    loop {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        if UdpSocket::bind(address).await.is_ok() {
            return address;
        }
    }
}

/// A service's settings, and what is to be seen of it.
struct Case(Value, &'static str, String);

fn services(cases: &[Case]) -> Vec<Value> {
    let service = |(index, case): (usize, &Case)| json!({ "name": format!("n{index}"), "check": "dns", "settings": case.0 });
    cases.iter().enumerate().map(service).collect()
}

fn compare(rows: &Value, cases: &[Case]) {
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), cases.len());
    for (row, Case(settings, status, summary)) in rows.iter().zip(cases) {
        assert_eq!(
            (row["status"].as_str(), row["summary"].as_str()),
            (Some(*status), Some(&**summary)),
            "{settings}"
        );
    }
}

fn patience() -> Value {
    json!({ "retries": 0, "read_timeout": "20s" })
}

#[tokio::test]
async fn records_of_all_kinds() {
    let home = Home::bare();
    let Some(server) = Dnsmasq::start(&home, "127.0.0.1").await else { return };
    let at = server.address.to_string();
    let ask = |name: &str, kind: &str, expect: Value| json!({ "name": name, "type": kind, "server": at, "expect": expect });
    let up = |settings, summary: &str| Case(settings, "up", summary.to_owned());
    let down = |settings, summary: String| Case(settings, "down", summary);
    let long = format!("{}{}", "a".repeat(200), "b".repeat(200));
    let cases = vec![
        up(json!({ "name": "NAS.test.", "server": at }), "NAS.test. has A 192.168.1.10"),
        up(ask("nas.test", "AAAA", json!({ "only": ["FD00:0::10"] })), "nas.test has AAAA fd00::10"),
        up(ask("www.test", "A", json!({ "values": ["192.168.1.10"] })), "www.test has A 192.168.1.10"),
        up(ask("www.test", "CNAME", json!({})), "www.test has CNAME web.test"),
        up(ask("test", "MX", json!({ "only": ["10 Mail.test."] })), "test has MX 10 mail.test"),
        up(ask("_sip._tcp.test", "SRV", json!({})), "_sip._tcp.test has SRV 0 5 5060 sip.test"),
        up(ask("test", "CAA", json!({})), "test has CAA 0 issue \"letsencrypt.org\""),
        up(ask("test", "TXT", json!({ "only": ["v=spf1 -all"] })), "test has TXT v=spf1 -all"),
        up(
            ask("long.test", "TXT", json!({ "only": [long] })),
            &format!("long.test has TXT {}…", "a".repeat(59)),
        ),
        up(ask("192.168.1.10", "PTR", json!({ "only": ["nas.test"] })), "192.168.1.10 has PTR nas.test"),
        up(ask("fd00::10", "PTR", json!({})), "fd00::10 has PTR nas.test"),
        up(
            ask("many.test", "A", json!({ "values": ["192.0.2.90"] })),
            "many.test has A 192.0.2.1, 192.0.2.10, 192.0.2.11, 192.0.2.12 and 86 more",
        ),
        up(
            ask("no.test", "A", json!({ "code": "NXDOMAIN" })),
            &format!("{at} answers NXDOMAIN for no.test, as expected"),
        ),
        down(ask("no.test", "A", json!({})), format!("no.test does not exist, says {at} (NXDOMAIN)")),
        down(ask("nas.test", "MX", json!({})), format!("nas.test has no MX record, says {at}")),
        down(ask("example.org", "A", json!({})), format!("{at} refuses to resolve example.org (REFUSED)")),
        down(
            ask("nas.test", "A", json!({ "only": ["192.168.1.11"] })),
            "nas.test has A 192.168.1.10, expected 192.168.1.11".to_owned(),
        ),
    ];
    let config = json!({ "defaults": patience(), "services": services(&cases) });
    let asking = Home::new(&config.to_string()).await;
    let rows = asking.run(["check", "--json"]).await.ended(1).json();
    compare(&rows, &cases);

    let metrics = json!([
        { "name": "records", "value": 1.0, "unit": "" },
        { "name": "ttl_seconds", "value": 300.0, "unit": "seconds" },
    ]);
    assert_eq!(rows[0]["metrics"], metrics);
    assert!(rows[0]["response_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(rows[11]["metrics"][0]["value"], 90.0, "all of a long answer");
}

#[tokio::test]
async fn a_server_by_ipv6_and_none_at_all() {
    let home = Home::bare();
    if TcpListener::bind("[::1]:0").await.is_err() {
        eprintln!("this machine has no IPv6: not tested");
        return;
    }
    let Some(server) = Dnsmasq::start(&home, "::1").await else { return };
    let closed = free("127.0.0.1").await;
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let silent_at = silent.local_addr().unwrap();
    let cases = vec![
        Case(
            json!({ "name": "nas.test", "server": server.address.to_string() }),
            "up",
            "nas.test has A 192.168.1.10".to_owned(),
        ),
        Case(
            json!({ "name": "nas.test", "server": closed.to_string() }),
            "down",
            format!("nothing answers DNS questions at {closed}: connection refused"),
        ),
        Case(
            json!({ "name": "nas.test", "server": silent_at.to_string() }),
            "down",
            format!("{silent_at} did not answer within 1.5 s"),
        ),
    ];
    let mut config = json!({ "defaults": patience(), "services": services(&cases) });
    config["services"][2]["read_timeout"] = json!("1500ms");
    let asking = Home::new(&config.to_string()).await;
    compare(&asking.run(["check", "--json"]).await.ended(1).json(), &cases);
}

#[tokio::test]
async fn a_plugin_from_a_file_asks_granted_servers_alone() {
    let home = Home::bare();
    let Some(server) = Dnsmasq::start(&home, "127.0.0.1").await else { return };
    let (at, plugin) =
        (server.address.to_string(), concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugins/dns.wasm"));
    let settings = json!({ "name": "nas.test", "server": at });
    let config = json!({
        "defaults": patience(),
        "plugins": { "may": { "file": plugin, "allow": { "network": [at] } }, "may-not": { "file": plugin } },
        "services": [
            { "name": "may", "check": "may", "settings": settings },
            { "name": "may not", "check": "may-not", "settings": settings },
        ],
    });
    let asking = Home::new(&config.to_string()).await;
    let rows = asking.run(["check", "--json"]).await.ended(2).json();
    assert_eq!(
        (&rows[0]["status"], &rows[0]["summary"]),
        (&json!("up"), &json!("nas.test has A 192.168.1.10"))
    );
    let refused = rows[1]["summary"].as_str().unwrap();
    let wanted = format!("\"{at}\" goes into its `allow: {{ network: [] }}`");
    assert!(rows[1]["status"] == "unknown" && refused.contains(&wanted), "{refused}");
}

#[tokio::test]
async fn without_a_server_the_machines_own_are_asked_in_their_order() {
    if !alone::is_possible().await {
        return;
    }
    let home = Home::new(
        &json!({
            "defaults": patience(),
            "services": [
                { "name": "own", "check": "dns", "settings": { "name": "nas.test" } },
                { "name": "search domains are not applied", "check": "dns", "settings": { "name": "nas" } },
            ],
        })
        .to_string(),
    )
    .await;
    if Command::new("dnsmasq")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .arg("--version")
        .output()
        .await
        .is_err()
    {
        eprintln!("not tested, since there is no dnsmasq");
        return;
    }
    home.write("zone.conf", &zone(&home).replace("no-daemon\n", ""));
    home.write("resolv.conf", "search test\nnameserver 127.0.0.9\nnameserver 127.0.0.1\n");
    // It goes into the background when it listens, and ends with the test's own network and processes.
    let script = "mount --bind resolv.conf /etc/resolv.conf\n\
        dnsmasq --conf-file=\"$PWD/zone.conf\" --listen-address=127.0.0.1 --bind-interfaces --user=root \
        --pid-file=\"$PWD/pid\" --log-facility=\"$PWD/log\"";
    let ran = alone::check(&home, script).await;
    let pid = std::fs::read_to_string(home.join("pid")).unwrap();
    let ended = Command::new("kill").arg(pid.trim()).status().await.unwrap();
    assert!(ended.success());
    let rows = ran.ended(1).json();
    assert_eq!(
        (&rows[0]["status"], &rows[0]["summary"]),
        (&json!("up"), &json!("nas.test has A 192.168.1.10"))
    );
    assert_eq!(rows[1]["summary"], "127.0.0.1 refuses to resolve nas (REFUSED)");

    home.write("resolv.conf", "nameserver router.lan\n");
    let rows = alone::check(&home, "mount --bind resolv.conf /etc/resolv.conf").await.ended(2).json();
    let lacking = rows[0]["summary"].as_str().unwrap();
    assert!(
        lacking.contains("/etc/resolv.conf has no nameserver with an address; write one there"),
        "{lacking}"
    );
}
