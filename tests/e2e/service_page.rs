//! A service's page, its badges, and what stands above the services, of a running daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::daemon::{Daemon, LADDER, PATIENCE, config};
use super::dashboard::{address, get};
use crate::discord::FakeDiscord;
use crate::web::{Behaviour, WebServer};

const DASHBOARD: &str = "dashboard: { listen: \"127.0.0.1:0\" }";
const TOKEN: &str = "t0ken-that-no-page-may-show";
/// A name as somebody might give it who means harm.
const NAME: &str = "<img src=x onerror=alert(1)>&\\\"NAS";

fn evil_service(url: &str) -> String {
    format!(
        "  - name: \"{NAME}\"\n    id: nas\n    check: http\n    settings: {{ url: \"{url}?q=${{TOKEN}}\", headers: {{ X-Key: \"${{TOKEN}}\" }} }}\n"
    )
}

/// The whole answer, whatever it is.
async fn answer(address: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

/// The page once all of these are on it.
async fn until(address: &str, path: &str, wanted: &[&str]) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = get(address, path).await;
        if wanted.iter().all(|wanted| page.contains(wanted)) {
            return page;
        }
        assert!(Instant::now() < deadline, "{wanted:?} do not come on {page}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn an_outage_is_a_story_on_the_services_page() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let text = config(&discord.url(), LADDER, &[evil_service(&server.url("/"))]);
    let mut daemon = Daemon::prepare(&text.replace("dashboard: off", DASHBOARD));
    daemon.environment("TOKEN", TOKEN);
    daemon.spawn();
    let place = address(&mut daemon).await;
    until(&place, "/services/nas", &["HTTP 200", "first byte", "class=\"status up\""]).await;
    server.set(Behaviour::Refuse).await;
    until(&place, "/services/nas?range=1h", &["alert: it began", "<li>discord: told at ", "lasts for"]).await;
    server.set(Behaviour::ok("")).await;
    let wanted = ["alert: it is over", "up again", "lasted"];
    let page = until(&place, "/services/nas?range=1h", &wanted).await;
    for expected in
        ["connection refused", "<svg class=\"plot\"", "class=\"mark down\"", "class=\"middle\"", "24 hours"]
    {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    assert!(
        page.contains("settings.url</dt><dd>http://127.0.0.1:") && page.contains("?q=***</dd>"),
        "{page}"
    );
    for range in ["1h", "24h", "7d", "30d", "1y", "nonsense"] {
        let page = get(&place, &format!("/services/nas?range={range}")).await;
        assert!(page.contains("aria-current=\"page\""), "{page}");
        assert!(!page.contains("<img") && !page.contains(TOKEN) && !page.contains("<script>"), "{page}");
    }
    for unknown in ["/services/nobody", "/services/", "/badge/nas/other.svg", "/badge/nobody/status.svg"] {
        let answer = answer(&place, unknown, "").await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{unknown}: {answer}");
    }
    let home = get(&place, "/").await;
    assert!(home.contains("<a href=\"services/nas\">") && home.contains("services.yaml read at"), "{home}");
    badges(&place).await;
    // After a start the last days come from the history.
    daemon.stop().await;
    daemon.restart().await;
    let place = address(&mut daemon).await;
    until(&place, "/", &["<svg class=\"bar\"", "last 30 days: "]).await;
    let uptime = until(&place, "/badge/nas/uptime.svg", &[" %</title>"]).await;
    assert!(uptime.contains("… uptime 30d: "), "{uptime}");
    daemon.stop().await;
}

async fn badges(place: &str) {
    let status = until(place, "/badge/nas/status.svg", &["NAS: up</title>"]).await;
    assert!(status.starts_with("<svg xmlns=") && !status.contains("<img"), "{status}");
    let response = get(place, "/badge/nas/response.svg").await;
    assert!(response.contains("… response: ") && response.contains(" ms</title>"), "{response}");
    let whole = answer(place, "/badge/nas/status.svg", "").await;
    assert!(
        whole.contains("content-type: image/svg+xml") && whole.contains("cache-control: public, max-age=30"),
        "{whole}"
    );
    let tag = whole.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again = answer(place, "/badge/nas/status.svg", &format!("If-None-Match: {tag}\r\n")).await;
    assert!(again.starts_with("HTTP/1.1 304") && again.ends_with("\r\n\r\n"), "{again}");
}

#[tokio::test]
async fn badges_are_for_everybody_only_if_the_file_says_so() {
    let discord = FakeDiscord::start().await;
    let server = WebServer::start(Behaviour::ok("")).await;
    let guarded = "dashboard: { listen: \"127.0.0.1:0\", auth: { user: a, password: hunter2hunter2 } }";
    let text = config(&discord.url(), LADDER, &[super::daemon::service("NAS", &server.url("/"))]);
    let mut daemon = Daemon::start(&text.replace("dashboard: off", guarded)).await;
    let place = address(&mut daemon).await;
    for path in ["/badge/nas/status.svg", "/badge/nobody/status.svg", "/services/nas"] {
        assert!(answer(&place, path, "").await.starts_with("HTTP/1.1 401"), "{path}");
    }
    daemon.stop().await;
    let public = guarded.replace(" } }", " }, public_badges: true }");
    let mut daemon = Daemon::start(&text.replace("dashboard: off", &public)).await;
    let place = address(&mut daemon).await;
    let badge = answer(&place, "/badge/nas/status.svg", "").await;
    assert!(badge.starts_with("HTTP/1.1 200") && badge.contains("<svg"), "{badge}");
    for path in ["/services/nas", "/", "/metrics"] {
        assert!(answer(&place, path, "").await.starts_with("HTTP/1.1 401"), "{path}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn a_refused_file_and_alerts_that_wait_stand_above_the_services() {
    let server = WebServer::start(Behaviour::Refuse).await;
    // Nobody listens there.
    let text = config(
        "http://127.0.0.1:9/api/webhooks/1/x",
        LADDER,
        &[super::daemon::service("NAS", &server.url("/"))],
    );
    let text = text.replace("dashboard: off", DASHBOARD);
    let mut daemon = Daemon::start(&text).await;
    let place = address(&mut daemon).await;
    let wanted = ["Alerts that were not delivered", "<strong>discord</strong>: 1 alert not delivered since"];
    until(&place, "/", &wanted).await;
    daemon.configure(&format!("{text}banana: 1\n"));
    let page = until(&place, "/", &["services.yaml has problems", "the configuration before goes on"]).await;
    assert!(page.contains("the key `banana` is not known here"), "{page}");
    daemon.configure(&text.replace("interval: 1s", "interval: 2s"));
    let page = until(&place, "/", &["services.yaml read at"]).await;
    assert!(!page.contains("services.yaml has problems"), "{page}");
    daemon.stop().await;
}
