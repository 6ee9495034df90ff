use std::borrow::Cow;
use std::time::Duration;

use pihook_core::Secret;

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
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugins/rogue-check.wasm");
    let wasm = std::fs::read(file).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let host = PluginHost::new(cache.path(), Compiler::ThisProcess).unwrap();
    let source = PluginSource::new("rogue", Cow::Owned(wasm));
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
