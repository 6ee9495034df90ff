//! Name resolution. The system's resolver blocks, for half a minute when its server is silent, and cannot be stopped: so
//! there is one lookup of a name at a time, shared by all who ask, and only so many at once; others take turns.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

use super::NetError;
use super::net::{is_shortage, reason, spelled};

/// Lookups at once, those included that nobody waits for any more. Fewer than the runtime has threads for blocking calls.
const MOST_LOOKUPS: usize = 32;

/// Why there are no addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// The resolver says no, with its reason if it gives one.
    Failed(Option<String>),
    /// That is PiHook's own fault, or its machine's.
    Own(String),
}

type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;
type Found = Result<Vec<IpAddr>, Unresolved>;
type Running = HashMap<String, watch::Receiver<Progress>>;

/// How long a lookup waits for its turn before PiHook owns up to being busy. Below any connect timeout, which would be
/// the service's fault.
const TURN: Duration = Duration::from_millis(500);

/// How far a lookup is.
#[derive(Clone, Debug)]
enum Progress {
    Queued,
    Asked,
    Done(Found),
}

/// Resolves names.
pub(super) struct Resolver {
    lookup: Arc<Lookup>,
    turns: Arc<Semaphore>,
    running: Arc<Mutex<Running>>,
}

impl Default for Resolver {
    fn default() -> Self {
        Self::system()
    }
}

impl Resolver {
    /// The system's resolver.
    pub(super) fn system() -> Self {
        Self::by(|name| Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect()))
    }

    fn by(lookup: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Self {
        let turns = Arc::new(Semaphore::new(MOST_LOOKUPS));
        Self { lookup: Arc::new(lookup), turns, running: Arc::default() }
    }

    /// The name's addresses in the resolver's order. May be dropped at any time; the lookup then goes on for others.
    pub(super) async fn resolve(&self, name: &str) -> Found {
        let mut progress = self.progress(name);
        let begun = progress.wait_for(|progress| !matches!(progress, Progress::Queued));
        if timeout(TURN, begun).await.is_err() {
            let text =
                format!("PiHook's resolver is busy: {MOST_LOOKUPS} other names are still being resolved");
            return Err(Unresolved::Own(text));
        }
        match progress.wait_for(|progress| matches!(progress, Progress::Done(_))).await.as_deref() {
            Ok(Progress::Done(found)) => found.clone(),
            _ => Err(Unresolved::Own("the lookup of the name broke off".to_owned())),
        }
    }

    /// The addresses of a host, at least one, and how long that took; an address is its own, at once.
    pub(super) async fn addresses(
        &self,
        host: &str,
        within: Duration,
    ) -> Result<(Vec<IpAddr>, Option<Duration>), NetError> {
        if let Ok(address) = host.parse() {
            return Ok((vec![address], None));
        }
        let start = Instant::now();
        let unresolved = |why: &str| NetError::Dns(format!("the name {host} does not resolve{why}"));
        match timeout(within, self.resolve(host)).await {
            Ok(Ok(found)) if found.is_empty() => Err(unresolved(" to any address")),
            Ok(Ok(found)) => Ok((found, Some(start.elapsed()))),
            Ok(Err(Unresolved::Failed(Some(reason)))) => Err(unresolved(&format!(" ({reason})"))),
            Ok(Err(Unresolved::Failed(None))) => Err(unresolved("")),
            Ok(Err(Unresolved::Own(text))) => Err(NetError::Other(text)),
            Err(_) => {
                let text =
                    format!("the name {host} was not resolved within {} (connect timeout)", spelled(within));
                Err(NetError::ConnectTimeout(text))
            }
        }
    }

    /// The lookup that runs, or a new one.
    fn progress(&self, name: &str) -> watch::Receiver<Progress> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = running.get(name) {
            return progress.clone();
        }
        let (tell, progress) = watch::channel(Progress::Queued);
        running.insert(name.to_owned(), progress.clone());
        drop(running);
        let ended = Ended { name: name.to_owned(), running: self.running.clone() };
        let (lookup, turns) = (self.lookup.clone(), self.turns.clone());
        tokio::spawn(async move {
            let turn = turns.acquire_owned().await;
            tell.send_replace(Progress::Asked);
            let _ = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                let found = lookup(&ended.name).map_err(|error| unresolved(&error));
                // Whoever asks from now on gets a new lookup.
                drop(ended);
                tell.send_replace(Progress::Done(found));
            })
            .await;
        });
        progress
    }
}

/// Takes a lookup off the list, also when it panics or the runtime ends before it begins.
struct Ended {
    name: String,
    running: Arc<Mutex<Running>>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

fn unresolved(error: &io::Error) -> Unresolved {
    if is_shortage(error) {
        return Unresolved::Own(format!("no name can be resolved: {}", reason(error)));
    }
    let text = error.to_string();
    Unresolved::Failed(text.split_once(": ").map(|(_, reason)| reason.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Condvar;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A resolver that hangs until it is told not to.
    #[derive(Default)]
    struct Stuck {
        free: Mutex<bool>,
        freed: Condvar,
        lookups: AtomicUsize,
    }

    impl Stuck {
        fn resolver(self: &Arc<Self>) -> Resolver {
            let stuck = self.clone();
            Resolver::by(move |name| {
                stuck.lookups.fetch_add(1, Ordering::SeqCst);
                if name.starts_with("stuck") {
                    let free = stuck.free.lock().unwrap();
                    drop(stuck.freed.wait_while(free, |free| !*free).unwrap());
                }
                Ok(vec![IpAddr::from([192, 0, 2, 1])])
            })
        }

        fn free(&self) {
            *self.free.lock().unwrap() = true;
            self.freed.notify_all();
        }
    }

    const BLINK: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_name_is_looked_up_once_at_a_time_whoever_gave_it_up() {
        let stuck = Arc::new(Stuck::default());
        let resolver = stuck.resolver();
        for _ in 0..100 {
            assert!(timeout(BLINK / 20, resolver.resolve("stuck.lan")).await.is_err());
        }
        let other = timeout(LONG, resolver.resolve("nas.lan")).await.expect("others are not held up");
        assert_eq!(other, Ok(vec![IpAddr::from([192, 0, 2, 1])]));
        assert_eq!(stuck.lookups.load(Ordering::SeqCst), 2);
        let mut waiting = Box::pin(resolver.resolve("stuck.lan"));
        assert!(timeout(BLINK, &mut waiting).await.is_err());
        stuck.free();
        assert!(timeout(LONG, waiting).await.expect("it shares the first lookup").is_ok());
        assert_eq!(stuck.lookups.load(Ordering::SeqCst), 2);
        assert!(resolver.running.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn too_many_lookups_are_pihooks_own_fault() {
        let stuck = Arc::new(Stuck::default());
        let resolver = stuck.resolver();
        for index in 0..MOST_LOOKUPS {
            let name = format!("stuck{index}.lan");
            assert!(timeout(BLINK, resolver.resolve(&name)).await.is_err());
        }
        let refused = timeout(LONG, resolver.resolve("nas.lan")).await.expect("it is refused");
        assert!(matches!(refused, Err(Unresolved::Own(text)) if text.contains("busy")));
        stuck.free();
    }

    #[tokio::test]
    async fn more_names_than_there_are_turns_are_resolved_one_after_the_other() {
        let resolver = Arc::new(Arc::new(Stuck::default()).resolver());
        let mut lookups = tokio::task::JoinSet::new();
        for index in 0..10 * MOST_LOOKUPS {
            let resolver = resolver.clone();
            lookups.spawn(async move { resolver.resolve(&format!("s{index}.lan")).await });
        }
        assert!(lookups.join_all().await.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_lookup_that_panics_is_forgotten() {
        let resolver = Resolver::by(|_| panic!("on purpose"));
        for _ in 0..2 {
            assert!(matches!(resolver.resolve("nas.lan").await, Err(Unresolved::Own(_))));
        }
    }

    #[tokio::test]
    async fn a_host_has_addresses_or_the_reason_why_not() {
        let one = IpAddr::from([192, 0, 2, 1]);
        let resolver = Resolver::by(move |name| match name {
            "nas.lan" => Ok(vec![one]),
            "empty.lan" => Ok(Vec::new()),
            _ => Err(io::Error::other("failed to lookup address information: Name or service not known")),
        });
        let (found, took) = resolver.addresses("nas.lan", LONG).await.unwrap();
        assert!(found == [one] && took.is_some());
        assert_eq!(resolver.addresses("192.0.2.1", LONG).await, Ok((vec![one], None)));
        let error = async |name| resolver.addresses(name, LONG).await.unwrap_err().to_string();
        assert_eq!(error("empty.lan").await, "the name empty.lan does not resolve to any address");
        assert_eq!(error("x.lan").await, "the name x.lan does not resolve (name or service not known)");
        let stuck = Arc::new(Stuck::default());
        let late = stuck.resolver().addresses("stuck.lan", BLINK).await;
        let text = "the name stuck.lan was not resolved within 20 ms (connect timeout)";
        assert_eq!(late, Err(NetError::ConnectTimeout(text.to_owned())));
        stuck.free();
    }

    #[test]
    fn the_resolvers_reason_is_kept_and_shortages_are_ours() {
        let error = io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(unresolved(&error), Unresolved::Failed(Some("name or service not known".to_owned())));
        assert_eq!(unresolved(&io::Error::other("no")), Unresolved::Failed(None));
        let shortage = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error());
        assert!(matches!(unresolved(&shortage), Unresolved::Own(_)));
    }
}
