//! What Docker and Podman say of a container. Only what is named here is taken over: its environment, which they say too,
//! is not.

use serde::Deserialize;

/// Bytes of a health check's output that are kept.
const OUTPUT_BYTES: usize = 1000;

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerState {
    /// Such as `running`, `exited`.
    pub state: String,
    /// What its own health check says; none without one.
    pub health: Option<String>,
    /// The last output of its own health check.
    pub health_output: String,
    /// The exit code of its last end.
    pub exit_code: i32,
    /// Whether it ended for lack of memory.
    pub out_of_memory: bool,
    /// How often it was restarted by itself.
    pub restarts: u32,
    /// When it was started, in milliseconds since 1970 UTC; 0 if never.
    pub started_ms: i64,
    /// The image's name.
    pub image: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    state: State,
    restart_count: Option<i64>,
    config: Option<Config>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    exit_code: Option<i64>,
    #[serde(rename = "OOMKilled")]
    out_of_memory: Option<bool>,
    started_at: Option<String>,
    health: Option<Health>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    status: Option<String>,
    log: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    output: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    image: Option<String>,
}

#[derive(Deserialize)]
struct Complaint {
    message: String,
}

/// Reads the answer; none if it is something else.
pub(super) fn parse(body: &[u8]) -> Option<ContainerState> {
    let Inspected { state, restart_count, config } = serde_json::from_slice(body).ok()?;
    // Podman says "" and Docker sometimes "none" where there is no health check.
    let health = state.health.filter(|health| !matches!(health.status.as_deref(), None | Some("" | "none")));
    let output = health.as_ref().and_then(|health| health.log.as_ref()?.last());
    let started = state.started_at.and_then(|text| text.parse::<jiff::Timestamp>().ok());
    Some(ContainerState {
        state: state.status,
        health_output: output.and_then(|entry| entry.output.as_deref()).map(cut).unwrap_or_default(),
        health: health.and_then(|health| health.status),
        exit_code: i32::try_from(state.exit_code.unwrap_or(0)).unwrap_or(i32::MAX),
        out_of_memory: state.out_of_memory.unwrap_or(false),
        restarts: u32::try_from(restart_count.unwrap_or(0).max(0)).unwrap_or(u32::MAX),
        // One that was never started was started in the year 1.
        started_ms: started.map_or(0, |at| at.as_millisecond().max(0)),
        image: config.and_then(|config| config.image).unwrap_or_default(),
    })
}

/// What an answer that is an error says, in one line; empty if nothing.
pub(super) fn message(body: &[u8]) -> String {
    let complaint = serde_json::from_slice::<Complaint>(body).map(|complaint| complaint.message);
    let line = complaint.unwrap_or_default().replace(char::is_control, " ");
    line.trim().chars().take(200).collect()
}

fn cut(text: &str) -> String {
    text.chars()
        .scan(0, |bytes, character| {
            *bytes += character.len_utf8();
            (*bytes <= OUTPUT_BYTES).then_some(character)
        })
        .collect()
}
