//! DNS across the wall.

use super::check_bindings::pihook::plugin::dns as wit;
use super::net;
use crate::dns::{Answer, Query, Record};
use crate::net::Error;

pub(crate) fn ask(query: &Query) -> Result<Answer, Error> {
    let timeout_ms = u32::try_from(query.timeout.as_millis()).unwrap_or(u32::MAX);
    let query = wit::Query {
        name: query.name.clone(),
        kind: query.kind.clone(),
        server: query.server.clone(),
        timeout_ms,
    };
    wit::ask(&query).map(answer).map_err(net::error)
}

fn answer(answer: wit::Answer) -> Answer {
    let record = |wit::Rr { name, kind, ttl, value }| Record { name, kind, ttl, value };
    Answer {
        code: answer.code,
        records: answer.records.into_iter().map(record).collect(),
        authoritative: answer.authoritative,
        authentic: answer.authentic,
        server: answer.server,
        took_ms: answer.took_ms,
    }
}
