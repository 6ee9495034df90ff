//! Calls that block and may hang: only so many at once, so that a dead disk does not take all of the runtime's threads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::net::spelled;

/// Why a call returned nothing. The text is a whole phrase for humans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stuck {
    /// It takes too long, the wait for a place included.
    #[error("{0}")]
    Late(String),
    /// It broke off.
    #[error("{0}")]
    Broke(String),
}

/// Admits calls. One that hangs keeps its place until it ends, whoever still waits for it.
pub(super) struct Lane(Arc<Semaphore>);

impl Lane {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    /// What the call returns, once there is a place for it. `what` it does is for messages, such as `reading the
    /// ca_file`.
    ///
    /// # Errors
    /// If it takes too long, the wait for a place included.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        what: &str,
        within: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Stuck> {
        let whole = async {
            // Never closed, so there is always a place in the end.
            let permit = self.0.clone().acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                let _permit = permit;
                call()
            })
            .await
        };
        match timeout(within, whole).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Stuck::Broke(format!("{what} failed: {error}"))),
            Err(_) => {
                Err(Stuck::Late(format!("{what} took longer than {}: does its disk hang?", spelled(within))))
            }
        }
    }
}

/// How many calls run on one mount at once, those included that hang.
const MOST_ON_A_MOUNT: usize = 3;

/// How many run on all mounts together. Half a dozen mounts may hang, and the others are still looked at.
const MOST_IN_ALL: usize = 20;

/// A lane for each mount, and a note of the paths on which a call hangs: they are not asked again before it has ended.
pub(super) struct Lanes {
    all: Arc<Semaphore>,
    mounts: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    hanging: Arc<Hanging>,
}

/// Paths, and how many calls on each were given up and have not ended.
#[derive(Default)]
struct Hanging(Mutex<BTreeMap<String, usize>>);

impl Default for Lanes {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(MOST_IN_ALL)), mounts: Mutex::default(), hanging: Arc::default() }
    }
}

impl Lanes {
    /// What the call returns, once there is a place for it on the mount. `what` is for messages, such as `reading /x`.
    ///
    /// # Errors
    /// If it takes too long, the wait for a place included, or if an earlier call on this path still hangs.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        mount: &str,
        path: &str,
        within: Duration,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Stuck> {
        if self.hanging.holds(path) {
            return Err(Stuck::Late(format!(
                "the disk of {path} has not answered an earlier question yet, and is not asked again before it has"
            )));
        }
        let whole = async {
            let places = (self.of_mount(mount).acquire_owned().await, self.all.clone().acquire_owned().await);
            let (watch, end) = Watch::pair(path, &self.hanging);
            let answer = tokio::task::spawn_blocking(move || {
                // Ends after the call and whatever the call holds open.
                let _held = (places, end);
                call()
            })
            .await;
            drop(watch);
            answer
        };
        match timeout(within, whole).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Stuck::Broke(format!("looking at {path} failed: {error}"))),
            Err(_) => Err(Stuck::Late(format!(
                "the disk of {path}, mounted at {mount}, did not answer within {}",
                spelled(within)
            ))),
        }
    }

    fn of_mount(&self, mount: &str) -> Arc<Semaphore> {
        let mut mounts = self.mounts.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever holds a place holds its semaphore too.
        mounts.retain(|known, places| known == mount || Arc::strong_count(places) > 1);
        let places = || Arc::new(Semaphore::new(MOST_ON_A_MOUNT));
        mounts.entry(mount.to_owned()).or_insert_with(places).clone()
    }
}

impl Hanging {
    fn holds(&self, path: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(path)
    }

    fn change(&self, path: &str, change: impl FnOnce(usize) -> usize) {
        let mut paths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = change(paths.get(path).copied().unwrap_or(0));
        if left == 0 {
            paths.remove(path);
        } else {
            paths.insert(path.to_owned(), left);
        }
    }
}

/// One call, as whoever waits for it and the call itself see it.
struct Call {
    path: String,
    hanging: Arc<Hanging>,
    stage: Mutex<Stage>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Watched,
    GivenUp,
    Ended,
}

/// Dropped when nobody waits any more.
struct Watch(Arc<Call>);

/// Dropped when the call has ended.
struct End(Arc<Call>);

impl Watch {
    fn pair(path: &str, hanging: &Arc<Hanging>) -> (Watch, End) {
        let stage = Mutex::new(Stage::Watched);
        let call = Arc::new(Call { path: path.to_owned(), hanging: hanging.clone(), stage });
        (Watch(call.clone()), End(call))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut stage = self.0.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if *stage == Stage::Watched {
            *stage = Stage::GivenUp;
            self.0.hanging.change(&self.0.path, |calls| calls.saturating_add(1));
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut stage = self.0.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if *stage == Stage::GivenUp {
            self.0.hanging.change(&self.0.path, |calls| calls.saturating_sub(1));
        }
        *stage = Stage::Ended;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};

    use super::*;

    /// A call that hangs until the sender is dropped.
    fn hang() -> (SyncSender<()>, impl FnOnce() + Send + 'static) {
        let (release, released) = sync_channel::<()>(0);
        let call = move || {
            let _ = released.recv();
        };
        (release, call)
    }

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn what_hangs_is_given_up_and_keeps_its_place() {
        let lane = Lane::new(1);
        let (release, call) = hang();
        let error = lane.run("reading", SHORT, call).await.unwrap_err();
        assert_eq!(error, Stuck::Late("reading took longer than 20 ms: does its disk hang?".to_owned()));
        lane.run("reading", SHORT, || ()).await.expect_err("its place is taken");
        let waiting = lane.run("reading", LONG, || ());
        drop(release);
        waiting.await.expect("the place is free again");
    }

    #[tokio::test]
    async fn more_than_there_are_places_for_take_turns() {
        let lanes = Arc::new(Lanes::default());
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let lanes = lanes.clone();
            calls.spawn(async move { lanes.run("/", "/x", LONG, || ()).await });
        }
        assert!(calls.join_all().await.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_mount_that_hangs_delays_no_other_and_its_path_is_not_asked_again() {
        let lanes = Lanes::default();
        let (mut releases, mut paths) = (Vec::new(), Vec::new());
        for number in 0..MOST_ON_A_MOUNT {
            let (release, call) = hang();
            let path = format!("/mnt/nas/{number}");
            let error = lanes.run("/mnt/nas", &path, SHORT, call).await.unwrap_err();
            assert!(error.to_string().contains(&format!("{path}, mounted at /mnt/nas, did not")), "{error}");
            releases.push(release);
            paths.push(path);
        }
        lanes.run("/", "/etc/fstab", LONG, || ()).await.expect("another mount");
        let error = lanes.run("/mnt/nas", &paths[0], LONG, || ()).await.unwrap_err();
        assert!(error.to_string().contains("an earlier question"), "{error}");
        lanes.run("/mnt/nas", "/mnt/nas/other", SHORT, || ()).await.expect_err("all places are taken");
        drop(releases);
        // The places are free as soon as the calls end, and the notes are gone by then.
        let mut waiting = Vec::new();
        for path in (0..MOST_ON_A_MOUNT).map(|number| format!("/mnt/nas/new{number}")) {
            lanes.run("/mnt/nas", &path, LONG, || ()).await.expect("the places are free again");
            waiting.push(path);
        }
        while lanes.hanging.holds(&paths[0]) {
            tokio::task::yield_now().await;
        }
        lanes.run("/mnt/nas", &paths[0], LONG, || ()).await.expect("it answers again");
        assert!(lanes.mounts.lock().unwrap().len() <= 2, "mounts are forgotten");
    }

    #[tokio::test]
    async fn one_that_is_given_up_by_its_run_counts_as_hanging_until_it_ends() {
        let lanes = Lanes::default();
        let (release, call) = hang();
        timeout(SHORT, lanes.run("/", "/x", LONG, call)).await.expect_err("it hangs");
        assert!(lanes.hanging.holds("/x"));
        drop(release);
        while lanes.hanging.holds("/x") {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_call_that_panics_gives_its_place_back() {
        let lanes = Lanes::default();
        for _ in 0..=MOST_IN_ALL {
            let error = lanes.run("/", "/x", LONG, || panic!("on purpose")).await.unwrap_err();
            assert!(matches!(error, Stuck::Broke(_)));
        }
    }
}
