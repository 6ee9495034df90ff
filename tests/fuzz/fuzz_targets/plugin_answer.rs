#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pihook_fuzz::plugin_answer::run(data));
