//! ARCHITECTURE.md's layers, read from the sources, so that their order cannot rot.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the host with the others that it may import. What is in no list may be imported by nobody.
const LAYERS: &[(&str, &[&str])] = &[
    // L4: wiring, signals, exit codes.
    (
        "cli",
        &[
            "app",
            "checks",
            "clock",
            "config",
            "exit_code",
            "maintenance",
            "password",
            "plugins",
            "sinks",
            "store",
            "tasks",
            "telemetry",
            "words",
        ],
    ),
    (
        "app",
        &[
            "board",
            "checks",
            "clock",
            "config",
            "dashboard",
            "engine",
            "heartbeats",
            "hosts",
            "maintenance",
            "memory",
            "paths",
            "plugins",
            "probes",
            "shutdown",
            "sinks",
            "store",
            "tasks",
            "words",
        ],
    ),
    // L3: when things run; what people see.
    ("engine", &["board", "checks", "clock", "shutdown", "store"]),
    ("tasks", &["clock", "heartbeats", "plugins", "shutdown", "sinks", "store", "words"]),
    (
        "dashboard",
        &["board", "clock", "files", "heartbeats", "maintenance", "password", "shutdown", "store", "words"],
    ),
    // L2: adapters, one outside thing each.
    ("config", &["files", "hosts", "machine", "password", "paths"]),
    ("checks", &["clock", "hosts", "plugins", "probes", "words"]),
    ("plugins", &["clock", "heartbeats", "machine", "probes"]),
    ("probes", &["files", "heartbeats", "hosts", "machine", "paths", "process_group"]),
    ("store", &["heartbeats", "words"]),
    ("sinks", &["process_group", "words"]),
    // L1: small things that every layer may use.
    ("board", &[]),
    ("clock", &[]),
    ("exit_code", &[]),
    ("files", &[]),
    ("heartbeats", &[]),
    ("hosts", &[]),
    ("machine", &[]),
    ("maintenance", &["files", "words"]),
    ("memory", &[]),
    ("password", &[]),
    ("paths", &[]),
    ("process_group", &[]),
    ("shutdown", &[]),
    ("telemetry", &[]),
    ("words", &[]),
];

/// Crates that one module alone may know, or few.
const FENCED: &[(&str, &str)] = &[
    ("wasmtime", "plugins"),
    ("wasmtime_wasi", "plugins"),
    ("rusqlite", "store"),
    ("csv", "tasks"),
    ("axum", "dashboard"),
    ("futures_util", "dashboard"),
    ("prometheus", "dashboard"),
    ("utoipa", "dashboard"),
    ("subtle", "dashboard"),
    ("argon2", "password"),
    ("askama", "dashboard"),
    ("reqwest", "sinks"),
    ("hyper", "probes"),
    ("hyper_util", "probes"),
    ("tokio_rustls", "probes dashboard"),
    ("x509_parser", "probes"),
    ("sysinfo", "probes"),
    ("zbus", "probes"),
    ("hickory_proto", "probes"),
    ("socket2", "probes"),
];

/// Violations that are known and not yet mended, as file and module. Each must still be one.
const DEBTS: &[(&str, &str)] = &[];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// A source file of the host.
struct Source {
    /// Such as `store/reader.rs`.
    path: String,
    /// Its code, without comments and tests.
    code: String,
}

impl Source {
    /// The module at the top that it belongs to.
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }
}

/// All that is compiled into the binary below `host/src`, but `main.rs` and `lib.rs`.
fn sources() -> Vec<Source> {
    let root = project().join("host/src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            let tests = name.ends_with("tests") || name.ends_with("tests.rs");
            if path.is_dir() && !tests {
                folders.push(path);
            } else if name.ends_with(".rs") && !tests && !["main.rs", "lib.rs"].contains(&&*name) {
                let code = code(&fs::read_to_string(path).unwrap());
                sources.push(Source { path: name, code });
            }
        }
    }
    assert!(sources.len() > 50, "the sources are not where they are looked for");
    sources
}

/// The text without comments, and up to the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let text = text.split("#[cfg(test)]\n#[path").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The modules that stand behind `crate::`, alone or in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => {
                found.insert(word(rest));
            }
            Some(group) => found.extend(group_names(group)),
        }
    }
    found
}

/// The first names of a group's members, which may have groups of their own.
fn group_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' => start = depth == 0,
            _ if start && !character.is_whitespace() => {
                names.push(word(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// Whether the code has the path `name::…`, or imports the name itself.
fn mentions(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let begins = before.is_none_or(|it| !it.is_alphanumeric() && it != '_' && it != ':' && it != '.');
        let after = &code[at + name.len()..];
        begins && (after.starts_with("::") || (code[..at].ends_with("use ") && after.starts_with(';')))
    })
}

#[test]
fn imports_point_down() {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.module();
        let allowed =
            *layers.get(module).unwrap_or_else(|| panic!("the module {module} is not in the table"));
        for import in imports(&source.code) {
            if import != module && layers.contains_key(&*import) && !allowed.contains(&&*import) {
                wrong.push((source.path.clone(), import));
            }
        }
    }
    let debts: Vec<_> =
        DEBTS.iter().map(|(file, module)| ((*file).to_owned(), (*module).to_owned())).collect();
    assert_eq!(wrong, debts, "ARCHITECTURE.md says who may import whom");
}

#[test]
fn what_the_table_allows_is_used() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        used.entry(source.module().to_owned()).or_default().extend(imports(&source.code));
    }
    for (module, allowed) in LAYERS {
        let used = used.get(*module).unwrap_or_else(|| panic!("there is no module {module}"));
        let unused: Vec<_> = allowed.iter().filter(|import| !used.contains(**import)).collect();
        assert!(unused.is_empty(), "{module} does not import {unused:?} any more: take it out of the table");
    }
}

#[test]
fn each_outside_thing_has_one_module() {
    for (name, home) in FENCED {
        let homes: BTreeSet<_> = sources()
            .iter()
            .filter(|source| mentions(&source.code, name))
            .map(|source| source.module().to_owned())
            .collect();
        assert_eq!(homes, home.split(' ').map(str::to_owned).collect(), "{name}");
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = project().join("tests/e2e");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let declared = main.lines().any(|line| line == format!("mod {name};"));
        assert!(name == "main" || declared, "tests/e2e/main.rs does not declare {name}");
    }
}

#[test]
fn paths_are_read_as_the_compiler_does() {
    let text = "use crate::store::Store;\nuse crate::{clock::{A, B}, engine, \n tasks};\nlet x = &crate::cli::f();\n\
                // crate::sinks\n#[cfg(test)]\nmod tests { use crate::config; }";
    let found: Vec<_> = imports(&code(text)).into_iter().collect();
    assert_eq!(found, ["cli", "clock", "engine", "store", "tasks"]);
    assert!(mentions("use hyper::Body;", "hyper") && mentions("fn f(x: rusqlite::Row)", "rusqlite"));
    assert!(mentions("use wasmtime;", "wasmtime"));
    assert!(!mentions("use wasmtime_wasi::A; let hyper = 1; self::axum::x", "wasmtime"));
    assert!(!mentions("crate::axum::x", "axum") && !mentions("let hyper = 1;", "hyper"));
}
