//! `pihook maintenance`: writes, removes and shows the flag.

use std::io::{self, Write};

use pihook_core::Timestamp;
use pihook_core::maintenance::Flag;

use super::args::{MaintenanceAction, MaintenanceArgs, MaintenanceOn};
use super::output::{Paint, Stream};
use super::{Failure, Place};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::exit_code::ExitCode;
use crate::maintenance::{self, FlagFile};

pub(super) fn run(place: &Place, args: &MaintenanceArgs) -> Result<ExitCode, Failure> {
    let path = place.find()?;
    let config = crate::config::load(&path, &super::environment).or_else(|problems| {
        // Silence must be possible while the file is broken.
        problems.partial().cloned().ok_or_else(|| {
            Failure::new(ExitCode::Config, "the configuration cannot be read; try `pihook validate`")
        })
    })?;
    let now = SystemClock::start().now().wall;
    let line = match &args.action {
        MaintenanceAction::On(on) => turn_on(&config, on, now)?,
        MaintenanceAction::Off => {
            let was_on =
                maintenance::remove(&config.maintenance_flag).map_err(|error| Failure::internal(&error))?;
            if was_on { "maintenance is off: alerts are sent again" } else { "maintenance was not on" }
                .to_owned()
        }
        MaintenanceAction::Status => describe(&maintenance::read(&config.maintenance_flag), now),
    };
    let _ = writeln!(io::stdout(), "{line}");
    Ok(ExitCode::Ok)
}

fn turn_on(config: &Config, on: &MaintenanceOn, now: Timestamp) -> Result<String, Failure> {
    for name in &on.services {
        let known = config
            .services
            .iter()
            .any(|service| *service.service.name == **name || service.service.id.as_str() == name);
        if !known {
            return Err(unknown(
                "service",
                name,
                config.services.iter().map(|service| &*service.service.name),
            ));
        }
    }
    for zone in &on.zones {
        if !config.zones.iter().any(|known| known.as_str() == zone) {
            return Err(unknown("zone", zone, config.zones.iter().map(|zone| zone.as_str())));
        }
    }
    let until = on
        .lasting
        .map(|lasting| {
            // The flag is read by people too; to the second is enough.
            now.checked_add(lasting)
                .and_then(|until| until.round(jiff::Unit::Second))
                .map_err(|_| Failure::new(ExitCode::Usage, "--for: that is too far in the future"))
        })
        .transpose()?;
    let flag =
        Flag { until, services: on.services.clone(), zones: on.zones.clone(), reason: on.reason.clone() };
    maintenance::write(&config.maintenance_flag, &flag).map_err(|error| Failure::internal(&error))?;
    Ok(describe(&FlagFile { flag: Some(flag), problem: None }, now))
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<&str> = known.collect();
    Failure::new(ExitCode::Usage, format!("there is no {what} {name:?}; there are: {}", known.join(", ")))
}

fn describe(file: &FlagFile, now: Timestamp) -> String {
    let paint = Paint::of(Stream::Stdout);
    let Some(flag) = &file.flag else {
        return "maintenance is off: alerts are sent".to_owned();
    };
    if flag.until.is_some_and(|until| until <= now) {
        return "maintenance is over: the flag's time has passed, alerts are sent".to_owned();
    }
    let mut covered: Vec<String> = flag.services.clone();
    covered.extend(flag.zones.iter().map(|zone| format!("the zone {zone}")));
    let what = if covered.is_empty() { "everything".to_owned() } else { covered.join(", ") };
    let until = flag.until.map_or_else(
        || "until `pihook maintenance off`".to_owned(),
        |until| {
            format!("until {}", until.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M %Z"))
        },
    );
    let reason = flag.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let problem = file
        .problem
        .as_deref()
        .map(|problem| format!("\nthe flag file counts as full maintenance, since {problem}"))
        .unwrap_or_default();
    format!("{} alerts are muted for {what} {until}{reason}{problem}", paint.warning("maintenance is on:"))
}
