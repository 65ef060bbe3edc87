//! The table of fields is what is read, and the reference is what it says.

use super::*;

/// What the readers ask for is what the table of fields says, kind by kind.
#[test]
fn the_table_of_fields_is_what_is_read() {
    let cx = Cx::default();
    let base = merge::load(&cx, &source(), Path::new("full.yaml")).unwrap();
    let t = topology::read(&cx, &base, None, String::new()).unwrap();
    let doc = merge::load(&cx, &source(), Path::new("scenarios/s.yaml")).unwrap();
    let expect = doc::parse(
        &mut cx.files.borrow_mut(),
        "e",
        b"assize: expect/v1\nexpect: []\n",
    )
    .unwrap();
    scenario::read(
        &cx,
        &t,
        &doc,
        (String::new(), String::new()),
        None,
        String::new(),
    )
    .unwrap();
    let named =
        "assize: scenario/v1\nexpect: e.yaml\nsettle: {until: stable 1s, max: 2s}\ntimeline:\n";
    let faults = [
        "flap, target: link/hub, down: 1m, up: 1m, for: 1h",
        "capacity-loss, target: link/hub, left: 1%, for: 1h",
        "isolate, target: node/wan, spare: node/crown, for: 1h",
        "clock-skew, target: service/directory, by: 7m, tolerance: 1m, for: 1h",
        "controller-failover, target: node/wlc/a, sessions: service/radius, for: 1h",
        "duplicate-requests, target: service/directory, times: 2, for: 1h",
        "configuration-push, target: link/court-wan, waves: {jan-22: 1h}",
        "outage, target: link/hub, of: {count: 1}, flap: {down: 1m, up: 1m}, for: 1h",
    ];
    let mut named = named.to_string();
    for fault in faults {
        named += &format!("  - {{at: 0s, fault: {fault}}}\n");
    }
    let window =
        "objectives: [{availability: 1%, journey: enrol-juror, window: {from: 1s, to: 2s}}]\n";
    let doc = doc::parse(&mut cx.files.borrow_mut(), "n", (named + window).as_bytes()).unwrap();
    scenario::read(
        &cx,
        &t,
        &doc,
        (String::new(), String::new()),
        Some(&expect),
        String::new(),
    )
    .unwrap();
    bound::read(&cx);
    let record = b"approvals: [{by: a, on: 2026-01-01}]\nkind: failover\nlead: a\nactions: [{what: a, owner: b, due: 2026-01-01}]\n";
    let doc = doc::parse(&mut cx.files.borrow_mut(), "r", record).unwrap();
    record::drill(&cx, cx::Fields::open(&cx, &doc, "drill record").unwrap());
    cx.outcome().unwrap_or_else(|p| panic!("{p}"));
    let asked = cx.asked.borrow();
    for (kind, _, fields) in fields::KINDS {
        let Some(asked) = asked.get(kind) else {
            panic!("the test reads no {kind}")
        };
        let table: std::collections::BTreeSet<&str> = fields.iter().map(|f| f.0).collect();
        assert_eq!(asked, &table, "fields of a {kind}");
    }
    let kinds: Vec<&str> = fields::KINDS.iter().map(|k| k.0).collect();
    assert!(
        asked.keys().all(|k| kinds.contains(k)),
        "{:?}",
        asked.keys()
    );
}

#[test]
fn every_reference_of_the_schema_leads_somewhere() {
    for kind in [
        Kind::Topology,
        Kind::Scenario,
        Kind::Part,
        Kind::Expect,
        Kind::Bindings,
        Kind::Contract,
        Kind::Record,
    ] {
        let schema = schema(kind);
        let text = schema.to_string();
        for part in text.split("\"#/$defs/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{name}");
        }
    }
}

/// `ASSIZE_WRITE_REFERENCE=1 cargo test -p assize-model reference` writes it.
#[test]
fn the_reference_is_in_step() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/FILES.md");
    if std::env::var_os("ASSIZE_WRITE_REFERENCE").is_some() {
        std::fs::write(path, reference()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == reference(),
        "docs/FILES.md is stale: run the test with ASSIZE_WRITE_REFERENCE=1"
    );
}

/// A list whose entries may be of several kinds takes a mixture.
#[test]
fn the_schema_takes_mixed_lists() {
    let items = |kind, pointer: &str| {
        let schema = schema(kind);
        let items = schema.pointer(pointer).cloned();
        let any = items.as_ref().and_then(|i| i["anyOf"].as_array().cloned());
        any.map_or(0, |any| any.len())
    };
    assert_eq!(items(Kind::Scenario, "/properties/timeline/items"), 2);
    let objectives = "/properties/objectives/anyOf/0/items";
    assert_eq!(items(Kind::Scenario, objectives), 2);
    let needs = "/$defs/access-path/properties/needs/anyOf/0/items";
    assert_eq!(items(Kind::Topology, needs), 2);
}
