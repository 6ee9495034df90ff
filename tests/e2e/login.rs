//! Who gets in, and how.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use super::daemon::{Daemon, LADDER, PATIENCE, config};
use super::dashboard::address;
use crate::browser::Browser;
use crate::proxy::{Proxy, Strips};

const PASSWORD: &str = "correct-horse-Bf4";

/// A daemon without services whose dashboard has these keys beside `listen`.
async fn stage(dashboard: &str) -> (Daemon, Browser) {
    stage_with(dashboard, |_| {}).await
}

/// The same with something in the daemon's folder.
async fn stage_with(dashboard: &str, prepare: impl FnOnce(&Daemon)) -> (Daemon, Browser) {
    let text = config("http://127.0.0.1:9/", LADDER, &[]).replace("services:\n", "services: []\n");
    let listen = format!("dashboard: {{ listen: \"127.0.0.1:0\", {dashboard} }}");
    let mut daemon = Daemon::prepare(&text.replace("dashboard: off", &listen));
    daemon.environment("PASSWORD", PASSWORD);
    prepare(&daemon);
    daemon.spawn();
    let address = address(&mut daemon).await;
    (daemon, Browser::new(&address))
}

const AUTH: &str = "auth: { user: admin, password: \"${PASSWORD}\" }";

/// What `pihook hash-password` makes of this.
async fn hash(password: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pihook"))
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    command.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).await.unwrap();
    let output = command.wait_with_output().await.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_person_logs_in_with_a_password_that_only_its_hash_knows() {
    let hash = hash(PASSWORD).await;
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let (mut daemon, mut browser) = stage(&format!("auth: {{ user: admin, password_hash: '{hash}' }}")).await;
    let person = [("Accept", "text/html,*/*")];
    let sent = browser.ask("GET", "/?q=a", &person, "").await;
    assert_eq!((sent.status, sent.header("location")), (303, Some("./login")));
    let form = browser.get("/login").await;
    assert!(
        form.status == 200 && form.body.contains("<form method=\"post\" action=\"login\">"),
        "{}",
        form.body
    );

    let wrong = browser.submit("/login", "user=admin&password=guess").await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("the name or the password is wrong") && browser.cookie.is_none());
    let right = browser.submit("/login", &format!("user=admin&password={PASSWORD}")).await;
    assert_eq!((right.status, right.header("location")), (303, Some("./")));
    let cookie = right.header("set-cookie").unwrap().to_owned();
    assert!(cookie.contains("; Path=/; ") && cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert_eq!(browser.get("/").await.status, 200);
    assert_eq!(browser.get("/api/v1/services").await.status, 200);
    let page = browser.get("/").await.body;
    assert!(page.contains("action=\"logout\"") && !page.contains(&hash));

    let shown = browser.cookie.clone().unwrap();
    let out = browser.submit("/logout", "").await;
    assert_eq!((out.status, browser.cookie.clone()), (303, None));
    browser.cookie = Some(shown);
    assert_eq!(browser.get("/").await.status, 401, "the session has ended, whoever still has the cookie");
    assert!(!daemon.log().contains(PASSWORD) && !daemon.log().contains(&hash));
    daemon.stop().await;
}

#[tokio::test]
async fn a_terminal_does_not_show_the_password() {
    let words = format!("'{}' hash-password", env!("CARGO_BIN_EXE_pihook"));
    let script = Command::new("script")
        .args(["--quiet", "--return", "--command", &words, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut terminal = script.expect("script comes with Debian's package bsdutils");
    let (mut keys, mut screen) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let mut seen = String::new();
    let mut read_until = async |wanted: &str| {
        while !seen.contains(wanted) {
            let mut piece = [0; 256];
            let read = timeout(PATIENCE, screen.read(&mut piece)).await.expect("it says nothing").unwrap();
            assert!(read > 0, "it has ended: {seen}");
            seen.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        }
        seen.clone()
    };
    for prompt in ["Password: ", "The same again: "] {
        read_until(prompt).await;
        keys.write_all(format!("{PASSWORD}\n").as_bytes()).await.unwrap();
    }
    let seen = read_until("$argon2id$").await;
    assert!(!seen.contains(PASSWORD), "{seen}");
}

#[tokio::test]
async fn programs_send_name_and_password_along() {
    let hash = hash(PASSWORD).await;
    for auth in [AUTH.to_owned(), format!("auth: {{ user: admin, password_hash: '{hash}' }}")] {
        let (mut daemon, mut browser) = stage(&auth).await;
        let refused = browser.get("/metrics").await;
        assert_eq!(refused.status, 401);
        assert!(refused.header("www-authenticate").unwrap().starts_with("Basic "), "{}", refused.head);
        let json = browser.get("/api/v1/services").await.json();
        assert_eq!(json["error"]["code"], json!("unauthorized"));
        for open in ["/healthz", "/login", "/assets/pihook.css"] {
            assert_eq!(browser.get(open).await.status, 200, "{open}");
        }
        let address = browser.host.clone();
        let mut program = Browser::new(&address).knowing(&format!("admin:{PASSWORD}"));
        for path in ["/metrics", "/", "/api/v1/services", "/api/v1/openapi.json"] {
            assert_eq!(program.get(path).await.status, 200, "{path}");
        }
        assert_eq!(program.send("PUT", "/api/v1/maintenance", "{}").await.status, 200, "without an origin");
        for credentials in ["admin:", "admin:x", &format!("root:{PASSWORD}"), "nonsense"] {
            let answer = Browser::new(&address).knowing(credentials).get("/").await;
            assert_eq!(answer.status, 401, "{credentials}");
        }
        daemon.stop().await;
    }
}

#[tokio::test]
async fn whoever_guesses_has_to_wait() {
    let (mut daemon, mut browser) = stage(AUTH).await;
    for _ in 0..5 {
        assert_eq!(browser.submit("/login", "user=admin&password=guess").await.status, 401);
    }
    let waits = browser.submit("/login", &format!("user=admin&password={PASSWORD}")).await;
    assert_eq!(waits.status, 429);
    assert!(waits.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert!(waits.body.contains("too many wrong passwords") && browser.cookie.is_none());
    let address = browser.host.clone();
    let mut program = Browser::new(&address).knowing(&format!("admin:{PASSWORD}"));
    let refused = program.get("/api/v1/services").await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (429, &json!("too_many_requests")));
    assert!(daemon.log().contains("failed to log in"));
    daemon.stop().await;
}

#[tokio::test]
async fn whoever_only_sits_there_is_cut() {
    let (mut daemon, browser) = stage(AUTH).await;
    for begun in [
        "",
        "GET / HTTP/1.1\r\nHost: localhost\r\n",
        "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nus",
    ] {
        let mut stream = TcpStream::connect(&browser.host).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // With an end or a reset; what counts is that it comes.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("it is not cut");
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    }
    daemon.stop().await;
}

#[tokio::test]
async fn another_page_can_neither_log_in_nor_change_anything() {
    let (mut daemon, mut browser) = stage(AUTH).await;
    let form = format!("user=admin&password={PASSWORD}");
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    let other = [kind, ("Origin", "http://evil.example")];
    assert_eq!(browser.ask("POST", "/login", &other, &form).await.status, 403);
    assert_eq!(browser.submit("/login", &form).await.status, 303);
    for headers in [
        vec![("Content-Type", "application/json"), ("Origin", "http://evil.example")],
        vec![("Content-Type", "application/json"), ("Sec-Fetch-Site", "cross-site")],
        vec![("Content-Type", "application/json")],
    ] {
        let answer = browser.ask("PUT", "/api/v1/maintenance", &headers, "{}").await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    assert!(!daemon.path("data/maintenance.flag").exists());
    let own = [("Content-Type", "application/json"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(browser.ask("PUT", "/api/v1/maintenance", &own, "{}").await.status, 200);
    daemon.stop().await;
}

/// A home-made authority, and a certificate of it for `pi.lan` with its key.
fn certificates() -> (String, String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["pi.lan".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    (root, leaf.pem(), key.serialize_pem())
}

#[tokio::test]
async fn pages_come_by_https_with_a_home_made_certificate() {
    let (root, certificate, key) = certificates();
    let (mut daemon, plain) = stage_with(
        &format!("{AUTH}, hosts: [pi.lan], tls: {{ certificate: cert.pem, key: key.pem }}"),
        |daemon| {
            std::fs::write(daemon.path("cert.pem"), &certificate).unwrap();
            std::fs::write(daemon.path("key.pem"), &key).unwrap();
        },
    )
    .await;
    assert!(daemon.log().contains("dashboard: https://"), "{}", daemon.log());
    let mut browser = Browser::over_tls(&plain.host, "pi.lan", root.as_bytes());
    assert_eq!(browser.get("/healthz").await.body, "ok\n");
    let right = browser.submit("/login", &format!("user=admin&password={PASSWORD}")).await;
    assert_eq!(right.status, 303);
    assert!(
        right.header("set-cookie").unwrap().ends_with("; HttpOnly; SameSite=Strict; Secure"),
        "{}",
        right.head
    );
    assert_eq!(browser.get("/").await.status, 200);
    let mut plain = plain;
    assert_eq!(plain.get("/healthz").await.status, 0, "nobody is answered without TLS");
    std::fs::write(daemon.path("key.pem"), "nothing").unwrap();
    let validated = daemon.pihook(&["validate"]).await;
    let said = String::from_utf8([validated.stdout, validated.stderr].concat()).unwrap();
    assert!(said.contains("dashboard.tls: ") && said.contains("key.pem has no private key"), "{said}");
    daemon.stop().await;
}

#[tokio::test]
async fn a_proxy_serves_it_below_a_path() {
    let reach = format!("{AUTH}, base_path: /pihook, hosts: [home.example], trusted_proxies: [127.0.0.1]");
    let (mut daemon, direct) = stage(&reach).await;
    let form = format!("user=admin&password={PASSWORD}");
    for strips in [Strips::Nothing, Strips::Base("/pihook")] {
        let proxy = Proxy::start(&direct.host, strips).await;
        let mut browser = Browser::new(&proxy.address());
        browser.host = "home.example".into();
        let sent = browser.ask("GET", "/pihook/", &[("Accept", "text/html")], "").await;
        assert_eq!((sent.status, sent.header("location")), (303, Some("./login")), "{strips:?}");
        let page = browser.get("/pihook/login").await;
        let style = page.body.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(browser.get(&format!("/pihook/{style}")).await.status, 200, "{strips:?}: {style}");
        let right = browser.submit("/pihook/login", &form).await;
        assert_eq!(right.status, 303, "{strips:?}: {}", right.body);
        let cookie = right.header("set-cookie").unwrap();
        assert!(cookie.contains("; Path=/pihook; ") && cookie.ends_with("; Secure"), "{strips:?}: {cookie}");
        assert_eq!(browser.get("/pihook/").await.status, 200, "{strips:?}");
        let document = browser.get("/pihook/api/v1/openapi.json").await.json();
        assert_eq!(document["servers"][0]["url"], json!("/pihook/api/v1"), "{strips:?}");
        assert_eq!(browser.submit("/pihook/logout", "").await.status, 303, "{strips:?}");
    }
    let bare = Browser::new(&direct.host).get("/pihook").await;
    assert_eq!((bare.status, bare.header("location")), (308, Some("/pihook/")));

    // Whoever guesses behind the proxy waits alone, whoever else they claim to be.
    let proxy = Proxy::start(&direct.host, Strips::Nothing).await;
    let mut guesser = Browser::new(&proxy.address());
    guesser.host = "home.example".into();
    for claimed in 1..=5 {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let claim = format!("9.9.9.{claimed}");
        let guess = [kind, ("X-Forwarded-For", claim.as_str())];
        assert_eq!(
            guesser.ask("POST", "/pihook/login", &guess, "user=admin&password=guess").await.status,
            401
        );
    }
    assert_eq!(guesser.submit("/pihook/login", &form).await.status, 429);
    assert_eq!(Browser::new(&direct.host).submit("/login", &form).await.status, 303);
    daemon.stop().await;
}
