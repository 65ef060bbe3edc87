//! What build servers make of it, and that nothing breaks the XML.

use super::*;
use crate::sample::{self, suite};
use crate::suite::{Forced, SuiteVerdict};
use assize_model::finding::VerdictKind;

fn printed(suite: &Suite) -> String {
    sample::printed(&FORMAT, suite)
}

#[test]
fn each_status_becomes_what_a_build_server_expects() {
    let xml = printed(&suite(vec![
        sample::run("a", VerdictKind::Fail, Status::Missed),
        sample::run("b", VerdictKind::Pass, Status::Met),
        sample::run("c", VerdictKind::Inconclusive, Status::Inconclusive),
        sample::run("d", VerdictKind::Inconclusive, Status::NotExercised),
        sample::accepted("e"),
        Run::NotRun {
            topology: "net".into(),
            scenario: "f".into(),
            reason: "no port".into(),
        },
    ]));
    let parsed = roxmltree::Document::parse(&xml).expect("XML");
    let root = parsed.root_element();
    for (name, count) in [("tests", "6"), ("failures", "1"), ("errors", "1")] {
        assert_eq!(root.attribute(name), Some(count), "{name}");
    }
    let cases = parsed.descendants().filter(|n| n.has_tag_name("testcase"));
    let inside: Vec<&str> = cases
        .flat_map(|case| case.children().filter(|n| n.is_element()))
        .map(|node| node.tag_name().name())
        .collect();
    let wanted = [
        "failure",
        "system-out",
        "skipped",
        "skipped",
        "system-out",
        "error",
    ];
    assert_eq!(inside, wanted);
    let failure = parsed.descendants().find(|n| n.has_tag_name("failure"));
    let message = failure.and_then(|n| n.attribute("message"));
    assert_eq!(
        message,
        Some(
            "measured ≥ 8d 23h 59m 59.999s (still open), target ≤ 15m: over by 8d 23h 44m \
             59.999s"
        )
    );
    assert!(xml.contains("accepted by network owner until 2027-03-31"));
    assert!(xml.contains(r#"message="undecided: because""#), "{xml}");
}

#[test]
fn nothing_that_a_file_says_breaks_the_xml() {
    let mut run = sample::run("a", VerdictKind::Fail, Status::Missed);
    let odd = "]]> <b a=\"'\"> & \u{0}\u{1b}[31m \u{fffe} line\nline";
    if let Run::Judged(outcome) = &mut run {
        outcome.scenario = odd.into();
        outcome.findings[0].reason = odd.into();
        outcome.findings[0].objective = odd.into();
    }
    let xml = printed(&suite(vec![run]));
    let parsed = roxmltree::Document::parse(&xml).expect("XML");
    let suite = parsed.descendants().find(|n| n.has_tag_name("testsuite"));
    let name = suite.and_then(|n| n.attribute("name")).unwrap_or("");
    assert_eq!(
        name,
        "]]> <b a=\"'\"> & \u{fffd}\u{fffd}[31m \u{fffd} line\nline"
    );
}

#[test]
fn a_contract_and_the_record_of_a_drill_are_properties() {
    let mut suite = suite(vec![sample::run("a", VerdictKind::Fail, Status::Missed)]);
    suite.record = Some(sample::drill());
    if let Run::Judged(outcome) = &mut suite.runs[0] {
        outcome.contract = Some(sample::credits("simulation"));
    }
    let xml = printed(&suite);
    let parsed = roxmltree::Document::parse(&xml).expect("XML");
    let value = |name: &str| {
        let mut all = parsed.descendants();
        let found = all.find(|n| n.attribute("name") == Some(name));
        found.and_then(|n| n.attribute("value")).unwrap_or("")
    };
    for (name, text) in [
        ("assize.contract", "would be missed"),
        ("assize.contract.tested_on", "simulation"),
        (
            "assize.contract.court-sign-in.2019-01",
            "WOULD BE MISSED: 88.18%",
        ),
        (
            "assize.contract.credits.2019-01",
            "GBP 98,181.82 would be due",
        ),
        ("assize.contract.critical.1", "WOULD HAVE HAPPENED"),
        ("assize.record.1", "failover test, led by A. Lead"),
        ("assize.record.3", "change CHG0012345"),
    ] {
        assert!(value(name).contains(text), "{name}: {}\n{xml}", value(name));
    }
}

#[test]
fn attempts_are_properties_and_an_interruption_is_an_error() {
    let mut run = sample::live("a", "stand-in", Status::Met);
    if let Run::Judged(outcome) = &mut run
        && let Some(live) = &mut outcome.live
    {
        live.runs = vec![RunResult {
            verdict: "inconclusive",
            replaced: true,
            reason: None,
            figures: Vec::new(),
        }];
    }
    let mut suite = suite(vec![run]);
    suite.forced = Some(Forced {
        verdict: SuiteVerdict::CouldNotRun,
        why: "interrupted".into(),
    });
    let xml = printed(&suite);
    let parsed = roxmltree::Document::parse(&xml).expect("XML");
    let mut all = parsed.descendants();
    let attempt = all.find(|n| n.attribute("name") == Some("assize.attempt.1"));
    assert_eq!(
        attempt.and_then(|n| n.attribute("value")),
        Some("inconclusive, tried again")
    );
    assert_eq!(parsed.root_element().attribute("errors"), Some("1"));
}
