//! Embeds the bundled plugins, which `./build.sh plugins` has built, into the binary.
#![expect(clippy::expect_used, reason = "a build script has nobody to return an error to")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// Ids of the plugins that come with PiHook.
const BUNDLED: &[&str] = &["detailed", "http"];

fn main() {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../target/plugins");
    let mut list = String::from("[");
    for id in BUNDLED {
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
