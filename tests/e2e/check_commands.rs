//! Commands that services.yaml grants to a plugin from a file.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

use serde_json::json;

use crate::oneshot::Home;

/// A plugin that runs the command that its settings name as `url`.
const ROGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/plugins/rogue-check.wasm");

#[tokio::test]
async fn a_plugin_runs_what_is_granted_to_it_and_nothing_else() {
    let service = |name: &str, plugin: &str, command: &str, read_timeout: &str| {
        let settings = json!({ "act": "command", "url": command });
        json!({ "name": name, "check": plugin, "settings": settings, "read_timeout": read_timeout })
    };
    let commands = json!({
        "greet": ["sh", "-c", "echo \"$0\" $PATH; exit 3", "$HOME"],
        "slow": ["sleep", "1000"],
        "missing": ["no-such-program"],
    });
    let config = json!({
        "defaults": { "retries": 0 },
        "plugins": {
            "may": { "file": ROGUE, "allow": { "commands": commands } },
            "may-not": { "file": ROGUE },
        },
        "services": [
            service("greets", "may", "greet", "20s"),
            service("is slow", "may", "slow", "300ms"),
            service("is missing", "may", "missing", "20s"),
            service("has another name", "may", "rm", "20s"),
            service("has no grant", "may-not", "greet", "20s"),
        ],
    });
    let home = Home::new(
        &config.to_string().replace("$HOME", "$$HOME").replace("$PATH", "$$PATH").replace("$0", "$$0"),
    )
    .await;
    let rows = home.run(["check", "--json"]).await.ended(2).json();
    let told = |index: usize| rows[index]["summary"].as_str().unwrap();
    let ends = |index: usize, text: &str| assert!(told(index).ends_with(text), "{}", told(index));
    assert_eq!(rows[0]["status"], "up");
    let output = format!("{:?}", b"$HOME /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
    let wanted = format!(
        "[\"greet\", \"missing\", \"slow\"] Output {{ exit_code: Some(3), stdout: {output}, stderr: []"
    );
    assert!(told(0).starts_with(&wanted), "{}", told(0));
    ends(1, "`sleep` did not end within 300 ms (read timeout) and was killed");
    assert!(told(2).contains("there is no program `no-such-program` in /usr/local/sbin, "), "{}", told(2));
    ends(3, "its `allow: { commands: { rm: [] } }`");
    ends(4, "its `allow: { commands: { greet: [] } }`");
}
