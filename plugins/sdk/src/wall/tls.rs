//! TLS across the wall.

use super::check_bindings::pihook::plugin::tls as wit;
use super::net;
use crate::net::Error;
use crate::tls::{Answer, Certificate, Distrust, Request, Starttls};

pub(crate) fn handshake(request: &Request) -> Result<Answer, Error> {
    wit::handshake(&wit::Request {
        target: net::target(&request.target),
        server_name: request.server_name.clone(),
        starttls: match request.starttls {
            Starttls::None => wit::Starttls::None,
            Starttls::Smtp => wit::Starttls::Smtp,
            Starttls::Imap => wit::Starttls::Imap,
        },
        ca_file: request.ca_file.clone(),
    })
    .map(answer)
    .map_err(net::error)
}

fn answer(answer: wit::Answer) -> Answer {
    let certificate = |shown: wit::Certificate| Certificate {
        subject: shown.subject,
        issuer: shown.issuer,
        names: shown.names,
        not_before_ms: shown.not_before_ms,
        not_after_ms: shown.not_after_ms,
    };
    Answer {
        connection: net::connection(answer.connection),
        starttls_ms: answer.starttls_ms,
        handshake_ms: answer.handshake_ms,
        version: answer.version,
        cipher: answer.cipher,
        chain: answer.chain.into_iter().map(certificate).collect(),
        distrust: answer.distrust.map(|distrust| match distrust {
            wit::Distrust::UnknownIssuer(text) => Distrust::UnknownIssuer(text),
            wit::Distrust::WrongName(text) => Distrust::WrongName(text),
            wit::Distrust::Other(text) => Distrust::Other(text),
        }),
    }
}
