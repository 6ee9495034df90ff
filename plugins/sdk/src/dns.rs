//! Questions to a DNS server, each asked of that server itself.

use std::time::Duration;

use crate::net::Error;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The name, such as `home.duckdns.org`. For `PTR` an address will do too.
    pub name: String,
    /// The record's type: `A`, `AAAA`, `CNAME`, `MX`, `NS`, `TXT`, `SRV`, `PTR`, `SOA`, `CAA`.
    pub kind: String,
    /// The server: an address, or an address and a port; none for the machine's first one that answers.
    pub server: Option<String>,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// Its data as text: an address, a name, `10 mail.example.org`, the text itself. Names have no final dot.
    pub value: String,
}

/// What the server said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` …
    pub code: String,
    /// The answer section, aliases included; at most 100.
    pub records: Vec<Record>,
    /// Whether the server answers for the zone itself.
    pub authoritative: bool,
    /// Whether the server has checked the signatures of DNSSEC.
    pub authentic: bool,
    /// The server that answered.
    pub server: String,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

/// Asks.
///
/// # Errors
/// An [`Error`] if no answer came. One that says no, such as `NXDOMAIN`, is none.
pub fn ask(query: &Query) -> Result<Answer, Error> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::dns::ask(query);
    #[cfg(not(target_arch = "wasm32"))]
    Err(Error::Other(format!("no host to ask for {}: this is a native build", query.name)))
}
