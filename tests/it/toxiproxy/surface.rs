//! Sections 1 and 2: routes, statuses, content types, headers, browsers, version, metrics.

use super::server::{Api, connect, echo, round_trip, until};
use assize_proxy::api::Settings;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

#[test]
fn version_is_exactly_one_line() {
    let api = Api::start();
    let answer = api.expect(("GET", "/version", ""), 200, "{\"version\": \"2.12.0\"}\n");
    assert_eq!(
        answer.header("Content-Type"),
        Some("application/json;charset=utf-8")
    );
}

#[test]
fn success_is_json_with_the_status_of_its_route() {
    let api = Api::start();
    let upstream = echo();
    let create = format!(r#"{{"name":"p","listen":"127.0.0.1:0","upstream":"{upstream}"}}"#);
    let populate = format!(r#"[{{"name":"q","listen":"127.0.0.1:0","upstream":"{upstream}"}}]"#);
    let toxic = r#"{"name":"t","type":"latency"}"#;
    for (method, path, body, status) in [
        ("GET", "/proxies", "", 200),
        ("POST", "/proxies", create.as_str(), 201),
        ("POST", "/populate", populate.as_str(), 201),
        ("GET", "/proxies/p", "", 200),
        ("POST", "/proxies/p", "{}", 200),
        ("PATCH", "/proxies/p", "{}", 200),
        ("GET", "/proxies/p/toxics", "", 200),
        ("POST", "/proxies/p/toxics", toxic, 200),
        ("GET", "/proxies/p/toxics/t", "", 200),
        ("POST", "/proxies/p/toxics/t", "{}", 200),
        ("PATCH", "/proxies/p/toxics/t", "{}", 200),
        ("DELETE", "/proxies/p/toxics/t", "", 204),
        ("POST", "/reset", "", 204),
        ("DELETE", "/proxies/p", "", 204),
    ] {
        let answer = api.ask(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        let kind = (status != 204).then_some(JSON);
        assert_eq!(answer.header("Content-Type"), kind, "{method} {path}");
        assert_eq!(answer.body.is_empty(), status == 204, "{method} {path}");
        let id = answer.header("X-Toxiproxy-Request-Id").map(str::len);
        assert_eq!(id, Some(20), "{method} {path}");
        assert!(
            answer.head().contains("\r\nX-Toxiproxy-Request-Id: "),
            "as Go writes it"
        );
    }
}

#[test]
fn every_answer_of_a_route_has_a_number_of_its_own() {
    let api = Api::start();
    let id = || {
        let answer = api.ask("GET", "/version", "");
        answer.header("X-Toxiproxy-Request-Id").map(str::to_owned)
    };
    assert_ne!(id(), id());
    let refused = api.ask("GET", "/proxies/none", "");
    assert!(refused.header("X-Toxiproxy-Request-Id").is_some());
}

#[test]
fn errors_are_json_that_says_it_is_text() {
    let api = Api::start();
    let text = "{\"error\":\"proxy not found\",\"status\":404}\n";
    let answer = api.expect(("GET", "/proxies/none", ""), 404, text);
    assert_eq!(answer.header("Content-Type"), Some(TEXT));
    assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"));
}

#[test]
fn unknown_paths_are_404_in_gos_words() {
    let api = Api::start();
    for path in [
        "/",
        "/nothing",
        "/proxies/",
        "/proxies/p/",
        "/proxies/p/other",
        "/metrics",
    ] {
        let answer = api.expect(("GET", path, ""), 404, "404 page not found\n");
        assert_eq!(answer.header("Content-Type"), Some(TEXT), "{path}");
        assert_eq!(
            answer.header("X-Content-Type-Options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(answer.header("X-Toxiproxy-Request-Id"), None, "{path}");
    }
}

#[test]
fn known_paths_with_another_method_are_405_and_empty() {
    let api = Api::start();
    for (method, path) in [
        ("PUT", "/proxies"),
        ("DELETE", "/proxies"),
        ("PUT", "/proxies/p"),
        ("PATCH", "/proxies/p/toxics"),
        ("PUT", "/proxies/p/toxics/t"),
        ("GET", "/reset"),
        ("GET", "/populate"),
        ("POST", "/version"),
    ] {
        api.expect((method, path, ""), 405, "");
    }
}

#[test]
fn a_path_that_is_not_clean_is_answered_with_the_clean_one() {
    let api = Api::start();
    let answer = api.expect(("GET", "//proxies/../version?x=1", ""), 301, "");
    assert_eq!(answer.header("Location"), Some("/version?x=1"));
}

#[test]
fn browsers_are_refused_on_all_routes() {
    let api = Api::start();
    let agent = "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n";
    for (method, path) in [("GET", "/version"), ("GET", "/proxies"), ("POST", "/reset")] {
        let answer = api.ask_with(method, path, agent, b"");
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.body, "User agent not allowed\n", "{path}");
        assert_eq!(answer.header("Content-Type"), Some(TEXT), "{path}");
        assert!(answer.header("X-Toxiproxy-Request-Id").is_some(), "{path}");
    }
    let other = api.ask_with("GET", "/version", "User-Agent: curl/8 Mozilla/5.0\r\n", b"");
    assert_eq!(other.status, 200, "only who says so first is a browser");
}

#[test]
fn the_content_type_of_a_request_is_not_looked_at() {
    let api = Api::start();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let body = br#"{"name":"java","upstream":"127.0.0.1:1","enabled":false}"#;
    assert_eq!(api.ask_with("POST", "/proxies", form, body).status, 201);
}

#[test]
fn metrics_count_bytes_while_connections_are_open() {
    let api = Api::with(Settings {
        proxy_metrics: true,
        ..Settings::default()
    });
    let upstream = echo();
    let listen = api.proxy("shopify_http", upstream);
    let mut client = connect(listen);
    round_trip(&mut client, b"hello").expect("an echo");
    for (name, direction) in [
        ("received", "upstream"),
        ("sent", "upstream"),
        ("received", "downstream"),
        ("sent", "downstream"),
    ] {
        let line = format!(
            "toxiproxy_proxy_{name}_bytes_total{{direction=\"{direction}\",listener=\"{listen}\",\
             proxy=\"shopify_http\",upstream=\"{upstream}\"}} 5\n"
        );
        // A byte may be read by its client a moment before it is counted.
        until(&line, || {
            api.ask("GET", "/metrics", "").body.contains(&line)
        });
    }
    let answer = api.ask("GET", "/metrics", "");
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("go_info"), "not asked for");
    let kind = answer.header("Content-Type").unwrap_or_default();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
}

#[test]
fn runtime_metrics_have_what_dashboards_look_for() {
    let api = Api::with(Settings {
        runtime_metrics: true,
        ..Settings::default()
    });
    let body = api.ask("GET", "/metrics", "").body;
    for name in ["go_info{", "go_goroutines ", "process_open_fds "] {
        assert!(
            body.lines().any(|line| line.starts_with(name)),
            "{name} in {body}"
        );
    }
    assert!(!body.contains("toxiproxy_proxy"), "not asked for");
}
