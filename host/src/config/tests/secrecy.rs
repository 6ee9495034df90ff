//! What `${…}` brings in, and what only a secret's place may hold, is never printed.

use super::*;

const VALUES: [(&str, &str); 3] =
    [("URL", "https://discord.com/api/webhooks/123/hush-a"), ("PASSWORD", "hush-b"), ("TOKEN", "hush-c")];
const FILES: [(&str, &str); 1] = [("/etc/pihook/key", "hush-d\n")];

#[track_caller]
fn is_silent(text: &str) -> String {
    let shown = match read_with(text.as_bytes(), &VALUES, &FILES) {
        Ok(config) => format!("{config:?} {config:#?}"),
        Err(problems) => format!("{problems} {problems:?} {problems:#?}"),
    };
    assert!(!shown.contains("hush"), "{shown}");
    shown
}

#[test]
fn a_configuration_does_not_print_its_secrets() {
    let text = r#"
dashboard: { auth: { user: admin, password: "${PASSWORD}" } }
sinks: { d: { type: discord, url: "${URL}" }, e: { type: discord, url: "https://discord.com/api/webhooks/1/hush-e" } }
services:
  - { name: A, url: "https://a/${TOKEN}", settings: { headers: { X: "a ${file:key} b" } } }
"#;
    is_silent(text);
    let config = read_with(text.as_bytes(), &VALUES, &FILES).unwrap();
    for secret in ["hush-b", "hush-c", "hush-d", "https://discord.com/api/webhooks/1/hush-e", VALUES[0].1] {
        assert!(config.secrets.iter().any(|known| known.expose() == secret), "{secret}");
    }
    assert_eq!(config.secrets.len(), 5);
    let settings = config.services[0].check.settings.to_string();
    assert_eq!(settings, r#"{"headers":{"X":"a ${secret:0} b"},"url":"https://a/${secret:1}"}"#);
}

#[test]
fn a_secret_in_a_place_that_is_shown_is_refused() {
    for line in [
        "data_dir: /srv/${TOKEN}",
        "dashboard: { listen: \"${TOKEN}\" }",
        "dashboard: { auth: { user: \"${TOKEN}\", password: x } }",
        "history: { keep_checks: \"${TOKEN}\" }",
        "escalation: [{ after: \"${TOKEN}\", severity: \"${TOKEN}\", sinks: [\"${TOKEN}\"] }]",
        "sinks: { d: { type: discord, url: \"${URL}\", username: \"${TOKEN}\", thread_id: \"${TOKEN}\" } }",
        "plugins: { a: { file: \"${TOKEN}\", memory: \"${TOKEN}\", allow: { http: [\"${TOKEN}\"] } } }",
        "services: [{ name: \"${TOKEN}\", url: http://a/ }]",
        "services: [{ name: A, id: \"${TOKEN}\", zone: \"${TOKEN}\", check: \"${TOKEN}\" }]",
    ] {
        let text = format!("{line}\n");
        is_silent(&text);
        let problems = read_with(text.as_bytes(), &VALUES, &FILES).unwrap_err();
        let refused =
            |problem: &&Problem| problem.what == "what `${…}` brings in is secret, and this value is shown";
        assert_eq!(problems.iter().filter(refused).count(), line.matches("${TOKEN}").count(), "{problems}");
    }
}

#[test]
fn mistakes_in_secret_places_do_not_show_the_value() {
    for line in [
        "sinks: { d: { type: discord, url: hush } }",
        "sinks: { d: { type: discord, url: \"http://hush/api/webhooks/1/hush\" } }",
        "sinks: { d: { type: discord, url: \"${URL}?thread_id=hush\" } }",
        "sinks: { d: { type: discord, url: \"${PASSWORD}\" } }",
        "sinks: { d: { type: discord, url: [hush] } }",
        "sinks: { d: https://discord.com/api/webhooks/1/hush }",
        "sinks: https://discord.com/api/webhooks/1/hush",
        "dashboard: hush",
        "dashboard: { auth: hush }",
        "dashboard: { auth: { user: a, password: { hush: hush } } }",
        "dashboard: { auth: { user: a, password: !hush hush } }",
        "dashboard: { auth: { user: a, password: !!int hush } }",
        "dashboard: { auth: { user: a, password: \"hush${hush\" } }",
        "services: [{ name: A, url: \"${URL}\" }]",
        "services: [{ name: A, url: \"ftp://a/${TOKEN}\" }]",
        "services: [{ name: A, check: http, settings: { url: \"https://${TOKEN}/\" } }]",
        "services: [{ name: A, check: http, settings: hush }]",
    ] {
        // The one thing that is shown is a key, which is no place for a secret.
        let line = line.replace("{ hush: hush }", "{ key: hush }");
        assert!(read_with(line.as_bytes(), &VALUES, &FILES).is_err());
        is_silent(&line);
    }
}

#[test]
fn the_host_of_an_address_is_never_a_secret() {
    for url in [
        "${TOKEN}",
        "http://${TOKEN}",
        "http://a.${TOKEN}/",
        "http:/${TOKEN}",
        "http:///${TOKEN}",
        "http:\\\\\\\\${TOKEN}/",
        "http://a:${TOKEN}/",
        "http://u:${TOKEN}@a/",
        "${TOKEN}://a/",
        "http:/\\t/${TOKEN}",
    ] {
        for check in ["http", "a-plugin-from-a-file"] {
            let text = format!("services: [{{ name: A, check: {check}, settings: {{ url: \"{url}\" }} }}]");
            let problems = read_with(text.as_bytes(), &VALUES, &FILES).unwrap_err().to_string();
            assert!(problems.contains("services[0].settings.url: the host and port"), "{url}: {problems}");
        }
    }
    for url in ["http://a/${TOKEN}", "http://a:80?q=${TOKEN}", "https://a/b?x=$${TOKEN}"] {
        let text = format!("services: [{{ name: A, url: \"{url}\" }}]");
        assert!(read_with(text.as_bytes(), &VALUES, &FILES).is_ok(), "{url}");
    }
}

#[test]
fn a_placeholder_cannot_be_forged() {
    let text =
        "services: [{ name: A, url: http://a/, settings: { body: \"$${secret:0}\", b: \"$${secre\" } }]";
    let problems = read_with(text.as_bytes(), &VALUES, &FILES).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems.to_string().contains("services[0].settings.body: the text `${secret:` is reserved"));
}

#[test]
fn a_secret_too_short_to_be_masked_is_refused_in_settings() {
    let text = "services: [{ name: A, url: http://a/, settings: { auth: { bearer: \"${PIN}\" } } }]";
    let read = |pin| read_with(text.as_bytes(), &[("PIN", pin)], &[]);
    assert!(read("1234").is_ok());
    let problems = read("987").unwrap_err().to_string();
    assert!(
        problems.contains("services[0].settings.auth.bearer: `${PIN}` brings in less than 4"),
        "{problems}"
    );
    assert!(!problems.contains("987"), "{problems}");
}
