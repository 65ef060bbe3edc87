//! The verbs that judge nothing: check, graph, faults, schema, init, completions, help.

use crate::support::{Folder, assize, path};

#[test]
fn the_first_file_passes_check_and_simulate() {
    let folder = Folder::new("init");
    let file = folder.path("first.yaml");
    assize(&["init", &folder.path("")]).expect(0);
    let ran = assize(&["check", &file]).expect(0);
    assert!(
        ran.out.ends_with("1 file checked: it is good\n"),
        "{}",
        ran.out
    );
    let ran = assize(&["simulate", &file]).expect(0);
    assert!(
        ran.last_line().starts_with("shop meets all 3 targets"),
        "{}",
        ran.out
    );
}

#[test]
fn init_never_overwrites() {
    let folder = Folder::new("again");
    let file = folder.write("mine.yaml", "precious");
    assize(&["init", &file]).expect(2);
    assert_eq!(
        std::fs::read_to_string(&file).ok().as_deref(),
        Some("precious")
    );
}

#[test]
fn faults_are_listed_and_each_has_a_manual() {
    let list = assize(&["faults", "--format", "json"]).expect(0).json();
    let faults = list["faults"].as_array().expect("a list");
    assert!(faults.len() >= 15, "{list:#}");
    let table = assize(&["faults"]).expect(0).out;
    for fault in faults {
        let name = fault["name"].as_str().expect("a name");
        assert!(table.contains(name), "{name} is not in the table");
        let manual = assize(&["faults", name]).expect(0).out;
        assert!(manual.len() > 100, "{name} has hardly a manual: {manual}");
    }
    // The two kinds are told apart, and of either kind a name may be spelt either way.
    let on = |name: &str| {
        let fault = faults.iter().find(|fault| fault["name"] == name);
        fault.map(|fault| fault["on"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(on("degrade").as_deref(), Some("element"));
    assert_eq!(on("limit_data").as_deref(), Some("wire"));
    let limit = assize(&["faults", "limit-data"]).expect(0).out;
    assert!(limit.contains("`bytes`"), "{limit}");
    assert_eq!(
        assize(&["faults", "bad_backup"]).expect(0).out,
        assize(&["faults", "bad-backup"]).expect(0).out
    );
}

#[test]
fn schemas_are_json_schemas() {
    for kind in ["topology", "scenario", "part"] {
        let value = assize(&["schema", kind]).expect(0).json();
        assert!(
            value["$schema"]
                .as_str()
                .is_some_and(|s| s.contains("json-schema")),
            "{kind}"
        );
        assert!(value["properties"]["assize"].is_object(), "{kind}");
    }
}

#[test]
fn pictures_show_every_node_and_link() {
    let file = path("scenarios/must-stay-open.yaml");
    let dot = assize(&["graph", &file]).expect(0).out;
    let mermaid = assize(&["graph", &file, "--format", "mermaid"])
        .expect(0)
        .out;
    for name in ["desk", "core", "shed", "lan", "unused", "web"] {
        assert!(dot.contains(name), "{name}: {dot}");
        assert!(mermaid.contains(name), "{name}: {mermaid}");
    }
    assert!(
        dot.starts_with("graph \"spare\" {") && dot.ends_with("}\n"),
        "{dot}"
    );
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
    assert!(mermaid.starts_with("flowchart "), "{mermaid}");
}

#[test]
fn a_collapsed_picture_folds_like_sites_together() {
    let folder = Folder::new("collapse");
    let file = folder.write(
        "net.yaml",
        "assize: topology/v1\n\
         name: net\n\
         nodes:\n\
         \x20 small: {kind: site, count: 3}\n\
         \x20 large: {kind: site, count: 2}\n\
         \x20 lone: {kind: site, count: 5}\n\
         \x20 core: {kind: switch}\n\
         links:\n\
         \x20 wan: {between: [[small, large], core]}\n\
         \x20 own: {between: [lone, core]}\n\
         services:\n\
         \x20 web: {replicas: {a: {at: core}}}\n\
         journeys:\n\
         \x20 read: {calls: [web]}\n\
         populations:\n\
         \x20 staff: {at: {small: 30, large: 20}, makes: {read: 1/h}}\n",
    );
    let value = assize(&["graph", &file, "--collapse", "--format", "json"])
        .expect(0)
        .json();
    let boxes = value["graph"]["boxes"].as_array().expect("boxes");
    assert_eq!(boxes.len(), 3, "{value:#}");
    assert_eq!(boxes[0]["names"], serde_json::json!(["small", "large"]));
    assert_eq!(boxes[0]["text"][0], "5 sites, 50 users");
    assert_eq!(value["graph"]["lines"].as_array().map(Vec::len), Some(2));
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = assize(&["completions", shell]).expect(0).out;
        assert!(text.contains("what-if"), "{shell}");
    }
}

#[test]
fn help_is_an_answer_and_names_the_exit_codes() {
    let ran = assize(&["--help"]).expect(0);
    assert!(ran.err.is_empty());
    assert!(ran.out.contains("3 inconclusive"), "{}", ran.out);
}

#[test]
fn nothing_is_coloured_unless_asked_for() {
    let file = path("scenarios/must-fail.yaml");
    assert!(!assize(&["simulate", &file]).out.contains('\u{1b}'));
    let coloured = assize(&["simulate", &file, "--color", "always"]).out;
    assert!(coloured.contains('\u{1b}'));
}

#[test]
fn what_if_needs_no_scenario() {
    let file = path("scenarios/must-fail.yaml");
    let ran = assize(&["what-if", &file, "--down", "service/db", "--for", "1h"]);
    assert!(ran.out.contains("service/db"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("1h"), "{}", ran.out);
}

#[test]
fn a_trace_shows_the_way_and_where_it_stops() {
    let file = path("scenarios/must-stay-open.yaml");
    let well = assize(&["trace", &file, "staff", "read"]).expect(0).out;
    assert!(well.contains("40 users: all are served"), "{well}");
    assert!(well.contains("lan") && well.contains("web/a"), "{well}");
    let lost = assize(&["trace", &file, "staff", "read", "--down", "link/lan"])
        .expect(0)
        .out;
    assert!(lost.contains("40 users: nobody is served"), "{lost}");
    assert!(lost.contains("stops: link/lan"), "{lost}");
    let value = assize(&["trace", &file, "staff", "read", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(value["places"][0]["cohorts_served"], 64);
    for args in [
        ["trace", &file, "stuff", "read"],
        ["trace", &file, "staff", "red"],
    ] {
        let ran = assize(&args).expect(2);
        assert!(ran.err.contains("help: did you mean"), "{}", ran.err);
    }
}
