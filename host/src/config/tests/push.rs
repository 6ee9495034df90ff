//! Services whose jobs send signs of life.

use super::*;

const TOKEN: &str = "hush-0123456789abcdef";

fn with_token(text: &str) -> Result<Config, Problems> {
    read_with(text.as_bytes(), &[("TOKEN", TOKEN), ("SHORT", "hush")], &[])
}

fn problems(text: &str) -> Vec<String> {
    let problems = with_token(text).err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_token_is_secret_whether_it_stands_openly_or_not() {
    for written in ["${TOKEN}", TOKEN, "hush-${SHORT}-0123456789"] {
        let text = format!(
            "services: [{{ name: A, check: heartbeat, settings: {{ period: 1d, token: \"{written}\" }} }}]"
        );
        let config = with_token(&text).unwrap_or_else(|problems| panic!("{problems}"));
        let check = &config.services[0].check;
        let token = check.push_token.as_ref().unwrap();
        assert!(token.expose().starts_with("hush-"));
        assert_eq!(check.settings, json!({ "period": "1d", "token": "${secret:0}" }), "{written}");
        assert_eq!(check.secrets, std::slice::from_ref(token));
        assert!(config.secrets.contains(token));
        assert!(!format!("{config:?}").contains("hush"), "{config:?}");
    }
    let http = good("services: [{ name: A, check: http, settings: { token: plain } }]");
    assert_eq!(http.services[0].check.push_token, None);
}

#[test]
fn what_cannot_be_a_token_is_told_once_and_not_shown() {
    let rule = "16 to 128 letters, digits, `-` and `_`, such as `openssl rand -hex 16` prints; \
                best as `${NAME}` or `${file:PATH}`";
    for (written, expected) in [
        ("hush-012345678".to_owned(), format!("this cannot be a token; {rule}")),
        ("hush 0123456789abcdef".to_owned(), format!("this cannot be a token; {rule}")),
        ("hush/0123456789abcdef".to_owned(), format!("this cannot be a token; {rule}")),
        (format!("hush{}", "x".repeat(125)), format!("this cannot be a token; {rule}")),
        ("\"${SHORT}\"".to_owned(), format!("this cannot be a token; {rule}")),
        ("12345678901234567".to_owned(), "expected text, found a number; put it in quotes".to_owned()),
        ("[hush-0123456789abcdef]".to_owned(), "expected text, found a list; write text".to_owned()),
        (
            "\"${NOT_SET}\"".to_owned(),
            "the environment variable `NOT_SET` is not set; set it where pihook is started, \
             or put the value in a file and write `${file:PATH}`"
                .to_owned(),
        ),
    ] {
        let text =
            format!("services:\n  - {{ name: A, check: heartbeat, settings: {{ token: {written} }} }}\n");
        assert_eq!(problems(&text), [format!("services.yaml:2: services[0].settings.token: {expected}")]);
    }
}

#[test]
fn two_services_cannot_share_a_token() {
    let text = format!(
        "services:\n  - {{ name: A, check: heartbeat, settings: {{ token: \"${{TOKEN}}\" }} }}\n  \
         - {{ name: B, check: heartbeat, settings: {{ token: {TOKEN} }} }}\n"
    );
    let expected = "services.yaml:3: services[1].settings.token: `A` has the same token, in line 2; \
                    a token of its own for each service";
    assert_eq!(problems(&text), [expected]);
}

#[test]
fn without_a_dashboard_nothing_can_come_in() {
    let text =
        "dashboard: off\nservices:\n  - { name: A, check: heartbeat, settings: { token: \"${TOKEN}\" } }\n";
    let expected = "services.yaml:3: services[0].check: signs of life come in at the dashboard's address, and it is off; \
                    a `dashboard:` with `listen:`, or another check";
    assert_eq!(problems(text), [expected]);
}
