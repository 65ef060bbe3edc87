//! Whatever is sent: no crash, no hang, and limits on what is large or slow.

use super::server::{Api, LIMIT, answer, connect, echo, round_trip};
use assize_proxy::EngineOptions;
use assize_proxy::api::Settings;
use proptest::prelude::*;
use std::io::{Read as _, Write as _};
use std::sync::LazyLock;

/// One server for all cases: it has to survive every one of them.
static API: LazyLock<Api> = LazyLock::new(|| {
    let api = Api::start();
    api.proxy("p", echo());
    api.toxic("p", r#"{"name":"t","type":"latency"}"#);
    api
});

const PATHS: &[&str] = &[
    "/proxies",
    "/populate",
    "/reset",
    "/version",
    "/metrics",
    "/proxies/p",
    "/proxies/p/toxics",
    "/proxies/p/toxics/t",
    "/proxies/none/toxics/t",
    "/assize/v1/proxies",
    "/assize/v1/populate",
    "/assize/v1/proxies/p",
    "/assize/v1/proxies/p/connections",
    "/assize/v1/proxies/p/listener",
    "/assize/v1/operations",
    "/%ff%00/../x",
];

fn is_alive(api: &Api) {
    assert_eq!(api.ask("GET", "/version", "").status, 200);
}

/// JSON made of the words that the API knows, and of values that it does not expect.
fn json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        Just("1e999".to_owned()),
        Just("-0.0".to_owned()),
        Just("0".to_owned()),
        Just("99999999999999999999".to_owned()),
        any::<f64>()
            .prop_filter("JSON has no such", |x| x.is_finite())
            .prop_map(|x| x.to_string()),
    ];
    let word = prop::sample::select(vec![
        "latency",
        "bandwidth",
        "slow_close",
        "timeout",
        "reset_peer",
        "slicer",
        "limit_data",
        "packet_loss",
        "corrupt",
        "duplicate",
        "reorder",
        "upstream",
        "downstream",
        "p",
        "t",
        "open",
        "refuse",
        "127.0.0.1:0",
        "[::1]:0",
        "1s",
        "never",
        "10.0.0.0/8",
        "",
        "é\\u0000\\ud800",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        number,
        word.prop_map(|word| format!("\"{word}\"")),
    ];
    let key = prop::sample::select(vec![
        "name",
        "listen",
        "upstream",
        "enabled",
        "toxics",
        "type",
        "stream",
        "toxicity",
        "attributes",
        "latency",
        "jitter",
        "rate",
        "delay",
        "timeout",
        "average_size",
        "size_variation",
        "bytes",
        "loss_rate",
        "correlation",
        "distribution",
        "expires_in",
        "peer",
        "state",
        "Name",
    ]);
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|members| {
                let members = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_json_on_any_route_is_answered(
        method in prop::sample::select(vec!["GET", "POST", "PATCH", "PUT", "DELETE"]),
        path in prop::sample::select(PATHS),
        body in json(),
    ) {
        // What a test deletes or disables is there again for the next one.
        let answer = API.ask(method, path, &body);
        prop_assert!(answer.status != 0 && answer.status != 503, "{method} {path} {body}: {answer:?}");
        if !answer.body.is_empty() && answer.header("Content-Type") == Some("application/json") {
            answer.json();
        }
        if path == "/proxies/p" || path == "/proxies" || path.ends_with("populate") {
            let restore = format!(
                r#"[{{"name":"p","listen":"127.0.0.1:0","upstream":"{}"}}]"#,
                *UPSTREAM
            );
            API.ask("DELETE", "/proxies/p", "");
            API.ask("POST", "/populate", &restore);
        }
        is_alive(&API);
    }

    #[test]
    fn any_fault_with_any_settings_lets_bytes_pass_or_ends(
        kind in prop::sample::select(vec![
            "latency", "bandwidth", "slow_close", "slicer", "limit_data", "packet_loss", "timeout",
            "reset_peer", "corrupt",
        ]),
        values in prop::collection::vec(
            prop::sample::select(vec![i64::MIN, -1, 0, 1, 2, 1000, 65_536, i64::MAX]), 4),
        toxicity in prop::sample::select(vec!["-1", "0", "0.5", "1", "1e30", "null"]),
    ) {
        let api = &*API;
        let name = format!("h{}", values.iter().map(|v| v.to_string().len().to_string()).collect::<String>());
        let made = api.ask("POST", "/proxies", &format!(
            r#"{{"name":"{name}","listen":"127.0.0.1:0","upstream":"{}"}}"#, *UPSTREAM));
        if let Some(listen) = made.json()["listen"].as_str().and_then(|l| l.parse().ok()) {
            let mut client = connect(listen);
            client.set_read_timeout(Some(std::time::Duration::from_millis(20))).expect("a limit");
            let [a, b, c, d] = [values[0], values[1], values[2], values[3]];
            api.ask("POST", &format!("/proxies/{name}/toxics"), &format!(
                r#"{{"name":"t","type":"{kind}","toxicity":{toxicity},"attributes":{{"latency":{a},"jitter":{b},"rate":{a},"delay":{c},"average_size":{a},"size_variation":{b},"bytes":{a},"timeout":{d},"rto":{d}}}}}"#));
            let _ = round_trip(&mut client, b"some bytes");
            let removed = api.ask("DELETE", &format!("/proxies/{name}/toxics/t"), "").status;
            prop_assert!(matches!(removed, 204 | 404), "{removed}");
        }
        prop_assert_eq!(api.ask("DELETE", &format!("/proxies/{name}"), "").status, 204);
        is_alive(api);
    }

    #[test]
    fn any_bytes_are_answered_or_the_connection_is_closed(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        method in prop::sample::select(vec!["GET", "POST", ""]),
        path in prop::sample::select(PATHS),
    ) {
        let mut request = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
        request.extend_from_slice(&bytes);
        request.extend_from_slice(b"\r\nConnection: close\r\n\r\n");
        let mut stream = connect(API.address());
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
        is_alive(&API);
    }

    #[test]
    fn any_body_of_bytes_is_answered(
        body in prop::collection::vec(any::<u8>(), 0..300),
        path in prop::sample::select(vec!["/proxies", "/populate", "/proxies/p/toxics", "/proxies/p/toxics/t", "/assize/v1/populate"]),
    ) {
        let answer = API.ask_with("POST", path, "", &body);
        prop_assert!((200..500).contains(&answer.status), "{answer:?}");
    }
}

static UPSTREAM: LazyLock<std::net::SocketAddr> = LazyLock::new(echo);

#[test]
fn a_body_that_is_too_large_is_refused() {
    let api = Api::start();
    let body = vec![b' '; (4 << 20) + 1];
    let answer = api.ask_with("POST", "/proxies", "", &body);
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.body.contains("too large"), "{answer:?}");
    is_alive(&api);
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let api = Api::start();
    let header = format!("X-Large: {}\r\n", "x".repeat(1 << 20));
    let request = format!("GET /version HTTP/1.1\r\nHost: x\r\n{header}\r\n");
    // The answer may be lost when the server closes with bytes unread.
    let status = answer(&api.exchange(request.as_bytes())).map(|answer| answer.status);
    assert!(
        status.is_none_or(|status| (400..500).contains(&status)),
        "{status:?}"
    );
    is_alive(&api);
}

#[test]
fn nesting_without_end_is_refused() {
    let api = Api::start();
    for body in ["[".repeat(1 << 20), r#"{"a":"#.repeat(1 << 18)] {
        let answer = api.ask("POST", "/proxies", &body);
        assert_eq!(answer.status, 400, "{}", answer.head());
        assert!(
            answer.body.contains("exceeded max depth"),
            "{}",
            answer.body
        );
    }
    is_alive(&api);
}

#[test]
fn many_who_say_nothing_keep_nobody_waiting() {
    let api = Api::start();
    let silent: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = connect(api.address());
            stream
                .write_all(b"POST /proxies HTTP/1.1\r\nHost: x\r\nContent-Le")
                .expect("a begin");
            stream
        })
        .collect();
    is_alive(&api);
    drop(silent);
}

#[test]
fn who_begins_and_does_not_go_on_is_closed() {
    let api = Api::start();
    let mut stream = connect(api.address());
    stream.set_read_timeout(Some(2 * LIMIT)).expect("a limit");
    stream.write_all(b"GET /version HT").expect("a begin");
    let mut rest = Vec::new();
    stream
        .read_to_end(&mut rest)
        .expect("closed by the server, not by our limit");
    let status = answer(&rest).map(|answer| answer.status);
    assert!(matches!(status, None | Some(408)), "{status:?}");
}

#[test]
fn proxies_and_toxics_are_bounded_with_words() {
    let api = Api::with(Settings {
        engine: EngineOptions {
            max_proxies: 3,
            ..EngineOptions::default()
        },
        ..Settings::default()
    });
    let make = |name: usize| {
        let body = format!(r#"{{"name":"p{name}","listen":"127.0.0.1:0","upstream":"x:1"}}"#);
        api.ask("POST", "/proxies", &body)
    };
    assert!((0..3).all(|n| make(n).status == 201));
    let fourth = make(3);
    assert_eq!(fourth.status, 503);
    assert!(fourth.body.contains("there are 3 proxies"), "{fourth:?}");
    let add = |n: usize| {
        let body = format!(r#"{{"name":"t{n}","type":"latency"}}"#);
        api.ask("POST", "/proxies/p0/toxics", &body)
    };
    let refused = (0..2_000)
        .map(add)
        .find(|answer| answer.status != 200)
        .expect("a bound");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains("toxics"), "{refused:?}");
}
