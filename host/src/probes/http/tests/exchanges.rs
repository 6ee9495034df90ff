//! What servers answer, and what they do instead.

use super::*;

#[tokio::test]
async fn an_answer_is_observed() {
    let server = WebServer::start(Behaviour::ok("hello").header("X-Kind", "test")).await;
    let response = send(get(&server.url("/health?x=1#part"))).await.unwrap();
    assert_eq!((response.status, response.version, body(&response).as_str()), (200, "HTTP/1.1", "hello"));
    assert_eq!(header(&response, "x-kind"), Some("test"));
    assert_eq!(response.remote_address, server.address());
    assert_eq!((response.redirects, response.body_truncated), (0, false));
    assert_eq!((response.timings.dns, response.timings.tls, response.certificate), (None, None, None));
    assert!(response.timings.total >= response.timings.connect + response.timings.first_byte);
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/health?x=1"));
    assert_eq!(seen.header("host"), Some(server.address().to_string().as_str()));
    assert_eq!(seen.header("user-agent"), Some(concat!("pihook/", env!("CARGO_PKG_VERSION"))));
    assert_eq!((seen.header("accept"), seen.header("connection")), (Some("*/*"), Some("close")));
    assert_eq!(seen.header("accept-encoding"), None);
}

#[tokio::test]
async fn every_status_is_an_answer() {
    let server = WebServer::start(Behaviour::ok("")).await;
    for status in [200, 204, 304, 404, 500, 503, 599] {
        server.set(Behaviour::status(status)).await;
        assert_eq!(send(get(&server.url("/"))).await.unwrap().status, status);
    }
    assert_eq!(server.connections(), 7, "a connection was used twice");
}

#[tokio::test]
async fn names_are_resolved() {
    let server = WebServer::start(Behaviour::ok("")).await;
    let response = send(get(&server.named_url("/"))).await.unwrap();
    assert_eq!(response.remote_address, server.address());
    assert!(response.timings.dns.is_some());
    let error = send(get("http://nobody.invalid/")).await.unwrap_err();
    assert!(
        matches!(&error, HttpError::Dns(text) if text.starts_with("the name nobody.invalid does not resolve")),
        "{error:?}"
    );
}

#[tokio::test]
async fn ipv6_is_spoken() {
    let server = WebServer::start_on("[::1]:0", Behaviour::ok("six")).await;
    let response = send(get(&server.url("/"))).await.unwrap();
    assert_eq!(body(&response), "six");
    assert_eq!(server.seen()[0].header("host"), Some(server.address().to_string().as_str()));
}

#[tokio::test]
async fn method_headers_and_body_arrive() {
    let server = WebServer::start(Behaviour::Echo).await;
    let request = HttpRequest {
        method: "PUT".to_owned(),
        headers: [("X-Two", "a"), ("x-two", "b"), ("User-Agent", "me"), ("Host", "nas.lan")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        body: Some(b"\x00data".to_vec()),
        ..get(&server.url("/"))
    };
    send(request).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.body.as_slice()), ("PUT", &b"\x00data"[..]));
    assert_eq!(seen.headers.iter().filter(|(name, _)| name == "x-two").count(), 2);
    assert_eq!((seen.header("user-agent"), seen.header("host")), (Some("me"), Some("nas.lan")));
}

#[tokio::test]
async fn a_body_is_kept_up_to_the_limit() {
    let server = WebServer::start(Behaviour::ok("0123456789")).await;
    for (limit, kept, truncated) in
        [(4, "0123", true), (10, "0123456789", false), (11, "0123456789", false), (0, "", true)]
    {
        let request = HttpRequest { max_body_bytes: limit, ..get(&server.url("/")) };
        let response = send(request).await.unwrap();
        assert_eq!((body(&response).as_str(), response.body_truncated), (kept, truncated), "limit {limit}");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let server = WebServer::start(Behaviour::Endless).await;
    let request = HttpRequest { max_body_bytes: u32::MAX, ..get(&server.url("/")) };
    let response = send(request).await.unwrap();
    assert_eq!((response.body.len(), response.body_truncated), (MAX_BODY_BYTES as usize, true));
}

#[tokio::test]
async fn slowness_ends_at_the_read_timeout() {
    let server = WebServer::start(Behaviour::Silent).await;
    for (behaviour, expected) in [
        (Behaviour::Silent, "no answer within 300 ms (read timeout)".to_owned()),
        (Behaviour::Hang, "no answer within 300 ms (read timeout)".to_owned()),
        (Behaviour::SlowHead, "no answer within 300 ms (read timeout)".to_owned()),
        (
            Behaviour::Trickle,
            format!("the answer of {} was not complete within 300 ms (read timeout)", server.address()),
        ),
        (
            Behaviour::Stall,
            format!("the answer of {} was not complete within 300 ms (read timeout)", server.address()),
        ),
    ] {
        server.set(behaviour.clone()).await;
        let error = send(impatient(&server.url("/"))).await.unwrap_err();
        assert_eq!(error, HttpError::ReadTimeout(expected), "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_late_answer_is_timed() {
    let server = WebServer::start(Behaviour::ok("").after(Duration::from_millis(120))).await;
    let timings = send(get(&server.url("/"))).await.unwrap().timings;
    assert!(timings.first_byte >= Duration::from_millis(120), "{timings:?}");
    assert!(timings.connect < timings.first_byte, "{timings:?}");
}

#[tokio::test]
async fn a_closed_port_refuses_and_opens_again() {
    let server = WebServer::start(Behaviour::Refuse).await;
    let expected = HttpError::Refused(format!("connection refused by {}", server.address()));
    assert_eq!(send(get(&server.url("/"))).await.unwrap_err(), expected);
    server.set(Behaviour::ok("back")).await;
    assert_eq!(body(&send(get(&server.url("/"))).await.unwrap()), "back");
    server.set(Behaviour::Refuse).await;
    assert_eq!(send(get(&server.url("/"))).await.unwrap_err(), expected);
}

#[tokio::test]
async fn an_end_within_the_answer_is_told() {
    let server = WebServer::start(Behaviour::Cut).await;
    let error = send(get(&server.url("/"))).await.unwrap_err();
    assert_eq!(
        error,
        HttpError::Closed(format!("{} closed the connection within the answer", server.address()))
    );
    server.set(Behaviour::Close).await;
    let error = send(get(&server.url("/"))).await.unwrap_err();
    assert!(matches!(&error, HttpError::Closed(_)), "{error:?}");
    server.set(Behaviour::Reset).await;
    let error = send(get(&server.url("/"))).await.unwrap_err();
    assert!(matches!(&error, HttpError::Closed(_)), "{error:?}");
}

#[tokio::test]
async fn what_is_not_http_is_told() {
    let server = WebServer::start(Behaviour::Garbage).await;
    for behaviour in [Behaviour::Garbage, Behaviour::Banner, Behaviour::HeaderBomb] {
        server.set(behaviour.clone()).await;
        let error = send(get(&server.url("/"))).await.unwrap_err();
        assert!(matches!(&error, HttpError::Protocol(_)), "{behaviour:?}: {error:?}");
    }
}

#[tokio::test]
async fn dropping_the_future_closes_the_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let sending = tokio::spawn(async move { send(get(&url)).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = [0; 1024];
    assert!(tokio::io::AsyncReadExt::read(&mut stream, &mut head).await.unwrap() > 0);
    sending.abort();
    let end = tokio::io::AsyncReadExt::read(&mut stream, &mut head);
    let end = timeout(Duration::from_secs(5), end).await.expect("the connection stayed open");
    assert!(matches!(end, Ok(0) | Err(_)));
}

#[tokio::test]
async fn what_is_no_request_is_not_sent() {
    let server = WebServer::start(Behaviour::ok("")).await;
    let good = || get(&server.url("/"));
    let with = |name: &str, value: &str| HttpRequest {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..good()
    };
    for (what, request) in [
        ("method", HttpRequest { method: "GET / HTTP/1.1\r\nX: y".to_owned(), ..good() }),
        ("no method", HttpRequest { method: String::new(), ..good() }),
        ("connect", HttpRequest { method: "CONNECT".to_owned(), ..good() }),
        ("relative", get("/health")),
        ("scheme", get("ftp://127.0.0.1/")),
        ("no host", get("http://")),
        ("port", get("http://127.0.0.1:99999/")),
        ("name", with("a b", "c")),
        ("name with a break", with("a\r\nb", "c")),
        ("value", with("a", "b\r\nc: d")),
        ("length", with("Content-Length", "5")),
        ("encoding", with("transfer-encoding", "chunked")),
        ("connection", with("connection", "keep-alive")),
        ("secret", with("a", "${secret:0}")),
        ("colon", HttpRequest { credentials: Some(basic("a:b", "c")), ..good() }),
    ] {
        let error = HttpProbe::new().send(request, &own(&server, &[])).await.unwrap_err();
        // A placeholder without its secret is as wrong as the rest.
        assert!(matches!(&error, HttpError::InvalidRequest(_)), "{what}: {error:?}");
    }
    assert_eq!(server.connections(), 0);
}

pub(super) fn basic(user: &str, password: &str) -> Credentials {
    Credentials::Basic { user: user.to_owned(), password: password.to_owned() }
}
