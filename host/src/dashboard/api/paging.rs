//! Pages of lists, and parameters that are taken strictly: a misspelt one must not be passed over.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dashboard::BODY;
use crate::dashboard::refusal::{Code, Refusal};

/// Entries of a page at most.
pub(super) const MOST: u16 = 500;
/// Entries of a page if nothing else is asked for.
pub(super) const USUAL: u16 = 100;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The entries.
    items: Vec<T>,
    /// The `cursor` of the request for what follows; null if nothing does.
    next: Option<String>,
}

impl<T> Page<T> {
    pub(super) fn new(items: Vec<T>, next: Option<String>) -> Self {
        Self { items, next }
    }

    /// The first `limit` of these, of which there may be one more: whether there is tells whether a page follows, which
    /// begins behind the cursor of the last that is shown.
    pub(super) fn of<R>(
        mut rows: Vec<R>,
        limit: Limit,
        cursor: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Self {
        let more = rows.len() > limit.get();
        rows.truncate(limit.get());
        let next = rows.last().filter(|_| more).map(cursor);
        Self { items: rows.into_iter().map(show).collect(), next }
    }
}

/// How many entries are wanted: 1 to 500.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u16")]
pub(super) struct Limit(u16);

impl Limit {
    pub(super) fn get(self) -> usize {
        usize::from(self.0)
    }

    /// One more, which tells whether there is one.
    pub(super) fn and_one(self) -> usize {
        self.get() + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl TryFrom<u16> for Limit {
    type Error = String;

    fn try_from(limit: u16) -> Result<Self, String> {
        if (1..=MOST).contains(&limit) { Ok(Self(limit)) } else { Err(format!("limit is 1 to {MOST}")) }
    }
}

/// The number of a row, of those that every JSON parser can tell apart: below 2^53.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct Number(u64);

impl Number {
    pub(super) fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Number {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        if number < 1 << 53 { Ok(Self(number)) } else { Err("cursor is `next` of the page before") }
    }
}

/// The place of an entry in a list that is made anew for each page.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct Place(u32);

impl Place {
    pub(super) fn get(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl TryFrom<u32> for Place {
    type Error = &'static str;

    fn try_from(place: u32) -> Result<Self, Self::Error> {
        if i32::try_from(place).is_ok() {
            Ok(Self(place))
        } else {
            Err("cursor is `next` of the page before")
        }
    }
}

/// The query's parameters.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Self(params)),
            Err(error) => Err(Refusal::new(Code::InvalidRequest, error.body_text())),
        }
    }
}

/// A part of the path.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(error) => Err(Refusal::new(Code::InvalidRequest, error.body_text())),
        }
    }
}

/// The body, as JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let text = "the body is JSON, and says so: Content-Type: application/json";
            return Err(Refusal::new(Code::UnsupportedMediaType, text));
        }
        let too_large = || Refusal::new(Code::TooLarge, "the body has more than 64 KiB");
        // What is somewhat too long is taken in: whoever still sends would not hear the answer.
        let body = to_bytes(request.into_body(), 3 * BODY).await.map_err(|_| too_large())?;
        if body.len() > BODY {
            return Err(too_large());
        }
        let read = serde_json::from_slice(&body);
        read.map(Self)
            .map_err(|error| Refusal::new(Code::InvalidRequest, format!("the body cannot be used: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_follows_only_if_there_is_more() {
        let page = |count: u64| {
            let limit = Limit::try_from(2).unwrap();
            Page::of((0..count).collect(), limit, ToString::to_string, |it| it)
        };
        assert_eq!((page(0).items, page(0).next), (vec![], None));
        assert_eq!((page(2).items, page(2).next), (vec![0, 1], None));
        assert_eq!((page(3).items, page(3).next), (vec![0, 1], Some("1".to_owned())));
    }

    #[test]
    fn a_limit_has_limits() {
        assert!(Limit::try_from(0).is_err() && Limit::try_from(MOST + 1).is_err());
        assert_eq!(Limit::try_from(MOST).unwrap().get(), 500);
    }
}
