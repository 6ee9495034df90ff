//! Embeds the bundled plugins, which `./build.sh plugins` has built, into the binary.
#![expect(clippy::expect_used, reason = "a build script has nobody to return an error to")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let project = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("..");
    let folder = project.join("target/plugins");
    let sources = project.join("plugins");
    println!("cargo::rerun-if-changed={}", sources.display());
    let mut list = String::from("[");
    for id in ids(&sources) {
        let file = folder.join(format!("{id}.wasm"));
        println!("cargo::rerun-if-changed={}", file.display());
        if !file.exists() {
            println!("cargo::error=the bundled plugin {id} is not built yet: run ./build.sh plugins first");
        }
        write!(list, "({id:?}, include_bytes!({file:?})),").expect("writing to a string");
    }
    list.push(']');
    let out = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("bundled.rs");
    fs::write(out, list).expect("the build folder is writable");
}

/// The ids of the plugins that come with PiHook, sorted: each has a folder of its own, beside that of the SDK.
fn ids(sources: &Path) -> Vec<String> {
    let folders =
        fs::read_dir(sources).expect("the sources are there").map(|entry| entry.expect("a folder").path());
    let plugins = folders.filter(|folder| folder.join("Cargo.toml").exists() && !folder.ends_with("sdk"));
    let mut ids: Vec<String> =
        plugins.filter_map(|folder| Some(folder.file_name()?.to_string_lossy().into_owned())).collect();
    ids.sort();
    ids
}
