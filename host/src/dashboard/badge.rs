//! `/badge/{id}/{status,uptime,response}.svg`: a service in one small picture, for a wiki or another page.

mod flat;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pihook_core::Status;
use sha2::{Digest, Sha256};

use super::daily::Days;
use super::plot::milliseconds;
use super::{Badges, Shared, page, service};
use crate::board::Entry;

use flat::Colour;

/// What badges can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Status,
    Uptime,
    Response,
}

impl Kind {
    /// From the last part of the address.
    fn parse(file: &str) -> Option<Self> {
        match file {
            "status.svg" => Some(Kind::Status),
            "uptime.svg" => Some(Kind::Uptime),
            "response.svg" => Some(Kind::Response),
            _ => None,
        }
    }
}

pub(super) async fn badge(
    State(dashboard): State<Shared>,
    Path((id, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let picture = dashboard.board.picture();
    let Some((entry, kind)) = picture.entry(&id).zip(Kind::parse(&file)) else {
        return (StatusCode::NOT_FOUND, "There is no such badge.\n").into_response();
    };
    let svg = draw(entry, kind, &dashboard.rendered.daily.days());
    let public = dashboard.keeper.is_none() || dashboard.badges == Badges::Public;
    answer(&headers, svg, if public { "public, max-age=30" } else { "private, max-age=30" })
}

fn draw(entry: &Entry, kind: Kind, days: &Days) -> String {
    let name = &entry.listed.name;
    match kind {
        Kind::Status => {
            let colour = match entry.status() {
                Some(Status::Up) => Colour::Green,
                Some(Status::Degraded) => Colour::Yellow,
                Some(Status::Down) => Colour::Red,
                Some(Status::Unknown) | None => Colour::Grey,
            };
            flat::badge(name, page::word(entry), colour)
        }
        Kind::Uptime => {
            let share = days.of(&entry.listed.id).and_then(page::uptime);
            let colour = match share {
                Some(share) if share >= 99.9 => Colour::Green,
                Some(share) if share >= 99.0 => Colour::Olive,
                Some(share) if share >= 95.0 => Colour::Yellow,
                Some(_) => Colour::Red,
                None => Colour::Grey,
            };
            let share = share.map_or_else(|| "not known yet".to_owned(), service::percent);
            flat::badge(&flat::about(name, "uptime 30d"), &share, colour)
        }
        Kind::Response => {
            let time = entry.last.as_ref().and_then(|outcome| outcome.response_time);
            let ms = time.map(|time| milliseconds(time.as_secs_f64() * 1000.0));
            let colour = if ms.is_some() { Colour::Blue } else { Colour::Grey };
            flat::badge(&flat::about(name, "response"), ms.as_deref().unwrap_or("none"), colour)
        }
    }
}

/// The picture, or that it is still the same.
fn answer(request: &HeaderMap, svg: String, cache: &'static str) -> Response {
    let digest: String =
        Sha256::digest(svg.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{digest}\"");
    let known = request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*");
    let mut response = if known { StatusCode::NOT_MODIFIED.into_response() } else { svg.into_response() };
    let headers = response.headers_mut();
    if !known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml; charset=utf-8"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use pihook_core::monitor::Muting;
    use pihook_core::{Outcome, ServiceId};

    use super::super::page::tests::{EVIL, listed, outcome, view};
    use super::super::xml::check::well_formed;
    use super::*;
    use crate::board::Board;
    use crate::store::DayMarks;

    fn entry(name: &str, status: Option<Status>) -> std::sync::Arc<Entry> {
        let board = Board::new();
        board.list(vec![listed("nas", name, "local", "http")]);
        if let Some(status) = status {
            let seen = Outcome { response_time: Some(Duration::from_millis(42)), ..outcome(status, "") };
            board.note(&ServiceId::new("nas"), view(status, None), Muting::Audible, Some(&seen));
        }
        board.picture().entries[0].clone()
    }

    #[test]
    fn badges_say_what_is_known() {
        let day = DayMarks { up: 999, down: 1, ..DayMarks::default() };
        let days = Days::for_test(BTreeMap::from([(ServiceId::new("nas"), vec![day; 30])]));
        let up = entry("NAS", Some(Status::Up));
        let unchecked = entry("NAS", None);
        for (entry, kind, expected) in [
            (&up, Kind::Status, "NAS: up"),
            (&up, Kind::Uptime, "NAS uptime 30d: 99.9 %"),
            (&up, Kind::Response, "NAS response: 42 ms"),
            (&unchecked, Kind::Status, "NAS: pending"),
            (&unchecked, Kind::Response, "NAS response: none"),
        ] {
            let svg = draw(entry, kind, &days);
            well_formed(&svg);
            assert!(svg.contains(&format!("<title>{expected}</title>")), "{svg}");
        }
        let unknown = draw(&up, Kind::Uptime, &Days::default());
        assert!(unknown.contains("not known yet"), "{unknown}");
        let evil = draw(&entry(EVIL, Some(Status::Down)), Kind::Status, &days);
        well_formed(&evil);
        assert!(!evil.contains("<script>"), "{evil}");
    }

    #[test]
    fn a_known_badge_is_not_sent_again() {
        let first = answer(&HeaderMap::new(), "<svg/>".to_owned(), "private, max-age=30");
        let tag = first.headers()[header::ETAG].clone();
        assert_eq!(first.status(), StatusCode::OK);
        let mut request = HeaderMap::new();
        request.insert(header::IF_NONE_MATCH, format!("\"x\", W/{}", tag.to_str().unwrap()).parse().unwrap());
        assert_eq!(answer(&request, "<svg/>".to_owned(), "").status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer(&request, "<svg></svg>".to_owned(), "").status(), StatusCode::OK);
    }
}
