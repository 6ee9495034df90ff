//! The least that such a monitor could be: one hyper request after the other over new connections, with no judgement,
//! no history and no alert. `tests/bench/bench.py` measures PiHook beside it.
//!
//! `bare_loop PORT SERVICES INTERVAL_SECONDS [CA_FILE]`: with a CA file it speaks https.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a yardstick that fails loudly")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize| arguments.get(at).expect("an argument is missing").parse::<u32>().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(number(1)).unwrap()));
    let (services, interval) = (number(2), Duration::from_secs(number(3).into()));
    let connector = arguments.get(4).map(|file| connector(file));
    let mut tick = tokio::time::interval(interval / services);
    for service in (0..services).cycle() {
        tick.tick().await;
        let stream = TcpStream::connect(address).await.unwrap();
        match &connector {
            None => exchange(stream, service).await,
            Some(connector) => {
                let name = ServerName::from(address.ip());
                exchange(connector.connect(name, stream).await.unwrap(), service).await;
            }
        }
    }
}

async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: u32) {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(connection);
    let request = http::Request::get(format!("/{service}"))
        .header("host", "localhost")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    driver.abort();
}

fn connector(file: &str) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}
