//! The fuzz target of the settings, with random bytes and its seeds. `tests/fuzz/README.md` tells how to fuzz in earnest.

#[path = "../../../tests/fuzz/drive.rs"]
mod drive;
#[path = "../../../tests/fuzz/src/http_settings.rs"]
#[allow(
    unreachable_pub,
    clippy::expect_used,
    reason = "it is public where the fuzzer finds it, and a test here"
)]
mod http_settings;

#[test]
fn any_settings_are_read_or_explained_and_any_answer_is_judged() {
    drive::drive("http_settings", http_settings::run);
}
