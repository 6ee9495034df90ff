//! The end of an incident, told by changing what was posted of it.

use std::time::Duration;

use pihook_core::{AlertKind, IncidentId, Message};
use reqwest::header::USER_AGENT;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

use super::payload::Edit;
use super::{AGENT, Complaint, DiscordSink};
use crate::sinks::client::{describe, read_start};
use crate::sinks::{SendContext, Verdict};

/// The topic of memory that tells which message is the newest of an incident.
const POSTED: &str = "message of incident";

/// The message is gone.
const UNKNOWN_MESSAGE: u64 = 10_008;

/// How long to wait for the number of a message that was posted. It must be noted as such soon, and the number is a help
/// and no more.
const PATIENCE: Duration = Duration::from_secs(2);

/// What Discord says of a message.
#[derive(Deserialize)]
struct Posted {
    id: String,
}

impl DiscordSink {
    /// Changes the incident's message into one of its end. None if there is no such message, or none any more: then it
    /// is told anew.
    pub(super) async fn edit(&self, message: &Message, context: &SendContext<'_>) -> Option<Verdict> {
        let key = key(context, |kind| kind == AlertKind::Recovered)?;
        let id = context.memory.recall(POSTED, &key).await?;
        let edit = Edit::new(message, context);
        let request = self.client.get().patch(self.message_url(&id)).header(USER_AGENT, AGENT).json(&edit);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Some(Verdict::Retry(self.redact(&describe(error)))),
        };
        if response.status() != StatusCode::NOT_FOUND {
            return Some(self.judge(response).await);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read_start(response).await;
        let complaint = serde_json::from_slice::<Complaint>(&body).ok();
        let is_gone = complaint.and_then(|complaint| complaint.code) == Some(UNKNOWN_MESSAGE);
        (!is_gone).then(|| self.complaint(status, &headers, &body))
    }

    fn message_url(&self, id: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/messages/{id}", url.path().trim_end_matches('/')));
        let thread = self.url.query_pairs().find(|(name, _)| name == "thread_id");
        url.set_query(None);
        if let Some((name, thread)) = thread {
            url.query_pairs_mut().append_pair(&name, &thread);
        }
        url
    }
}

/// Remembers the number of what was posted, if it is to be changed one day.
pub(super) async fn remember(response: Response, context: &SendContext<'_>) {
    let Some(key) = key(context, |kind| kind != AlertKind::Recovered) else { return };
    let Ok(body) = timeout(PATIENCE, read_start(response)).await else { return };
    let posted = serde_json::from_slice::<Posted>(&body).ok();
    let id = posted
        .map(|posted| posted.id)
        .filter(|id| !id.is_empty() && id.bytes().all(|it| it.is_ascii_digit()));
    if let Some(id) = id {
        context.memory.remember(POSTED, &key, &id).await;
    }
}

/// The incident's number, if the message is about it alone.
fn key(context: &SendContext<'_>, is_wanted: fn(AlertKind) -> bool) -> Option<String> {
    let alert = context.alert;
    let alone = context.also.is_empty() && alert.incident != IncidentId::NONE;
    (alone && is_wanted(alert.kind)).then(|| alert.incident.0.to_string())
}
