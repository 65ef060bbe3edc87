//! Topologies: single points of the Ministry's two designs, parts and threads, comparison,
//! review, import.

use crate::support::{Folder, assize, path};
use serde_json::Value;

fn moj(name: &str) -> String {
    path(&format!("../topologies/moj/{name}.yaml"))
}

fn analysis(name: &str, more: &[&str]) -> Value {
    let file = moj(name);
    let args = ["analyse", file.as_str(), "--format", "json"];
    assize(&[&args, more].concat()).expect(0).json()
}

fn points(report: &Value, journey: &str, population: &str) -> Vec<String> {
    let journeys = report["journeys"].as_array().expect("journeys");
    let found = journeys
        .iter()
        .find(|j| j["journey"] == journey && j["population"] == population);
    let points = found.expect("the journey")["single_points"]
        .as_array()
        .expect("points");
    points
        .iter()
        .filter_map(|p| p["element"].as_str())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_network_of_2019_names_its_single_points() {
    let report = analysis("moj-2019", &[]);
    assert_eq!(report["schema"], "assize/analysis/v1");
    let juror = points(&report, "enrol-juror", "court-staff");
    // One data centre, one path to it, one of each; the second DHCP server sleeps behind a check
    // that asks the machine only.
    for element in [
        "node/core-n",
        "node/dc-n-edge",
        "node/storage-n",
        "domain/dc-north",
        "service/juror-db/north",
        "service/dhcp/a",
    ] {
        assert!(juror.iter().any(|p| p == element), "{element}: {juror:?}");
    }
    assert!(
        !juror
            .iter()
            .any(|p| p == "service/dhcp/b" || p == "node/core-n/a"),
        "{juror:?}"
    );
    // Prisons were never cut off: nothing of the Ministry's data centre is theirs.
    let prisons = points(&report, "prison-records", "prison-staff");
    assert!(
        !prisons
            .iter()
            .any(|p| p == "domain/dc-north" || p == "domain/atos"),
        "{prisons:?}"
    );
    let table = assize(&["analyse", &moj("moj-2019")]).expect(0);
    assert!(
        table
            .out
            .contains("If `node/core-n` fails, this cannot be done until it is repaired"),
        "{}",
        table.out
    );
}

/// The journeys that have a target of recovery under four hours, by the names of their
/// objectives in the base.
const UNDER_FOUR_HOURS: [(&str, &str); 10] = [
    ("sign-in", "court-staff"),
    ("enrol-juror", "court-staff"),
    ("record-hearing", "court-staff"),
    ("court-wifi", "legal-professionals"),
    ("bench-papers", "judiciary"),
    ("email", "court-staff"),
    ("email", "hq-staff"),
    ("legal-aid-claim", "laa-staff"),
    ("probation-case", "probation-staff"),
    ("look-up-offender", "public-protection"),
];

#[test]
fn the_resilient_design_has_none_left_that_nobody_owns() {
    let report = analysis("moj-resilient", &[]);
    for journey in report["journeys"].as_array().expect("journeys") {
        let key = (
            journey["journey"].as_str().expect("text"),
            journey["population"].as_str().expect("text"),
        );
        let open = |p: &&Value| p["accepted"] == false;
        let open: Vec<&Value> = journey["single_points"]
            .as_array()
            .expect("points")
            .iter()
            .filter(open)
            .collect();
        if UNDER_FOUR_HOURS.contains(&key) || key.0 == "manage-case" {
            assert!(open.is_empty(), "{key:?}: {open:?}");
        }
    }
    // While the north core is worked on, it has more.
    let down = analysis("moj-resilient", &["--down", "core-n"]);
    let juror = points(&down, "enrol-juror", "court-staff");
    assert!(juror.iter().any(|p| p == "node/core-s"), "{juror:?}");
}

#[test]
fn parts_and_threads_give_the_bytes_of_one_process() {
    let folder = Folder::new("parts");
    let file = moj("moj-2019");
    let one = |more: &[&str]| {
        assize(&[&["analyse", file.as_str(), "--format", "json"], more].concat())
            .expect(0)
            .out
    };
    let whole = one(&["--threads", "1"]);
    assert_eq!(one(&["--threads", "2"]), whole);
    let part = |i: usize| folder.write(&format!("{i}.json"), &one(&["--shard", &format!("{i}/7")]));
    let parts: Vec<String> = [3, 1, 7, 2, 6, 5, 4].into_iter().map(part).collect();
    let merge = |parts: &[String]| {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        assize(&[&["merge", "--format", "json"], parts.as_slice()].concat())
    };
    assert_eq!(merge(&parts).expect(0).out, whole);
    assert!(merge(&parts[1..]).expect(2).err.contains("missing: 3"));
    assert!(
        merge(&[parts[0].clone(), parts[0].clone()])
            .expect(2)
            .err
            .contains("twice")
    );
    let counts = &analysis("moj-2019", &[])["sweep"][1];
    let (evaluated, skipped, all) = (
        counts["evaluated"].as_u64(),
        counts["skipped"].as_u64(),
        counts["combinations"].as_u64(),
    );
    assert_eq!(evaluated.zip(skipped).map(|(e, s)| e + s), all);
}

const SMALL: &str = "assize: topology/v1\nname: small\nnodes: {s: {kind: site}, r: {kind: router}, d: {kind: host}}\n\
    links: {up: {between: [s, r]}, down: {between: [r, d]}}\nservices: {app: {replicas: {a: {at: d}}}}\n\
    journeys: {work: {calls: [app]}}\npopulations: {users: {at: {s: 10}, makes: {work: 1/h}}}\n";

#[test]
fn availability_is_exact_where_figures_are_given() {
    let folder = Folder::new("availability");
    let figures = "reliability: {node/r: {availability: 99%}, link/down: {mtbf: 98h, mttr: 2h}, node/d: {probability: 3%}}\n";
    let file = folder.write("a.yaml", &format!("{SMALL}{figures}"));
    let journey = &assize(&["analyse", &file, "--format", "json"])
        .expect(0)
        .json()["journeys"][0];
    // All three must work: 0.99 x 0.98 x 0.97.
    let exact = journey["availability"]["exact"].as_f64().expect("exact");
    assert!((exact - 0.941_094).abs() < 1e-12, "{exact}");
    let wrong = folder.write(
        "b.yaml",
        &format!("{SMALL}reliability: {{node/r: {{mtbf: 9h}}, nobody: {{probability: 1%}}}}\n"),
    );
    let err = assize(&["analyse", &wrong]).expect(2).err;
    assert!(
        err.contains("go together") && err.contains("no element is named `nobody`"),
        "{err}"
    );
}

#[test]
fn a_review_fails_on_what_nobody_accepted_and_on_what_ran_out() {
    let folder = Folder::new("review");
    let old = folder.write("old.yaml", SMALL);
    let accepted = |until: &str| -> String {
        let one = |name: &str| {
            format!("  - {{single_point: {name}, by: owner, until: {until}, reason: known}}\n")
        };
        format!(
            "{SMALL}accepted:\n{}",
            ["r", "d", "down", "app"].map(one).concat()
        )
    };
    let owned = folder.write("owned.yaml", &accepted("2027-03-31"));
    let check =
        |file: &str, more: &[&str]| assize(&[&["review", file, "--check"], more].concat()).code;
    assert_eq!(check(&old, &[]), 1);
    assert_eq!(check(&old, &["--against", &old]), 0);
    assert_eq!(check(&owned, &["--today", "2027-03-31"]), 0);
    assert_eq!(check(&owned, &["--today", "2027-04-01"]), 1);
    let page = assize(&["review", &owned]).expect(0).out;
    assert!(
        page.contains(
            "| node/r | work | users | 100.0 % | accepted | owner | 2027-03-31 | known |"
        ),
        "{page}"
    );
    let csv = assize(&["review", &old, "--format", "csv"]).expect(0).out;
    assert!(
        csv.contains("\"node/r\",\"work\",\"users\",1,open,false,\"\",\"\",\"\""),
        "{csv}"
    );
}

#[test]
fn two_designs_side_by_side() {
    let ran = assize(&[
        "compare",
        &moj("moj-2019"),
        &moj("moj-resilient"),
        "--format",
        "json",
    ])
    .expect(0);
    let found = ran.json();
    let gained = found["targets_gained"].as_array().expect("targets");
    assert!(gained.is_empty() || gained.iter().all(Value::is_string));
    let journeys = found["journeys"].as_array().expect("journeys");
    let juror = journeys
        .iter()
        .find(|j| j["journey"] == "enrol-juror")
        .expect("enrol-juror");
    let gone = juror["single_points_removed"].as_array().expect("points");
    assert!(gone.iter().any(|p| p == "domain/dc-north"), "{gone:?}");
    assert_eq!(
        juror["single_points_added"].as_array().map(Vec::len),
        Some(0)
    );
}

#[test]
fn an_inventory_becomes_a_base_and_is_checked_against_it() {
    let folder = Folder::new("import");
    let table = "site,class,users,circuits,carrier,data_centre,note\nLeeds,Crown,80,1,BT,North,x\n";
    let file = folder.write("sites.csv", table);
    let ran = assize(&["import", &file, "--from", "csv"]).expect(0);
    assert!(ran.err.contains("left out: column `note`"), "{}", ran.err);
    let base = folder.write("base.yaml", &ran.out);
    assize(&["check", &base]).expect(0);
    let report = assize(&["analyse", &base, "--format", "json"])
        .expect(0)
        .json();
    assert!(
        points(&report, "use-north", "crown-users")
            .iter()
            .any(|p| p == "domain/bt")
    );
    assize(&["import", &file, "--from", "csv", "--check", &base]).expect(0);
    let moved = folder.write("moved.csv", &table.replace("80", "90"));
    assert!(
        assize(&["import", &moved, "--from", "csv", "--check", &base])
            .expect(1)
            .out
            .contains("+  crown-users")
    );
}
