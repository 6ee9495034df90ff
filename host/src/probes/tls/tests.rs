use std::io::Write as _;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::probes::http::{Access, HttpGrant};
use crate::probes::web::{Authority, Behaviour, EXPIRED_AT_MS, Identity, Show, WebServer};
use crate::probes::{NetworkGrant, Probes};

const LONG: Duration = Duration::from_secs(20);

fn request(port: u16, ca_file: Option<&tempfile::NamedTempFile>) -> TlsRequest {
    let target = Target { host: "127.0.0.1".to_owned(), port, connect_timeout: LONG, read_timeout: LONG };
    let ca_file = ca_file.map(|file| file.path().to_owned());
    TlsRequest { target, server_name: None, starttls: None, ca_file }
}

async fn ask(request: TlsRequest) -> Result<TlsAnswer, NetError> {
    let web = Access { grant: HttpGrant::Any, ..Access::default() };
    let grants = Grants { web, network: NetworkGrant::Any, ..Grants::default() };
    Probes::default().shake_hands(request, &grants).await
}

fn pem_file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// What is seen of a server with this identity by somebody who trusts this file.
async fn seen(identity: &Identity, file: &tempfile::NamedTempFile) -> TlsAnswer {
    let server = WebServer::start_tls(identity, Behaviour::ok("")).await;
    ask(request(server.address().port(), Some(file))).await.unwrap()
}

fn untimely() -> Option<Distrust> {
    Some(Distrust::Other("a certificate of its chain is not valid at this time".to_owned()))
}

#[tokio::test]
async fn a_handshake_is_made_whatever_the_certificate_is_worth() {
    let authority = Authority::new();
    let file = pem_file(authority.pem());
    let wrong = "the certificate is not for 127.0.0.1 but for other.example, 192.0.2.7".to_owned();
    for (show, distrust) in [
        (Show::Valid, None),
        (Show::Expired, untimely()),
        (Show::NotYetValid, untimely()),
        (Show::WrongName, Some(Distrust::WrongName(wrong))),
    ] {
        let answer = seen(&authority.issue(show), &file).await;
        assert_eq!(answer.distrust, distrust, "{show:?}");
        assert_eq!((answer.version, answer.chain.len()), ("TLS 1.3", 1));
        assert!(answer.cipher.starts_with("TLS13_"), "{}", answer.cipher);
        if matches!(show, Show::Expired) {
            assert_eq!(answer.chain[0].not_after_ms, EXPIRED_AT_MS);
        }
    }
}

#[tokio::test]
async fn another_name_may_be_asked_for() {
    let authority = Authority::new();
    let file = pem_file(authority.pem());
    let server = WebServer::start_tls(&authority.issue(Show::WrongName), Behaviour::ok("")).await;
    let named = |name: &str| {
        let server_name = Some(name.to_owned());
        ask(TlsRequest { server_name, ..request(server.address().port(), Some(&file)) })
    };
    let answer = named("other.example").await.unwrap();
    assert_eq!(
        (answer.distrust, answer.chain[0].names.as_slice()),
        (None, &["other.example".to_owned(), "192.0.2.7".to_owned()][..])
    );
    assert_eq!(named("192.0.2.7").await.unwrap().distrust, None);
    assert!(matches!(named("third.example").await.unwrap().distrust, Some(Distrust::WrongName(_))));
    assert!(matches!(named("no name").await, Err(NetError::InvalidRequest(_))));
    let mut by_name = request(server.address().port(), Some(&file));
    by_name.target.host = "localhost".to_owned();
    assert!(ask(by_name).await.unwrap().connection.dns.is_some());
}

#[tokio::test]
async fn who_vouches_for_a_certificate_is_told() {
    let (authority, other) = (Authority::new(), pem_file(Authority::new().pem()));
    let answer = seen(&authority.issue(Show::Valid), &other).await;
    let text = "the certificate's issuer is not trusted: CN=PiHook test authority";
    // The other authority has the same name and another key, so it may be the signature that is told.
    let signed = "the certificate is not signed by the issuer that it names";
    assert!(
        matches!(&answer.distrust, Some(Distrust::UnknownIssuer(told) | Distrust::Other(told)) if told == text || told == signed),
        "{:?}",
        answer.distrust
    );

    let identity = Identity::self_signed();
    let text = "the certificate is self-signed (CN=localhost) and not trusted".to_owned();
    assert_eq!(seen(&identity, &other).await.distrust, Some(Distrust::UnknownIssuer(text)));
    assert_eq!(seen(&identity, &pem_file(identity.pem())).await.distrust, None);
}

#[tokio::test]
async fn issuers_between_are_told_missing_or_out_of_time() {
    let root = Authority::new();
    let file = pem_file(root.pem());
    let lasting = root.below("Lasting", 2100);
    let answer = seen(&lasting.issue(Show::Valid), &file).await;
    assert_eq!((answer.distrust, answer.chain.len()), (None, 2));
    assert_eq!(answer.chain[1].subject, "CN=Lasting");

    let text = "the certificate's issuer is not trusted: CN=Lasting".to_owned();
    let answer = seen(&lasting.issue(Show::Valid).alone(), &file).await;
    assert_eq!((answer.distrust, answer.chain.len()), (Some(Distrust::UnknownIssuer(text)), 1));

    let over = root.below("Over", 2001);
    let answer = seen(&over.issue(Show::Valid), &file).await;
    assert_eq!((answer.distrust, answer.chain[1].not_after_ms), (untimely(), EXPIRED_AT_MS));

    // One that is not needed changes nothing, expired as it is.
    let answer = seen(&root.issue(Show::Valid).with(&over), &file).await;
    assert_eq!((answer.distrust, answer.chain.len()), (None, 2));

    // What time would not mend is told first.
    let answer = seen(&over.issue(Show::WrongName), &file).await;
    assert!(matches!(answer.distrust, Some(Distrust::WrongName(_))), "{:?}", answer.distrust);
    let answer = seen(&Authority::new().below("Foreign", 2100).issue(Show::Expired), &file).await;
    assert!(
        matches!(answer.distrust, Some(Distrust::UnknownIssuer(_) | Distrust::Other(_)))
            && answer.distrust != untimely()
    );

    // However long the chain is, ten are told.
    let mut long = root.below("0", 2100);
    for index in 1..12 {
        long = long.below(&index.to_string(), 2100);
    }
    assert_eq!(seen(&long.issue(Show::Valid), &file).await.chain.len(), MOST_CERTIFICATES);
}

#[tokio::test]
async fn what_may_not_be_asked_is_denied() {
    let probes = Probes::default();
    let denied = probes.shake_hands(request(1, None), &Grants::default()).await.unwrap_err();
    assert!(matches!(denied, NetError::Denied(_)));
    let file = pem_file("");
    let grants = Grants { network: NetworkGrant::Any, ..Grants::default() };
    let denied = probes.shake_hands(request(1, Some(&file)), &grants).await.unwrap_err();
    assert!(matches!(denied, NetError::Denied(_)));
    assert!(matches!(ask(request(1, Some(&file))).await, Err(NetError::InvalidRequest(_))), "an empty file");
}

/// A server that does this with each connection.
async fn server<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream));
        }
    });
    (port, task)
}

/// Says the first, and after each thing that it hears the next; then nothing more.
async fn talk(mut stream: TcpStream, says: Vec<String>) -> TcpStream {
    for words in says {
        let said = stream.write_all(words.as_bytes()).await;
        if said.is_err() || !matches!(stream.read(&mut [0; 512]).await, Ok(1..)) {
            break;
        }
    }
    stream
}

#[tokio::test]
async fn an_old_version_is_told() {
    let authority = Authority::new();
    let config = Arc::new(authority.issue(Show::Valid).server(&[&rustls::version::TLS12]));
    let (port, task) = server(move |stream| {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&config));
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            // Goodbye is said properly.
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
        }
    })
    .await;
    let file = pem_file(authority.pem());
    let answer = ask(request(port, Some(&file))).await.unwrap();
    assert_eq!((answer.version, answer.distrust), ("TLS 1.2", None));
    task.abort();
}

#[tokio::test]
async fn whoever_does_not_shake_hands_is_told_apart() {
    let file = pem_file(Authority::new().pem());
    let plain = WebServer::start(Behaviour::Banner).await;
    let closes = WebServer::start(Behaviour::Close).await;
    let hangs = WebServer::start(Behaviour::Hang).await;
    let refuses = WebServer::start(Behaviour::Refuse).await;
    let ask = |server: &WebServer, read_timeout| {
        let mut request = request(server.address().port(), Some(&file));
        request.target.read_timeout = read_timeout;
        ask(request)
    };
    assert!(matches!(ask(&plain, LONG).await, Err(NetError::Tls(_) | NetError::ReadTimeout(_))));
    assert!(matches!(ask(&closes, LONG).await, Err(NetError::Tls(_))));
    assert!(matches!(ask(&refuses, LONG).await, Err(NetError::Refused(_))));
    let error = ask(&hangs, Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(&error, NetError::ReadTimeout(text) if text.contains("within 100 ms")), "{error}");
}

#[tokio::test]
async fn starttls_leads_to_a_handshake_and_a_goodbye() {
    let authority = Authority::new();
    let file = pem_file(authority.pem());
    let acceptor =
        tokio_rustls::TlsAcceptor::from(Arc::new(authority.issue(Show::Valid).server(rustls::ALL_VERSIONS)));
    for (protocol, says, goodbye) in [
        (Starttls::Smtp, &["220-x\r\n220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n"][..], "QUIT\r\n"),
        (Starttls::Imap, &["* OK x\r\n", "a1 OK go\r\n"], "a2 LOGOUT\r\n"),
    ] {
        let (tell, told) = tokio::sync::oneshot::channel();
        let (acceptor, tell) = (acceptor.clone(), Arc::new(std::sync::Mutex::new(Some(tell))));
        let says: Vec<&str> = says.to_vec();
        let (port, task) = server(move |mut stream| {
            let (acceptor, tell, says) = (acceptor.clone(), Arc::clone(&tell), says.clone());
            async move {
                let mut consent = Vec::new();
                for (index, words) in says.iter().enumerate() {
                    stream.write_all(words.as_bytes()).await.unwrap();
                    if index + 1 < says.len() {
                        consent.resize(512, 0);
                        assert!(stream.read(&mut consent).await.unwrap() > 0);
                    }
                }
                let mut heard = Vec::new();
                acceptor.accept(stream).await.unwrap().read_to_end(&mut heard).await.unwrap();
                let tell = tell.lock().unwrap().take().unwrap();
                tell.send(String::from_utf8(heard).unwrap()).unwrap();
            }
        })
        .await;
        let answer =
            ask(TlsRequest { starttls: Some(protocol), ..request(port, Some(&file)) }).await.unwrap();
        assert!(answer.distrust.is_none() && answer.starttls.is_some(), "{:?}", answer.distrust);
        assert_eq!(told.await.unwrap(), goodbye);
        task.abort();
    }
}

#[tokio::test]
async fn a_dialogue_that_goes_wrong_is_told() {
    use Starttls::{Imap, Smtp};
    let file = pem_file(Authority::new().pem());
    let (long, many) = ("x".repeat(10_000), "220-x\r\n".repeat(200));
    for (protocol, says, expected) in [
        (Smtp, &["554 go away\r\n"][..], "does not welcome: \"554 go away\""),
        (Smtp, &["220 hi\r\n", "250 hi\r\n"], "does not offer STARTTLS"),
        (
            Smtp,
            &["220 hi\r\n", "250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"],
            "plain text between its consent",
        ),
        (Smtp, &[&long], "talks without end instead of SMTP"),
        (Smtp, &[&many], "talks without end instead of SMTP"),
        (Imap, &["* OK hi\r\n", "a1 NO never\r\n"], "refuses STARTTLS: \"a1 NO never\""),
    ] {
        let says: Vec<String> = says.iter().map(|&words| words.to_owned()).collect();
        let (port, task) = server(move |stream| {
            let says = says.clone();
            async move { drop(talk(stream, says).await) }
        })
        .await;
        let asked = ask(TlsRequest { starttls: Some(protocol), ..request(port, Some(&file)) }).await;
        let error = asked.unwrap_err();
        assert!(
            matches!(&error, NetError::Protocol(text) if text.contains(expected)),
            "{expected}: {error:?}"
        );
        task.abort();
    }
}

#[tokio::test]
async fn words_between_consent_and_handshake_are_no_tls() {
    // Not together with the consent but after it: the client has begun its handshake already.
    let (port, task) = server(|stream| async move {
        let says = ["220 hi\r\n", "250 STARTTLS\r\n", "220 go\r\n", "250 injected\r\n"].map(str::to_owned);
        drop(talk(stream, says.to_vec()).await);
    })
    .await;
    let file = pem_file(Authority::new().pem());
    let error =
        ask(TlsRequest { starttls: Some(Starttls::Smtp), ..request(port, Some(&file)) }).await.unwrap_err();
    assert!(matches!(&error, NetError::Tls(text) if text.contains("does not speak TLS")), "{error:?}");
    task.abort();
}

#[tokio::test]
async fn a_server_that_goes_away_or_says_nothing_is_given_up() {
    let file = pem_file(Authority::new().pem());
    let (silent, task) = server(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    for starttls in [None, Some(Starttls::Smtp), Some(Starttls::Imap)] {
        let mut request = TlsRequest { starttls, ..request(silent, Some(&file)) };
        request.target.read_timeout = Duration::from_millis(100);
        let error = ask(request).await.unwrap_err();
        assert!(matches!(&error, NetError::ReadTimeout(text) if text.contains("within 100 ms")), "{error:?}");
    }
    task.abort();
    let (gone, task) = server(|stream| async move { drop(stream) }).await;
    let error =
        ask(TlsRequest { starttls: Some(Starttls::Smtp), ..request(gone, Some(&file)) }).await.unwrap_err();
    assert!(matches!(&error, NetError::Closed(text) if text.contains("before STARTTLS")), "{error:?}");
    task.abort();
}
