use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use super::*;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

/// A server that does this with the first connection.
async fn server<F: Future<Output = ()> + Send + 'static>(
    address: &str,
    serve: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream).await;
    });
    (address, task)
}

fn request(address: SocketAddr, read_timeout: Duration) -> TcpRequest {
    let target =
        Target { host: address.ip().to_string(), port: address.port(), connect_timeout: LONG, read_timeout };
    TcpRequest { target, send: None, receive: Receive::Nothing }
}

fn listening(address: SocketAddr, read_timeout: Duration, until: Option<&str>) -> TcpRequest {
    let receive = Receive::Answer { until: until.map(|text| text.as_bytes().to_vec()), max_bytes: u32::MAX };
    TcpRequest { receive, ..request(address, read_timeout) }
}

async fn ask(request: TcpRequest) -> Result<TcpAnswer, NetError> {
    exchange(request, &Resolver::system(), &NetworkGrant::Any).await
}

async fn idle(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

#[tokio::test]
async fn a_connection_is_enough_and_is_closed() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (address, task) = server(address, async |mut stream| {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, b"bye\n");
        })
        .await;
        let answer =
            ask(TcpRequest { send: Some(b"bye\n".to_vec()), ..request(address, LONG) }).await.unwrap();
        assert_eq!(answer.connection.remote_address, address);
        assert!(answer.connection.dns.is_none() && answer.received.is_empty() && answer.answer.is_none());
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_name_is_resolved_and_whoever_refuses_is_named() {
    let (address, _task) = server("127.0.0.1:0", idle).await;
    let mut named = request(address, LONG);
    named.target.host = "localhost".to_owned();
    assert!(ask(named).await.unwrap().connection.dns.is_some());

    let reserved = TcpSocket::new_v4().unwrap();
    reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = reserved.local_addr().unwrap();
    let refused = NetError::Refused(format!("connection refused by {address}"));
    assert_eq!(ask(request(address, LONG)).await, Err(refused));
}

#[tokio::test]
async fn a_banner_ends_where_it_is_complete_or_pauses() {
    let banner = async |mut stream: TcpStream| {
        for piece in ["SSH-2", ".0-", "OpenSSH\r\n"] {
            stream.write_all(piece.as_bytes()).await.unwrap();
        }
        idle(stream).await;
    };
    for until in [None, Some("OpenSSH"), Some("SSH-2.0-OpenSSH\r\n")] {
        let (address, _task) = server("127.0.0.1:0", banner).await;
        let answer = ask(listening(address, LONG, until)).await.unwrap();
        assert_eq!(answer.received, b"SSH-2.0-OpenSSH\r\n", "{until:?}");
        assert!(answer.answer.is_some());
    }
}

#[tokio::test]
async fn what_is_sent_is_answered() {
    let (address, _task) = server("127.0.0.1:0", async |mut stream| {
        let mut word = [0; 6];
        stream.read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b"PING\r\n");
        stream.write_all(b"+PONG\r\n").await.unwrap();
        idle(stream).await;
    })
    .await;
    let request = TcpRequest { send: Some(b"PING\r\n".to_vec()), ..listening(address, LONG, Some("+PONG")) };
    assert_eq!(ask(request).await.unwrap().received, b"+PONG\r\n");
}

#[tokio::test]
async fn who_says_nothing_is_given_up_and_who_says_something_else_is_heard() {
    let (address, _task) = server("127.0.0.1:0", idle).await;
    let text = format!("{address} took the connection but did not answer within 300 ms (read timeout)");
    assert_eq!(ask(listening(address, SHORT, None)).await, Err(NetError::ReadTimeout(text)));

    let (address, _task) = server("127.0.0.1:0", async |mut stream| {
        stream.write_all(b"-ERR\r\n").await.unwrap();
        idle(stream).await;
    })
    .await;
    assert_eq!(ask(listening(address, SHORT, Some("+OK"))).await.unwrap().received, b"-ERR\r\n");

    let (address, _task) = server("127.0.0.1:0", async |mut stream| {
        // As slow as that: never complete, and never silent for long.
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let answer = ask(listening(address, SHORT, Some("y"))).await.unwrap();
    assert!(!answer.received.is_empty() && answer.received.iter().all(|byte| *byte == b'x'));
}

#[tokio::test]
async fn who_goes_away_is_told_apart_from_who_slams_the_door() {
    let (address, _task) = server("127.0.0.1:0", async |stream| drop(stream)).await;
    let text = format!("{address} closed the connection without an answer");
    assert_eq!(ask(listening(address, LONG, None)).await, Err(NetError::Closed(text)));

    let (address, _task) = server("127.0.0.1:0", async |stream: TcpStream| {
        stream.readable().await.unwrap();
        // Closing with unread bytes resets the connection.
        drop(stream);
    })
    .await;
    let request = TcpRequest { send: Some(b"hello".to_vec()), ..listening(address, LONG, None) };
    let text = format!("{address} reset the connection without an answer");
    assert_eq!(ask(request).await, Err(NetError::Closed(text)));

    let (address, _task) = server("127.0.0.1:0", async |mut stream| {
        stream.write_all(b"busy").await.unwrap();
    })
    .await;
    assert_eq!(ask(listening(address, LONG, Some("ready"))).await.unwrap().received, b"busy");
}

#[tokio::test]
async fn a_flood_is_kept_up_to_its_limit() {
    let flood = async |mut stream: TcpStream| while stream.write_all(&[b'x'; 4096]).await.is_ok() {};
    let (address, _task) = server("127.0.0.1:0", flood).await;
    assert_eq!(ask(listening(address, LONG, Some("y"))).await.unwrap().received.len(), MOST_BYTES);
    let (address, _task) = server("127.0.0.1:0", flood).await;
    let mut request = listening(address, LONG, None);
    request.receive = Receive::Answer { until: None, max_bytes: 10 };
    assert_eq!(ask(request).await.unwrap().received.len(), 10);
}

#[tokio::test]
async fn who_does_not_listen_is_not_waited_for() {
    let (address, _task) = server("127.0.0.1:0", idle).await;
    // More than the kernel buffers would need a larger request than there may be; so the limit is what is tested.
    let request = TcpRequest { send: Some(vec![0; MOST_BYTES + 1]), ..request(address, SHORT) };
    assert!(matches!(ask(request).await, Err(NetError::InvalidRequest(_))));
}

#[tokio::test]
async fn what_is_not_granted_is_not_even_resolved() {
    let mut request = request("127.0.0.1:22".parse().unwrap(), LONG);
    request.target.host = "nowhere.invalid".to_owned();
    let denied = exchange(request.clone(), &Resolver::system(), &NetworkGrant::default()).await.unwrap_err();
    assert!(matches!(&denied, NetError::Denied(text) if text.contains("nowhere.invalid:22")), "{denied}");
    assert!(matches!(ask(request.clone()).await, Err(NetError::Dns(_))));
    for (host, port) in [("", 1), ("a b", 1), ("localhost", 0), ("a/b", 1)] {
        request.target.host = host.to_owned();
        request.target.port = port;
        assert!(matches!(ask(request.clone()).await, Err(NetError::InvalidRequest(_))), "{host:?} {port}");
    }
}
