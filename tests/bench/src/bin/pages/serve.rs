//! The dashboard over a database, with a board whose services go on being checked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pihook::board::{Board, Listed, Reading, Setting};
use pihook::clock::{Clock, SystemClock};
use pihook::dashboard::{Badges, Channel, Dashboard, Desk, Reach, Rendered, run};
use pihook::heartbeats::{Heartbeats, inlet};
use pihook::shutdown;
use pihook_core::liveness::Progress;
use pihook_core::monitor::{Muting, View};
use pihook_core::{Metric, Outcome, ServiceId, Status, ZoneId};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::past;

/// Prints the address and serves until it is killed.
pub(crate) fn serve(database: &Path, services: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let board = board(services);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (inlet, _arrivals) = inlet(Arc::new(Heartbeats::default()));
        let (_trouble, trouble) = watch::channel(None);
        let dashboard = Dashboard {
            database: database.to_owned(),
            keeper: None,
            badges: Badges::Guarded,
            reach: Reach::default(),
            is_private: true,
            configured: watch::channel(Arc::default()).1,
            desk: Desk::new(Arc::default()).unwrap(),
            acknowledgements: mpsc::channel(1).0,
            progress: watch::channel(Progress::default()).1,
            clock,
            trouble,
            inlet,
            board: board.clone(),
            channel: Channel::new(),
            rendered: Rendered::default(),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let (_stop, stopped) = shutdown::channel();
        tokio::join!(run(listener, None, dashboard, stopped), go_on(&board, services));
    });
}

fn board(services: u64) -> Board {
    let board = Board::new();
    let names: Vec<Listed> = (0..services).map(listed).collect();
    board.list(names);
    let now = past::now();
    for number in 0..services {
        for minute in (0..60).rev() {
            note(&board, number, now.as_second() - minute * 60);
        }
    }
    board.read(Reading { at: now, problems: Arc::default() });
    board
}

fn listed(number: u64) -> Listed {
    let setting = |name: &str, value: &str| Setting { name: name.to_owned(), value: value.to_owned() };
    Listed {
        id: past::id(number),
        name: Arc::from(format!("Service {number}")),
        zone: ZoneId::new(if number.is_multiple_of(3) { "external" } else { "local" }),
        check: Arc::from("http"),
        interval: Some(Duration::from_secs(60)),
        settings: [setting("settings.url", "http://192.168.1.10/health"), setting("retries", "2")].into(),
    }
}

fn note(board: &Board, number: u64, second: i64) {
    let seen = past::outcome(number, second);
    let part = |name: &str, share: f64| Metric {
        name: name.to_owned(),
        value: seen.response_time.unwrap_or_default().as_secs_f64() * 1000.0 * share,
        unit: "ms".to_owned(),
    };
    let metrics =
        vec![part("dns_ms", 0.1), part("connect_ms", 0.2), part("tls_ms", 0.3), part("first_byte_ms", 0.4)];
    let view = View { health: Some(Status::Up), last: None, running: false, incident: None };
    let id: ServiceId = past::id(number);
    board.note(&id, view, Muting::Audible, Some(&Outcome { metrics, ..seen }));
}

/// Each service once a minute.
async fn go_on(board: &Board, services: u64) {
    let mut tick = tokio::time::interval(Duration::from_secs(60) / u32::try_from(services).unwrap());
    for number in (0..services).cycle() {
        tick.tick().await;
        note(board, number, past::now().as_second());
    }
}
