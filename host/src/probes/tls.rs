//! A TLS handshake, whatever the certificate is worth: the chain is shown as it came, and beside it stands why nobody
//! should trust it.

mod starttls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConnection, ProtocolVersion};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::dial::{Dialled, Limit, borrowed, dial};
use super::handshake::{failed, server_name};
use super::net::spelled;
use super::resolve::Resolver;
use super::trust::{Rejection, Trust, Trusting, Verifier, describe};
use super::{Connection, Grants, NetError, Target};
pub use starttls::Starttls;

pub use super::trust::Shown as ChainCertificate;

/// The most certificates of a chain that are told.
const MOST_CERTIFICATES: usize = 10;

/// The most names of a certificate that are told.
const MOST_NAMES: usize = 100;

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(200);

/// A handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsRequest {
    /// Where to.
    pub target: Target,
    /// The name that the certificate is to be valid for, when it is not the host.
    pub server_name: Option<String>,
    /// What is said in plain text before; none for nothing.
    pub starttls: Option<Starttls>,
    /// A file of PEM certificates that are trusted beside the system's. An absolute path.
    pub ca_file: Option<PathBuf>,
}

/// Why a certificate is not to be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// Its chain does not end at an issuer that is trusted.
    UnknownIssuer(String),
    /// It is not valid for the name.
    WrongName(String),
    /// Its time, or that of its issuers, is not now; or another reason.
    Other(String),
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsAnswer {
    /// The connection.
    pub connection: Connection,
    /// The words before the handshake; none without any.
    pub starttls: Option<Duration>,
    /// The handshake.
    pub handshake: Duration,
    /// Such as `TLS 1.3`.
    pub version: &'static str,
    /// The cipher suite's name.
    pub cipher: String,
    /// The server's own certificate first; at most 10.
    pub chain: Vec<ChainCertificate>,
    /// Why it is not to be trusted; none if it is.
    pub distrust: Option<Distrust>,
}

/// Makes a handshake and closes the connection.
///
/// # Errors
/// Whatever kept the handshake from coming about. That the certificate is not to be trusted is none.
pub(super) async fn shake_hands(
    request: TlsRequest,
    resolver: &Resolver,
    trust: &Trust,
    grants: &Grants,
) -> Result<TlsAnswer, NetError> {
    let (host, to) = request.target.within(&grants.network)?;
    let name = name(request.server_name.as_deref(), &host)?;
    if request.ca_file.as_ref().is_some_and(|file| !grants.web.trusts_file(file)) {
        // Nothing about the file: whether there is one is none of the plugin's business.
        let text = "only the ca_file that the service's settings name may be used";
        return Err(NetError::Denied(text.to_owned()));
    }
    let (connect_timeout, read_timeout) = request.target.timeouts();
    let verifier = trust.verifier(&Trusting::System(request.ca_file), connect_timeout).await?;
    let anybody = trust.verifier(&Trusting::Anything, connect_timeout).await?;
    let connector = TlsConnector::from(Arc::new(trust.config(anybody)?));

    let limit = Limit::starting_now(connect_timeout);
    let Dialled { stream, remote, dns, connect } = dial(resolver, borrowed(&host), &to, limit).await?;
    let connection = Connection { remote_address: remote, dns, connect };
    let work = secure(stream, remote, request.starttls, &connector, name.clone());
    let Secured { stream, starttls, handshake } = timeout(read_timeout, work).await.map_err(|_| {
        let within = spelled(read_timeout);
        NetError::ReadTimeout(format!("no TLS handshake with {remote} within {within} (read timeout)"))
    })??;

    let (_, session) = stream.get_ref();
    let certificates = session.peer_certificates().unwrap_or_default();
    let answer = TlsAnswer {
        connection,
        starttls,
        handshake,
        version: version(session),
        cipher: session
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or_default()
            .to_owned(),
        chain: chain(certificates, remote)?,
        distrust: distrust(&verifier, certificates, &name),
    };
    // Whoever has gone already need not be told that we go.
    let _ = timeout(GOODBYE, leave(stream, request.starttls)).await;
    Ok(answer)
}

/// A connection on which the handshake is over.
struct Secured {
    stream: TlsStream<TcpStream>,
    starttls: Option<Duration>,
    handshake: Duration,
}

async fn secure(
    mut stream: TcpStream,
    remote: SocketAddr,
    before: Option<Starttls>,
    connector: &TlsConnector,
    name: ServerName<'static>,
) -> Result<Secured, NetError> {
    let start = Instant::now();
    let starttls = match before {
        Some(protocol) => {
            starttls::agree(&mut stream, protocol, remote).await?;
            Some(start.elapsed())
        }
        None => None,
    };
    let start = Instant::now();
    let stream = connector.connect(name, stream).await.map_err(|error| failed(&error, remote))?;
    Ok(Secured { stream, starttls, handshake: start.elapsed() })
}

async fn leave(mut stream: TlsStream<TcpStream>, before: Option<Starttls>) {
    if let Some(protocol) = before {
        let _ = stream.write_all(protocol.goodbye()).await;
    }
    let _ = stream.shutdown().await;
}

/// The name that the certificate is to be valid for.
fn name(wanted: Option<&str>, host: &Host) -> Result<ServerName<'static>, NetError> {
    let Some(wanted) = wanted else { return server_name(borrowed(host)) };
    let unfit =
        |_| NetError::InvalidRequest(format!("`{wanted}` is not a name that a certificate could have"));
    let host = match wanted.parse() {
        Ok(address) => Host::Ipv6(address),
        Err(_) => Host::parse(wanted).map_err(unfit)?,
    };
    server_name(borrowed(&host))
}

fn version(session: &ClientConnection) -> &'static str {
    match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        // It speaks no older one.
        _ => "TLS 1.2",
    }
}

/// What can be read of the certificates.
fn chain(certificates: &[CertificateDer<'_>], remote: SocketAddr) -> Result<Vec<ChainCertificate>, NetError> {
    let unreadable = || NetError::Tls(format!("{remote} shows a certificate that cannot be read"));
    let (own, issuers) = certificates.split_first().ok_or_else(unreadable)?;
    let own = describe(own).ok_or_else(unreadable)?;
    let mut chain = vec![own];
    chain.extend(issuers.iter().take(MOST_CERTIFICATES - 1).filter_map(describe));
    for certificate in &mut chain {
        certificate.names.truncate(MOST_NAMES);
    }
    Ok(chain)
}

/// Why nobody should trust these certificates. A reason that time would not mend comes before one of time.
fn distrust(
    verifier: &Verifier,
    certificates: &[CertificateDer<'_>],
    name: &ServerName<'_>,
) -> Option<Distrust> {
    let (own, issuers) = certificates.split_first()?;
    let judge = |at| verifier.judge(own, issuers, name, at);
    let untimely =
        |rejection: &Rejection| matches!(rejection, Rejection::Expired(_) | Rejection::NotYetValid(_));
    let first = judge(UnixTime::now()).err()?;
    let lasting = if untimely(&first) {
        judge(common_time(certificates)).err().filter(|second| !untimely(second))
    } else {
        None
    };
    Some(match lasting.unwrap_or(first) {
        Rejection::UnknownIssuer(text) => Distrust::UnknownIssuer(text),
        Rejection::WrongName(text) => Distrust::WrongName(text),
        Rejection::Invalid(text) => Distrust::Other(text),
        Rejection::Expired(_) | Rejection::NotYetValid(_) => {
            Distrust::Other("a certificate of its chain is not valid at this time".to_owned())
        }
    })
}

/// A time at which all the certificates are valid; if there is none, one at which the server's own is.
fn common_time(certificates: &[CertificateDer<'_>]) -> UnixTime {
    let shown: Vec<ChainCertificate> = certificates.iter().filter_map(describe).collect();
    let latest_start = shown.iter().map(|shown| shown.not_before_ms).max().unwrap_or(0);
    let first_end = shown.iter().map(|shown| shown.not_after_ms).min().unwrap_or(0);
    let own_start = shown.first().map_or(0, |own| own.not_before_ms);
    let at = if latest_start <= first_end { latest_start } else { own_start };
    UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(at).unwrap_or(0)))
}

#[cfg(test)]
mod tests;
