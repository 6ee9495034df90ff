//! What the body must and must not hold.

use pihook_plugin::http::Response;
use pihook_plugin::text::one_line;
use serde_json::Value;

use crate::pointer::look_up;
use crate::settings::Expect;

/// How much of a text is quoted, in characters.
const QUOTED: usize = 60;

/// What is wrong with the body, each such as `the body lacks "ok"`.
pub(crate) fn faults(expect: &Expect, response: &Response) -> Vec<String> {
    let mut faults = Vec::new();
    let limits =
        if response.body_truncated { only_the_beginning(response.body.len()) } else { String::new() };
    let body = response.text();
    if let Some(wanted) = &expect.body_contains
        && !body.contains(&wanted.0)
    {
        faults.push(format!("the body lacks {}{limits}", quoted(&wanted.0)));
    }
    if let Some(unwanted) = &expect.body_not_contains
        && body.contains(&unwanted.0)
    {
        faults.push(format!("the body contains {}", quoted(&unwanted.0)));
    }
    if let Some(pattern) = &expect.body_matches
        && !pattern.0.is_match(&body)
    {
        faults.push(format!("the body does not match {}{limits}", quoted(pattern.0.as_str())));
    }
    for (pointer, wanted) in &expect.json.0 {
        match look_up(&response.body, pointer) {
            Ok(found) => faults.extend(json_fault(pointer, found, wanted)),
            Err(error) => {
                faults.push(format!("the body is no JSON: {error}{limits}"));
                break;
            }
        }
    }
    faults
}

fn only_the_beginning(bytes: usize) -> String {
    if bytes >= 1024 && bytes.is_multiple_of(1024) {
        format!(" (only its first {} KiB were looked at)", bytes / 1024)
    } else {
        format!(" (only its first {bytes} bytes were looked at)")
    }
}

fn json_fault(pointer: &str, found: Option<Value>, wanted: &Value) -> Option<String> {
    let place = if pointer.is_empty() { "the document" } else { pointer };
    match found {
        None => Some(format!("{place} is missing, expected {}", shown(wanted))),
        Some(found) if same(&found, wanted) => None,
        Some(found) => Some(format!("{place} is {}, expected {}", shown(&found), shown(wanted))),
    }
}

/// Equality to which `1` and `1.0` are the same number, as they are in JSON and are not in serde_json.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() != b.is_f64() && a.as_f64() == b.as_f64())
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn shown(value: &Value) -> String {
    one_line(&serde_json::to_string(value).unwrap_or_default(), QUOTED)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text, QUOTED))
}
