//! Maintenance from the dashboard: the flag is set and removed as `pihook maintenance` does it, and the daemon, which watches
//! the flag, is told to look at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Unit};
use pihook_core::Timestamp;
use pihook_core::maintenance::{Flag, Maintenance};
use serde::Deserialize;
use tokio::sync::{Mutex, Notify};
use tracing::{error, info};

use super::gate::Client;
use super::refusal::{Code, Manner, Refusal};
use super::{Shared, session};
use crate::maintenance::{self, FlagError, FlagFile};
use crate::words::chain;

/// The longest reason, in characters.
pub(super) const REASON: usize = 200;
/// The longest maintenance with an end: a year.
pub(super) const LONGEST: u64 = 366 * 86_400;

/// Sets and removes the flag.
pub struct Desk {
    /// What shows that a form came from here.
    token: String,
    /// One change at a time.
    turn: Mutex<()>,
    /// Has the daemon look at the flag.
    looked: Arc<Notify>,
}

/// What is to be muted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// None until it is ended.
    pub(super) lasting: Option<Duration>,
    /// Names or ids; with `zones` empty too, everything.
    pub(super) services: Vec<String>,
    pub(super) zones: Vec<String>,
    pub(super) reason: Option<String>,
}

/// What the status page needs for the forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forms {
    pub(super) token: String,
    /// Whether there is a session to end.
    pub(super) logs_out: bool,
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Sent {
    token: String,
    #[serde(rename = "do")]
    act: Act,
    #[serde(default, rename = "for")]
    lasting: String,
    #[serde(default)]
    zone: String,
    #[serde(default)]
    reason: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Act {
    Begin,
    End,
}

impl Desk {
    /// A desk whose changes this one hears of.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn new(looked: Arc<Notify>) -> Result<Self, super::NoRandomness> {
        let token = session::Token::random().map_err(|_| super::NoRandomness)?;
        Ok(Self { token: token.as_str().to_owned(), turn: Mutex::new(()), looked })
    }
}

/// The forms, where whoever sees the page may use them: with a password, or on this machine alone.
pub(super) fn forms(dashboard: &Shared) -> Option<Forms> {
    let logs_out = dashboard.keeper.is_some();
    (logs_out || dashboard.is_private).then(|| Forms { token: dashboard.desk.token.clone(), logs_out })
}

/// Whether this client may change anything: whoever knows the password, and without one whoever sits at this machine.
pub(super) fn may_change(dashboard: &Shared, client: &Client) -> Result<(), Refusal> {
    if dashboard.keeper.is_some() || client.is_local {
        return Ok(());
    }
    let text = "without a password nothing can be changed from elsewhere than this machine; set `dashboard: { auth: … }`";
    Err(Refusal::new(Code::Forbidden, text))
}

/// Takes the form of the status page.
pub(super) async fn post(
    State(dashboard): State<Shared>,
    Extension(client): Extension<Client>,
    sent: Result<Form<Sent>, FormRejection>,
) -> Response {
    let done = match sent {
        Ok(Form(sent)) => obey(&dashboard, &client, sent).await,
        Err(error) => Err(Refusal::new(Code::InvalidRequest, error.body_text())),
    };
    match done {
        Ok(()) => (StatusCode::SEE_OTHER, [(header::LOCATION, "./")]).into_response(),
        Err(refusal) => refusal.answer(Manner::Text),
    }
}

async fn obey(dashboard: &Shared, client: &Client, sent: Sent) -> Result<(), Refusal> {
    use subtle::ConstantTimeEq;
    if !bool::from(sent.token.as_bytes().ct_eq(dashboard.desk.token.as_bytes())) {
        let text = "the page was made before PiHook was started last; load it anew and try again";
        return Err(Refusal::new(Code::Forbidden, text));
    }
    match sent.act {
        Act::End => end(dashboard, client).await,
        Act::Begin => {
            let lasting = match sent.lasting.as_str() {
                "" => None,
                text => Some(text.parse().map(Duration::from_secs).map_err(|_| {
                    Refusal::new(Code::InvalidRequest, "`for` is a number of seconds, or empty")
                })?),
            };
            let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            let order = Order {
                lasting,
                services: Vec::new(),
                zones: given(sent.zone).into_iter().collect(),
                reason: given(sent.reason),
            };
            begin(dashboard, client, order).await
        }
    }
}

/// Sets the flag.
pub(super) async fn begin(dashboard: &Shared, client: &Client, order: Order) -> Result<(), Refusal> {
    may_change(dashboard, client)?;
    let flag = flag(dashboard, order)?;
    let (path, _turn) = (path(dashboard), dashboard.desk.turn.lock().await);
    blocking(move || maintenance::write(&path, &flag)).await?;
    info!(address = %client.address, "maintenance was begun on the dashboard");
    dashboard.desk.looked.notify_one();
    Ok(())
}

/// Removes the flag, if there is one.
pub(super) async fn end(dashboard: &Shared, client: &Client) -> Result<(), Refusal> {
    may_change(dashboard, client)?;
    let (path, _turn) = (path(dashboard), dashboard.desk.turn.lock().await);
    if blocking(move || maintenance::remove(&path)).await? {
        info!(address = %client.address, "maintenance was ended on the dashboard");
        dashboard.desk.looked.notify_one();
    }
    Ok(())
}

/// The flag and the windows as they are, and what is wrong with the flag.
pub(super) async fn state(dashboard: &Shared) -> Result<(Maintenance, Option<String>), Refusal> {
    let path = path(dashboard);
    let FlagFile { flag, problem } = blocking(move || Ok(maintenance::read(&path))).await?;
    let windows = dashboard.configured.borrow().windows.clone();
    Ok((Maintenance { flag, windows }, problem))
}

fn path(dashboard: &Shared) -> PathBuf {
    dashboard.configured.borrow().maintenance_flag.clone()
}

fn flag(dashboard: &Shared, order: Order) -> Result<Flag, Refusal> {
    let Order { lasting, services, zones, reason } = order;
    let unknown = |what: &str, name: &str| {
        Refusal::new(Code::NotFound, format!("there is no {what} {name:?}, so nothing was changed"))
    };
    let picture = dashboard.board.picture();
    for name in &services {
        let lower = name.to_lowercase();
        let is_named = |listed: &crate::board::Listed| {
            listed.id.as_str().to_lowercase() == lower || listed.name.to_lowercase() == lower
        };
        if !picture.entries.iter().any(|entry| is_named(&entry.listed)) {
            return Err(unknown("service", name));
        }
    }
    for name in &zones {
        let lower = name.to_lowercase();
        if !dashboard.configured.borrow().zones.iter().any(|zone| zone.as_str().to_lowercase() == lower) {
            return Err(unknown("zone", name));
        }
    }
    if reason
        .as_ref()
        .is_some_and(|reason| reason.chars().count() > REASON || reason.contains(char::is_control))
    {
        let text = format!("the reason is one line of {REASON} characters at most");
        return Err(Refusal::new(Code::InvalidRequest, text));
    }
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    let until = lasting.map(|lasting| until(dashboard.clock.now().wall, lasting)).transpose()?;
    Ok(Flag { until, services, zones, reason })
}

/// The flag is read by people too; to the second is enough.
fn until(now: Timestamp, lasting: Duration) -> Result<Timestamp, Refusal> {
    let wrong = || Refusal::new(Code::InvalidRequest, "maintenance lasts from a second to a year");
    if !(1..=LONGEST).contains(&lasting.as_secs()) {
        return Err(wrong());
    }
    let span = SignedDuration::try_from(lasting).map_err(|_| wrong())?;
    now.checked_add(span).and_then(|until| until.round(Unit::Second)).map_err(|_| wrong())
}

/// Asks the disk on a thread that may wait for it.
async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, FlagError> + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |why: String| {
        error!("the maintenance flag: {why}");
        Refusal::new(Code::Unavailable, why)
    };
    match tokio::task::spawn_blocking(act).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(failed(chain(&error))),
        Err(fault) => Err(failed(fault.to_string())),
    }
}
