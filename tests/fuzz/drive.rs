//! Drives a fuzz target from an ordinary test, without a fuzzer: its seeds, what becomes of them when pieces of them are
//! lost, moved or replaced, and bytes that are nothing at all.

#![allow(clippy::expect_used, clippy::panic, reason = "a helper that fails fails its test")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Runs the target on all of it; a panic fails the test, with the bytes made as small as possible.
pub(crate) fn drive(target: &str, run: fn(&[u8])) {
    let seeds = seeds(target);
    for seed in &seeds {
        run(seed);
    }
    let place = || any::<prop::sample::Index>();
    let edit = (place(), 0usize..20, prop::collection::vec(any::<u8>(), 0..4), place(), any::<bool>());
    let edits = prop::collection::vec(edit, 1..6);
    let broken = (prop::sample::select(seeds), edits).prop_map(|(mut bytes, edits)| {
        for (at, length, piece, from, is_moved) in edits {
            let part = |at: prop::sample::Index| {
                let start = at.index(bytes.len() + 1);
                start..(start + length).min(bytes.len())
            };
            let (replaced, moved) = (part(at), bytes[part(from)].to_vec());
            bytes.splice(replaced, if is_moved { moved } else { piece });
        }
        bytes
    });
    let bytes = prop_oneof![4 => broken, 1 => prop::collection::vec(any::<u8>(), 0..300)];
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) };
    let outcome = TestRunner::new(config).run(&bytes, |bytes| {
        run(&bytes);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{target}: {failure}");
    }
}

/// The files of `seeds/TARGET`, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    // The crates that include this file stand at different depths of the project.
    let mut above =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("tests/fuzz/seeds"));
    let folder = above.find(|folder| folder.is_dir()).expect("the seeds are there").join(target);
    let entries = fs::read_dir(folder).expect("the target has seeds");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder that can be read").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has no seeds");
    paths.iter().map(|path| fs::read(path).expect("a file that can be read")).collect()
}
