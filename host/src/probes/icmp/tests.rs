use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::net::UdpSocket;

use super::*;

fn request() -> IcmpRequest {
    IcmpRequest {
        host: "127.0.0.1".to_owned(),
        count: 3,
        interval: Duration::from_millis(10),
        timeout: Duration::from_secs(20),
        payload_bytes: 56,
    }
}

/// A socket as a probe has it, and one that plays the host: the probe's packets are the same over UDP.
async fn pair() -> (UdpSocket, UdpSocket) {
    let sockets = [
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
    ];
    let [own, host] = sockets;
    own.connect(host.local_addr().unwrap()).await.unwrap();
    host.connect(own.local_addr().unwrap()).await.unwrap();
    (own, host)
}

/// Answers the requests whose number, from 1, is among these; with noise between.
async fn answer(host: UdpSocket, numbers: &[u8]) {
    let mut buffer = [0; 2048];
    while let Ok(length) = host.recv(&mut buffer).await {
        let mut packet = buffer[..length].to_vec();
        packet[0] = 0;
        for noise in [&b""[..], b"?", &packet[..length - 1], &[3; 64]] {
            host.send(noise).await.unwrap();
        }
        if numbers.contains(&packet[7]) {
            host.send(&packet).await.unwrap();
            host.send(&packet).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_lost_is_told_apart_from_what_came_back() {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    for numbers in [&[1, 2, 3][..], &[2], &[1, 3], &[]] {
        let (own, host) = pair().await;
        let request = IcmpRequest { timeout: Duration::from_millis(500), ..request() };
        let answer = tokio::select! {
            answer = exchange(&own, address, &request) => answer,
            () = answer(host, numbers) => unreachable!("it answers for ever"),
        };
        let came: Vec<u8> = (1..=3)
            .zip(&answer.round_trips)
            .filter(|(_, trip)| trip.is_some())
            .map(|(number, _)| number)
            .collect();
        assert_eq!(came, numbers);
        assert_eq!((answer.address, answer.complaint.as_str()), (address, ""));
    }
}

#[tokio::test]
async fn complaints_are_told_and_end() {
    let (own, host) = pair().await;
    drop(host);
    let request = IcmpRequest { timeout: Duration::from_millis(50), count: 20, ..request() };
    let answer = exchange(&own, IpAddr::V4(Ipv4Addr::LOCALHOST), &request).await;
    assert_eq!(answer.complaint, "connection refused");
    assert_eq!(answer.round_trips, [None; 20]);
}

#[tokio::test]
async fn what_cannot_be_asked_or_is_not_granted_is_told() {
    let resolver = Resolver::system();
    let any = NetworkGrant::Any;
    for (request, what) in [
        (IcmpRequest { count: 0, ..request() }, "0 echo requests: from 1 to 20"),
        (IcmpRequest { count: 21, ..request() }, "21 echo requests: from 1 to 20"),
        (IcmpRequest { interval: Duration::from_millis(9), ..request() }, "at least 10 ms"),
        (IcmpRequest { payload_bytes: 1401, ..request() }, "at most 1400"),
    ] {
        let error = ping(&request, &resolver, &any).await.unwrap_err();
        assert!(matches!(&error, NetError::InvalidRequest(text) if text.contains(what)), "{error}");
    }
    let denied = ping(&request(), &resolver, &NetworkGrant::default()).await.unwrap_err();
    assert!(
        matches!(&denied, NetError::Denied(text) if text.contains("\"127.0.0.1\" goes into")),
        "{denied}"
    );
}

#[tokio::test]
async fn this_machine_answers_itself_where_it_may_ask() {
    let resolver = Resolver::system();
    for host in ["127.0.0.1", "::1", "localhost"] {
        let request = IcmpRequest { host: host.to_owned(), ..request() };
        match ping(&request, &resolver, &NetworkGrant::Any).await {
            Ok(answer) => {
                assert!(answer.round_trips.iter().all(Option::is_some), "{answer:?}");
                assert_eq!(answer.dns.is_some(), host == "localhost");
                assert!(
                    [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].contains(&answer.address)
                );
            }
            Err(NetError::Forbidden(text)) => println!("not tested: {text}"),
            Err(NetError::Unreachable(text)) if host == "::1" => println!("not tested: {text}"),
            Err(error) => panic!("{host}: {error}"),
        }
    }
}
