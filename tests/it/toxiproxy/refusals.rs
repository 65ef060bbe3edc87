//! Section 3: each refusal with its status and its exact body.

use super::server::{Api, echo};
use crate::support::free_port;
use std::net::TcpListener;

#[track_caller]
fn refused(api: &Api, request: (&str, &str, &str), status: u16, error: &str) {
    let error = error.replace('\\', r"\\").replace('"', "\\\"");
    let body = format!("{{\"error\":\"{error}\",\"status\":{status}}}\n");
    api.expect(request, status, &body);
}

#[test]
fn bodies_that_are_no_json() {
    let api = Api::start();
    for (body, why) in [
        ("", "EOF"),
        ("{", "unexpected EOF"),
        (
            "nonsense",
            "invalid character 'o' in literal null (expecting 'u')",
        ),
        (
            "[]",
            "json: cannot unmarshal array into Go value of type toxiproxy.Proxy",
        ),
        (
            r#"{"name":5}"#,
            "json: cannot unmarshal number into Go struct field Proxy.name of type string",
        ),
        (
            r#"{"enabled":"yes"}"#,
            "json: cannot unmarshal string into Go struct field Proxy.enabled of type bool",
        ),
    ] {
        let error = format!("bad request body: {why}");
        refused(&api, ("POST", "/proxies", body), 400, &error);
    }
    for path in ["/proxies/p", "/proxies/p/toxics"] {
        refused(&api, ("POST", path, ""), 404, "proxy not found");
    }
    api.proxy("p", echo());
    for path in ["/proxies/p", "/proxies/p/toxics"] {
        refused(&api, ("POST", path, ""), 400, "bad request body: EOF");
    }
}

#[test]
fn fields_that_are_missing_the_name_first() {
    let api = Api::start();
    let name = "missing required field: name";
    refused(&api, ("POST", "/proxies", "{}"), 400, name);
    refused(&api, ("POST", "/proxies", r#"{"name":""}"#), 400, name);
    let upstream = "missing required field: upstream";
    refused(&api, ("POST", "/proxies", r#"{"name":"p"}"#), 400, upstream);
}

#[test]
fn what_is_not_there() {
    let api = Api::start();
    for (method, path) in [
        ("GET", "/proxies/p"),
        ("POST", "/proxies/p"),
        ("PATCH", "/proxies/p"),
        ("DELETE", "/proxies/p"),
        ("GET", "/proxies/p/toxics"),
        ("POST", "/proxies/p/toxics"),
        ("GET", "/proxies/p/toxics/t"),
        ("DELETE", "/proxies/p/toxics/t"),
    ] {
        refused(&api, (method, path, "{}"), 404, "proxy not found");
    }
    api.proxy("p", echo());
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        refused(
            &api,
            (method, "/proxies/p/toxics/t", "{}"),
            404,
            "toxic not found",
        );
    }
}

#[test]
fn names_that_are_taken() {
    let api = Api::start();
    api.proxy("p", echo());
    let again = r#"{"name":"p","upstream":"127.0.0.1:1"}"#;
    refused(
        &api,
        ("POST", "/proxies", again),
        409,
        "proxy already exists",
    );
    api.toxic("p", r#"{"name":"t","type":"latency","stream":"upstream"}"#);
    // Across both streams.
    let again = r#"{"name":"t","type":"slicer","stream":"downstream"}"#;
    refused(
        &api,
        ("POST", "/proxies/p/toxics", again),
        409,
        "toxic already exists",
    );
}

#[test]
fn a_port_that_is_taken() {
    let api = Api::start();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let body = format!(r#"{{"name":"p","listen":"localhost:{port}","upstream":"127.0.0.1:1"}}"#);
    let error = format!("listen tcp 127.0.0.1:{port}: bind: address already in use");
    refused(&api, ("POST", "/proxies", &body), 500, &error);
    api.expect(("GET", "/proxies", ""), 200, "{}");
}

#[test]
fn addresses_that_cannot_be_listened_on() {
    let api = Api::start();
    for (listen, error) in [
        (
            "nowhere",
            "listen tcp: address nowhere: missing port in address",
        ),
        ("127.0.0.1:99999", "listen tcp: address 99999: invalid port"),
        (
            "::1:80",
            "listen tcp: address ::1:80: too many colons in address",
        ),
    ] {
        let body = format!(r#"{{"name":"p","listen":"{listen}","upstream":"127.0.0.1:1"}}"#);
        refused(&api, ("POST", "/proxies", &body), 500, error);
    }
}

#[test]
fn toxics_in_the_order_of_validation() {
    let api = Api::start();
    api.proxy("p", echo());
    let stream = "stream was invalid, can be either upstream or downstream";
    for (body, error) in [
        (r#"{"stream":"sideways","type":"none"}"#, stream),
        (r#"{"stream":"","type":"latency"}"#, stream),
        (r#"{"type":"none"}"#, "invalid toxic type"),
        (r#"{"type":"Latency"}"#, "invalid toxic type"),
        ("{}", "invalid toxic type"),
        (r#"{"type":""}"#, "invalid toxic type"),
        (
            r#"{"type":"latency","attributes":{"latency":100.5}}"#,
            "bad request body: json: cannot unmarshal number 100.5 into Go struct field \
             LatencyToxic.attributes.latency of type int64",
        ),
        (
            r#"{"type":"latency","attributes":{"latency":"100"}}"#,
            "bad request body: json: cannot unmarshal string into Go struct field \
             LatencyToxic.attributes.latency of type int64",
        ),
    ] {
        refused(&api, ("POST", "/proxies/p/toxics", body), 400, error);
    }
    api.expect(("GET", "/proxies/p/toxics", ""), 200, "[]");
}

#[test]
fn populating_with_an_incomplete_list_makes_nothing() {
    let api = Api::start();
    let upstream = free_port();
    let good = format!(r#"{{"name":"a","listen":"127.0.0.1:0","upstream":"{upstream}"}}"#);
    for (second, field) in [(r#"{"name":""}"#, "name"), (r#"{"name":"b"}"#, "upstream")] {
        let body = format!("[{good},{second}]");
        let expected = format!(
            r#"{{"error":"missing required field: {field} at proxy 2","status":400,"proxies":null}}"#
        );
        let answer = api.expect(("POST", "/populate", &body), 400, &expected);
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert_eq!(answer.header("X-Content-Type-Options"), None);
    }
    api.expect(("GET", "/proxies", ""), 200, "{}");
    let expected = r#"{"error":"bad request body: EOF","status":400,"proxies":null}"#;
    api.expect(("POST", "/populate", ""), 400, expected);
}

#[test]
fn populating_keeps_what_was_made_before_an_error() {
    let api = Api::start();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().map(|a| (a, taken)).expect("its address");
    let free = free_port();
    let body = format!(
        r#"[{{"name":"a","listen":"{free}","upstream":"x:1"}},{{"name":"b","listen":"{}","upstream":"x:1"}},{{"name":"c","upstream":"x:1"}}]"#,
        taken.0
    );
    let made =
        format!(r#"{{"name":"a","listen":"{free}","upstream":"x:1","enabled":true,"toxics":[]}}"#);
    let expected = format!(
        r#"{{"error":"listen tcp {}: bind: address already in use","status":500,"proxies":[{made}]}}"#,
        taken.0
    );
    api.expect(("POST", "/populate", &body), 500, &expected);
    api.expect(("GET", "/proxies", ""), 200, &format!(r#"{{"a":{made}}}"#));
}
