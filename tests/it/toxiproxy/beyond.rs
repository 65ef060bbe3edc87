//! What goes beyond the original: toxics made with their proxy, leases, peers, connections,
//! listeners, operations as they happen, and who may ask for them.

use super::server::{Api, connect, echo, round_trip, until};
use assize_proxy::api::Settings;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn a_proxy_and_its_toxics_are_made_at_once() {
    let api = Api::start();
    let body = format!(
        r#"[{{"name":"p","listen":"127.0.0.1:0","upstream":"{}","toxics":[
            {{"type":"limit_data","stream":"downstream","attributes":{{"bytes":4}}}},
            {{"type":"latency","attributes":{{"latency":1}},"expires_in":"1h"}}]}}]"#,
        echo()
    );
    let made = api.ask("POST", "/assize/v1/populate", &body);
    assert_eq!(made.status, 201, "{made:?}");
    let proxy = &made.json()["proxies"][0];
    assert_eq!(proxy["toxics"].as_array().map(Vec::len), Some(2));
    assert!(
        proxy["toxics"][1]["expires_in_ms"]
            .as_i64()
            .is_some_and(|ms| ms > 3_500_000)
    );
    let listen = proxy["listen"]
        .as_str()
        .and_then(|l| l.parse().ok())
        .expect("an address");
    let mut client = connect(listen);
    client.write_all(b"123456").expect("it is taken");
    let mut back = Vec::new();
    let _ = client.read_to_end(&mut back);
    assert_eq!(back, b"1234", "the first client meets them");
}

#[test]
fn with_a_toxic_that_cannot_be_nothing_is_made() {
    let api = Api::start();
    let two = r#"[{"name":"a","upstream":"x:1","enabled":false},{"name":"b","upstream":"x:1","toxics":[TOXICS]}]"#;
    for (toxics, error) in [
        (r#"{"type":"none"}"#, "invalid toxic type"),
        (
            r#"{"type":"latency"},{"type":"latency"}"#,
            "toxic already exists",
        ),
        (r#"{"type":"latency","expires_in":"soon"}"#, "expires_in"),
        (
            r#"{"type":"latency","peer":"everyone"}"#,
            "names no clients",
        ),
        (
            r#"{"type":"latency","attributes":{"latency":-1}}"#,
            "0 or more",
        ),
    ] {
        let answer = api.ask(
            "POST",
            "/assize/v1/populate",
            &two.replace("TOXICS", toxics),
        );
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert!(
            answer.json()["error"]
                .as_str()
                .is_some_and(|e| e.contains(error)),
            "{answer:?}"
        );
    }
    api.expect(("GET", "/proxies", ""), 200, "{}");
}

#[test]
fn a_lease_that_is_over_takes_its_toxic_with_it() {
    let api = Api::start();
    let mut client = connect(api.proxy("p", echo()));
    api.toxic(
        "p",
        r#"{"name":"t","type":"bandwidth","attributes":{"rate":0},"expires_in":"300ms"}"#,
    );
    api.toxic("p", r#"{"name":"stays","type":"latency"}"#);
    let shown = api.ask("GET", "/assize/v1/proxies/p", "").json();
    assert!(
        shown["toxics"][0]["expires_in_ms"]
            .as_i64()
            .is_some_and(|ms| ms <= 300),
        "{shown}"
    );
    // The bytes are held until the lease is over, and then arrive without anybody's doing.
    assert_eq!(
        round_trip(&mut client, b"held").expect("an echo in the end"),
        b"held"
    );
    until("the toxic is no longer listed", || {
        api.ask("GET", "/proxies/p/toxics/t", "").status == 404
    });
    assert_eq!(api.ask("GET", "/proxies/p/toxics/stays", "").status, 200);
    let operations = api.ask("GET", "/assize/v1/operations", "").json();
    let last = operations["operations"]
        .as_array()
        .and_then(|list| list.last())
        .cloned();
    let last = last.expect("operations");
    assert_eq!(
        (&last["op"], &last["by"]),
        (&"toxic_removed".into(), &"lease".into())
    );
}

#[test]
fn a_lease_can_be_renewed_and_ended() {
    let api = Api::start();
    api.proxy("p", echo());
    api.toxic("p", r#"{"name":"t","type":"latency","expires_in":"400ms"}"#);
    api.toxic("p", r#"{"name":"goes","type":"latency","expires_in":0.4}"#);
    assert_eq!(
        api.ask("POST", "/proxies/p/toxics/t", r#"{"expires_in":"never"}"#)
            .status,
        200
    );
    until("the other one is gone", || {
        api.ask("GET", "/proxies/p/toxics/goes", "").status == 404
    });
    let shown = api.ask("GET", "/assize/v1/proxies/p", "").json();
    assert_eq!(shown["toxics"][0]["name"], "t");
    assert!(shown["toxics"][0].get("expires_in_ms").is_none(), "{shown}");
}

#[test]
fn a_peer_is_met_alone() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    let (mut one, mut two) = (connect(listen), connect(listen));
    let peer = one.local_addr().expect("its address");
    api.toxic("p", &format!(r#"{{"type":"reset_peer","peer":"{peer}"}}"#));
    assert_eq!(round_trip(&mut two, b"x").expect("an echo"), b"x");
    let error = round_trip(&mut one, b"x").expect_err("a reset");
    assert!(
        matches!(
            error.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ),
        "{error}"
    );
}

#[test]
fn connections_are_listed_with_what_touched_them_and_can_be_cut() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    let (mut one, mut two) = (connect(listen), connect(listen));
    round_trip(&mut one, b"12345").expect("an echo");
    let peer = two.local_addr().expect("its address");
    api.toxic(
        "p",
        &format!(
            r#"{{"name":"slow","type":"latency","attributes":{{"latency":1}},"peer":"{peer}"}}"#
        ),
    );
    round_trip(&mut two, b"x").expect("an echo");
    let list = api
        .ask("GET", "/assize/v1/proxies/p/connections", "")
        .json();
    let list = list["connections"].as_array().cloned().expect("a list");
    assert_eq!(list.len(), 2, "{list:?}");
    let of = |stream: &TcpStream| {
        let peer = stream.local_addr().expect("its address").to_string();
        list.iter()
            .find(|c| c["peer"] == peer)
            .cloned()
            .expect("listed")
    };
    let (first, second) = (of(&one), of(&two));
    assert_eq!(
        (&first["upstream_bytes"], &first["downstream_bytes"]),
        (&5.into(), &5.into())
    );
    assert_eq!(first["faults"], serde_json::json!([]));
    assert_eq!(second["faults"], serde_json::json!(["slow"]));
    let cut = api.ask("DELETE", "/assize/v1/proxies/p/connections?how=reset", "");
    assert_eq!(cut.body, r#"{"connections":2}"#);
    let error = one.read(&mut [0; 1]).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_listener_can_refuse() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    let mut open = connect(listen);
    let path = "/assize/v1/proxies/p/listener";
    api.expect(
        ("PUT", path, r#"{"state":"refuse"}"#),
        200,
        r#"{"state":"refuse"}"#,
    );
    let error = TcpStream::connect(listen).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    round_trip(&mut open, b"x").expect("open connections are not concerned");
    assert_eq!(
        api.ask("GET", "/assize/v1/proxies/p", "").json()["listener"],
        "refuse"
    );
    api.expect(
        ("PUT", path, r#"{"state":"open"}"#),
        200,
        r#"{"state":"open"}"#,
    );
    round_trip(&mut connect(listen), b"x").expect("an echo");
    assert_eq!(api.ask("PUT", path, r#"{"state":"ajar"}"#).status, 400);
    assert_eq!(
        api.ask("POST", "/proxies/p", r#"{"enabled":false}"#).status,
        200
    );
    assert_eq!(
        api.ask("PUT", path, r#"{"state":"refuse"}"#).status,
        409,
        "it has no listener"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_listener_can_swallow_and_reset_opens_it() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    let path = "/assize/v1/proxies/p/listener";
    api.expect(
        ("PUT", path, r#"{"state":"blackhole"}"#),
        200,
        r#"{"state":"blackhole"}"#,
    );
    let error = TcpStream::connect_timeout(&listen, Duration::from_millis(300));
    let error = error.expect_err("the client's own timeout fires");
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    api.expect(("POST", "/reset", ""), 204, "");
    round_trip(&mut connect(listen), b"x").expect("an echo");
}

#[test]
fn operations_are_told_as_they_happen() {
    let api = Api::start();
    api.proxy("before", echo());
    let mut stream = connect(api.address());
    let request = format!(
        "GET /assize/v1/events HTTP/1.1\r\nHost: {}\r\n\r\n",
        api.address()
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let head: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    assert!(head[0].contains("200"), "{head:?}");
    assert!(
        head.iter()
            .any(|line| line == "Content-Type: text/event-stream"),
        "{head:?}"
    );
    api.proxy("p", echo());
    api.toxic(
        "p",
        r#"{"name":"t","type":"latency","attributes":{"latency":5},"peer":"10.0.0.0/8"}"#,
    );
    assert_eq!(
        api.ask("POST", "/proxies/p/toxics/t", r#"{"toxicity":0.5}"#)
            .status,
        200
    );
    assert_eq!(api.ask("DELETE", "/proxies/p", "").status, 204);
    assert_eq!(
        api.ask("DELETE", "/proxies/p", "").status,
        404,
        "what is refused is not applied"
    );
    assert_eq!(api.ask("POST", "/reset", "").status, 204);
    let mut next = || -> serde_json::Value {
        let data = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_owned));
        serde_json::from_str(&data.expect("an event")).expect("JSON")
    };
    // The first operation was applied before anybody listened.
    for (number, op) in [
        "proxy_created",
        "toxic_added",
        "toxic_updated",
        "proxy_deleted",
        "reset",
    ]
    .into_iter()
    .enumerate()
    {
        let event = next();
        assert_eq!(
            (&event["op"], &event["seq"]),
            (&op.into(), &(number + 2).into()),
            "{event}"
        );
        if op == "toxic_added" {
            assert_eq!(event["toxic"]["peer"], "10.0.0.0/8");
        }
    }
    let kept = api.ask("GET", "/assize/v1/operations?after=4", "").json();
    assert_eq!(
        kept["operations"].as_array().map(Vec::len),
        Some(2),
        "{kept}"
    );
}

#[test]
fn who_follows_does_not_keep_the_server_from_stopping() {
    let api = Api::start();
    let mut stream = connect(api.address());
    let request = format!(
        "GET /assize/v1/events?after=0 HTTP/1.1\r\nHost: {}\r\n\r\n",
        api.address()
    );
    stream.write_all(request.as_bytes()).expect("a request");
    stream
        .read_exact(&mut [0; 12])
        .expect("the begin of an answer");
    api.server.stop();
    let mut rest = Vec::new();
    stream
        .read_to_end(&mut rest)
        .expect("the end of the stream");
}

#[test]
fn our_own_routes_refuse_other_pages_and_hosts() {
    let api = Api::start();
    let path = "/assize/v1/proxies";
    assert_eq!(api.ask("GET", path, "").status, 200);
    for headers in ["Host: evil.test\r\n", "Origin: http://evil.test\r\n"] {
        let answer = api.ask_with("GET", path, headers, b"");
        assert_eq!(answer.status, 403, "{headers}: {answer:?}");
    }
    assert_eq!(api.ask("GET", "/assize/v1/nothing", "").status, 404);
    assert_eq!(api.ask("PUT", path, "").status, 405);
}

#[test]
fn elsewhere_than_on_loopback_our_own_routes_need_a_token() {
    let open = Settings {
        host: "0.0.0.0".to_owned(),
        ..Settings::default()
    };
    let path = "/assize/v1/proxies";
    let without = Api::with(open.clone());
    let there = std::net::SocketAddr::from(([127, 0, 0, 1], without.address().port()));
    let ask = |address: std::net::SocketAddr, path: &str, headers: &str| {
        let mut stream = connect(address);
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("an answer");
        super::server::answer(&bytes).expect("an answer").status
    };
    assert_eq!(ask(there, path, ""), 403);
    assert_eq!(
        ask(there, "/version", ""),
        200,
        "an explicit host is the consent"
    );
    let with = Api::with(Settings {
        token: Some("s3cret".to_owned()),
        ..open
    });
    let there = std::net::SocketAddr::from(([127, 0, 0, 1], with.address().port()));
    assert_eq!(ask(there, path, ""), 401);
    assert_eq!(ask(there, path, "Authorization: Bearer s3cret\r\n"), 200);
}

/// A server of datagrams that sends back what it reads.
fn echo_datagrams() -> std::net::SocketAddr {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("its address");
    std::thread::spawn(move || {
        let mut datagram = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut datagram) {
            // A client that is gone is no matter.
            let _ = socket.send_to(&datagram[..length], from);
        }
    });
    address
}

#[test]
fn datagrams_are_carried_too() {
    let api = Api::start();
    let upstream = echo_datagrams();
    let body =
        format!(r#"{{"name":"dns","listen":"udp://127.0.0.1:0","upstream":"udp://{upstream}"}}"#);
    let made = api.ask("POST", "/proxies", &body);
    assert_eq!(made.status, 201, "{made:?}");
    let address = |shown: &serde_json::Value| {
        let listen = shown["listen"]
            .as_str()
            .and_then(|l| l.strip_prefix("udp://"));
        listen
            .and_then(|l| l.parse::<std::net::SocketAddr>().ok())
            .expect("an address")
    };
    let listen = address(&made.json());
    let client = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let comes_back = || {
        client.send_to(b"question", listen).expect("it is sent");
        client
            .set_read_timeout(Some(Duration::from_millis(500)))
            .expect("a limit");
        client.recv(&mut [0; 64]).is_ok_and(|length| length == 8)
    };
    until("a datagram comes back", comes_back);
    api.toxic(
        "dns",
        r#"{"name":"lost","type":"packet_loss","attributes":{"loss_rate":1}}"#,
    );
    assert!(!comes_back(), "true loss, not a delay");
    let list = api
        .ask("GET", "/assize/v1/proxies/dns/connections", "")
        .json();
    assert_eq!(
        list["connections"][0]["faults"],
        serde_json::json!(["lost"]),
        "{list}"
    );
    // Off and on again: the same address, the same toxics.
    assert_eq!(
        api.ask("POST", "/proxies/dns", r#"{"enabled":false}"#)
            .status,
        200
    );
    let on = api
        .ask("POST", "/proxies/dns", r#"{"enabled":true}"#)
        .json();
    assert_eq!(
        (address(&on), &on["toxics"][0]["name"]),
        (listen, &"lost".into())
    );
    assert!(!comes_back());
    assert_eq!(
        api.ask("DELETE", "/proxies/dns/toxics/lost", "").status,
        204
    );
    until("a datagram comes back", comes_back);
    let refuse = api.ask(
        "PUT",
        "/assize/v1/proxies/dns/listener",
        r#"{"state":"refuse"}"#,
    );
    assert_eq!(refuse.status, 409, "{refuse:?}");
    let taken = format!(r#"{{"name":"two","listen":"udp://{listen}","upstream":"{upstream}"}}"#);
    let expected = format!(
        "{{\"error\":\"listen udp {listen}: bind: address already in use\",\"status\":500}}\n"
    );
    api.expect(("POST", "/proxies", &taken), 500, &expected);
    // A proxy may become one of the other kind.
    let tcp = format!(r#"{{"listen":"127.0.0.1:0","upstream":"{}"}}"#, echo());
    let now = api.ask("POST", "/proxies/dns", &tcp).json();
    let listen = now["listen"]
        .as_str()
        .and_then(|l| l.parse().ok())
        .expect("an address");
    round_trip(&mut connect(listen), b"x").expect("an echo");
}
