//! From a file to a [`Config`].

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use pihook_core::SinkId;
use serde_json::Value;

use super::keys::ROOT;
use super::ladder::{Known, read_degraded, read_ladder};
use super::problem::{Fault, Problem, Problems};
use super::reader::{Node, Reader};
use super::secrets::{self, Secrets};
use super::tree::{self, LARGEST_FILE, Located, Tree};
use super::{
    Config, dashboard, history, pace, plugins, push, services, sinks, startup, watchdog, windows, zones,
};
use crate::files::read_limited;

/// The world around the file, as far as reading it needs one.
pub struct Surroundings<'a> {
    /// The file's name, for problems.
    pub file: &'a Path,
    /// The folder that relative paths start from.
    pub base: &'a Path,
    /// Looks an environment variable up.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a small text file, for `${file:PATH}`.
    pub read_file: &'a dyn Fn(&Path) -> io::Result<String>,
}

/// Reads the file at this path.
///
/// # Errors
/// All problems of the file; one, if it cannot be read at all.
pub fn load(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Result<Config, Problems> {
    let unreadable = |error: &io::Error| {
        let fault = Fault::new(
            format!("cannot be read: {error}"),
            "a file that pihook may read; name another with `--config FILE`",
        );
        whole_file(path, vec![(1, String::new(), fault)])
    };
    let source = read_limited(path, LARGEST_FILE).map_err(|error| unreadable(&error))?;
    let absolute = std::path::absolute(path).map_err(|error| unreadable(&error))?;
    let base = absolute.parent().unwrap_or(Path::new("/"));
    let read_file = |path: &Path| {
        let bytes = read_limited(path, secrets::LONGEST)?;
        String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
    };
    parse(&source, &Surroundings { file: path, base, environment, read_file: &read_file })
}

/// Reads a file's content. Bounded in time and memory whatever the content is.
///
/// # Errors
/// All problems of the file.
pub fn parse(source: &[u8], surroundings: &Surroundings<'_>) -> Result<Config, Problems> {
    let Tree { value, lines, problems } =
        tree::read(source).map_err(|located| whole_file(surroundings.file, located))?;
    let file = surroundings.file.display().to_string();
    let mut reader = Reader::new(file.into(), &lines, Secrets::new(surroundings));
    for (line, path, fault) in problems {
        reader.fault_at(line, &path, fault);
    }
    let mut config = read_root(&value, surroundings, &mut reader);
    let (problems, secrets) = reader.finish();
    config.secrets = secrets;
    config.lines = lines;
    if problems.is_empty() { Ok(config) } else { Err(problems.with_partial(config)) }
}

fn whole_file(file: &Path, located: Vec<Located>) -> Problems {
    let file = file.display().to_string();
    let problem = |(line, path, Fault { what, remedy }): Located| Problem {
        file: file.as_str().into(),
        line,
        path,
        what,
        remedy,
    };
    located.into_iter().map(problem).collect()
}

fn read_root(value: &Value, surroundings: &Surroundings<'_>, reader: &mut Reader<'_>) -> Config {
    let root = Node { value, path: String::new() };
    let root = reader.fields((!value.is_null()).then_some(root), &ROOT);

    let data_dir = root.get("data_dir").and_then(|node| reader.path(&node));
    let data_dir = tidy(&surroundings.base.join(data_dir.unwrap_or_else(|| PathBuf::from("data"))));
    let flag = root.get("maintenance_flag").and_then(|node| reader.path(&node));
    let maintenance_flag = tidy(&data_dir.join(flag.unwrap_or_else(|| PathBuf::from("maintenance.flag"))));

    let declared = zones::read(root.get("zones"), reader);
    let zones = declared.zones.clone();
    let sinks = sinks::read(root.get("sinks"), reader);
    let known = Known { zones: &zones, sinks: &sinks.keys().cloned().collect::<Vec<_>>() };
    let defaults = pace::read_defaults(root.get("defaults"), reader);
    let ladder = read_ladder(root.get("escalation"), &known, reader);
    let degraded = root.get("escalation_degraded").map(|node| read_degraded(&node, &ladder, &known, reader));
    let inherited = services::Inherited { pace: defaults, ladder, degraded };
    let services = services::read(root.get("services"), &known, &inherited, reader);
    let dashboard = dashboard::read(root.get("dashboard"), surroundings.base, reader);
    let windows = windows::read(root.get("maintenance"), &zones, &services, reader);
    push::judge(&services, &dashboard, reader);
    let history = history::read(root.get("history"), &data_dir, &known, reader);
    let readable = |(id, sink): (SinkId, Option<_>)| Some((id, sink?));
    Config {
        path: surroundings.file.to_owned(),
        maintenance_flag,
        dashboard,
        history,
        watchdog: watchdog::read(root.get("watchdog"), reader),
        startup_message: startup::read(root.get("startup_message"), reader),
        plugins: plugins::read(root.get("plugins"), &data_dir, reader),
        data_dir,
        services,
        sinks: sinks.into_iter().filter_map(readable).collect::<BTreeMap<_, _>>(),
        zones,
        canaries: declared.canaries(&inherited),
        windows,
        secrets: Vec::new(),
        lines: super::Lines::default(),
    }
}

/// The path without `.`, and without `..` where a folder's name stands before it.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidy.components().next_back(), Some(Component::Normal(_))) => {
                tidy.pop();
            }
            _ => tidy.push(part),
        }
    }
    tidy
}
