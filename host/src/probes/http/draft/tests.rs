use super::*;
use crate::probes::http::HttpGrant;
use pihook_core::Secret;
use std::time::Duration;

fn access(own: &[(&str, u16)]) -> Access {
    Access {
        own_hosts: own.iter().map(|(host, port)| HostPort::new(host, *port)).collect(),
        secrets: vec![Secret::new("hunter2".to_owned())],
        grant: HttpGrant::Any,
        ca_files: Vec::new(),
    }
}

/// The same for a plugin from a file that was granted nothing.
fn foreign_plugin(own: &[(&str, u16)]) -> Access {
    Access { grant: HttpGrant::default(), ..access(own) }
}

fn request(url: &str, headers: &[(&str, &str)]) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: None,
        credentials: Some(Credentials::Bearer("${secret:0}".to_owned())),
        connect_timeout: Duration::from_secs(1),
        read_timeout: Duration::from_secs(1),
        verify: true,
        ca_file: None,
        max_redirects: 5,
        max_body_bytes: 0,
    }
}

/// The named header of each hop: the first one, and those after redirects to these addresses.
fn along(access: &Access, request: HttpRequest, name: &str, locations: &[&str]) -> Vec<Option<String>> {
    let mut draft = Draft::new(request, access, &mut Masker::default()).unwrap();
    let shown = |draft: &mut Draft<'_>| {
        let hop = draft.hop().unwrap();
        hop.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let mut seen = vec![shown(&mut draft)];
    for location in locations {
        let location = HeaderValue::from_str(location).unwrap();
        draft.follow(StatusCode::FOUND, Some(&location), &Masker::default()).unwrap();
        seen.push(shown(&mut draft));
    }
    seen
}

#[test]
fn credentials_go_to_every_own_host_and_to_no_other() {
    let access = access(&[("nas.lan", 80), ("nas.lan", 443)]);
    let locations = ["https://nas.lan/", "https://nas.lan:8443/", "https://nas.lan/", "http://nas.lan/"];
    let seen = along(&access, request("http://nas.lan/", &[]), "authorization", &locations);
    let sent = Some("Bearer hunter2".to_owned());
    assert_eq!(seen, [sent.clone(), sent.clone(), None, sent, None], "the last hop is a downgrade");
}

#[test]
fn a_header_goes_before_the_credentials() {
    let access = access(&[("nas.lan", 80)]);
    let request = request("http://nas.lan/", &[("authorization", "Token ${secret:0}")]);
    assert_eq!(along(&access, request, "authorization", &[]), [Some("Token hunter2".to_owned())]);
}

#[test]
fn the_host_header_belongs_to_the_first_host() {
    let access = access(&[]);
    let seen = along(
        &access,
        request("http://192.0.2.1/", &[("Host", "nas.lan")]),
        "host",
        &["/x", "http://b.lan:81/"],
    );
    assert_eq!(seen, ["nas.lan", "nas.lan", "b.lan:81"].map(|host| Some(host.to_owned())));
}

#[test]
fn a_placeholder_in_the_host_cannot_carry_the_secret_away() {
    let access = access(&[("nas.lan", 80)]);
    for url in [
        "http://${secret:0}.evil.example/",
        "http://nas.lan@${secret:0}.evil/",
        "http://${secret:0}@evil.example/",
    ] {
        let denied = Draft::new(request(url, &[]), &access, &mut Masker::default()).err();
        let Some(HttpError::Denied(text)) = denied else { panic!("{url}: {denied:?}") };
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_redirect_with_a_secret_in_its_host_is_refused_without_naming_it() {
    let access = Access { secrets: vec![Secret::new("HunterTwo".to_owned())], ..access(&[("nas.lan", 80)]) };
    let mut draft = Draft::new(request("http://nas.lan/", &[]), &access, &mut Masker::default()).unwrap();
    let location = HeaderValue::from_static("http://huntertwo.evil.example/");
    let denied = draft.follow(StatusCode::FOUND, Some(&location), &Masker::new(&access.secrets)).unwrap_err();
    assert!(matches!(&denied, HttpError::Denied(text) if !text.contains("hunter")), "{denied}");
}

#[test]
fn a_plugin_from_a_file_reaches_the_services_own_host_and_no_other() {
    let access = foreign_plugin(&[("nas.lan", 8080)]);
    let hop = |url: &str| Draft::new(request(url, &[]), &access, &mut Masker::default())?.hop().map(drop);
    assert_eq!(hop("http://nas.lan:8080/x"), Ok(()));
    let denied = hop("http://other.lan:81/").unwrap_err().to_string();
    assert!(denied.ends_with("add `allow: { http: [\"other.lan:81\"] }` to the plugin"), "{denied}");
}

#[test]
fn a_plugin_from_a_file_cannot_ask_for_files() {
    let mut access = foreign_plugin(&[("nas.lan", 80)]);
    access.ca_files = vec!["/etc/ca.pem".into()];
    let with = |file: &str| {
        let request = HttpRequest { ca_file: Some(file.into()), ..request("http://nas.lan/", &[]) };
        Draft::new(request, &access, &mut Masker::default()).map(drop)
    };
    assert_eq!(with("/etc/ca.pem"), Ok(()));
    assert!(matches!(with("/etc/passwd"), Err(HttpError::Denied(_))));
    assert_eq!(with("/etc/passwd"), with("/no/such/file"), "whether it exists must not show");
}

#[test]
fn userinfo_in_a_redirect_is_not_used() {
    let access = access(&[("nas.lan", 80)]);
    let plain = HttpRequest { credentials: None, ..request("http://nas.lan/", &[]) };
    assert_eq!(along(&access, plain, "authorization", &["http://me:pw@nas.lan/"]), [None, None]);
}
