//! Contracts, real incidents and the map of frameworks, as a person uses them.

use crate::support::{Folder, assize, path};
use serde_json::Value;

/// The owners of a level's lost time in a month, in nanoseconds, and the time itself.
fn owners(credits: &Value, level: usize) -> (Vec<(String, i64)>, i64) {
    let months = credits["levels"][level]["months"]
        .as_array()
        .expect("months");
    let shares = &months.last().expect("a month")["shares"];
    let owners = shares["owners"].as_array().expect("owners").iter();
    let owners = owners.map(|one| {
        let name = one["owner"].as_str().expect("a name").to_string();
        (name, one["lost"]["ns"].as_i64().expect("a time"))
    });
    (
        owners.collect(),
        shares["lost"]["ns"].as_i64().expect("a time"),
    )
}

fn simulated(folder: &Folder) -> String {
    let january = path("../topologies/moj/scenarios/january-2019.yaml");
    let ran = assize(&["simulate", &january, "--format", "json"]);
    folder.write("verdict.json", &ran.out)
}

#[test]
fn the_simulated_january_blames_the_network_s_owner_and_cjsm_s_apart() {
    let folder = Folder::new("credits");
    let verdict = simulated(&folder);
    let contract = path("../contracts/model-services.yaml");
    // Statements need both the network and CJSM.
    let both = "levels.secure-email={population: court-staff, journey: read-witness-statement, \
                target: 99%, bands: [{at_least: 0%, points: 1}]}";
    let credits = |sets: &[&str]| {
        let mut args = vec![
            "credits",
            &verdict,
            "--contract",
            &contract,
            "--format",
            "json",
        ];
        args.extend(sets.iter().flat_map(|set| ["--set", set]));
        assize(&args).expect(1).json()
    };
    let plain = credits(&[]);
    let (network, lost) = owners(&plain, 0);
    assert_eq!(network, [("atos".to_string(), lost)]);
    let (mail, lost) = owners(&plain, 1);
    // An eighth for 12 core hours: 22:00 on the 16th to 10:00 on the 18th.
    assert_eq!(mail, [("egress".to_string(), lost)]);
    assert_eq!(lost, 90 * 60 * 1_000_000_000);
    let mixed = credits(&[both]);
    let (statements, lost) = owners(&mixed, 1);
    let names: Vec<&str> = statements.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["atos", "egress"]);
    assert_eq!(statements.iter().map(|(_, part)| part).sum::<i64>(), lost);
    // Of CJSM's 36 hours no more than an eighth of them all; that both failed at once for some
    // users makes it less.
    let egress = statements[1].1;
    assert!(
        egress > 0 && egress < 36 * 3_600 * 1_000_000_000 / 8,
        "{egress}"
    );
    // What is simulated would be, and is not.
    let table = assize(&["credits", &verdict, "--contract", &contract])
        .expect(1)
        .out;
    assert!(
        table.contains("WOULD BE MISSED") && table.contains("template"),
        "{table}"
    );
}

#[test]
fn january_2019_as_published_is_judged_and_held_against_the_template() {
    let folder = Folder::new("observed");
    let text = std::fs::read_to_string(path("../topologies/moj/observed/january-2019.csv"));
    let text = text.expect("the shipped example");
    let topology = path("../topologies/moj/moj-2019.yaml");
    let contract = path("../contracts/model-services.yaml");
    // As shipped, half of staff in service on the first days: 23.8 of 220 h; and with nobody in
    // service, 43.8 of 220 h.
    for (share, reached) in [("50%", "89.2%"), ("100%", "80.1%")] {
        let file = folder.write(
            "january-2019.csv",
            &text.replace(",50%,", &format!(",{share},")),
        );
        let args = [
            "judge",
            "--observed",
            &file,
            "--topology",
            &topology,
            "--contract",
            &contract,
            "--format",
            "json",
        ];
        let verdict = assize(&args).expect(1).json();
        assert_eq!(
            (&verdict["engine"], &verdict["verdict"]),
            (&"observed".into(), &"fail".into())
        );
        let findings = verdict["findings"].as_array().expect("findings");
        assert!(findings.iter().all(|f| f["tested_on"] == "observed"));
        let status = |id: &str| {
            let found = findings.iter().find(|f| f["objective"] == id);
            found.map(|f| f["status"].as_str().unwrap_or("").to_string())
        };
        assert_eq!(status("prisons-untouched").as_deref(), Some("met"));
        assert_eq!(status("cjsm-blast").as_deref(), Some("met"));
        assert_eq!(status("sign-in-rto").as_deref(), Some("missed"));
        // Nothing was written down of jurors, so nothing is judged of them.
        assert_eq!(status("juror-rto"), None);
        let credits = &verdict["contract"];
        assert_eq!(credits["levels"][0]["months"][0]["achieved_text"], reached);
        assert_eq!(credits["levels"][0]["months"][0]["points"], 4);
        let (network, lost) = owners(credits, 0);
        assert_eq!(network, [("atos".to_string(), lost)]);
        let (mail, lost) = owners(credits, 1);
        assert_eq!(mail, [("egress".to_string(), lost)]);
        // What was judged can be held against another contract.
        let stored = folder.write("verdict.json", &verdict.to_string());
        let other = path("../contracts/call-off.yaml");
        let ran = assize(&["credits", &stored, "--contract", &other]).expect(1);
        assert_eq!(
            share == "100%",
            ran.out
                .contains("24h lost in any 3 months of its hours (Mon-Fri 08:00-18:00): HAPPENED"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn wrong_rows_contracts_and_runs_are_told_with_their_place() {
    let folder = Folder::new("wrong-contracts");
    let rows = folder.write(
        "o.csv",
        "population,journey,from,to,share,cause\np,j,2019-01-16T08:00,soon,1,x\n",
    );
    let ran = assize(&["judge", "--observed", &rows]).expect(2);
    assert!(
        ran.err.contains("o.csv:2:1") && ran.err.contains("`soon` is not an instant"),
        "{}",
        ran.err
    );
    let contract = folder.write(
        "c.yaml",
        "assize: contract/v1\nlevels:\n  a: {target: 98%, bands: [{at_least: 99%, points: 1}]}\n  b: {target: 2, weihgting: x}\n",
    );
    let ran = assize(&["credits", &rows, "--contract", &contract]).expect(2);
    for part in [
        "`supplier` is missing",
        "begins at 99%",
        "lowest band",
        "`target: 2`",
        "did you mean `weighting`",
        "either `bands` or `credit`",
    ] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let good = path("../contracts/call-off.yaml");
    let ran = assize(&["credits", &rows, "--contract", &good]).expect(2);
    assert!(
        ran.err.contains("is no JSON") && ran.err.contains("--format json"),
        "{}",
        ran.err
    );
    let topology = path("../topologies/moj/moj-2019.yaml");
    let ran = assize(&["credits", &rows, "--contract", &topology]).expect(2);
    assert!(ran.err.contains("states no `contract`"), "{}", ran.err);
}

#[test]
fn the_templates_are_good_and_say_that_they_are_templates() {
    let ran = assize(&["check", &path("../contracts"), "--strict"]).expect(0);
    assert!(
        ran.out.contains("3 files checked: all are good"),
        "{}",
        ran.out
    );
}

#[test]
fn a_simulation_supports_design_and_the_analysis_of_an_incident_only() {
    let folder = Folder::new("compliance");
    let verdict = simulated(&folder);
    let map = assize(&["compliance", &verdict, "--caf", "4.0", "--format", "json"])
        .expect(0)
        .json();
    let outcomes = map["outcomes"].as_array().expect("outcomes");
    let with = |state: &str| -> Vec<&str> {
        let list = outcomes.iter().filter(|o| o["state"] == state);
        list.filter_map(|o| o["id"].as_str()).collect()
    };
    // The network of 2019 misses its targets: evidence against its design.
    assert_eq!(with("against"), ["B5.b", "8.3", "A.8.14"]);
    assert_eq!(with("supported"), ["D2.a"]);
    assert!(with("no_evidence").contains(&"D1.c"));
    let table = assize(&["compliance", &verdict]).expect(0).out;
    assert!(
        table.contains("NCSC CAF v3.2") && table.contains("Incident Root Cause Analysis"),
        "{table}"
    );
}
