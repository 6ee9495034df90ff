use std::borrow::Cow;
use std::time::Duration;

use pihook_core::Secret;

use super::*;
use crate::clock::SystemClock;
use crate::plugins::{Compiler, PluginHost, PluginSource};

/// A service with the rogue check, and a secret that is part of what it says.
async fn runner(act: &str, retries: u32) -> PluginRunner {
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
    let runner = PluginRunner::new(Arc::new(SystemClock::start()), Arc::default(), BTreeMap::new());
    runner.replace(Arc::new(library), [(ServiceId::new("a"), Arc::new(spec))].into());
    runner
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
