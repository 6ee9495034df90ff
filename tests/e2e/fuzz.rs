//! The fuzz targets of the host, with random bytes and their seeds. `tests/fuzz/README.md` tells how to fuzz in earnest.

#[path = "../fuzz/drive.rs"]
mod drive;

#[path = "../fuzz/src/configuration.rs"]
#[allow(unreachable_pub, reason = "it is public where the fuzzer finds it")]
mod configuration;
#[path = "../fuzz/src/maintenance_flag.rs"]
#[allow(unreachable_pub, clippy::expect_used, reason = "it is public where the fuzzer finds it")]
mod maintenance_flag;
#[path = "../fuzz/src/plugin_answer.rs"]
#[allow(unreachable_pub, reason = "it is public where the fuzzer finds it")]
mod plugin_answer;

use drive::drive;

#[test]
fn any_configuration_is_read_or_explained() {
    drive("configuration", configuration::run);
    configuration::run(include_bytes!("../../config/services.yaml"));
}

#[test]
fn any_maintenance_flag_is_read_or_explained() {
    drive("maintenance_flag", maintenance_flag::run);
}

#[test]
fn any_answer_of_a_plugin_is_bounded() {
    drive("plugin_answer", plugin_answer::run);
}
