//! The dashboard while the daemon runs.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use pihook_core::liveness::Progress;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::warn;

use super::configured::configured;
use crate::board::Board;
use crate::clock::Clock;
use crate::config::{self, Auth, Badges as Shown, Config, Dashboard as Wanted, Password, Problems};
use crate::dashboard::{
    self, Acknowledge, Acknowledgement, Badges, Channel, Configured, Dashboard, Desk, Hosts, Keeper, Known,
    NoRandomness, Reach, Rendered, TlsFiles,
};
use crate::engine::{self, Command, EngineHandle};
use crate::heartbeats::Inlet;
use crate::shutdown::{self, ShutdownSender};
use crate::words::chain;

/// What a dashboard is made from, beside what services.yaml says of it.
pub(super) struct Sources {
    pub(super) database: PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) trouble: watch::Receiver<Option<String>>,
    pub(super) inlet: Inlet,
    pub(super) board: Board,
    pub(super) progress: watch::Receiver<Progress>,
    pub(super) acknowledgements: mpsc::Sender<Acknowledge>,
    /// Hears that the maintenance flag was changed.
    pub(super) flag_changed: Arc<Notify>,
}

/// The dashboard as it was last wanted.
pub(super) struct Served {
    sources: Sources,
    wanted: Wanted,
    configured: watch::Sender<Arc<Configured>>,
    running: Option<(ShutdownSender, JoinHandle<()>)>,
}

impl Served {
    /// Starts the dashboard, if it is wanted. Its port is open when this returns: the first check may be of it.
    pub(super) async fn start(sources: Sources, config: &Config) -> Self {
        let configured = watch::Sender::new(Arc::new(configured(config)));
        let mut served = Self { sources, wanted: config.dashboard.clone(), configured, running: None };
        served.open().await;
        served
    }

    /// Starts it anew if it is wanted otherwise.
    pub(super) async fn follow(&mut self, config: &Config) {
        self.configured.send_replace(Arc::new(configured(config)));
        if self.wanted != config.dashboard {
            self.sources.inlet.close();
            self.stop().await;
            self.wanted = config.dashboard.clone();
            self.open().await;
        }
    }

    /// Returns within about a second.
    pub(super) async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            stop.shut_down();
            let _ = task.await;
        }
    }

    async fn open(&mut self) {
        let Wanted::At { listen, auth, badges, reach } = &self.wanted else { return };
        let badges = match badges {
            Shown::Guarded => Badges::Guarded,
            Shown::Public => Badges::Public,
        };
        let dashboard = match self.dashboard(*listen, auth, badges, reach) {
            Ok(dashboard) => dashboard,
            Err(error) => return warn!("no dashboard: {error}"),
        };
        let certificate = match reach.tls.as_ref().map(|files| tls_files(files).load()).transpose() {
            Ok(certificate) => certificate,
            Err(error) => return warn!("no dashboard: {}", chain(&error)),
        };
        let Some(listener) = dashboard::bind(*listen, &dashboard.reach).await else { return };
        self.sources.inlet.open(self.sources.clock.now());
        let (stop, stopped) = shutdown::channel();
        self.running = Some((stop, tokio::spawn(dashboard::run(listener, certificate, dashboard, stopped))));
    }

    fn dashboard(
        &self,
        listen: SocketAddr,
        auth: &Auth,
        badges: Badges,
        reach: &config::Reach,
    ) -> Result<Dashboard, NoRandomness> {
        let keeper = match auth {
            Auth::Open => None,
            Auth::Basic { user, password } => {
                let known = match password {
                    Password::Plain(secret) => Known::Plain(secret.clone()),
                    Password::Hashed(hash) => Known::Hashed(hash.clone()),
                };
                Some(Arc::new(Keeper::new(user, &known)?))
            }
        };
        let own = own_names();
        let names = reach.hosts.iter().chain(&own).map(String::as_str);
        Ok(Dashboard {
            database: self.sources.database.clone(),
            keeper,
            badges,
            reach: Reach {
                base_path: reach.base_path.clone(),
                hosts: Hosts::new(names),
                trusted_proxies: reach.trusted_proxies.clone(),
                tls: reach.tls.is_some(),
            },
            is_private: listen.ip().is_loopback(),
            configured: self.configured.subscribe(),
            desk: Desk::new(self.sources.flag_changed.clone())?,
            acknowledgements: self.sources.acknowledgements.clone(),
            progress: self.sources.progress.clone(),
            clock: self.sources.clock.clone(),
            trouble: self.sources.trouble.clone(),
            inlet: self.sources.inlet.clone(),
            board: self.sources.board.clone(),
            channel: Channel::new(),
            rendered: Rendered::default(),
        })
    }
}

/// Passes on to the engine who sees to an incident, until all dashboards are gone.
pub(super) async fn pass_on(mut acknowledgements: mpsc::Receiver<Acknowledge>, engine: EngineHandle) {
    while let Some(Acknowledge { incident, answer }) = acknowledgements.recv().await {
        let (noted, came_of_it) = oneshot::channel();
        engine.send(Command::Acknowledge(incident, noted)).await;
        tokio::spawn(async move {
            let _ = answer.send(match came_of_it.await {
                Ok(engine::Acknowledgement::Noted) => Acknowledgement::Noted,
                Ok(engine::Acknowledgement::NotOpen) => Acknowledgement::NotOpen,
                // The engine has ended.
                Ok(engine::Acknowledgement::Unwritten) | Err(_) => Acknowledgement::Unwritten,
            });
        });
    }
}

/// Says why the dashboard cannot speak TLS, if it should and cannot.
pub(super) fn judge_tls(config: &Config, problems: &mut Problems) {
    let Wanted::At { reach, .. } = &config.dashboard else { return };
    let Some(files) = &reach.tls else { return };
    if let Err(error) = tls_files(files).load() {
        let remedy = "PEM files of a certificate and its key, which this user may read".to_owned();
        problems.add(config.problem("dashboard.tls", chain(&error), remedy));
    }
}

fn tls_files(files: &config::TlsFiles) -> TlsFiles {
    TlsFiles { certificate: files.certificate.clone(), key: files.key.clone() }
}

/// What the machine is called on its own network. Nobody elsewhere can have such a name lead here.
fn own_names() -> Vec<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() || name.contains('.') {
        Vec::new()
    } else {
        vec![name.to_owned(), format!("{name}.local")]
    }
}
