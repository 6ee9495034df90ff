use std::future::{Future, pending};
use std::pin::Pin;

use pihook_core::Moment;
use pihook_core::monitor::{Monitor, SavedState};
use rusqlite::Connection;
use tokio::time::{Instant, timeout};

use super::*;
use crate::board::Board;
use crate::checks::{CheckRunner, Finished};
use crate::engine::Engine;
use crate::shutdown;
use crate::store::Store;

/// Time as the paused runtime has it.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Moment {
        let wall = Timestamp::from_second(1_800_000_000).unwrap();
        Moment { uptime: self.0.elapsed(), wall }
    }
}

struct Idle;

impl CheckRunner for Idle {
    fn run(&self, _service: ServiceId) -> Pin<Box<dyn Future<Output = Finished> + Send>> {
        Box::pin(pending())
    }
}

#[tokio::test(start_paused = true)]
async fn lateness_that_lasts_is_one_incident_however_late_its_own_news_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pihook.db");
    let store = Store::open(&path, Duration::from_secs(3600)).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(Paused(Instant::now()));
    let services = vec![service(vec![SinkId::new("discord")])];
    let monitor = Monitor::new(services.into(), None, SavedState::default(), clock.now());
    let (engine, handle) = Engine::new(monitor, Arc::new(Idle), store.clone(), clock.clone(), Board::new());
    let lateness = engine.lateness();
    let (stop, shutdown) = shutdown::channel();
    let engine = tokio::spawn(engine.run(shutdown.clone()));
    let watching = tokio::spawn(watch(lateness.clone(), handle, clock.clone(), shutdown));
    for late in [[0; 15].as_slice(), &[40; 30], &[0; 30]].concat() {
        lateness.note(Duration::from_secs(late));
        sleep(PERIOD).await;
    }
    stop.shut_down();
    timeout(Duration::from_secs(60), engine).await.unwrap().unwrap();
    watching.await.unwrap();
    store.close().await.unwrap();
    let db = Connection::open(&path).unwrap();
    let mut statement = db.prepare("SELECT kind FROM alerts ORDER BY id").unwrap();
    let kinds: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(kinds, ["opened", "recovered"]);
    let reason: String = db.query_row("SELECT reason FROM incident_log", [], |row| row.get(0)).unwrap();
    assert!(reason.starts_with("checks have been starting up to 40 s late"), "{reason}");
}
