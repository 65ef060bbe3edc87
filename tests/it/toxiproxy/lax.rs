//! Section 4: what a strict parser would refuse and clients have always sent.

use super::server::{Api, echo};

#[test]
fn null_leaves_the_default() {
    let api = Api::start();
    // Ruby's client sends this on every create.
    let body = format!(
        r#"{{"name":"ruby","upstream":"{}","listen":null,"enabled":null}}"#,
        echo()
    );
    let made = api.ask("POST", "/proxies", &body);
    assert_eq!((made.status, &made.json()["enabled"]), (201, &true.into()));
    let made = api.ask(
        "POST",
        "/proxies/ruby/toxics",
        r#"{"name":null,"type":"latency","stream":null,"toxicity":null,"attributes":null}"#,
    );
    assert_eq!(made.json()["name"], "latency_downstream");
    // A field that must be there is not there when it is null.
    assert_eq!(api.ask("POST", "/proxies", r#"{"name":null}"#).status, 400);
}

#[test]
fn keys_match_in_any_case() {
    let api = Api::start();
    // Old .NET clients.
    let body = format!(
        r#"{{"Name":"net","Listen":"127.0.0.1:0","Upstream":"{}","ENABLED":true}}"#,
        echo()
    );
    assert_eq!(api.ask("POST", "/proxies", &body).status, 201);
    let body = r#"{"Name":"s","Type":"slicer","Attributes":{"Average_Size":7,"SIZE_VARIATION":2}}"#;
    let made = api.ask("POST", "/proxies/net/toxics", body).json();
    assert_eq!(made["attributes"]["average_size"], 7);
    assert_eq!(made["attributes"]["size_variation"], 2);
}

#[test]
fn unknown_fields_and_what_follows_are_ignored() {
    let api = Api::start();
    let body =
        r#" {"name":"a","upstream":"x:1","enabled":false,"extra":[{"deep":null}]} trailing {"#;
    assert_eq!(api.ask("POST", "/proxies", body).status, 201);
    let body = r#"{"type":"latency","attributes":{"latency":1,"nonsense":"x"},"color":"red"}"#;
    assert_eq!(api.ask("POST", "/proxies/a/toxics", body).status, 200);
}

#[test]
fn of_a_key_that_comes_twice_the_last_one_counts() {
    let api = Api::start();
    let body = r#"{"name":"a","NAME":"b","name":null,"upstream":"x:1","enabled":false}"#;
    assert_eq!(api.ask("POST", "/proxies", body).json()["name"], "b");
}

#[test]
fn names_may_hold_anything_but_a_slash() {
    let api = Api::start();
    for (name, path) in [
        ("a b", "a%20b"),
        ("ü", "%C3%BC"),
        ("a&<b>", "a&%3Cb%3E"),
        ("100%", "100%25"),
    ] {
        let body = serde_json::json!({"name": name, "upstream": "x:1", "enabled": false});
        assert_eq!(
            api.ask("POST", "/proxies", &body.to_string()).status,
            201,
            "{name}"
        );
        let shown = api.ask("GET", &format!("/proxies/{path}"), "");
        assert_eq!(shown.json()["name"], name);
        assert!(
            !shown.body.contains(['<', '>', '&']),
            "escaped as Go does: {shown:?}"
        );
        assert_eq!(
            api.ask("DELETE", &format!("/proxies/{path}"), "").status,
            204,
            "{name}"
        );
    }
    // The original's router splits at slashes after decoding.
    let body = r#"{"name":"a/b","upstream":"x:1","enabled":false}"#;
    assert_eq!(api.ask("POST", "/proxies", body).status, 201);
    assert_eq!(
        api.ask("GET", "/proxies/a%2Fb", "").body,
        "404 page not found\n"
    );
}

#[test]
fn text_that_is_no_unicode_is_replaced() {
    let api = Api::start();
    let body = b"{\"name\":\"a\xffb\",\"upstream\":\"x:1\",\"enabled\":false}";
    let made = api.ask_with("POST", "/proxies", "", body);
    assert_eq!(
        (made.status, &made.json()["name"]),
        (201, &"a\u{fffd}b".into())
    );
}
