//! Whether a zone is cut off: its canaries are asked all at once, and one answer is enough.
//!
//! Whatever answers was reached, so neither a status nor a certificate is judged.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pihook_core::{Outcome, ServiceId, Status};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{CheckRunner, Finished};
use crate::clock::Clock;
use crate::hosts::Canary;
use crate::probes::http::{Access, HttpGrant, HttpRequest};
use crate::probes::tcp::{Receive, TcpRequest};
use crate::probes::{NetworkGrant, Probes, Target};

/// So many canaries' troubles are told.
const MOST_TOLD: usize = 3;

/// How a zone's canaries are asked.
#[derive(Clone, Debug, PartialEq)]
pub struct CanarySpec {
    /// Who is asked.
    pub addresses: Vec<Canary>,
    /// Further attempts after one without any answer.
    pub retries: u32,
    /// Bounds connecting, within one attempt.
    pub connect_timeout: Duration,
    /// Bounds the answer, within one attempt.
    pub read_timeout: Duration,
}

/// The canaries by the service that stands for their zone.
pub type CanarySpecs = BTreeMap<ServiceId, Arc<CanarySpec>>;

/// Asks canaries, and leaves all other services to another runner. Cloning shares it.
#[derive(Clone)]
pub struct CanaryRunner(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    probes: Arc<Probes>,
    specs: Mutex<CanarySpecs>,
    others: Box<dyn CheckRunner>,
}

impl CanaryRunner {
    /// A runner for these zones.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        probes: Arc<Probes>,
        specs: CanarySpecs,
        others: impl CheckRunner + 'static,
    ) -> Self {
        Self(Arc::new(Shared { clock, probes, specs: Mutex::new(specs), others: Box::new(others) }))
    }

    /// From now on these zones. A run keeps what it began with.
    pub fn replace(&self, specs: CanarySpecs) {
        *self.0.specs.lock().unwrap_or_else(PoisonError::into_inner) = specs;
    }
}

impl CheckRunner for CanaryRunner {
    fn run(&self, service: ServiceId) -> Pin<Box<dyn Future<Output = Finished> + Send>> {
        let shared = self.0.clone();
        let spec = shared.specs.lock().unwrap_or_else(PoisonError::into_inner).get(&service).cloned();
        match spec {
            Some(spec) => Box::pin(async move {
                let outcome = shared.ask(&spec).await;
                Finished { service, outcome, kept: None }
            }),
            None => shared.others.run(service),
        }
    }
}

/// Who answered, and how long that took.
struct Answered {
    by: String,
    after: Duration,
}

impl Shared {
    async fn ask(&self, spec: &CanarySpec) -> Outcome {
        let at = self.clock.now().wall;
        let mut attempts = 1;
        let (status, summary, response_time) = loop {
            match ask_all(&self.probes, spec).await {
                Ok(Answered { by, after }) => break (Status::Up, format!("{by} answers"), Some(after)),
                Err(_) if attempts <= spec.retries => attempts += 1,
                Err(why) => break (Status::Down, format!("cut off: {why}"), None),
            }
        };
        Outcome { status, summary, notice: None, response_time, attempts, metrics: Vec::new(), at }
    }
}

/// The first to answer, or why nobody did.
async fn ask_all(probes: &Arc<Probes>, spec: &CanarySpec) -> Result<Answered, String> {
    let began = Instant::now();
    let mut asked = JoinSet::new();
    for (canary, place) in spec.addresses.iter().cloned().zip(0_usize..) {
        let (probes, connect_timeout, read_timeout) =
            (probes.clone(), spec.connect_timeout, spec.read_timeout);
        asked.spawn(async move {
            let answer = ask(&probes, &canary, connect_timeout, read_timeout).await;
            (place, canary, answer)
        });
    }
    let mut troubles = BTreeMap::new();
    while let Some(answer) = asked.join_next().await {
        match answer {
            // Those who have not answered yet are not waited for: the set ends them.
            Ok((_, canary, Ok(()))) => {
                return Ok(Answered { by: canary.to_string(), after: began.elapsed() });
            }
            Ok((place, canary, Err(why))) => drop(troubles.insert(place, format!("{canary}: {why}"))),
            Err(fault) => drop(troubles.insert(spec.addresses.len(), fault.to_string())),
        }
    }
    let more = troubles.len().saturating_sub(MOST_TOLD);
    let told: Vec<String> = troubles.into_values().take(MOST_TOLD).collect();
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let nobody = if spec.addresses.len() == 1 { "its canary does not answer" } else { "no canary answers" };
    Err(format!("{nobody} ({}{more})", told.join("; ")))
}

async fn ask(
    probes: &Probes,
    canary: &Canary,
    connect_timeout: Duration,
    read_timeout: Duration,
) -> Result<(), String> {
    match canary {
        Canary::Web(url) => {
            let request = HttpRequest {
                method: "GET".to_owned(),
                url: url.to_string(),
                headers: Vec::new(),
                body: None,
                credentials: None,
                connect_timeout,
                read_timeout,
                verify: false,
                ca_file: None,
                max_redirects: 0,
                max_body_bytes: 1,
            };
            let access = Access { grant: HttpGrant::Any, ..Access::default() };
            probes.http.send(request, &access).await.map(drop).map_err(|error| error.to_string())
        }
        Canary::Port(to) => {
            let target =
                Target { host: to.host().to_owned(), port: to.port(), connect_timeout, read_timeout };
            let request = TcpRequest { target, send: None, receive: Receive::Nothing };
            probes.exchange_by_tcp(request, &NetworkGrant::Any).await.map(drop).map_err(|e| e.to_string())
        }
    }
}

#[cfg(test)]
mod tests;
