use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;
use pihook_core::{Moment, Timestamp};

use super::super::gate::Reach;
use super::*;

fn keeper(known: &Known) -> Arc<Keeper> {
    Arc::new(Keeper::new("admin", known).unwrap())
}

/// A clock that stands at this second.
struct Second(u64);

impl Clock for Second {
    fn now(&self) -> Moment {
        Moment { uptime: Duration::from_secs(self.0), wall: Timestamp::UNIX_EPOCH }
    }
}

fn plain() -> Known {
    Known::Plain(Secret::new("hunter2".into()))
}

/// What hashes quickly, so that the test does.
fn hashed() -> Known {
    let quick = argon2::Argon2::from(argon2::Params::new(8, 1, 1, None).unwrap());
    let hash = argon2::PasswordHasher::hash_password(&quick, b"hunter2").unwrap().to_string();
    Known::Hashed(PasswordHash::parse(&hash).unwrap())
}

fn client(address: &str) -> Client {
    Client::of(address.parse().unwrap(), &HeaderMap::new(), &Reach::default())
}

async fn status(keeper: &Arc<Keeper>, user: &str, password: &str, from: &str, second: u64) -> u16 {
    let clock: Arc<dyn Clock> = Arc::new(Second(second));
    match keeper.check(user, password, &client(from), &clock).await {
        Ok(()) => 200,
        Err(refusal) => refusal.answer(Manner::Text).status().as_u16(),
    }
}

#[tokio::test]
async fn only_the_right_name_and_password_are_admitted() {
    for known in [plain(), hashed()] {
        let keeper = keeper(&known);
        for (user, password, expected) in [
            ("admin", "hunter2", 200),
            ("admin", "hunter3", 401),
            ("admin", "", 401),
            ("root", "hunter2", 401),
            ("adminhunter", "2", 401),
            // Known by now, and still not anybody's.
            ("admin", "hunter2", 200),
            ("root", "hunter2", 401),
        ] {
            assert_eq!(status(&keeper, user, password, "10.0.0.1", 1).await, expected, "{user}:{password}");
        }
    }
}

#[tokio::test]
async fn whoever_guesses_waits_even_if_the_guess_is_right() {
    for known in [plain(), hashed()] {
        let keeper = keeper(&known);
        for _ in 0..5 {
            assert_eq!(status(&keeper, "admin", "guess", "10.0.0.1", 10).await, 401);
        }
        assert_eq!(status(&keeper, "admin", "hunter2", "10.0.0.1", 10).await, 429);
        assert_eq!(status(&keeper, "admin", "hunter2", "10.0.0.2", 10).await, 200, "others do not wait");
        assert_eq!(status(&keeper, "admin", "hunter2", "10.0.0.1", 12).await, 200);
        assert_eq!(status(&keeper, "admin", "guess", "10.0.0.1", 12).await, 401, "it is forgiven");
    }
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_guesser() {
    let keeper = keeper(&plain());
    for last in 1..6 {
        assert_eq!(status(&keeper, "admin", "guess", &format!("2001:db8:1:2::{last}"), 10).await, 401);
    }
    assert_eq!(status(&keeper, "admin", "guess", "2001:db8:1:2:3::1", 10).await, 429);
    assert_eq!(status(&keeper, "admin", "guess", "2001:db8:1:3::1", 10).await, 401);
}

#[tokio::test]
async fn guesses_at_once_are_counted_one_by_one() {
    let keeper = keeper(&hashed());
    let (refused, waiting) = (AtomicU64::new(0), AtomicU64::new(0));
    let guesses = (0..12).map(|_| async {
        match status(&keeper, "admin", "guess", "10.0.0.1", 10).await {
            401 => refused.fetch_add(1, Ordering::Relaxed),
            429 => waiting.fetch_add(1, Ordering::Relaxed),
            other => panic!("{other}"),
        };
    });
    futures_util::future::join_all(guesses).await;
    assert_eq!((refused.into_inner(), waiting.into_inner()), (5, 7));
}

#[tokio::test]
async fn whoever_hangs_up_has_guessed_all_the_same() {
    let keeper = keeper(&hashed());
    for _ in 0..5 {
        let mut guess = Box::pin(status(&keeper, "admin", "guess", "10.0.0.1", 10));
        assert!(guess.as_mut().now_or_never().is_none());
        drop(guess);
        tokio::task::yield_now().await;
        while keeper.waiting.available_permits() < WAITING {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(status(&keeper, "admin", "hunter2", "10.0.0.1", 10).await, 429);
}

#[tokio::test]
async fn a_session_is_shown_by_its_token_alone() {
    let keeper = keeper(&plain());
    let second = Duration::from_secs(1);
    let token = keeper.begin(second).unwrap();
    let shown = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(value).unwrap());
        headers
    };
    let right = shown(&format!("a=b; {}={}", session::COOKIE, token.as_str()));
    assert!(keeper.is_logged_in(&right, second));
    assert!(!keeper.is_logged_in(&shown(&format!("{}={}x", session::COOKIE, token.as_str())), second));
    assert!(!keeper.is_logged_in(&shown(&format!("other={}", token.as_str())), second));
    keeper.end(&right);
    assert!(!keeper.is_logged_in(&right, second));
}

#[test]
fn credentials_are_read_as_browsers_send_them() {
    let read = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        basic(&headers)
    };
    let right = Some(("admin".to_owned(), "hunter2".to_owned()));
    assert_eq!(read("Basic YWRtaW46aHVudGVyMg=="), right);
    assert_eq!(read("basic YWRtaW46aHVudGVyMg=="), right);
    for wrong in ["Bearer YWRtaW46aHVudGVyMg==", "Basic", "Basic !", "Basic A", "Basic YWRtaW4="] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}

proptest::proptest! {
    #[test]
    fn no_header_panics(text in "[ -~]{0,80}") {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, text.parse().unwrap());
        headers.insert(header::COOKIE, text.parse().unwrap());
        let _ = basic(&headers);
        let _ = session::shown(&headers).count();
    }
}
