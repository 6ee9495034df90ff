//! A few bytes that a service's check keeps between its runs, 64 KiB over all keys. They are written when the run
//! succeeds, and not otherwise.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Run;

/// The value, if there is one. None in a native build.
#[must_use]
pub fn get(key: &str) -> Option<Vec<u8>> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::host::state_get(key);
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = key;
        None
    }
}

/// Sets or, with none, removes the value. Without effect in a native build.
///
/// # Errors
/// The host's words if the service's 64 KiB would be exceeded.
pub fn set(key: &str, value: Option<&[u8]>) -> Result<(), String> {
    #[cfg(target_arch = "wasm32")]
    return crate::wall::host::state_set(key, value);
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = (key, value);
        Ok(())
    }
}

/// Keeps what is seen now and returns what the check before saw; none if that is not known. The further attempts of one
/// check are compared with the check before too, and not with its first attempt a moment ago.
///
/// # Errors
/// The host's words if the service's 64 KiB would be exceeded.
pub fn before<T: Serialize + DeserializeOwned>(key: &str, run: &Run, now: T) -> Result<Option<T>, String> {
    let (base, bytes) = turned(get(key).as_deref(), run.attempt, now)?;
    set(key, Some(&bytes))?;
    Ok(base)
}

/// What a check saw, and the one before it.
#[derive(Serialize, Deserialize)]
struct Pair<T> {
    base: Option<T>,
    latest: T,
}

/// What there is to compare with, and what is to be kept.
fn turned<T: Serialize + DeserializeOwned>(
    kept: Option<&[u8]>,
    attempt: u32,
    now: T,
) -> Result<(Option<T>, Vec<u8>), String> {
    // What another version kept in another shape is not known.
    let kept: Option<Pair<T>> = kept.and_then(|bytes| serde_json::from_slice(bytes).ok());
    let base = kept.and_then(|kept| if attempt > 1 { kept.base } else { Some(kept.latest) });
    let pair = Pair { base, latest: now };
    let bytes = serde_json::to_vec(&pair).map_err(|error| error.to_string())?;
    Ok((pair.base, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_attempts_are_compared_with_the_check_before() {
        let (before, kept) = turned(None, 1, 10).expect("it is kept");
        assert_eq!(before, None);
        let (before, kept) = turned(Some(&kept), 2, 11).expect("it is kept");
        assert_eq!(before, None, "the first attempt of the first check is no check before");
        let (before, kept) = turned(Some(&kept), 1, 20).expect("it is kept");
        assert_eq!(before, Some(11));
        let (before, kept) = turned(Some(&kept), 2, 21).expect("it is kept");
        assert_eq!(before, Some(11));
        let (before, kept) = turned(Some(&kept), 3, 22).expect("it is kept");
        assert_eq!(before, Some(11));
        assert_eq!(turned(Some(&kept), 1, 30).expect("it is kept").0, Some(22));
    }

    #[test]
    fn what_is_not_understood_is_not_known() {
        for kept in [&b""[..], b"7", b"{\"latest\":\"x\"}", b"\xff"] {
            assert_eq!(turned(Some(kept), 1, 1).expect("it is kept").0, None);
        }
    }
}
