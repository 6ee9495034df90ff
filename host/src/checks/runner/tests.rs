use std::borrow::Cow;
use std::time::Duration;

use pihook_core::quarantine::FAULTS;
use pihook_core::{Moment, Secret, Timestamp};

use super::super::PluginStanding;
use super::*;
use crate::clock::SystemClock;
use crate::plugins::{Compiler, PluginHost, PluginSource};

type Specs = BTreeMap<ServiceId, Arc<CheckSpec>>;

/// A runner of one service with the rogue check, and a secret that is part of what it says.
async fn runner(act: &str, retries: u32) -> PluginRunner {
    let (library, specs) = rogue(act, retries).await;
    let runner = PluginRunner::new(Arc::new(SystemClock::start()), Arc::default(), BTreeMap::new());
    runner.replace(library, specs);
    runner
}

async fn rogue(act: &str, retries: u32) -> (Arc<Library>, Specs) {
    rogue_with_memory(act, retries, None).await
}

async fn rogue_with_memory(act: &str, retries: u32, memory: Option<usize>) -> (Arc<Library>, Specs) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugins/rogue-check.wasm");
    let wasm = std::fs::read(file).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let host = PluginHost::new(cache.path(), Compiler::ThisProcess).unwrap();
    let source = PluginSource { memory, ..PluginSource::new("rogue", Cow::Owned(wasm)) };
    let library = Library::load(&host, ["rogue"], &[("rogue".to_owned(), Ok(source))].into()).await;
    let spec = CheckSpec {
        name: "A".to_owned(),
        zone: "local".to_owned(),
        plugin: "rogue".to_owned(),
        settings: format!(r#"{{"act": "{act}"}}"#),
        retries,
        connect_timeout: Duration::from_secs(1),
        read_timeout: Duration::from_secs(1),
        grants: Arc::default(),
        secrets: vec![Secret::new("run 2".to_owned())],
    };
    (Arc::new(library), [(ServiceId::new("a"), Arc::new(spec))].into())
}

#[tokio::test]
async fn of_a_run_with_retries_one_attempt_counts_with_its_verdict_its_notice_and_what_it_keeps() {
    let runner = runner("count-down", 2).await;
    let Finished { outcome, kept, .. } = runner.run(ServiceId::new("a")).await;
    assert_eq!((outcome.status, outcome.attempts, outcome.summary.as_str()), (Status::Down, 3, "1"));
    assert_eq!(outcome.notice.as_deref(), Some("run 1"), "an attempt before has not marked it as told");
    assert_eq!(kept, Some([("runs".to_owned(), vec![1])].into()));
    let Finished { outcome, kept, .. } = runner.run(ServiceId::new("a")).await;
    assert_eq!(outcome.notice.as_deref(), Some("***"), "no secret reaches people by a notice");
    assert_eq!(kept, Some([("runs".to_owned(), vec![2])].into()));
}

#[tokio::test]
async fn a_run_without_a_verdict_has_no_news_and_keeps_nothing() {
    let runner = runner("count-then-trap", 2).await;
    let Finished { outcome, kept, .. } = runner.run(ServiceId::new("a")).await;
    assert_eq!((outcome.status, outcome.notice, kept), (Status::Unknown, None, None));
}

#[tokio::test]
async fn what_a_run_of_a_former_life_keeps_is_not_kept() {
    let (library, specs) = rogue("count-slowly", 0).await;
    let runner = PluginRunner::new(Arc::new(SystemClock::start()), Arc::default(), BTreeMap::new());
    runner.replace(library.clone(), specs.clone());
    let former = runner.run(ServiceId::new("a"));
    // A future does nothing before it is polled, so it is given a first push.
    let mut former = std::pin::pin!(former);
    tokio::select! {
        biased;
        _ = &mut former => panic!("it has not waited"),
        () = std::future::ready(()) => {}
    }
    runner.replace(library.clone(), BTreeMap::new());
    runner.replace(library, specs);
    assert_eq!(former.await.outcome.summary, "1");
    assert_eq!(runner.run(ServiceId::new("a")).await.outcome.summary, "1");
    assert_eq!(runner.run(ServiceId::new("a")).await.outcome.summary, "2");
}

/// A clock that stands still until it is set.
struct Hands(Mutex<Duration>);

impl Clock for Hands {
    fn now(&self) -> Moment {
        let uptime = *self.0.lock().unwrap();
        Moment { uptime, wall: Timestamp::UNIX_EPOCH + uptime }
    }
}

#[tokio::test]
async fn a_plugin_that_breaks_its_runs_is_left_alone_until_a_trial_works() {
    let clock = Arc::new(Hands(Mutex::default()));
    let (library, specs) = rogue("trap", 0).await;
    let runner = PluginRunner::new(clock.clone(), Arc::default(), BTreeMap::new());
    runner.replace(library.clone(), specs);
    let standings = runner.standings();
    let ask = || runner.run(ServiceId::new("a"));
    for _ in 0..FAULTS {
        assert_eq!(standings.borrow().get("rogue"), None);
        let Finished { outcome, .. } = ask().await;
        assert!(outcome.summary.contains("it trapped"), "{}", outcome.summary);
    }
    let quarantined = |standing: Option<&PluginStanding>| matches!(standing, Some(PluginStanding::Quarantined { reason, .. }) if reason.contains("it trapped"));
    assert!(quarantined(standings.borrow().get("rogue")));
    let Finished { outcome, kept, .. } = ask().await;
    assert_eq!((outcome.status, kept), (Status::Unknown, None));
    assert!(outcome.summary.starts_with("plugin rogue is quarantined until "), "{}", outcome.summary);
    assert!(outcome.summary.contains("it trapped"), "{}", outcome.summary);

    *clock.0.lock().unwrap() = Duration::from_secs(100);
    assert!(!ask().await.outcome.summary.contains("quarantined"), "the trial");
    assert!(ask().await.outcome.summary.contains("quarantined"), "it broke that too");

    let (_, repaired) = rogue("count", 0).await;
    runner.replace(library, repaired);
    assert!(quarantined(standings.borrow().get("rogue")), "nobody has seen it work");
    assert_eq!(ask().await.outcome.summary, "1", "a reload is worth a trial");
    assert_eq!(standings.borrow().get("rogue"), Some(&PluginStanding::Works));
    assert_eq!(ask().await.outcome.summary, "2");
}

#[tokio::test]
async fn a_plugin_that_says_that_it_cannot_is_not_left_alone() {
    let runner = runner("fail", 0).await;
    for _ in 0..3 * FAULTS {
        let Finished { outcome, .. } = runner.run(ServiceId::new("a")).await;
        assert!(outcome.summary.ends_with("on purpose"), "{}", outcome.summary);
    }
    assert_eq!(runner.standings().borrow().get("rogue"), Some(&PluginStanding::Works));
}

#[tokio::test]
async fn another_file_under_the_same_name_is_another_plugin() {
    let runner = runner("trap", 0).await;
    for _ in 0..FAULTS {
        runner.run(ServiceId::new("a")).await;
    }
    assert_eq!(runner.standings().borrow().len(), 1);
    let (changed, specs) = rogue_with_memory("trap", 0, Some(32 << 20)).await;
    runner.replace(changed, specs);
    assert!(runner.standings().borrow().is_empty(), "what is known of the other says nothing of this");
    for _ in 0..FAULTS {
        let Finished { outcome, .. } = runner.run(ServiceId::new("a")).await;
        assert!(outcome.summary.contains("it trapped"), "{}", outcome.summary);
    }
    assert_eq!(runner.standings().borrow().len(), 1);
}
