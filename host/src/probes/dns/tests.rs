use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// What a server sends to a question's bytes: any number of packets.
type Say = fn(&[u8]) -> Vec<Vec<u8>>;

/// A server on loopback that does what it likes.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Server {
    async fn start(say: impl Fn(&[u8], usize) -> Vec<Vec<u8>> + Send + 'static) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counted = asked.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let before = counted.fetch_add(1, Ordering::SeqCst);
                for packet in say(&buffer[..length], before) {
                    socket.send_to(&packet, from).await.unwrap();
                }
            }
        });
        Self { address, asked }
    }

    async fn ask(&self, timeout: Duration) -> Result<DnsAnswer, NetError> {
        ask(&[self.address], timeout).await
    }
}

async fn ask(servers: &[SocketAddr], timeout: Duration) -> Result<DnsAnswer, NetError> {
    ask_each(&Question::new("nas.lan", "A").unwrap(), servers, timeout).await
}

/// The question's own bytes as an answer with these flags and this code, and one address.
fn good(question: &[u8]) -> Vec<u8> {
    let mut answer = question.to_vec();
    answer[2] |= 0x84;
    answer[3] = 0x80;
    answer[7] = 1;
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 168, 1, 10]);
    answer
}

fn coded(question: &[u8], code: u8) -> Vec<u8> {
    let mut answer = question.to_vec();
    answer[2] |= 0x80;
    answer[3] = code;
    answer
}

#[tokio::test]
async fn a_good_answer_is_told_as_it_is() {
    let server = Server::start(|question, _| vec![good(question)]).await;
    let answer = server.ask(LONG).await.unwrap();
    assert_eq!((&*answer.code, answer.authoritative, answer.authentic), ("NOERROR", true, false));
    assert_eq!(answer.server, server.address.to_string());
    let record =
        DnsRecord { name: "nas.lan".into(), kind: "A".into(), ttl: 300, value: "192.168.1.10".into() };
    assert_eq!(answer.records, [record]);
    assert_eq!(server.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_lost_packet_is_asked_for_again() {
    let server =
        Server::start(|question, before| if before == 0 { vec![] } else { vec![good(question)] }).await;
    assert!(server.ask(LONG).await.is_ok());
    assert_eq!(server.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_answers_another_question_is_passed_over() {
    let says: [Say; 5] = [
        |question| vec![[&[question[0] ^ 1], &question[1..]].concat()],
        |question| vec![question.to_vec()],
        |_| vec![vec![], vec![0; 600], b"HTTP/1.1 400 Bad Request".to_vec()],
        |question| {
            let mut other = good(question);
            other[13] = b'x';
            vec![other]
        },
        |question| vec![good(question)[..30].to_vec()],
    ];
    for say in says {
        let odd = Server::start(move |question, _| say(question)).await;
        let error = odd.ask(Duration::from_millis(300)).await.unwrap_err();
        let text = format!("what came from {} is no answer to the question", odd.address);
        assert_eq!(error, NetError::Protocol(text));
        let then = Server::start(move |question, _| [say(question), vec![good(question)]].concat()).await;
        assert!(then.ask(LONG).await.is_ok());
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up_after_a_second_try() {
    let silent = Server::start(|_, _| vec![]).await;
    let error = silent.ask(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(error, NetError::ReadTimeout(format!("{} did not answer within 300 ms", silent.address)));
    assert_eq!(silent.asked.load(Ordering::SeqCst), 2);
}

/// An address where nobody listens.
async fn closed() -> SocketAddr {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn nobody_there_is_told_at_once() {
    let closed = closed().await;
    let error = ask(&[closed], LONG).await.unwrap_err();
    let text = format!("nothing answers DNS questions at {closed}: connection refused");
    assert_eq!(error, NetError::Refused(text));
}

#[tokio::test]
async fn the_next_server_is_asked_after_its_share_of_the_time() {
    let silent = Server::start(|_, _| vec![]).await;
    let refuses = Server::start(|question, _| vec![coded(question, 5)]).await;
    let fine = Server::start(|question, _| vec![good(question)]).await;
    let servers = [closed().await, silent.address, refuses.address, fine.address];
    let answer = ask(&servers, Duration::from_secs(4)).await.unwrap();
    assert_eq!((&*answer.code, answer.server), ("NOERROR", fine.address.to_string()));
    let answer = ask(&servers[..3], Duration::from_secs(3)).await.unwrap();
    assert_eq!((&*answer.code, answer.server), ("REFUSED", refuses.address.to_string()));
    let error = ask(&servers[..2], Duration::from_secs(1)).await.unwrap_err();
    assert!(
        matches!(&error, NetError::Refused(text) if text.starts_with("no nameserver answers: nothing answers"))
    );
    assert!(error.to_string().contains(&format!("; {} did not answer within", silent.address)), "{error}");
}

#[tokio::test]
async fn codes_have_names() {
    for (code, name) in [
        (0, "NOERROR"),
        (1, "FORMERR"),
        (2, "SERVFAIL"),
        (3, "NXDOMAIN"),
        (4, "NOTIMP"),
        (5, "REFUSED"),
        (9, "RCODE9"),
    ] {
        let server = Server::start(move |question, _| vec![coded(question, code)]).await;
        let answer = server.ask(LONG).await.unwrap();
        assert_eq!((&*answer.code, answer.records.len()), (name, 0));
    }
}

/// A server that says over UDP that its answer is too long, and has this to say over TCP.
async fn truncating(say: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Server {
    let server = Server::start(|question, _| {
        let mut answer = coded(question, 0);
        answer[2] |= 2;
        vec![answer]
    })
    .await;
    let listener = TcpListener::bind(server.address).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = vec![0; stream.read_u16().await.unwrap().into()];
            stream.read_exact(&mut question).await.unwrap();
            stream.write_all(&say(&question)).await.unwrap();
        }
    });
    server
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

#[tokio::test]
async fn a_long_answer_comes_over_tcp() {
    let long = |question: &[u8]| {
        let mut answer = good(question);
        answer[6..8].copy_from_slice(&300_u16.to_be_bytes());
        let record = answer[question.len()..].to_vec();
        answer.extend(record.repeat(299));
        framed(&answer)
    };
    let answer = truncating(long).await.ask(LONG).await.unwrap();
    assert_eq!((&*answer.code, answer.records.len()), ("NOERROR", 100));
    let closes = truncating(|question| framed(&good(question))[..20].to_vec()).await;
    let error = closes.ask(LONG).await.unwrap_err();
    let text = format!(
        "the answer has no room in a UDP packet, and over TCP {} closed the connection within the answer",
        closes.address
    );
    assert_eq!(error, NetError::Closed(text));
    let odd = truncating(|_| framed(b"what?")).await.ask(LONG).await.unwrap_err();
    assert!(matches!(odd, NetError::Protocol(text) if text.ends_with("is no answer to the question")));
    let only_udp = Server::start(|question, _| {
        let mut answer = coded(question, 0);
        answer[2] |= 2;
        vec![answer]
    });
    let error = only_udp.await.ask(LONG).await.unwrap_err();
    assert!(matches!(error, NetError::Refused(text) if text.contains("over TCP nothing answers")));
}

#[tokio::test]
async fn only_granted_servers_are_asked() {
    let server = Server::start(|question, _| vec![good(question)]).await;
    let query = |server: &str| DnsQuery {
        name: "nas.lan".into(),
        kind: "A".into(),
        server: Some(server.to_owned()),
        timeout: LONG,
    };
    let address = server.address.to_string();
    let probe = DnsProbe::default();
    let nothing = NetworkGrant::default();
    let refused = probe.ask(query(&address), &nothing).await.unwrap_err();
    assert!(matches!(&refused, NetError::Denied(text) if text.contains(&address)), "{refused}");
    let granted = NetworkGrant::Hosts(vec![address.parse().unwrap()]);
    assert!(probe.ask(query(&address), &granted).await.is_ok());
    assert!(probe.ask(query(&address), &NetworkGrant::Any).await.is_ok());
    let wrong = probe.ask(query("router.lan"), &NetworkGrant::Any).await.unwrap_err();
    assert!(matches!(wrong, NetError::InvalidRequest(text) if text.contains("\"router.lan\" is no address")));
    // Of several only those that are granted.
    let servers = vec![closed().await, server.address];
    assert_eq!(reachable(servers.clone(), &granted), Ok(vec![server.address]));
    assert!(reachable(servers.clone(), &nothing).unwrap_err().contains(&servers[0].to_string()));
}
