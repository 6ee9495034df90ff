//! The guest's side of the wall: the generated bindings, and the conversions between them and the plain types.

pub(crate) mod commands;
pub(crate) mod containers;
mod convert;
pub(crate) mod dns;
pub(crate) mod files;
pub(crate) mod filesystems;
pub(crate) mod heartbeat;
pub(crate) mod history;
pub(crate) mod host;
pub(crate) mod http;
pub(crate) mod icmp;
pub(crate) mod net;
pub(crate) mod processes;
pub(crate) mod system;
pub(crate) mod tcp;
pub(crate) mod tls;
pub(crate) mod units;

use std::marker::PhantomData;
use std::time::Duration;

use crate::{Check, DigestFormatter, Failure, Formatter, Problem, Run, settings};

#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, reason = "generated")]
pub mod check_bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "validating-check-plugin",
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, reason = "generated")]
pub mod formatter_bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "formatter-plugin",
        with: {
            "pihook:plugin/types@0.1.0": crate::wall::check_bindings::pihook::plugin::types,
            "pihook:plugin/log@0.1.0": crate::wall::check_bindings::pihook::plugin::log,
            "pihook:plugin/clock@0.1.0": crate::wall::check_bindings::pihook::plugin::clock,
        },
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, reason = "generated")]
pub mod digest_bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "digests-alone",
        with: {
            "pihook:plugin/types@0.1.0": crate::wall::check_bindings::pihook::plugin::types,
            "pihook:plugin/alerts@0.1.0": crate::wall::formatter_bindings::pihook::plugin::alerts,
        },
        pub_export_macro: true,
        export_macro_name: "export",
    });
}

use check_bindings::exports::pihook::plugin::{check, check_settings};
use digest_bindings::exports::pihook::plugin::digests;
use formatter_bindings::exports::pihook::plugin::formatter;

/// A check behind the wall.
#[derive(Debug)]
pub struct CheckGuest<T>(PhantomData<T>);

impl<T: Check> check::Guest for CheckGuest<T> {
    fn run(request: check::Request) -> Result<check::Outcome, check::Failure> {
        let settings = settings::read::<T::Settings>(&request.settings)
            .map_err(|problems| check::Failure::Settings(settings::describe(&problems)))?;
        let run = Run {
            service: request.service,
            zone: request.zone,
            connect_timeout: Duration::from_millis(u64::from(request.connect_timeout_ms)),
            read_timeout: Duration::from_millis(u64::from(request.read_timeout_ms)),
            attempt: request.attempt,
            ext: request.ext,
        };
        T::run(&settings, &run).map(convert::outcome).map_err(|failure| match failure {
            Failure::Settings(text) => check::Failure::Settings(text),
            Failure::Denied(text) => check::Failure::Denied(text),
            Failure::Other(text) => check::Failure::Other(text),
        })
    }
}

impl<T: Check> check_settings::Guest for CheckGuest<T> {
    fn validate(settings: String) -> Vec<check_settings::Problem> {
        settings::problems::<T>(&settings)
            .into_iter()
            .map(|Problem { path, what, remedy }| check_settings::Problem { path, what, remedy })
            .collect()
    }
}

/// A formatter behind the wall.
#[derive(Debug)]
pub struct FormatterGuest<T>(PhantomData<T>);

impl<T: Formatter> formatter::Guest for FormatterGuest<T> {
    fn format(alert: formatter::Alert, target: formatter::Target) -> Result<formatter::Message, String> {
        T::format(&convert::alert(alert), &convert::target(target)).map(convert::message)
    }
}

impl<T: DigestFormatter> digests::Guest for FormatterGuest<T> {
    fn digest(alerts: Vec<digests::Alert>, target: digests::Target) -> Result<digests::Message, String> {
        let alerts: Vec<crate::Alert> = alerts.into_iter().map(convert::alert).collect();
        T::digest(&alerts, &convert::target(target)).map(convert::message)
    }
}
