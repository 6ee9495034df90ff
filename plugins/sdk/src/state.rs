//! A few bytes that a service's check keeps between its runs, 64 KiB over all keys. They are written when the run
//! succeeds, and not otherwise.

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
