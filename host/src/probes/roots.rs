//! The certificates that this machine trusts.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::RootCertStore;

/// The system's certificates, read when somebody first needs them: that takes some milliseconds and blocks.
/// Empty if there are none; they are then looked for again the next time, since a package may have been installed.
#[must_use]
pub fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: Roots = Roots(Mutex::new(None));
    ROOTS.get(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

struct Roots(Mutex<Option<Arc<RootCertStore>>>);

impl Roots {
    fn get(&self, load: impl FnOnce() -> RootCertStore) -> Arc<RootCertStore> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(roots) = &*known() {
            return roots.clone();
        }
        // Not under the lock: a disk that hangs must not hang the next one too.
        let roots = Arc::new(load());
        if !roots.is_empty() {
            *known() = Some(roots.clone());
        }
        roots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_having_some_is_remembered() {
        let roots = Roots(Mutex::new(None));
        assert!(roots.get(RootCertStore::empty).is_empty());
        let some = || {
            let key = rcgen::generate_simple_self_signed(["nas.lan".to_owned()]).unwrap();
            let mut roots = RootCertStore::empty();
            roots.add(key.cert.der().clone()).unwrap();
            roots
        };
        assert_eq!(roots.get(some).len(), 1);
        assert_eq!(roots.get(RootCertStore::empty).len(), 1);
    }
}
