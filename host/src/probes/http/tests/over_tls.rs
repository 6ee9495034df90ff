//! Handshakes, certificates and HTTP/2.

use std::io::Write as _;
use std::path::Path;

use super::*;

fn pem_file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn trusting(file: &Path, url: &str) -> HttpRequest {
    HttpRequest { ca_file: Some(file.to_owned()), ..get(url) }
}

fn lenient(url: &str) -> HttpRequest {
    HttpRequest { verify: false, ..get(url) }
}

#[tokio::test]
async fn a_home_made_authority_is_trusted_through_its_file() {
    let authority = Authority::new();
    let file = pem_file(authority.pem());
    let server = WebServer::start_tls(&authority.issue(Show::Valid), Behaviour::ok("safe")).await;
    for url in [server.url("/"), server.named_url("/")] {
        let response = send(trusting(file.path(), &url)).await.unwrap();
        assert_eq!((body(&response).as_str(), response.version), ("safe", "HTTP/1.1"));
        assert!(response.timings.tls.is_some());
        let certificate = response.certificate.unwrap();
        assert_eq!(
            (certificate.subject.as_str(), certificate.issuer.as_str()),
            ("CN=localhost", "CN=PiHook test authority")
        );
        assert_eq!(certificate.not_before_ms, 946_684_800_000);
        assert_eq!(certificate.not_after_ms, 4_102_444_800_000);
    }
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_offered() {
    let authority = Authority::new();
    let file = pem_file(authority.pem());
    let server = WebServer::start_h2(&authority.issue(Show::Valid), Behaviour::Echo).await;
    let request = HttpRequest {
        method: "POST".to_owned(),
        body: Some(b"data".to_vec()),
        headers: vec![("host".to_owned(), "nas.lan".to_owned())],
        ..trusting(file.path(), &server.url("/x"))
    };
    let response = send(request).await.unwrap();
    assert_eq!((response.status, response.version), (200, "HTTP/2"));
    let seen = &server.seen()[0];
    assert_eq!((seen.header(":authority"), seen.body.as_slice()), (Some("nas.lan"), &b"data"[..]));

    let big = Answer { status: 200, headers: Vec::new(), body: vec![b'x'; 1_000_000], delay: Duration::ZERO };
    server.set(Behaviour::Answer(big)).await;
    let request = HttpRequest { max_body_bytes: 200_000, ..trusting(file.path(), &server.url("/")) };
    let response = send(request).await.unwrap();
    assert_eq!((response.body.len(), response.body_truncated), (200_000, true));

    server.set(Behaviour::Silent).await;
    let error = send(HttpRequest { verify: false, ..impatient(&server.url("/")) }).await.unwrap_err();
    assert!(matches!(&error, HttpError::ReadTimeout(_)), "{error:?}");
    server.set(Behaviour::Garbage).await;
    let error = send(lenient(&server.url("/"))).await.unwrap_err();
    assert!(matches!(&error, HttpError::Protocol(_)), "{error:?}");
    server.set(Behaviour::ok("").header("x-bomb", &"x".repeat(80_000))).await;
    let error = send(lenient(&server.url("/"))).await.unwrap_err();
    assert!(matches!(&error, HttpError::Protocol(_)), "{error:?}");
}

#[tokio::test]
async fn nothing_of_http2_outlives_the_future() {
    let server = WebServer::start_h2(&Identity::self_signed(), Behaviour::Silent).await;
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let url = server.url("/");
    let sending = tokio::spawn(async move { send(lenient(&url)).await });
    let until = |done: Box<dyn Fn() -> bool>| async move {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), async {
        while server.requests() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    sending.abort();
    // The server's own tasks for the connection end with it.
    let gone =
        until(Box::new(move || tokio::runtime::Handle::current().metrics().num_alive_tasks() <= before));
    timeout(Duration::from_secs(5), gone).await.expect("a task was left");
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_explained() {
    let authority = Authority::new();
    let file = pem_file(authority.pem());
    for (show, expected) in [
        (Show::Expired, HttpError::CertificateExpired(EXPIRED_AT_MS)),
        (
            Show::NotYetValid,
            HttpError::CertificateInvalid(
                "the certificate is not valid before 2090-01-01 00:00 UTC".to_owned(),
            ),
        ),
        (
            Show::WrongName,
            HttpError::CertificateInvalid(
                "the certificate is not for 127.0.0.1 but for other.example, 192.0.2.7".to_owned(),
            ),
        ),
    ] {
        let server = WebServer::start_tls(&authority.issue(show), Behaviour::ok("")).await;
        assert_eq!(send(trusting(file.path(), &server.url("/"))).await.unwrap_err(), expected, "{show:?}");
        let response = send(lenient(&server.url("/"))).await.unwrap();
        assert!(response.certificate.is_some(), "{show:?}");
    }
}

#[tokio::test]
async fn an_unknown_issuer_is_named() {
    let known = Authority::new();
    let server = WebServer::start_tls(&Authority::new().issue(Show::Valid), Behaviour::ok("")).await;
    let file = pem_file(known.pem());
    let error = send(trusting(file.path(), &server.url("/"))).await.unwrap_err();
    // Both authorities have the same name, so that only the signature tells them apart.
    assert!(matches!(&error, HttpError::CertificateInvalid(_)), "{error:?}");
    // Where the system trusts nobody at all, that is said instead.
    let error = send(get(&server.url("/"))).await.unwrap_err();
    let issuer = "the certificate's issuer is not trusted: CN=PiHook test authority".to_owned();
    assert!(
        error == HttpError::CertificateInvalid(issuer) || matches!(error, HttpError::Tls(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_only_when_it_is_said_so() {
    let identity = Identity::self_signed();
    let server = WebServer::start_tls(&identity, Behaviour::ok("mine")).await;
    let other = pem_file(Authority::new().pem());
    let error = send(trusting(other.path(), &server.url("/"))).await.unwrap_err();
    let text = "the certificate is self-signed (CN=localhost) and not trusted".to_owned();
    assert_eq!(error, HttpError::CertificateInvalid(text));
    let mine = pem_file(identity.pem());
    assert_eq!(body(&send(trusting(mine.path(), &server.url("/"))).await.unwrap()), "mine");
    assert_eq!(body(&send(lenient(&server.url("/"))).await.unwrap()), "mine");
}

#[tokio::test]
async fn a_certificate_that_is_trusted_itself_still_needs_the_right_name_and_time() {
    let authority = Authority::new();
    for (show, expected) in [
        (Show::Expired, HttpError::CertificateExpired(EXPIRED_AT_MS)),
        (
            Show::WrongName,
            HttpError::CertificateInvalid(
                "the certificate is not for 127.0.0.1 but for other.example, 192.0.2.7".to_owned(),
            ),
        ),
    ] {
        let identity = authority.issue(show);
        let file = pem_file(identity.pem());
        let server = WebServer::start_tls(&identity, Behaviour::ok("")).await;
        assert_eq!(send(trusting(file.path(), &server.url("/"))).await.unwrap_err(), expected, "{show:?}");
    }
}

#[tokio::test]
async fn a_changed_file_is_read_again() {
    let authority = Authority::new();
    let server = WebServer::start_tls(&authority.issue(Show::Valid), Behaviour::ok("")).await;
    let mut file = pem_file(Authority::new().pem());
    let probe = HttpProbe::new();
    let request = trusting(file.path(), &server.url("/"));
    assert!(probe.send(request.clone(), &open()).await.is_err());
    file.write_all(authority.pem().as_bytes()).unwrap();
    assert_eq!(probe.send(request, &open()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let nothing = pem_file("");
    let broken = pem_file("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("ca.pem");
    for path in [nothing.path(), broken.path(), folder.path(), &missing, Path::new("ca.pem")] {
        let error = send(trusting(path, "https://127.0.0.1:1/")).await.unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, HttpError::InvalidRequest(_)) && text.contains(&path.display().to_string()),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_about_is_told() {
    let server = WebServer::start_tls(&Identity::self_signed(), Behaviour::Hang).await;
    let error = send(HttpRequest { verify: false, ..impatient(&server.url("/")) }).await.unwrap_err();
    let text = format!("no TLS handshake with {} within 300 ms (connect timeout)", server.address());
    assert_eq!(error, HttpError::ConnectTimeout(text));
    server.set(Behaviour::Close).await;
    let error = send(lenient(&server.url("/"))).await.unwrap_err();
    assert!(matches!(&error, HttpError::Tls(_)), "{error:?}");
    let plain = WebServer::start(Behaviour::Banner).await;
    let error = send(lenient(&plain.url("/").replace("http:", "https:"))).await.unwrap_err();
    assert_eq!(error, HttpError::Tls(format!("{} does not speak TLS on this port", plain.address())));
}

#[tokio::test]
async fn secrets_do_not_leave_in_plain_text_after_tls() {
    let plain = WebServer::start(Behaviour::ok("")).await;
    let server =
        WebServer::start_tls(&Identity::self_signed(), Behaviour::redirect(302, &plain.url("/"))).await;
    let own_hosts =
        [&server, &plain].map(|server| HostPort::new("127.0.0.1", server.address().port())).to_vec();
    let access = Access { own_hosts, secrets: vec![Secret::new("hunter2".to_owned())], ..open() };
    let request = HttpRequest {
        headers: vec![
            ("x-key".to_owned(), "${secret:0}".to_owned()),
            ("cookie".to_owned(), "id=1".to_owned()),
        ],
        credentials: Some(Credentials::Bearer("${secret:0}".to_owned())),
        ..lenient(&server.url("/"))
    };
    HttpProbe::new().send(request, &access).await.unwrap();
    assert_eq!(server.seen()[0].header("authorization"), Some("Bearer hunter2"));
    let seen = &plain.seen()[0];
    assert_eq!((seen.header("authorization"), seen.header("x-key")), (None, None));
}
