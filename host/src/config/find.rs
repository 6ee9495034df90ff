//! Where the configuration is.

use std::path::{Path, PathBuf};

/// Where it is looked for when nobody names it, in this order.
const PLACES: [&str; 3] = ["./services.yaml", "./config/services.yaml", "/etc/pihook/services.yaml"];

/// There is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no services.yaml found in {}; name one with `--config FILE` or `PIHOOK_CONFIG`",
    PLACES.join(", ")
)]
pub struct NotFound;

/// The configuration's path: the explicit one, else `PIHOOK_CONFIG`, else the first usual place that is a file.
/// A path that somebody named is returned whether it exists or not, so that its absence is reported and not passed over.
///
/// # Errors
/// If nobody named one and none of the usual places has it.
pub fn find(
    explicit: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<String>,
    is_file: &dyn Fn(&Path) -> bool,
) -> Result<PathBuf, NotFound> {
    if let Some(path) = explicit {
        return Ok(path.to_owned());
    }
    if let Some(path) = environment("PIHOOK_CONFIG").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    PLACES.iter().map(PathBuf::from).find(|path| is_file(path)).ok_or(NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(explicit: Option<&str>, variable: Option<&str>, present: &[&str]) -> Option<String> {
        let environment = |name: &str| variable.filter(|_| name == "PIHOOK_CONFIG").map(str::to_owned);
        let is_file = |path: &Path| present.iter().any(|file| path == Path::new(file));
        let path = find(explicit.map(Path::new), &environment, &is_file).ok()?;
        Some(path.display().to_string())
    }

    #[test]
    fn the_order_of_the_contract() {
        let all = &PLACES;
        assert_eq!(found(Some("a.yaml"), Some("b.yaml"), all).as_deref(), Some("a.yaml"));
        assert_eq!(found(None, Some("b.yaml"), all).as_deref(), Some("b.yaml"));
        assert_eq!(found(None, Some(""), all).as_deref(), Some("./services.yaml"));
        assert_eq!(found(None, None, &all[1..]).as_deref(), Some("./config/services.yaml"));
        assert_eq!(found(None, None, &all[2..]).as_deref(), Some("/etc/pihook/services.yaml"));
        assert_eq!(found(None, None, &[]), None);
        assert!(NotFound.to_string().contains("./config/services.yaml"));
    }
}
