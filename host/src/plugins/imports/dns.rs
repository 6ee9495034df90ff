//! DNS at the wall.

use std::time::Duration;

use super::super::bindings::check::pihook::plugin as wit;
use super::super::run::RunState;
use super::{aside, millis, net};
use crate::probes::dns as probe;

impl wit::dns::Host for RunState {
    async fn ask(&mut self, query: wit::dns::Query) -> Result<wit::dns::Answer, wit::net::Error> {
        let outside = self.outside().map_err(wit::net::Error::Denied)?;
        let query = probe::DnsQuery {
            name: query.name,
            kind: query.kind,
            server: query.server,
            timeout: Duration::from_millis(query.timeout_ms.into()),
        };
        let asked = aside(async move { outside.probes.dns.ask(query, &outside.grants.network).await });
        match asked.await {
            Ok(Ok(answer)) => Ok(answer_to_guest(answer)),
            Ok(Err(error)) => Err(net::error_to_guest(error)),
            Err(reason) => Err(wit::net::Error::Other(reason)),
        }
    }
}

fn answer_to_guest(answer: probe::DnsAnswer) -> wit::dns::Answer {
    let record = |record: probe::DnsRecord| wit::dns::Rr {
        name: record.name,
        kind: record.kind,
        ttl: record.ttl,
        value: record.value,
    };
    wit::dns::Answer {
        code: answer.code,
        records: answer.records.into_iter().map(record).collect(),
        authoritative: answer.authoritative,
        authentic: answer.authentic,
        server: answer.server,
        took_ms: millis(answer.took),
    }
}
