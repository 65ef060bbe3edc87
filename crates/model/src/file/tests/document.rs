//! Bytes as a tree, and what is refused before it costs anything.

use crate::file::Problems;
use crate::file::doc::{Doc, Value, parse};
use crate::file::place::Files;

fn read(text: &str) -> Result<Doc, Problems> {
    parse(&mut Files::default(), "t.yaml", text.as_bytes())
}

#[test]
fn every_node_knows_its_place() {
    let doc = read("a: 1\nb: {c: hello, d: [x, \"y z\"]}\n").unwrap();
    let c = doc.get("b").and_then(|b| b.get("c")).unwrap();
    assert_eq!((c.at.line, c.at.column, c.at.len), (2, 8, 5));
    assert!(matches!(doc.get("a").unwrap().value, Value::Number(_)));
    let key = doc.map().unwrap()["b"].key;
    assert_eq!((key.line, key.column, key.len), (2, 1, 1));
}

#[test]
fn json_is_yaml() {
    let doc = read(r#"{"a": [1, true, null, "1"], "b": {"c": "d"}}"#).unwrap();
    assert_eq!(
        doc.canonical().to_string(),
        r#"{"a":["1",true,null,"1"],"b":{"c":"d"}}"#
    );
}

#[test]
fn an_alias_bomb_is_refused_before_it_is_built() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let list = vec![format!("*a{}", i - 1); 10].join(", ");
        text += &format!("a{i}: &a{i} [{list}]\n");
    }
    let error = read(&text).unwrap_err().to_string();
    assert!(error.contains("more than 400000 values"), "{error}");
}

#[test]
fn a_chain_of_aliases_is_no_way_round_the_depth() {
    let mut text = String::from("a0: &a0 [x]\n");
    for i in 1..2_000 {
        text += &format!("a{i}: &a{i} [*a{}]\n", i - 1);
    }
    let error = read(&text).unwrap_err().to_string();
    assert!(error.contains("nested more than"), "{error}");
}

#[test]
fn an_alias_of_what_contains_it_is_refused() {
    let error = read("a: &a [*a]").unwrap_err().to_string();
    assert!(error.contains("contains it"), "{error}");
}

#[test]
fn megabytes_of_brackets_are_refused_at_once() {
    for open in ["[", "{", "- ", "? "] {
        let error = read(&open.repeat(5_000_000)).unwrap_err().to_string();
        assert!(error.starts_with("error: "), "{error}");
    }
    let mut deep = String::new();
    for i in 0..3_000 {
        deep += &" ".repeat(i);
        deep += "a:\n";
    }
    assert!(
        read(&deep)
            .unwrap_err()
            .to_string()
            .contains("nested more than")
    );
}

#[test]
fn what_is_not_text_has_a_place() {
    let error = parse(&mut Files::default(), "t", b"a: 1\nb: \xff").unwrap_err();
    assert_eq!((error.0[0].line, error.0[0].column), (2, 4));
}

#[test]
fn a_key_given_twice_is_an_error() {
    let error = read("a: 1\nb: 2\na: 3\n").unwrap_err();
    assert_eq!(error.0[0].line, 3);
    assert!(error.0[0].help.contains("line 1"));
}

#[test]
fn only_one_document() {
    assert!(read("a: 1\n---\nb: 2\n").is_err());
    assert!(read("").is_err());
}
