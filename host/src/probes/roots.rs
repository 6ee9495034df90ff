//! The certificates that this machine trusts.

use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;

/// The system's certificates, read once, when somebody first needs them: that takes some milliseconds and blocks.
/// Empty if there are none.
#[must_use]
pub fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    ROOTS
        .get_or_init(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Arc::new(roots)
        })
        .clone()
}
