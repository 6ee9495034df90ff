//! Lines for PiHook's own log, under the plugin's name. The host keeps 100 lines and 16 KiB a run.

/// For whoever is looking for a fault.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Good to know.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Worth a look.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Broken.
pub fn error(message: &str) {
    write(Level::Error, message);
}

#[derive(Clone, Copy)]
pub(crate) enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

fn write(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::wall::host::log(level, message);
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (level, message);
}
