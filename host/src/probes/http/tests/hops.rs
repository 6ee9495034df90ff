//! Redirects, grants and secrets.

use super::exchanges::basic;
use super::*;

#[tokio::test]
async fn redirects_are_followed_up_to_the_limit() {
    let last = WebServer::start(Behaviour::ok("here")).await;
    let first = WebServer::start(Behaviour::redirect(302, &last.url("/there"))).await;
    let response = send(get(&first.url("/"))).await.unwrap();
    assert_eq!((response.status, response.redirects, response.url), (200, 1, last.url("/there")));

    let request = HttpRequest { max_redirects: 0, ..get(&first.url("/")) };
    let response = send(request).await.unwrap();
    assert_eq!((response.status, header(&response, "location").unwrap()), (302, last.url("/there").as_str()));

    first.set(Behaviour::RedirectLoop).await;
    let error = send(get(&first.url("/"))).await.unwrap_err();
    assert_eq!(error, HttpError::Redirect("more than 5 redirects".to_owned()));

    first.set(Behaviour::status(301)).await;
    assert!(matches!(send(get(&first.url("/"))).await, Err(HttpError::Redirect(_))));
}

#[tokio::test]
async fn a_post_becomes_a_get_where_browsers_do_so() {
    let last = WebServer::start(Behaviour::ok("")).await;
    let first = WebServer::start(Behaviour::ok("")).await;
    for (status, method, length) in [(301, "GET", 0), (303, "GET", 0), (307, "POST", 4), (308, "POST", 4)] {
        first.set(Behaviour::redirect(status, &last.url("/"))).await;
        let request = HttpRequest {
            method: "POST".to_owned(),
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            body: Some(b"data".to_vec()),
            ..get(&first.url("/"))
        };
        send(request).await.unwrap();
        let seen = last.seen().pop().unwrap();
        assert_eq!((seen.method.as_str(), seen.body.len()), (method, length), "{status}");
        assert_eq!(seen.header("content-type").is_some(), length > 0, "{status}");
    }
}

#[tokio::test]
async fn each_hop_needs_a_grant() {
    let last = WebServer::start(Behaviour::ok("")).await;
    let first = WebServer::start(Behaviour::redirect(302, &last.url("/"))).await;
    let pattern = first.address().to_string().parse().unwrap();
    let access = Access { grant: HttpGrant::Hosts(vec![pattern]), ..Access::default() };
    let denied = format!("services.yaml does not grant http to {};", last.address());
    for server in [&first, &last] {
        let error = HttpProbe::new().send(get(&server.url("/")), &access).await.unwrap_err();
        assert!(matches!(&error, HttpError::Denied(text) if text.starts_with(&denied)), "{error}");
    }
    assert_eq!((first.requests(), last.connections()), (1, 0));
}

#[tokio::test]
async fn the_own_host_gets_the_secrets() {
    let server = WebServer::start(Behaviour::ok("")).await;
    let request = HttpRequest {
        method: "POST".to_owned(),
        headers: vec![("x-key".to_owned(), "key ${secret:0}".to_owned())],
        body: Some(b"{${secret:1}}".to_vec()),
        credentials: Some(basic("me", "${secret:1}")),
        ..get(&server.url("/?k=${secret:0}"))
    };
    HttpProbe::new().send(request, &own(&server, &["hunter2", "p:ss/w rd"])).await.unwrap();
    let seen = &server.seen()[0];
    assert_eq!((seen.target.as_str(), seen.body.as_slice()), ("/?k=hunter2", &b"{p:ss/w rd}"[..]));
    assert_eq!(seen.header("x-key"), Some("key hunter2"));
    assert_eq!(seen.header("authorization"), Some("Basic bWU6cDpzcy93IHJk"));
}

#[tokio::test]
async fn bearer_and_userinfo_are_credentials() {
    let server = WebServer::start(Behaviour::ok("")).await;
    let access = own(&server, &["hunter2", "p@ss/w:rd"]);
    let bearer = HttpRequest {
        credentials: Some(Credentials::Bearer("${secret:0}".to_owned())),
        ..get(&server.url("/"))
    };
    HttpProbe::new().send(bearer, &access).await.unwrap();
    let with_userinfo = get(&server.url("/").replace("://", "://me%40home:${secret:1}@"));
    let response = HttpProbe::new().send(with_userinfo, &access).await.unwrap();
    let seen: Vec<_> =
        server.seen().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(seen, ["Bearer hunter2", "Basic bWVAaG9tZTpwQHNzL3c6cmQ="]);
    assert_eq!(response.url, server.url("/"));
}

#[tokio::test]
async fn another_host_gets_none_of_it() {
    let foreign = WebServer::start(Behaviour::ok("")).await;
    let server = WebServer::start(Behaviour::redirect(307, &foreign.url("/"))).await;
    let access = own(&server, &["hunter2"]);
    let request = |url: &str| HttpRequest {
        headers: [("x-key", "${secret:0}"), ("cookie", "id=1"), ("x-plain", "plain")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        credentials: Some(basic("me", "${secret:0}")),
        ..get(url)
    };
    HttpProbe::new().send(request(&server.url("/")), &access).await.unwrap();
    HttpProbe::new().send(request(&foreign.url("/")), &access).await.unwrap();
    let [redirected, asked] = &foreign.seen()[..] else { panic!("two requests were made") };
    for seen in [redirected, asked] {
        assert_eq!((seen.header("x-key"), seen.header("authorization")), (None, None));
        assert_eq!(seen.header("x-plain"), Some("plain"));
        assert!(!format!("{seen:?}").contains("secret"), "{seen:?}");
    }
    assert_eq!((redirected.header("cookie"), asked.header("cookie")), (None, Some("id=1")));
    assert!(server.seen()[0].header("authorization").is_some());
}

#[tokio::test]
async fn what_cannot_be_left_out_is_denied() {
    let foreign = WebServer::start(Behaviour::ok("")).await;
    let server = WebServer::start(Behaviour::redirect(307, &foreign.url("/"))).await;
    let access = own(&server, &["hunter2"]);
    let with_body = |url: &str| HttpRequest { body: Some(b"${secret:0}".to_vec()), ..get(url) };
    let leading_away = Behaviour::redirect(302, &foreign.url("/?k=hunter%32"));
    for request in
        [with_body(&foreign.url("/")), with_body(&server.url("/")), get(&foreign.url("/?k=${secret:0}"))]
    {
        let error = HttpProbe::new().send(request, &access).await.unwrap_err();
        assert!(matches!(&error, HttpError::Denied(_)), "{error:?}");
    }
    server.set(leading_away).await;
    let error = HttpProbe::new().send(get(&server.url("/")), &access).await.unwrap_err();
    assert!(matches!(&error, HttpError::Denied(_)), "{error:?}");
    assert_eq!(foreign.connections(), 0);
}

#[tokio::test]
async fn a_secret_cannot_break_a_header() {
    let server = WebServer::start(Behaviour::ok("")).await;
    let access = own(&server, &["hunter2\r\nx-evil: 1"]);
    let header = HttpRequest {
        headers: vec![("x-key".to_owned(), "${secret:0}".to_owned())],
        ..get(&server.url("/"))
    };
    let bearer = HttpRequest {
        credentials: Some(Credentials::Bearer("${secret:0}".to_owned())),
        ..get(&server.url("/"))
    };
    for request in [header, bearer] {
        let error = HttpProbe::new().send(request, &access).await.unwrap_err();
        assert!(matches!(&error, HttpError::InvalidRequest(_)), "{error:?}");
        assert!(!format!("{error:?}{error}").contains("hunter2"), "{error:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn nothing_that_comes_back_shows_a_secret() {
    let server = WebServer::start(Behaviour::Echo).await;
    let access = own(&server, &["hunter2", "p@ss w/rd"]);
    let request = || HttpRequest {
        method: "POST".to_owned(),
        headers: vec![("x-key".to_owned(), "${secret:1}".to_owned())],
        body: Some(b"k=p%40ss+w%2Frd".to_vec()),
        credentials: Some(basic("me", "${secret:1}")),
        ..get(&server.url("/${secret:1}?k=${secret:0}"))
    };
    let response = HttpProbe::new().send(request(), &access).await.unwrap();
    let all = format!("{response:?}\n{}", body(&response));
    for leak in ["hunter2", "p@ss", "p%40ss", "bWU6cEBzcyB3L3Jk"] {
        assert!(!all.contains(leak), "{leak} in {all}");
    }
    assert!(
        body(&response).contains("x-key: ***") && body(&response).contains("authorization: Basic ***"),
        "{all}"
    );
    assert_eq!(response.url, server.url("/***?k=***"));

    let behaviour = Behaviour::ok("").header("x-shown", "is hunter2").header("location", "/x?hunter2");
    server.set(behaviour).await;
    let response = HttpProbe::new().send(request(), &access).await.unwrap();
    assert_eq!(
        (header(&response, "x-shown"), header(&response, "location")),
        (Some("is ***"), Some("/x?***"))
    );
}

/// Every way to fail that is at hand, with a secret in every place that an error might show.
#[tokio::test]
async fn no_error_shows_a_secret() {
    let server = WebServer::start(Behaviour::Silent).await;
    let access = own(&server, &["hunter2", "hunter2.invalid"]);
    let request = |url: &str| HttpRequest {
        headers: vec![("x-key".to_owned(), "${secret:0}".to_owned())],
        credentials: Some(basic("hunter2", "${secret:0}")),
        ..impatient(url)
    };
    let mut errors = Vec::new();
    for behaviour in [
        Behaviour::Silent,
        Behaviour::Trickle,
        Behaviour::Cut,
        Behaviour::Garbage,
        Behaviour::Banner,
        Behaviour::HeaderBomb,
        Behaviour::Close,
        Behaviour::Reset,
        Behaviour::RedirectLoop,
        Behaviour::Refuse,
        Behaviour::redirect(302, "ftp://hunter2/"),
        Behaviour::redirect(302, "http://hunter2.invalid/"),
        Behaviour::redirect(302, "http://hunter2:hunter2@[hunter2]/"),
        Behaviour::redirect(302, "hunter2://hunter2"),
        Behaviour::redirect(302, "http://hunter2.invalid:81/hunter2"),
    ] {
        server.set(behaviour).await;
        errors.push(HttpProbe::new().send(request(&server.url("/${secret:0}")), &access).await.unwrap_err());
    }
    for url in [
        "http://${secret:0}/",
        "http://${secret:1}/",
        "http://hunter2:x@[/",
        "${secret:0}",
        "hunter2://x",
        "http://me:hunter2@nas.invalid/",
    ] {
        errors.push(HttpProbe::new().send(request(url), &access).await.unwrap_err());
    }
    let own_name = Access { own_hosts: vec![HostPort::new("hunter2.invalid", 80)], ..access };
    errors.push(HttpProbe::new().send(request("http://${secret:1}/"), &own_name).await.unwrap_err());
    for error in &errors {
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
    }
}
