//! DNS messages: a question to bytes, and bytes to an answer or nothing.

use std::net::IpAddr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

use super::{DnsAnswer, DnsRecord};

const KINDS: [(&str, RecordType); 10] = [
    ("A", RecordType::A),
    ("AAAA", RecordType::AAAA),
    ("CNAME", RecordType::CNAME),
    ("MX", RecordType::MX),
    ("NS", RecordType::NS),
    ("TXT", RecordType::TXT),
    ("SRV", RecordType::SRV),
    ("PTR", RecordType::PTR),
    ("SOA", RecordType::SOA),
    ("CAA", RecordType::CAA),
];

/// Records of an answer that are kept.
const MOST_RECORDS: usize = 100;

/// A question with an id of its own.
pub(super) struct Question {
    query: Query,
    id: u16,
    bytes: Vec<u8>,
}

/// What a server answered to a question.
#[derive(Debug)]
pub(super) struct Reply {
    message: Message,
}

impl Question {
    /// Asks for the records of this type that the name has.
    pub(super) fn new(name: &str, kind: &str) -> Result<Self, String> {
        let known = KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind));
        let Some((_, kind)) = known else {
            let names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
            return Err(format!("\"{}\" is no type of record: one of {}", shown(kind), names.join(", ")));
        };
        let query = Query::query(parse_name(name, *kind)?, *kind);
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        // That we understand the same flag in the answer (RFC 6840, 5.7).
        message.metadata.authentic_data = true;
        message.add_query(query.clone());
        let unsendable = |_| format!("\"{}\" cannot be asked for", shown(name));
        Ok(Self { query, id: message.metadata.id, bytes: message.to_vec().map_err(unsendable)? })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What these bytes answer to this question; none if they don't.
    pub(super) fn reply(&self, bytes: &[u8]) -> Option<Reply> {
        let message = Message::from_vec(bytes).ok()?;
        let head = &message.metadata;
        let fits = head.id == self.id
            && head.message_type == MessageType::Response
            && head.op_code == OpCode::Query
            && match message.queries.as_slice() {
                [asked] => {
                    asked.query_type == self.query.query_type
                        && asked.query_class == DNSClass::IN
                        && asked.name.eq_ignore_root(&self.query.name)
                }
                // Some servers refuse without repeating what.
                [] => head.response_code != ResponseCode::NoError,
                _ => false,
            };
        fits.then_some(Reply { message })
    }
}

impl Reply {
    /// Whether it did not fit, and is whole over TCP alone.
    pub(super) fn is_truncated(&self) -> bool {
        self.message.metadata.truncation
    }

    pub(super) fn told_by(self, server: String, took: Duration) -> DnsAnswer {
        let head = &self.message.metadata;
        DnsAnswer {
            code: code(head.response_code),
            authoritative: head.authoritative,
            authentic: head.authentic_data,
            records: self.message.answers.iter().take(MOST_RECORDS).map(record).collect(),
            server,
            took,
        }
    }
}

/// The name to ask for: for a `PTR` that of an address too.
fn parse_name(text: &str, kind: RecordType) -> Result<Name, String> {
    if kind == RecordType::PTR
        && let Ok(address) = text.parse::<IpAddr>()
    {
        return Ok(address.into());
    }
    let name = if text.is_ascii() { Name::from_ascii(text) } else { Name::from_utf8(text) };
    match name {
        Ok(mut name) if !text.is_empty() => {
            name.set_fqdn(true);
            Ok(name)
        }
        _ => Err(format!("\"{}\" is no name: labels of 1 to 63 characters, parted by dots", shown(text))),
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn code(code: ResponseCode) -> String {
    let known = match code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        other => return format!("RCODE{}", u16::from(other)),
    };
    known.to_owned()
}

fn record(record: &Record) -> DnsRecord {
    DnsRecord {
        name: plain(&record.name),
        kind: record.record_type().to_string(),
        ttl: record.ttl,
        value: value(&record.data),
    }
}

/// A name without its final dot.
fn plain(name: &Name) -> String {
    let text = name.to_ascii();
    match text.strip_suffix('.') {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => text,
    }
}

fn value(data: &RData) -> String {
    match data {
        RData::CNAME(name) => plain(name),
        RData::NS(name) => plain(name),
        RData::PTR(name) => plain(name),
        RData::MX(mx) => format!("{} {}", mx.preference, plain(&mx.exchange)),
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, plain(&srv.target)),
        RData::SOA(soa) => format!(
            "{} {} {} {} {} {} {}",
            plain(&soa.mname),
            plain(&soa.rname),
            soa.serial,
            soa.refresh,
            soa.retry,
            soa.expire,
            soa.minimum
        ),
        RData::TXT(text) => String::from_utf8_lossy(&text.txt_data.concat()).into_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The bytes of an answer to this question, made from the question's own.
    fn answer(question: &Question, change: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut message = Message::from_vec(question.bytes()).unwrap();
        message.metadata.message_type = MessageType::Response;
        change(&mut message);
        message.to_vec().unwrap()
    }

    #[test]
    fn an_answer_has_the_questions_id_and_repeats_it() {
        let question = Question::new("nas.lan", "a").unwrap();
        assert!(question.reply(&answer(&question, |_| ())).is_some());
        let other_case = |message: &mut Message| {
            message.queries = vec![Query::query(Name::from_ascii("NAS.LAN.").unwrap(), RecordType::A)];
        };
        assert!(question.reply(&answer(&question, other_case)).is_some());
        let refused = |message: &mut Message| {
            message.queries.clear();
            message.metadata.response_code = ResponseCode::Refused;
        };
        assert!(question.reply(&answer(&question, refused)).is_some());
        for change in [
            |message: &mut Message| message.metadata.id ^= 1,
            |message: &mut Message| message.metadata.message_type = MessageType::Query,
            |message: &mut Message| message.metadata.op_code = OpCode::Status,
            |message: &mut Message| message.queries.clear(),
            |message: &mut Message| {
                message.queries = vec![Query::query(Name::from_ascii("nas.lan.").unwrap(), RecordType::AAAA)];
            },
            |message: &mut Message| {
                message.queries = vec![Query::query(Name::from_ascii("web.lan.").unwrap(), RecordType::A)];
            },
        ] {
            assert!(question.reply(&answer(&question, change)).is_none());
        }
        let whole = answer(&question, |_| ());
        assert!(question.reply(&whole[..whole.len() - 1]).is_none());
        assert!(question.reply(&[]).is_none());
    }

    #[test]
    fn questions_are_not_alike() {
        let ids: std::collections::BTreeSet<_> =
            (0..50).map(|_| Question::new("nas.lan", "A").unwrap().id).collect();
        assert!(ids.len() > 40, "{ids:?}");
    }

    #[test]
    fn what_cannot_be_asked_is_told() {
        for (name, kind, what) in [
            ("nas.lan", "AXFR", "\"AXFR\" is no type of record: one of A, AAAA, CNAME"),
            ("", "A", "\"\" is no name"),
            ("a..b", "A", "\"a..b\" is no name"),
            (&"a".repeat(64), "A", "is no name: labels of 1 to 63 characters"),
            (&"a.".repeat(200), "A", "is no name"),
        ] {
            let error = Question::new(name, kind).err().unwrap();
            assert!(error.contains(what) && error.len() < 200, "{error}");
        }
    }

    #[test]
    fn addresses_are_turned_round() {
        let name = |text| plain(&Question::new(text, "PTR").unwrap().query.name);
        assert_eq!(name("192.168.1.10"), "10.1.168.192.in-addr.arpa");
        assert_eq!(
            name("fd00::1"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"
        );
        assert_eq!(name("10.1.168.192.in-addr.arpa."), "10.1.168.192.in-addr.arpa");
        assert_eq!(plain(&Question::new("_sip._tcp.lan", "srv").unwrap().query.name), "_sip._tcp.lan");
        assert_eq!(plain(&Question::new("münchen.de", "A").unwrap().query.name), "xn--mnchen-3ya.de");
        assert_eq!(plain(&Name::root()), ".");
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_none(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let question = Question::new("nas.lan", "TXT").unwrap();
            prop_assert!(question.reply(&bytes).is_none_or(|reply| reply.message.metadata.id == question.id));
        }

        #[test]
        fn any_bytes_behind_a_good_head_are_an_answer_or_none(
            counts in any::<[u8; 6]>(), flags in any::<u8>(), tail in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let question = Question::new("nas.lan", "TXT").unwrap();
            let mut bytes = answer(&question, |_| ());
            bytes[3] = flags;
            bytes[6..12].copy_from_slice(&counts.map(|count| count % 4));
            bytes[5] = 1;
            bytes[4] = 0;
            bytes.extend(tail);
            if let Some(reply) = question.reply(&bytes) {
                let answer = reply.told_by(String::new(), Duration::ZERO);
                prop_assert!(answer.records.len() <= MOST_RECORDS);
            }
        }

        #[test]
        fn any_name_is_asked_for_or_refused(name in any::<String>(), kind in "[A-Z]{1,5}") {
            for kind in [&*kind, "PTR", "A"] {
                if let Ok(question) = Question::new(&name, kind) {
                    prop_assert!(question.bytes().len() <= 12 + 255 + 4);
                }
            }
        }
    }
}
