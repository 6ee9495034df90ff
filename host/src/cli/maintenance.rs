//! `pihook maintenance`: writes, removes and shows the flag.

use std::io::{self, Write};
use std::time::Duration;

use pihook_core::Timestamp;
use pihook_core::maintenance::{Flag, Maintenance, Ongoing, Overdue, Source, Window};
use pihook_core::plain::humanise;
use serde_json::{Value, json};

use super::args::{MaintenanceAction, MaintenanceArgs, MaintenanceOn};
use super::output::{Paint, Stream};
use super::{Failure, Place};
use crate::app::{self, Understood};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::exit_code::ExitCode;
use crate::maintenance::{self, FlagFile};
use crate::words::{ZONED, local};

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
        MaintenanceAction::On(on) => describe(&turn_on(&config, on, now)?, now),
        MaintenanceAction::Off => {
            let was_on =
                maintenance::remove(&config.maintenance_flag).map_err(|error| Failure::internal(&error))?;
            if was_on { "maintenance is off: alerts are sent again" } else { "maintenance was not on" }
                .to_owned()
        }
        MaintenanceAction::Status => {
            let flag = app::understand(maintenance::read(&config.maintenance_flag), &config);
            let forgotten = maintenance::overdue(&config.maintenance_flag, now);
            let forgotten = forgotten.filter(|_| flag.flag.as_ref().is_some_and(|flag| flag.lasts(now)));
            let forgotten = forgotten.map(|overdue| format!("\n{}", maintenance::forgotten(overdue)));
            format!("{}{}{}", describe(&flag, now), forgotten.unwrap_or_default(), windows(&config, now))
        }
    };
    let _ = writeln!(io::stdout(), "{line}");
    Ok(ExitCode::Ok)
}

fn turn_on(config: &Config, on: &MaintenanceOn, now: Timestamp) -> Result<Understood, Failure> {
    if let Some(name) = on.services.iter().find(|name| app::services_named(config, name).is_empty()) {
        let known = config.services.iter().map(|service| &*service.service.name);
        return Err(unknown("service", name, known));
    }
    if let Some(zone) = on.zones.iter().find(|zone| app::zone_named(config, zone).is_none()) {
        return Err(unknown("zone", zone, config.zones.iter().map(|zone| zone.as_str())));
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
    Ok(app::understand(FlagFile { flag: Some(flag), problem: None }, config))
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<&str> = known.collect();
    Failure::new(ExitCode::Usage, format!("there is no {what} {name:?}; there are: {}", known.join(", ")))
}

/// What mutes now, for `pihook status`: told from the flag and services.yaml, so that it is true while no daemon runs too.
pub(super) struct Lasting {
    maintenance: Maintenance,
    overdue: Option<Overdue>,
}

impl Lasting {
    pub(super) fn read(config: &Config, now: Timestamp) -> Self {
        let path = &config.maintenance_flag;
        let flag = app::understand(maintenance::read(path), config).flag;
        let overdue =
            maintenance::overdue(path, now).filter(|_| flag.as_ref().is_some_and(|it| it.lasts(now)));
        Self { maintenance: Maintenance { flag, windows: config.windows.clone() }, overdue }
    }

    /// A heading and a line for each; nothing if nothing mutes.
    pub(super) fn lines(&self, paint: Paint, now: Timestamp) -> Vec<String> {
        let line = |it: Ongoing<'_>| {
            let what = maintenance::described(it.source, it.name, it.scope, it.reason);
            let until = match (it.until, it.source) {
                (Some(until), _) => {
                    format!("until {} ({} left)", local(until, ZONED), humanise(left(until, now)))
                }
                (None, Source::Flag) => "until `pihook maintenance off`".to_owned(),
                (None, Source::Window) => "without an end".to_owned(),
            };
            format!("  {what}; {until}")
        };
        let mut lines: Vec<_> = self.maintenance.ongoing(now).map(line).collect();
        if !lines.is_empty() {
            lines.insert(0, format!("\n{}", paint.strong("Maintenance: alerts are muted")));
        }
        lines.extend(
            self.overdue.map(|overdue| format!("  {}", paint.warning(&maintenance::forgotten(overdue)))),
        );
        lines
    }

    pub(super) fn json(&self, now: Timestamp) -> Value {
        let one = |it: Ongoing<'_>| {
            json!({
                "source": it.source.as_str(),
                "name": it.name,
                "services": it.scope.services,
                "zones": it.scope.zones,
                "reason": it.reason,
                "until": it.until.map(|until| until.to_string()),
                "seconds_left": it.until.map(|until| left(until, now).as_secs()),
                "days_old": self.overdue.filter(|_| it.source == Source::Flag).map(|overdue| overdue.days),
            })
        };
        self.maintenance.ongoing(now).map(one).collect()
    }
}

fn left(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default()
}

/// The windows, one a line: what is open until when, and what opens when.
fn windows(config: &Config, now: Timestamp) -> String {
    let line = |window: &Window| {
        let next = window.when.next_change(now).map(|at| local(at, ZONED));
        let scope = window.scope();
        let reason = window.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        match (window.when.contains(now), next) {
            (true, Some(end)) => format!("\nwindow {}: open until {end}, for {scope}{reason}", window.name),
            (true, None) => format!("\nwindow {}: open, without an end, for {scope}{reason}", window.name),
            (false, Some(begin)) => format!("\nwindow {}: opens {begin}, for {scope}{reason}", window.name),
            (false, None) => format!("\nwindow {}: over", window.name),
        }
    };
    config.windows.iter().map(line).collect()
}

fn describe(flag: &Understood, now: Timestamp) -> String {
    let paint = Paint::of(Stream::Stdout);
    let (heading, rest) = flag.describe(now);
    let heading = if flag.flag.is_some() { paint.warning(heading) } else { heading.to_owned() };
    let warnings = flag.warnings().map(|warning| format!("\n{warning}"));
    format!("{heading} {rest}{}", warnings.collect::<String>())
}
