//! Sections 3 to 5: what toxics are, their defaults, how they are changed.

use super::server::{Api, echo};

/// The seven of the original, with the attributes that it prints, all zero.
const TYPES: &[(&str, &str)] = &[
    ("latency", r#"{"latency":0,"jitter":0}"#),
    ("bandwidth", r#"{"rate":0}"#),
    ("slow_close", r#"{"delay":0}"#),
    ("timeout", r#"{"timeout":0}"#),
    ("reset_peer", r#"{"timeout":0}"#),
    (
        "slicer",
        r#"{"average_size":0,"size_variation":0,"delay":0}"#,
    ),
    ("limit_data", r#"{"bytes":0}"#),
    ("packet_loss", r#"{"loss_rate":0,"correlation":0}"#),
];

#[test]
fn every_type_has_its_attributes_in_order_and_zero() {
    let api = Api::start();
    api.proxy("p", echo());
    for (kind, attributes) in TYPES {
        for body in [
            format!(r#"{{"type":"{kind}"}}"#),
            // Go's client sends null for no attributes.
            format!(r#"{{"type":"{kind}","attributes":null}}"#),
            format!(r#"{{"type":"{kind}","attributes":{{}}}}"#),
        ] {
            let expected = format!(
                r#"{{"attributes":{attributes},"name":"{kind}_downstream","type":"{kind}","stream":"downstream","toxicity":1}}"#
            );
            api.expect(("POST", "/proxies/p/toxics", &body), 200, &expected);
            let path = format!("/proxies/p/toxics/{kind}_downstream");
            api.expect(("GET", &path, ""), 200, &expected);
            api.expect(("DELETE", &path, ""), 204, "");
        }
    }
}

#[test]
fn what_is_set_comes_back() {
    let api = Api::start();
    api.proxy("p", echo());
    for (sent, attributes) in [
        (
            r#""type":"latency","attributes":{"latency":100,"jitter":10}"#,
            r#"{"latency":100,"jitter":10}"#,
        ),
        (
            r#""type":"bandwidth","attributes":{"rate":1024}"#,
            r#"{"rate":1024}"#,
        ),
        (
            r#""type":"slicer","attributes":{"delay":3,"average_size":64}"#,
            r#"{"average_size":64,"size_variation":0,"delay":3}"#,
        ),
        (
            r#""type":"packet_loss","attributes":{"loss_rate":0.25,"correlation":1}"#,
            r#"{"loss_rate":0.25,"correlation":1}"#,
        ),
    ] {
        let made = api.ask(
            "POST",
            "/proxies/p/toxics",
            &format!(r#"{{"name":"t",{sent}}}"#),
        );
        let begin = format!(r#"{{"attributes":{attributes},"name":"t""#);
        assert!(made.body.starts_with(&begin), "{made:?}");
        api.expect(("DELETE", "/proxies/p/toxics/t", ""), 204, "");
    }
}

#[test]
fn upstream_toxics_come_first_each_in_the_order_of_the_chain() {
    let api = Api::start();
    api.proxy("p", echo());
    for (name, stream) in [
        ("d1", "downstream"),
        ("u1", "upstream"),
        ("d2", "downstream"),
        ("u2", "upstream"),
    ] {
        api.toxic(
            "p",
            &format!(r#"{{"name":"{name}","type":"latency","stream":"{stream}"}}"#),
        );
    }
    let names = |list: &serde_json::Value| {
        let all = list.as_array().expect("a list").iter();
        all.map(|toxic| toxic["name"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let expected = ["u1", "u2", "d1", "d2"];
    assert_eq!(
        names(&api.ask("GET", "/proxies/p/toxics", "").json()),
        expected
    );
    assert_eq!(
        names(&api.ask("GET", "/proxies/p", "").json()["toxics"]),
        expected
    );
    assert_eq!(
        names(&api.ask("GET", "/proxies", "").json()["p"]["toxics"]),
        expected
    );
}

#[test]
fn a_list_of_no_toxics_is_a_list() {
    let api = Api::start();
    api.proxy("p", echo());
    api.expect(("GET", "/proxies/p/toxics", ""), 200, "[]");
}

#[test]
fn streams_are_read_in_any_case_and_come_back_as_sent() {
    let api = Api::start();
    api.proxy("p", echo());
    let body = r#"{"type":"latency","stream":"UpStream"}"#;
    let made = api.ask("POST", "/proxies/p/toxics", body).json();
    assert_eq!(
        (&made["stream"], &made["name"]),
        (&"UpStream".into(), &"latency_UpStream".into())
    );
}

#[test]
fn toxicity_is_a_float32_and_zero_is_kept() {
    let api = Api::start();
    api.proxy("p", echo());
    for (sent, printed) in [
        ("0", "0"),
        ("0.1", "0.1"),
        ("1.0", "1"),
        ("0.333333333", "0.33333334"),
        ("null", "1"),
        ("-1", "-1"),
        ("1e-7", "1e-7"),
    ] {
        let body = format!(r#"{{"name":"t","type":"latency","toxicity":{sent}}}"#);
        let made = api.ask("POST", "/proxies/p/toxics", &body);
        assert!(
            made.body.ends_with(&format!(r#""toxicity":{printed}}}"#)),
            "{made:?}"
        );
        api.expect(("DELETE", "/proxies/p/toxics/t", ""), 204, "");
    }
}

#[test]
fn an_update_merges_and_ignores_what_cannot_change() {
    let api = Api::start();
    api.proxy("p", echo());
    api.toxic(
        "p",
        r#"{"name":"t","type":"latency","toxicity":0.5,"attributes":{"latency":100,"jitter":10}}"#,
    );
    for (method, sent, attributes, toxicity) in [
        (
            "POST",
            r#"{"attributes":{"latency":1000}}"#,
            r#"{"latency":1000,"jitter":10}"#,
            "0.5",
        ),
        (
            "PATCH",
            r#"{"attributes":{"jitter":0},"toxicity":0}"#,
            r#"{"latency":1000,"jitter":0}"#,
            "0",
        ),
        (
            "POST",
            r#"{"attributes":null,"toxicity":null}"#,
            r#"{"latency":1000,"jitter":0}"#,
            "0",
        ),
        (
            "POST",
            r#"{"name":"x","type":"slicer","stream":"upstream","toxicity":1}"#,
            r#"{"latency":1000,"jitter":0}"#,
            "1",
        ),
    ] {
        let expected = format!(
            r#"{{"attributes":{attributes},"name":"t","type":"latency","stream":"downstream","toxicity":{toxicity}}}"#
        );
        api.expect((method, "/proxies/p/toxics/t", sent), 200, &expected);
    }
    let wrong = api.ask(
        "POST",
        "/proxies/p/toxics/t",
        r#"{"attributes":{"latency":5,"jitter":1.5}}"#,
    );
    assert_eq!(wrong.status, 400);
    let now = api.ask("GET", "/proxies/p/toxics/t", "").json();
    assert_eq!(
        now["attributes"]["latency"], 1000,
        "nothing of a refused update is kept"
    );
}
