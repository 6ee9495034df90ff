//! Who may see the pages: whoever sends the name and the password along, or has logged in with them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pihook_core::Secret;
use pihook_core::sessions::Sessions;
use pihook_core::throttle::Throttle;
use ring::hmac;
use ring::rand::SystemRandom;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::gate::{Client, up};
use super::refusal::{Code, Manner, Refusal};
use super::{Dashboard, Shared, session};
use crate::clock::Clock;
use crate::password::{self, PasswordHash};

/// Addresses whose wrong guesses are remembered.
const GUESSERS: usize = 1024;
/// Passwords that may wait to be hashed; more are told to come back.
const WAITING: usize = 16;

/// What the right password is known by.
#[derive(Clone, Debug)]
pub enum Known {
    /// Itself.
    Plain(Secret),
    /// Its hash.
    Hashed(PasswordHash),
}

/// Knows the name and the password, who guesses at them, and who is logged in.
pub struct Keeper {
    /// Of this run of the process: what is compared is signed with it, so that it takes the same time whatever is right.
    key: hmac::Key,
    user: hmac::Tag,
    hash: Option<PasswordHash>,
    inside: Mutex<Inside>,
    /// One at a time: each takes memory and a processor.
    hashing: Semaphore,
    waiting: Semaphore,
}

struct Inside {
    /// The right credentials as they were last sent; from the start on if the password is known itself.
    right: Option<hmac::Tag>,
    throttle: Throttle<Guesser>,
    sessions: Sessions,
}

/// Whose guesses are counted together: an address, of IPv6 the network that one customer gets.
type Guesser = [u8; 16];

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the system has no randomness to give")]
pub struct NoRandomness;

impl Keeper {
    /// Admits whoever knows these.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn new(user: &str, known: &Known) -> Result<Self, NoRandomness> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| NoRandomness)?;
        let (right, hash) = match known {
            Known::Plain(secret) => (Some(sign(&key, user, secret.expose())), None),
            Known::Hashed(hash) => (None, Some(hash.clone())),
        };
        let inside = Inside { right, throttle: Throttle::new(GUESSERS), sessions: Sessions::default() };
        Ok(Self {
            user: hmac::sign(&key, user.as_bytes()),
            key,
            hash,
            inside: Mutex::new(inside),
            hashing: Semaphore::new(1),
            waiting: Semaphore::new(WAITING),
        })
    }

    /// Whether these are right. Whoever guesses has to wait ever longer, and a password that is known by its hash is
    /// hashed on a thread that may take its time, unless the same was right before.
    pub(super) async fn check(
        self: &Arc<Self>,
        user: &str,
        password: &str,
        client: &Client,
        clock: &Arc<dyn Clock>,
    ) -> Result<(), Refusal> {
        let who = guesser(client.address);
        let sent = sign(&self.key, user, password);
        if let Some(verdict) = self.known(&sent, &who, clock.now().uptime) {
            return verdict;
        }
        // It goes on and counts when whoever guesses hangs up: else nobody would have to wait, and many would be hashed at once.
        let named = equal(&hmac::sign(&self.key, user.as_bytes()), &self.user);
        let attempt = self.clone().hash(sent, named, password.to_owned(), who, clock.clone());
        tokio::spawn(attempt).await.unwrap_or_else(|_| Err(busy()))
    }

    async fn hash(
        self: Arc<Self>,
        sent: hmac::Tag,
        named: bool,
        password: String,
        who: Guesser,
        clock: Arc<dyn Clock>,
    ) -> Result<(), Refusal> {
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let _turn = self.hashing.acquire().await.map_err(|_| busy())?;
        // It may have become known meanwhile, or somebody has guessed too often.
        if let Some(verdict) = self.known(&sent, &who, clock.now().uptime) {
            return verdict;
        }
        let hash = self.hash.clone();
        let hashed = tokio::task::spawn_blocking(move || {
            password.len() <= password::LONGEST && hash.is_some_and(|hash| hash.is_of(&password))
        });
        let right = hashed.await.unwrap_or(false) & named;
        let mut inside = self.inside();
        if right {
            inside.right = Some(sent);
        }
        inside.note(right, &who, clock.now().uptime)
    }

    /// What is known without hashing; none if it takes that.
    fn known(&self, sent: &hmac::Tag, who: &Guesser, now: Duration) -> Option<Result<(), Refusal>> {
        let mut inside = self.inside();
        // First of all, or whoever guesses would learn from being let in.
        if let Some(wait) = inside.throttle.wait(who, now) {
            let seconds = wait.as_secs() + 1;
            let text = format!("too many wrong passwords came from this address; wait {seconds} s");
            return Some(Err(Refusal::new(Code::TooManyRequests, text).after(seconds)));
        }
        let right = inside.right.as_ref().is_some_and(|right| equal(right, sent));
        (right || self.hash.is_none()).then(|| inside.note(right, who, now))
    }

    /// Begins a session and returns its token.
    pub(super) fn begin(&self, now: Duration) -> Result<session::Token, NoRandomness> {
        let token = session::Token::random().map_err(|_| NoRandomness)?;
        self.inside().sessions.begin(token.digest(), now);
        Ok(token)
    }

    /// Whether the request shows a session that lasts.
    pub(super) fn is_logged_in(&self, headers: &HeaderMap, now: Duration) -> bool {
        session::shown(headers).any(|token| self.inside().sessions.admits(&token, now))
    }

    /// Ends the sessions that the request shows.
    pub(super) fn end(&self, headers: &HeaderMap) {
        session::shown(headers).for_each(|token| self.inside().sessions.end(&token));
    }

    /// A panic elsewhere leaves it whole: each change is of one thing.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn note(&mut self, right: bool, who: &Guesser, now: Duration) -> Result<(), Refusal> {
        if right {
            self.throttle.succeeded(who);
            return Ok(());
        }
        self.throttle.failed(who, now);
        Err(Refusal::new(Code::Unauthorized, "the name or the password is wrong"))
    }
}

fn busy() -> Refusal {
    Refusal::new(Code::Unavailable, "many are logging in; try again in a moment").after(2)
}

/// Both with their lengths, so that no part of the one counts as the other's.
fn sign(key: &hmac::Key, user: &str, password: &str) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(&(user.len() as u64).to_le_bytes());
    context.update(user.as_bytes());
    context.update(password.as_bytes());
    context.sign()
}

fn equal(one: &hmac::Tag, other: &hmac::Tag) -> bool {
    one.as_ref().ct_eq(other.as_ref()).into()
}

fn guesser(address: IpAddr) -> Guesser {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => {
            let mut octets = address.octets();
            octets.iter_mut().skip(8).for_each(|octet| *octet = 0);
            octets
        }
    }
}

/// Name and password as a browser or a program sends them along.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let sent = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = sent.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Some((user.to_owned(), password.to_owned()))
}

/// Lets in whoever may see what is known.
pub(super) async fn admit(State(dashboard): State<Shared>, request: Request, next: Next) -> Response {
    let Some(keeper) = &dashboard.keeper else { return next.run(request).await };
    let client = request.extensions().get::<Client>().cloned();
    match let_in(&dashboard, keeper, request.headers(), client).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refused(&request, refusal),
    }
}

async fn let_in(
    dashboard: &Dashboard,
    keeper: &Arc<Keeper>,
    headers: &HeaderMap,
    client: Option<Client>,
) -> Result<(), Refusal> {
    if keeper.is_logged_in(headers, dashboard.clock.now().uptime) {
        return Ok(());
    }
    let Some((user, password)) = basic(headers) else {
        return Err(Refusal::new(Code::Unauthorized, "PiHook wants a name and a password."));
    };
    let client = client.ok_or_else(|| Refusal::new(Code::Internal, "it is not known who asks"))?;
    keeper.check(&user, &password, &client, &dashboard.clock).await
}

/// A person is shown where to log in, and a program is told what to send.
fn refused(request: &Request, refusal: Refusal) -> Response {
    const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
    let (headers, path) = (request.headers(), request.uri().path());
    let accepts = |kind: &str| {
        let value = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.contains(kind))
    };
    let sent = headers.contains_key(header::AUTHORIZATION);
    if !sent && accepts("text/html") {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, format!("{}login", up(path)))]).into_response();
    }
    let mut response = refusal.answer(Manner::of(path));
    // The script of a page that was left open must not make the browser ask.
    if response.status() == StatusCode::UNAUTHORIZED && (sent || !headers.contains_key(MODE)) {
        let challenge = HeaderValue::from_static("Basic realm=\"PiHook\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

#[cfg(test)]
mod tests;
