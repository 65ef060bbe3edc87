//! `assize analyse`: published networks and fault trees with known answers, and wrong input.
//!
//! The published data is not part of the project. Tests that want it look beside the project's
//! folder, or where `ASSIZE_DATA` says, and say by name that they were left out without it.

mod designs;

use crate::support::{Folder, assize};
use serde_json::Value;
use std::path::PathBuf;

/// The rows of an `expected.csv`, without its head; `None` where the data is not.
#[expect(clippy::print_stderr, reason = "what is left out is said")]
fn expected(folder: &str) -> Option<(PathBuf, Vec<Vec<String>>)> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("ASSIZE_DATA").map_or_else(beside, PathBuf::from);
    let folder = data.join(folder);
    let Ok(text) = std::fs::read_to_string(folder.join("expected.csv")) else {
        eprintln!("left out: {} is not here", folder.display());
        return None;
    };
    let row = |line: &str| line.split(',').map(str::to_owned).collect();
    Some((folder, text.lines().skip(1).map(row).collect()))
}

fn analyse(file: &str, more: &[&str]) -> Value {
    let args = ["analyse", file, "--format", "json"];
    assize(&[&args, more].concat()).expect(0).json()
}

#[test]
fn published_fault_trees_have_their_published_answers() {
    let Some((folder, rows)) = expected("fault-trees") else {
        return;
    };
    for row in rows {
        let file = folder.join(format!("{}.xml", row[0])).display().to_string();
        let top = &analyse(&file, &["--order", "1"])["top"];
        let probability = top["probability"].as_f64().expect("exact");
        let published: f64 = row[2].parse().expect("a number");
        assert_eq!(
            format!("{probability:.6e}"),
            format!("{published:.6e}"),
            "{}",
            row[0]
        );
        assert_eq!(top["minimal_cut_sets"].to_string(), row[3], "{}", row[0]);
    }
}

#[test]
fn published_networks_fall_apart_as_counted_elsewhere() {
    let Some((folder, rows)) = expected("topology-zoo") else {
        return;
    };
    for row in rows {
        let file = folder
            .join(format!("{}.graphml", row[0]))
            .display()
            .to_string();
        let sweep = &analyse(&file, &["--elements", "links", "--objective", "connected"])["sweep"];
        let got = [
            &sweep[0]["combinations"],
            &sweep[0]["violating"],
            &sweep[1]["combinations"],
            &sweep[1]["violating"],
        ];
        let got = got.map(Value::to_string);
        assert_eq!(
            got.each_ref(),
            [&row[2], &row[4], &row[5], &row[6]],
            "{}",
            row[0]
        );
    }
}

/// A square with one parallel side, a loop and a place that hangs on a bridge.
const SQUARE: &str = "<graphml><graph edgedefault='undirected'>\
    <node id='a'/><node id='b'/><node id='c'/><node id='d'/><node id='e'/>\
    <edge source='a' target='b'/><edge source='b' target='a'/><edge source='b' target='c'/>\
    <edge source='c' target='d'/><edge source='d' target='a'/><edge source='d' target='e'/>\
    <edge source='e' target='e'/></graph></graphml>";

#[test]
fn a_small_network_by_hand() {
    let folder = Folder::new("square");
    let file = folder.write("square.graphml", SQUARE);
    let sweep = &analyse(&file, &["--k", "2"])["sweep"];
    // Only d -- e separates alone. In pairs: it with each of the 6 others, and two of b -- c,
    // c -- d, d -- a: 6 + 3. The parallel sides and the loop separate nothing.
    assert_eq!(sweep[0]["violating"], 1);
    assert_eq!(sweep[0]["minimal"][0]["elements"][0], "d -- e");
    assert_eq!(sweep[1]["combinations"], 21);
    assert_eq!(sweep[1]["violating"], 9);
    assert_eq!(sweep[1]["minimal"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_network_without_links_and_a_large_one() {
    let folder = Folder::new("sizes");
    let none = folder.write(
        "none.graphml",
        "<graphml><graph><node id='a'/></graph></graphml>",
    );
    assert_eq!(analyse(&none, &[])["sweep"][1]["violating"], 0);
    let mut text = String::from("<graphml><graph edgedefault='undirected'>");
    for i in 0..100_000 {
        text.push_str(&format!(
            "<node id='{i}'/><edge source='{i}' target='{}'/>",
            (i + 1) % 100_000
        ));
    }
    text.push_str("</graph></graphml>");
    let ring = folder.write("ring.graphml", &text);
    let sweep = &analyse(&ring, &["--most", "10"])["sweep"];
    assert_eq!(sweep[0]["violating"], 0);
    // Any two of a ring.
    assert_eq!(sweep[1]["violating"], 4_999_950_000u64);
}

#[test]
fn what_cannot_be_analysed_is_said() {
    let folder = Folder::new("cannot");
    let refused = |name: &str, text: &str, why: &str| {
        let ran = assize(&["analyse", &folder.write(name, text)]).expect(2);
        assert!(ran.err.contains(why), "{}", ran.err);
    };
    let tree = |body: &str| {
        format!("<opsa-mef><define-fault-tree name='t'>{body}</define-fault-tree></opsa-mef>")
    };
    let gate = |name: &str, body: &str| format!("<define-gate name='{name}'>{body}</define-gate>");
    refused(
        "a.xml",
        &tree(&gate("g", "<or><basic-event name='x'/></or>")),
        "`x` is defined nowhere",
    );
    refused(
        "b.xml",
        &tree(&gate("g", "<not><event name='g'/></not>")),
        "`not` negates",
    );
    refused(
        "c.xml",
        &tree(&gate("g", "<or><gate name='g'/></or>")),
        "stands on itself",
    );
    refused("d.xml", "<opsa-mef>", "not well-formed");
    refused("e.graphml", "<graphml/>", "no `graph`");
    refused(
        "f.graphml",
        "<graphml><graph><edge source='a' target='a'/></graph></graphml>",
        "node `a`, which is not there",
    );
    assert!(
        assize(&["analyse", "absent.graphml"])
            .expect(2)
            .err
            .contains("no such file")
    );
}
