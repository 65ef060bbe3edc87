//! Sections 3 and 4: what proxies are, how they are changed, populated and reset.

use super::server::{Api, connect, echo, round_trip};
use crate::support::free_port;
use std::io::Read as _;
use std::net::TcpStream;

#[test]
fn a_new_proxy_is_enabled_and_tells_where_it_listens() {
    let api = Api::start();
    let (listen, upstream) = (free_port(), echo());
    let body = format!(
        r#"{{"name":"redis","listen":"localhost:{}","upstream":"{upstream}"}}"#,
        listen.port()
    );
    let expected = format!(
        r#"{{"name":"redis","listen":"{listen}","upstream":"{upstream}","enabled":true,"toxics":[]}}"#
    );
    api.expect(("POST", "/proxies", &body), 201, &expected);
    api.expect(("GET", "/proxies/redis", ""), 200, &expected);
    assert_eq!(
        round_trip(&mut connect(listen), b"ping").expect("an echo"),
        b"ping"
    );
}

#[test]
fn without_an_address_the_system_chooses() {
    let api = Api::start();
    for (name, listen) in [("a", r#""""#), ("b", r#"":0""#), ("c", r#""localhost:0""#)] {
        let body = format!(
            r#"{{"name":"{name}","listen":{listen},"upstream":"{}"}}"#,
            echo()
        );
        let made = api.ask("POST", "/proxies", &body).json();
        let listen = made["listen"].as_str().expect("an address").to_owned();
        let port = listen
            .rsplit(':')
            .next()
            .and_then(|p| p.parse::<u16>().ok());
        assert!(port.is_some_and(|port| port > 0), "{listen}");
        // A server on loopback opens nothing to others unless it is told an address.
        assert!(listen.starts_with("127.0.0.1:"), "{listen}");
    }
}

#[test]
fn all_addresses_means_ipv6_too_if_there_is_any() {
    let api = Api::start();
    let body = format!(
        r#"{{"name":"a","listen":"0.0.0.0:0","upstream":"{}"}}"#,
        echo()
    );
    let made = api.ask("POST", "/proxies", &body).json();
    let listen = made["listen"].as_str().expect("an address");
    let port: u16 = listen
        .rsplit(':')
        .next()
        .and_then(|p| p.parse().ok())
        .expect("a port");
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    assert_eq!(listen.starts_with("[::]:"), has_ipv6, "{listen}");
    for host in ["127.0.0.1", "::1"]
        .into_iter()
        .take(1 + usize::from(has_ipv6))
    {
        let mut client =
            connect((host.parse::<std::net::IpAddr>().expect("an address"), port).into());
        assert_eq!(
            round_trip(&mut client, b"x").expect("an echo"),
            b"x",
            "{host}"
        );
    }
}

#[test]
fn proxies_are_listed_in_the_order_of_their_names() {
    let api = Api::start();
    for name in ["b", "a", "C", "aa"] {
        let body = format!(r#"{{"name":"{name}","upstream":"x:1","enabled":false}}"#);
        assert_eq!(api.ask("POST", "/proxies", &body).status, 201);
    }
    let one = |name: &str| {
        format!(
            r#""{name}":{{"name":"{name}","listen":"","upstream":"x:1","enabled":false,"toxics":[]}}"#
        )
    };
    let all = ["C", "a", "aa", "b"].map(one).join(",");
    api.expect(("GET", "/proxies", ""), 200, &format!("{{{all}}}"));
}

#[test]
fn a_disabled_proxy_shows_its_address_as_it_was_given() {
    let api = Api::start();
    let (listen, upstream) = (free_port(), echo());
    let given = format!("localhost:{}", listen.port());
    let shown = |listen: &str, enabled: bool| {
        format!(
            r#"{{"name":"p","listen":"{listen}","upstream":"{upstream}","enabled":{enabled},"toxics":[]}}"#
        )
    };
    let body = shown(&given, false);
    api.expect(("POST", "/proxies", &body), 201, &body);
    assert!(TcpStream::connect(listen).is_err());
    // Once it has listened it shows where, also when it is disabled again.
    let resolved = listen.to_string();
    api.expect(
        ("POST", "/proxies/p", r#"{"enabled":true}"#),
        200,
        &shown(&resolved, true),
    );
    assert_eq!(
        round_trip(&mut connect(listen), b"up").expect("an echo"),
        b"up"
    );
    api.expect(
        ("PATCH", "/proxies/p", r#"{"enabled":false}"#),
        200,
        &shown(&resolved, false),
    );
    assert!(TcpStream::connect(listen).is_err());
}

#[test]
fn a_disabled_proxy_may_have_an_address_that_cannot_be() {
    let api = Api::start();
    let body = r#"{"name":"p","listen":"nowhere","upstream":"x:1","enabled":false}"#;
    assert_eq!(api.ask("POST", "/proxies", body).status, 201);
    assert_eq!(
        api.ask("POST", "/proxies/p", r#"{"enabled":true}"#).status,
        500
    );
    assert_eq!(api.ask("GET", "/proxies/p", "").json()["enabled"], false);
}

#[test]
fn disabling_closes_connections_and_keeps_toxics_and_address() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    api.toxic("p", r#"{"type":"slicer","attributes":{"average_size":3}}"#);
    let mut client = connect(listen);
    round_trip(&mut client, b"before").expect("an echo");
    assert_eq!(
        api.ask("POST", "/proxies/p", r#"{"enabled":false}"#).status,
        200
    );
    let closed = client.read(&mut [0; 8]);
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    assert!(TcpStream::connect(listen).is_err());
    let now = api.ask("POST", "/proxies/p", r#"{"enabled":true}"#).json();
    assert_eq!(now["listen"], listen.to_string());
    assert_eq!(now["toxics"][0]["name"], "slicer_downstream");
    assert_eq!(
        round_trip(&mut connect(listen), b"after").expect("an echo"),
        b"after"
    );
}

#[test]
fn an_update_changes_what_it_mentions_and_ignores_the_name() {
    let api = Api::start();
    let (first, second) = (echo(), echo());
    let listen = api.proxy("p", first);
    api.toxic("p", r#"{"type":"slow_close"}"#);
    let mut old = connect(listen);
    round_trip(&mut old, b"old").expect("an echo");
    let body = format!(r#"{{"name":"q","upstream":"{second}"}}"#);
    let now = api.ask("POST", "/proxies/p", &body).json();
    assert_eq!(now["name"], "p");
    assert_eq!(now["listen"], listen.to_string());
    assert_eq!(now["upstream"], second.to_string());
    assert_eq!(now["enabled"], true);
    assert_eq!(
        now["toxics"].as_array().map(Vec::len),
        Some(1),
        "toxics are kept"
    );
    let closed = old.read(&mut [0; 8]);
    assert!(
        matches!(closed, Ok(0) | Err(_)),
        "connections are dropped: {closed:?}"
    );
    assert_eq!(
        round_trip(&mut connect(listen), b"new").expect("an echo"),
        b"new"
    );
}

#[test]
fn an_update_that_changes_nothing_leaves_connections_alone() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    let mut client = connect(listen);
    round_trip(&mut client, b"1").expect("an echo");
    let same = format!(
        r#"{{"listen":"localhost:{}","enabled":true}}"#,
        listen.port()
    );
    assert_eq!(api.ask("POST", "/proxies/p", &same).status, 200);
    assert_eq!(round_trip(&mut client, b"2").expect("still open"), b"2");
}

#[test]
fn any_port_is_another_port_each_time() {
    let api = Api::start();
    let before = api.proxy("p", echo());
    let now = api
        .ask("POST", "/proxies/p", r#"{"listen":"127.0.0.1:0"}"#)
        .json();
    let after = now["listen"].as_str().expect("an address").to_owned();
    assert!(!after.ends_with(":0"), "{after}");
    assert_eq!(now["enabled"], true);
    let address = after.parse().expect("an address");
    assert_eq!(
        round_trip(&mut connect(address), b"x").expect("an echo"),
        b"x"
    );
    assert!(before == address || TcpStream::connect(before).is_err());
}

#[test]
fn an_update_that_cannot_listen_leaves_the_proxy_off() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let body = format!(
        r#"{{"listen":"{}"}}"#,
        taken.local_addr().expect("its address")
    );
    let answer = api.ask("POST", "/proxies/p", &body);
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(
        answer.body.contains("bind: address already in use"),
        "{answer:?}"
    );
    assert_eq!(api.ask("GET", "/proxies/p", "").json()["enabled"], false);
    assert!(TcpStream::connect(listen).is_err());
}

#[test]
fn a_deleted_proxy_is_gone_and_its_port_free() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    let mut client = connect(listen);
    round_trip(&mut client, b"x").expect("an echo");
    api.expect(("DELETE", "/proxies/p", ""), 204, "");
    assert!(std::net::TcpListener::bind(listen).is_ok());
    let closed = client.read(&mut [0; 8]);
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    api.expect(("GET", "/proxies", ""), 200, "{}");
}

#[test]
fn populating_keeps_what_is_the_same_and_replaces_what_is_not() {
    let api = Api::start();
    let upstream = echo();
    let (same, other) = (api.proxy("same", upstream), api.proxy("other", upstream));
    for name in ["same", "other"] {
        api.toxic(name, r#"{"name":"t","type":"slow_close"}"#);
    }
    let moved = free_port();
    let body = format!(
        r#"[{{"name":"same","listen":"localhost:{}","upstream":"{upstream}","enabled":false}},
            {{"name":"other","listen":"{moved}","upstream":"{upstream}"}},
            {{"name":"new","listen":"127.0.0.1:0","upstream":"{upstream}","enabled":null,
              "toxics":[{{"type":"latency"}}]}}]"#,
        same.port()
    );
    let answer = api.ask("POST", "/populate", &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    let list = answer.json()["proxies"].clone();
    // Untouched: on although the list says off, and with its toxic.
    assert_eq!(
        (&list[0]["name"], &list[0]["enabled"]),
        (&"same".into(), &true.into())
    );
    assert_eq!(list[0]["toxics"][0]["name"], "t");
    assert_eq!(list[1]["listen"], moved.to_string());
    assert_eq!(list[1]["toxics"], serde_json::json!([]), "made anew");
    assert!(TcpStream::connect(other).is_err());
    assert_eq!(list[2]["enabled"], true);
    assert_eq!(
        list[2]["toxics"],
        serde_json::json!([]),
        "the original ignores them"
    );
    // What the list does not name stays, and the answer has a body of exactly this form.
    let list = answer.body;
    assert!(list.starts_with(r#"{"proxies":[{"name":"same","#), "{list}");
}

#[test]
fn populating_with_nothing_prints_null_as_go_does() {
    let api = Api::start();
    for body in ["[]", "null"] {
        api.expect(("POST", "/populate", body), 201, r#"{"proxies":null}"#);
    }
}

#[test]
fn reset_enables_all_and_removes_toxics() {
    let api = Api::start();
    let upstream = echo();
    let listen = api.proxy("a", upstream);
    api.proxy("b", upstream);
    for name in ["a", "b"] {
        api.toxic(name, r#"{"type":"timeout"}"#);
    }
    assert_eq!(
        api.ask("POST", "/proxies/a", r#"{"enabled":false}"#).status,
        200
    );
    api.expect(("POST", "/reset", "this is not read"), 204, "");
    let list = api.ask("GET", "/proxies", "").json();
    for name in ["a", "b"] {
        assert_eq!(list[name]["enabled"], true, "{name}");
        assert_eq!(list[name]["toxics"], serde_json::json!([]), "{name}");
    }
    assert_eq!(
        round_trip(&mut connect(listen), b"x").expect("an echo"),
        b"x"
    );
}

#[test]
fn reset_stops_at_the_first_that_does_not_start() {
    let api = Api::start();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    let body = format!(r#"{{"name":"a","listen":"{address}","upstream":"x:1","enabled":false}}"#);
    assert_eq!(api.ask("POST", "/proxies", &body).status, 201);
    let expected = format!(
        "{{\"error\":\"listen tcp {address}: bind: address already in use\",\"status\":500}}\n"
    );
    api.expect(("POST", "/reset", ""), 500, &expected);
}
