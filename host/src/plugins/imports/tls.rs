//! TLS at the wall.

use std::path::PathBuf;

use super::super::bindings::check::pihook::plugin::{net as shared, tls as wit};
use super::super::run::RunState;
use super::{aside, millis, net};
use crate::probes::tls as probe;

impl wit::Host for RunState {
    async fn handshake(&mut self, request: wit::Request) -> Result<wit::Answer, shared::Error> {
        let outside = self.outside().map_err(shared::Error::Denied)?;
        let request = request_from_guest(request);
        let asked = aside(async move { outside.probes.shake_hands(request, &outside.grants).await });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer_to_guest(answer)),
            Ok(Err(error)) => Err(net::error_to_guest(error)),
            Err(reason) => Err(shared::Error::Other(reason)),
        }
    }
}

fn request_from_guest(request: wit::Request) -> probe::TlsRequest {
    probe::TlsRequest {
        target: net::target_from_guest(request.target),
        server_name: request.server_name,
        starttls: match request.starttls {
            wit::Starttls::None => None,
            wit::Starttls::Smtp => Some(probe::Starttls::Smtp),
            wit::Starttls::Imap => Some(probe::Starttls::Imap),
        },
        ca_file: request.ca_file.map(PathBuf::from),
    }
}

fn answer_to_guest(answer: probe::TlsAnswer) -> wit::Answer {
    let certificate = |shown: probe::ChainCertificate| wit::Certificate {
        subject: shown.subject,
        issuer: shown.issuer,
        names: shown.names,
        not_before_ms: shown.not_before_ms,
        not_after_ms: shown.not_after_ms,
    };
    wit::Answer {
        connection: net::connection_to_guest(answer.connection),
        starttls_ms: answer.starttls.map(millis),
        handshake_ms: millis(answer.handshake),
        version: answer.version.to_owned(),
        cipher: answer.cipher,
        chain: answer.chain.into_iter().map(certificate).collect(),
        distrust: answer.distrust.map(|distrust| match distrust {
            probe::Distrust::UnknownIssuer(text) => wit::Distrust::UnknownIssuer(text),
            probe::Distrust::WrongName(text) => wit::Distrust::WrongName(text),
            probe::Distrust::Other(text) => wit::Distrust::Other(text),
        }),
    }
}
