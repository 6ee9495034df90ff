//! `check: tls` as people use it: the real binary against real certificates, and against a real mail server.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::check_tcp::check;
use crate::oneshot::PATIENCE;
use crate::web::{Authority, Behaviour, Identity, Show, WebServer};

async fn serving(identity: &Identity) -> WebServer {
    WebServer::start_tls(identity, Behaviour::ok("")).await
}

/// Settings for a server, with what else they say.
fn settings(port: u16, ca_file: &Path, rest: &Value) -> Value {
    let mut settings = json!({ "host": "127.0.0.1", "port": port, "ca_file": ca_file });
    settings.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    settings
}

#[tokio::test]
async fn certificates_are_judged() {
    let root = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, root.pem()).unwrap();
    let (short, over) = (root.below("Short", 2050), root.below("Over", 2001));
    let plain = json!({});
    let cases = [
        (root.issue(Show::Valid), plain.clone(), "up", "valid until 2100-01-01"),
        (root.issue(Show::Valid), json!({ "min_version": "1.3" }), "up", "valid until 2100-01-01"),
        (
            root.issue(Show::Valid),
            json!({ "valid_for": "40000d" }),
            "degraded",
            "the certificate expires in ",
        ),
        (root.issue(Show::Expired), plain.clone(), "down", "the certificate expired "),
        (
            root.issue(Show::NotYetValid),
            plain.clone(),
            "down",
            "the certificate is not valid before 2090-01-01",
        ),
        (
            root.issue(Show::WrongName),
            plain.clone(),
            "down",
            "the certificate is not for 127.0.0.1 but for other.example, 192.0.2.7",
        ),
        (
            root.issue(Show::WrongName),
            json!({ "server_name": "other.example" }),
            "up",
            "valid until 2100-01-01",
        ),
        (root.issue(Show::WrongName), json!({ "verify": false }), "up", "valid until 2100-01-01"),
        (
            Identity::self_signed(),
            plain.clone(),
            "down",
            "the certificate is self-signed (CN=localhost) and not trusted",
        ),
        (short.issue(Show::Valid), plain.clone(), "up", "valid until 2050-01-01"),
        (
            short.issue(Show::Valid),
            json!({ "valid_for": "10000d" }),
            "degraded",
            "the issuer's certificate CN=Short expires in ",
        ),
        (
            short.issue(Show::Valid).alone(),
            plain.clone(),
            "down",
            "the certificate's issuer is not trusted: CN=Short",
        ),
        (over.issue(Show::Valid), plain.clone(), "down", "the issuer's certificate CN=Over expired "),
        (
            over.issue(Show::Valid),
            json!({ "verify": false }),
            "down",
            "the issuer's certificate CN=Over expired ",
        ),
        // It is not needed: the root vouches by itself.
        (root.issue(Show::Valid).with(&over), plain, "up", "valid until 2100-01-01"),
    ];
    let mut servers = Vec::new();
    for (identity, ..) in &cases {
        servers.push(serving(identity).await);
    }
    let wanted = servers.iter().zip(&cases);
    let wanted = wanted.map(|(server, (_, rest, ..))| settings(server.address().port(), &ca, rest)).collect();
    let seen = check("tls", wanted).await;
    for (seen, (_, _, status, summary)) in seen.iter().zip(&cases) {
        seen.begins(status, summary);
        assert_eq!(
            seen.metrics,
            ["certificate_days_left", "certificate_not_after_seconds", "handshake_ms", "connect_ms"]
        );
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_tls_is_down_and_what_we_lack_is_unknown() {
    let plain = WebServer::start(Behaviour::Garbage).await.address().port();
    let closed = WebServer::start(Behaviour::Close).await;
    let refused = WebServer::start(Behaviour::Refuse).await;
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), Authority::new().pem()).unwrap();
    let nothing = json!({});
    let seen = check(
        "tls",
        vec![
            settings(closed.address().port(), ca.path(), &nothing),
            settings(refused.address().port(), ca.path(), &nothing),
            settings(plain, Path::new("/nowhere/ca.pem"), &nothing),
        ],
    )
    .await;
    // Closed to one end may be reset to the other.
    assert!(
        seen[0].status == "down" && seen[0].summary.contains(&closed.address().to_string()),
        "{:?}",
        seen[0]
    );
    seen[1].is("down", &format!("connection refused by {}", refused.address()));
    let text = "the ca_file /nowhere/ca.pem cannot be used: no such file or directory";
    assert!(seen[2].status == "unknown" && seen[2].summary.ends_with(text), "{:?}", seen[2]);
}

/// A mail server from Debian packages, which ends with the test.
struct Dovecot {
    imap: u16,
    submission: u16,
    process: Child,
    folder: TempDir,
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // It ends its own processes, which a harder end would leave behind for a while.
        let id = self.process.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        if let Some(id) = id {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
    }
}

/// A free port of loopback. Nobody else gets it soon, since the kernel hands out others first.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The user and the group that its helpers run as: they must not be root.
async fn helpers() -> (String, String) {
    if rustix::process::getuid().is_root() {
        return ("nobody".to_owned(), "nogroup".to_owned());
    }
    let id = async |what: &str| {
        let output = Command::new("id").arg(what).output().await.unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    (id("-un").await, id("-gn").await)
}

impl Dovecot {
    /// Dovecot for IMAP and for SMTP submission, in the foreground and in a folder of its own.
    async fn start(identity: &Identity) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (imap, submission) = (free_port(), free_port());
        let base = folder.path();
        // Its helpers are others than we may be.
        std::fs::set_permissions(base, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(base.join("cert.pem"), identity.pem()).unwrap();
        std::fs::write(base.join("key.pem"), identity.key_pem()).unwrap();
        let (user, group) = helpers().await;
        let file = base.join("dovecot.conf");
        std::fs::write(&file, configuration(base, imap, submission, &user, &group)).unwrap();
        let output = std::fs::File::create(base.join("output")).unwrap();
        let process = Command::new("/usr/sbin/dovecot")
            .args(["-F".as_ref(), "-c".as_ref(), file.as_os_str()])
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .expect("the packages dovecot-imapd and dovecot-submissiond are installed");
        let server = Self { imap, submission, process, folder };
        for port in [imap, submission] {
            server.greeted(port).await;
        }
        server
    }

    /// Waits until it greets at the port.
    async fn greeted(&self, port: u16) {
        let start = Instant::now();
        loop {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await
                && let Ok(Ok(1..)) = timeout(PATIENCE, stream.read(&mut [0; 64])).await
            {
                return;
            }
            let read =
                |name: &str| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            assert!(start.elapsed() < PATIENCE, "nothing at port {port}: {}{}", read("output"), read("log"));
            sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

fn configuration(base: &Path, imap: u16, submission: u16, user: &str, group: &str) -> String {
    let base = base.display();
    format!(
        "base_dir = {base}/run\nstate_dir = {base}/state\nlog_path = {base}/log\n\
         protocols = imap submission\n\
         default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
         ssl = yes\nssl_cert = <{base}/cert.pem\nssl_key = <{base}/key.pem\n\
         hostname = mail.lan\nsubmission_relay_host = 127.0.0.1\nsubmission_relay_port = 1\n\
         passdb {{\n driver = static\n args = password=x\n}}\n\
         userdb {{\n driver = static\n args = uid={user} gid={group} home={base}\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n  address = 127.0.0.1\n  port = {imap}\n }}\n\
          inet_listener imaps {{\n  port = 0\n }}\n}}\n\
         service submission-login {{\n chroot =\n inet_listener submission {{\n  address = 127.0.0.1\n  port = {submission}\n }}\n\
          inet_listener submissions {{\n  port = 0\n }}\n}}\n\
         service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n"
    )
}

#[tokio::test]
async fn a_real_mail_server_agrees_to_starttls() {
    let identity = Identity::self_signed();
    let server = Dovecot::start(&identity).await;
    let ca = server.folder.path().join("cert.pem");
    let other = server.folder.path().join("other.pem");
    std::fs::write(&other, Authority::new().pem()).unwrap();
    let (smtp, imap) = (json!({ "starttls": "smtp" }), json!({ "starttls": "imap" }));
    let seen = check(
        "tls",
        vec![
            settings(server.imap, &ca, &imap),
            settings(server.submission, &ca, &smtp),
            settings(server.submission, &other, &smtp),
            settings(server.imap, &ca, &smtp),
            settings(server.submission, &ca, &imap),
            settings(server.submission, &ca, &json!({})),
        ],
    )
    .await;
    seen[0].is("up", "valid until 2100-01-01");
    seen[1].is("up", "valid until 2100-01-01");
    seen[2].is("down", "the certificate is self-signed (CN=localhost) and not trusted");
    seen[3].begins(
        "down",
        &format!("127.0.0.1:{} does not speak SMTP but says \"* OK [CAPABILITY ", server.imap),
    );
    seen[4].begins(
        "down",
        &format!("127.0.0.1:{} does not speak IMAP but says \"220 mail.lan", server.submission),
    );
    seen[5].is("down", &format!("127.0.0.1:{} does not speak TLS on this port", server.submission));
}
