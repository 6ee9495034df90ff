//! TCP across the wall.

use super::check_bindings::pihook::plugin::tcp as wit;
use super::net;
use crate::net::Error;
use crate::tcp::{Answer, Request};

pub(crate) fn exchange(request: &Request) -> Result<Answer, Error> {
    wit::exchange(&wit::Request {
        target: net::target(&request.target),
        send: request.send.clone(),
        receive: request.receive,
        until: request.until.clone(),
        max_bytes: request.max_bytes,
    })
    .map(|answer| Answer {
        connection: net::connection(answer.connection),
        received: answer.received,
        answer_ms: answer.answer_ms,
    })
    .map_err(net::error)
}
