//! What the pages cost with 500 services and a year of history: time and size of each, and the memory of 200 listeners.
//!
//! `cargo run --release -p pihook-bench --bin pages [SERVICES [DAYS]]` makes the database in a folder of its own below the
//! current one, serves it in a process of its own, and asks for each page over HTTP. Single checks are there for the
//! newest two days; of what is older the page reads sums alone.
//!
//! `… pages keep FOLDER [SERVICES [DAYS]]` keeps the database there and goes on serving it, to be looked at.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement reads the clock and prints"
)]

#[path = "pages/past.rs"]
mod past;
#[path = "pages/serve.rs"]
mod serve;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Requests of which the median counts.
const REQUESTS: usize = 21;
/// Clients of `/events`.
const LISTENERS: usize = 200;
/// How long they listen.
const LISTENING: Duration = Duration::from_secs(10);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: Option<&&str>, usual| text.map_or(usual, |text| text.parse().unwrap());
    match words.as_slice() {
        ["serve", database, services] => serve::serve(Path::new(database), services.parse().unwrap()),
        ["keep", folder, rest @ ..] => {
            let (services, days) = (number(rest.first(), 500), number(rest.get(1), 365));
            let database = Path::new(folder).join("pihook.db");
            std::fs::create_dir_all(folder).unwrap();
            if !database.exists() {
                past::make(&database, services, days);
            }
            serve::serve(&database, services);
        }
        rest => measure(number(rest.first(), 500), number(rest.get(1), 365)),
    }
}

fn measure(services: u64, days: u64) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let database = folder.path().join("pihook.db");
    let began = Instant::now();
    past::make(&database, services, days);
    let size = std::fs::metadata(&database).unwrap().len() / 1_000_000;
    println!("{services} services, {days} days: {size} MB, made in {:.0?}", began.elapsed());
    let mut served = Served::start(&database, services);
    println!("{:<32}{:>10}{:>10}{:>12}{:>12}", "", "median", "longest", "sent", "unpacked");
    // The page is made once a second at most; a filter has it made each time.
    for path in ["/?q=service", "/", "/metrics", "/badge/service-7/uptime.svg"] {
        served.measure(path);
    }
    for range in ["1h", "24h", "7d", "30d", "1y"] {
        served.measure(&format!("/services/service-7?range={range}"));
    }
    served.listeners();
    served.child.kill().unwrap();
    served.child.wait().unwrap();
}

/// The process that serves the pages.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(database: &Path, services: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["serve", database.to_str().unwrap(), &services.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().to_owned() }
    }

    fn measure(&self, path: &str) {
        let mut times = Vec::new();
        let mut sent = 0;
        for _ in 0..REQUESTS {
            let began = Instant::now();
            sent = self.get(path, "Accept-Encoding: gzip\r\n");
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let millis = |time: Option<&Duration>| time.unwrap().as_secs_f64() * 1000.0;
        let (median, longest) = (millis(times.get(REQUESTS / 2)), millis(times.last()));
        let plain = self.get(path, "");
        println!("{path:<32}{median:>7.1} ms{longest:>7.1} ms{sent:>10} B{plain:>10} B");
    }

    /// Bytes of the answer without its head.
    fn get(&self, path: &str, headers: &str) -> usize {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let address = &self.address;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        answer.len() - answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() - 4
    }

    fn listeners(&self) {
        let before = self.resident();
        let mut listeners: Vec<TcpStream> = (0..LISTENERS)
            .map(|_| {
                let mut stream = TcpStream::connect(&self.address).unwrap();
                write!(stream, "GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).unwrap();
                stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
                stream
            })
            .collect();
        let (began, mut bytes, mut most) = (Instant::now(), 0, 0);
        let mut piece = vec![0; 65_536];
        while began.elapsed() < LISTENING {
            for stream in &mut listeners {
                bytes += stream.read(&mut piece).unwrap_or(0);
            }
            most = most.max(self.resident());
        }
        println!(
            "{LISTENERS} listeners for {LISTENING:?}: {} KB more memory ({before} KB before), {} KB told to each",
            most.saturating_sub(before),
            bytes / LISTENERS / 1000
        );
    }

    /// Resident memory in KB.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

#[cfg(test)]
mod tests {
    /// A small past has what the pages read: sums of days and hours, single checks, and incidents.
    #[test]
    fn a_past_is_made_and_served() {
        use pihook::store::StoreReader;
        use pihook_core::ServiceId;

        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("pihook.db");
        super::past::make(&database, 3, 5);
        let reader = StoreReader::open(&database).unwrap();
        let now = super::past::now();
        let ago = |hours: u64| now - std::time::Duration::from_secs(hours * 3600);
        let id = ServiceId::new("service-1");
        let series = reader.series(&[ago(5 * 24), ago(24), ago(0)], Some(&id)).unwrap();
        let checks: Vec<u64> = series[0].spans.iter().map(pihook_core::Summary::checks).collect();
        assert!(checks[0] > 4 * 1400 && (1400..=1441).contains(&checks[1]), "{checks:?}");
        assert_eq!(reader.checks_of(&id, (ago(1), now), 1000).unwrap().len(), 60);
        assert!(!reader.incidents_of(&id, 10).unwrap().is_empty());
    }
}
