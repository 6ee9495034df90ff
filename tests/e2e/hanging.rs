//! What hangs outside, hangs alone: a disk that does not answer, an address that swallows everything, a plugin that never
//! ends. The other checks keep their schedule.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a helper that fails fails its test, and says what it skips"
)]

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::daemon::{Daemon, rogue_plugin};
use crate::web::{Behaviour, WebServer};

/// A mounted filesystem whose server never answers, as a share of a machine that went away. It is a FUSE filesystem that
/// nobody serves; when the device is closed, whoever waits for it gets an error.
struct DeadMount {
    at: PathBuf,
    device: Option<File>,
}

impl DeadMount {
    /// None, with the reason on the test's output, where mounting is not allowed.
    fn at(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let device = OpenOptions::new().read(true).write(true).open("/dev/fuse").ok();
        let mounted = device.filter(|device| {
            let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
            let options = std::ffi::CString::new(options).unwrap();
            mount("dead", at, "fuse", MountFlags::empty(), Some(options.as_c_str())).is_ok()
        });
        if mounted.is_none() {
            println!("no filesystem can be mounted here, so none can hang: that part is skipped");
        }
        mounted.map(|device| Self { at: at.to_owned(), device: Some(device) })
    }
}

impl Drop for DeadMount {
    fn drop(&mut self) {
        drop(self.device.take());
        let _ = unmount(&self.at, UnmountFlags::DETACH);
    }
}

/// A port that takes no connection and refuses none: its queue is full, so that whoever knocks waits.
struct BlackHole {
    address: std::net::SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    async fn open() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(connected) =
            tokio::time::timeout(std::time::Duration::from_millis(300), TcpStream::connect(address)).await
        {
            queued.push(connected.unwrap());
            assert!(queued.len() < 100, "the queue of a listener is never full here");
        }
        Self { address, _listener: listener, _queued: queued }
    }
}

/// How all of them are checked.
const QUICK: &str = "interval: 1s, connect_timeout: 1s, read_timeout: 1s";

#[tokio::test]
async fn what_hangs_delays_no_other_check() {
    let good = WebServer::start(Behaviour::ok("fine")).await;
    let hole = BlackHole::open().await;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let dead = DeadMount::at(&folder.path().join("dead"));
    // All start within a second, and each check that hangs is given up after its timeouts.
    let mut services = format!(
        "  - {{ name: Good, {QUICK}, url: \"{}\" }}\n  - {{ name: Swallowed, {QUICK}, url: \"http://{}/\" }}\n  \
         - {{ name: Swallowed too, {QUICK}, check: tcp, settings: {{ host: \"{}\", port: {} }} }}\n  \
         - {{ name: Lingering, {QUICK}, check: rogue-check, settings: {{ act: linger }} }}\n  \
         - {{ name: Spinning, {QUICK}, check: rogue-check, settings: {{ act: loop }} }}\n  \
         - {{ name: Pipe, {QUICK}, check: rogue-check, settings: {{ act: open-files, url: \"{}\" }} }}\n",
        good.url("/"),
        hole.address,
        hole.address.ip(),
        hole.address.port(),
        pipe.display(),
    );
    if let Some(dead) = &dead {
        for number in 0..10 {
            services += &format!(
                "  - {{ name: Dead {number}, {QUICK}, check: disk, settings: {{ mount: \"{}\" }} }}\n",
                dead.at.display()
            );
        }
        services += &format!(
            "  - {{ name: Root, {QUICK}, check: disk, settings: {{ mount: /, critical: 100% }} }}\n"
        );
    }
    let plugin =
        rogue_plugin().replace(" } }", &format!(", allow: {{ files: [\"{}\"] }} }} }}", pipe.display()));
    let config = format!(
        "data_dir: data\ndashboard: off\nhistory: {{ commit_every: 100ms }}\n\
         defaults: {{ interval: 5m, retries: 0, connect_timeout: 2m, read_timeout: 2m }}\n{plugin}services:\n{services}"
    );
    let mut daemon = Daemon::start(&config).await;
    daemon.until("many good checks", |daemon| daemon.count("Good", "up") >= 8).await;
    daemon.until("checks of the pipe", |daemon| daemon.checks_of("Pipe").len() >= 3).await;
    daemon.until("checks of the loop", |daemon| daemon.count("Spinning", "unknown") >= 2).await;
    for service in ["Swallowed", "Swallowed too"] {
        daemon.until("checks of the black hole", |daemon| daemon.count(service, "down") >= 2).await;
    }
    assert!(daemon.checks_of("Lingering").is_empty(), "it lingers on");
    if let Some(dead) = dead {
        daemon.until("checks of the dead disk", |daemon| daemon.checks_of("Dead 9").len() >= 2).await;
        daemon.until("another disk", |daemon| daemon.checks_of("Root").len() >= 3).await;
        assert_eq!(daemon.count("Dead 9", "up"), 0);
        // A disk that does not answer must not hold the end up either.
        daemon.stop().await;
        drop(dead);
    }
}
