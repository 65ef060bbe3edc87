//! Exit codes: 0 pass, 1 missed, 2 bad input, 3 inconclusive; and for several, the worst.

use crate::support::{Folder, assize, path};

const FAIL: &str = "scenarios/must-fail.yaml";
const PASS: &str = "scenarios/must-pass.yaml";
const OPEN: &str = "scenarios/must-stay-open.yaml";

#[test]
fn a_canary_fails_and_says_why() {
    let ran = assize(&["simulate", &path(FAIL)]).expect(1);
    assert_eq!(ran.last_line(), "lonely misses 1 target in must-fail");
}

#[test]
fn what_holds_passes() {
    let ran = assize(&["simulate", &path(PASS)]).expect(0);
    assert_eq!(ran.last_line(), "pair meets its one target in must-pass");
}

#[test]
fn a_fault_that_nothing_meets_shows_nothing() {
    let ran = assize(&["simulate", &path(OPEN)]).expect(3);
    assert!(ran.out.contains("never bit"), "{}", ran.out);
    assert!(
        ran.last_line().contains("could not be decided"),
        "{}",
        ran.out
    );
}

#[test]
fn of_several_the_worst_counts() {
    assize(&["simulate", &path(PASS), &path(FAIL), &path(OPEN)]).expect(1);
    assize(&["simulate", &path(PASS), &path(OPEN)]).expect(3);
    let all = assize(&["simulate", &path("scenarios")]).expect(1);
    assert_eq!(
        all.err.lines().count(),
        3,
        "progress, one line each: {}",
        all.err
    );
}

#[test]
fn an_accepted_miss_passes_and_is_shown_with_its_reason() {
    let accepted = "topology.accepted=[{objective: write-rto, by: owner, until: 2027-03-31, \
                    reason: no money for a second one}]";
    let ran = assize(&["simulate", &path(FAIL), "--set", accepted]).expect(0);
    assert!(ran.out.contains("no money for a second one"), "{}", ran.out);
    let value = assize(&[
        "simulate",
        &path(FAIL),
        "--set",
        accepted,
        "--format",
        "json",
    ])
    .json();
    assert_eq!(value["findings"][0]["status"], "missed");
    assert_eq!(value["findings"][0]["accepted"]["by"], "owner");
    assert_eq!(value["verdict"], "pass");
}

#[test]
fn wrong_usage_is_bad_input() {
    for args in [
        &["simulate"][..],
        &["no-such-verb"],
        &["simulate", "no-such-file.yaml"],
        &["simulate", "--threads", "0", "x.yaml"],
        &["faults", "no-such-fault"],
        &["check", "--set", "nonsense", "tests"],
    ] {
        let ran = assize(args).expect(2);
        assert!(!ran.err.is_empty(), "{args:?} says nothing");
    }
}

#[test]
fn unknown_names_in_arguments_are_bad_input_with_the_known_ones() {
    let ran = assize(&["simulate", &path(FAIL), "--only", "write-rpo"]).expect(2);
    assert!(ran.err.contains("write-rto"), "{}", ran.err);
    let ran = assize(&["simulate", &path(FAIL), "--set", "timeline.lost.for=1h"]).expect(2);
    assert!(ran.err.contains("loss"), "{}", ran.err);
    let ran = assize(&["what-if", &path(FAIL), "--down", "service/dbb"]).expect(2);
    assert!(ran.err.contains("db"), "{}", ran.err);
}

#[test]
fn an_empty_folder_has_nothing_to_try() {
    let folder = Folder::new("empty");
    let ran = assize(&["simulate", &folder.path("")]).expect(2);
    assert!(ran.err.contains("no scenario"), "{}", ran.err);
    assize(&["check", &folder.path("")]).expect(2);
}

#[test]
fn a_variation_changes_the_verdict() {
    assize(&["simulate", &path(FAIL), "--set", "timeline.loss.for=30s"]).expect(0);
    assize(&[
        "simulate",
        &path(FAIL),
        "--set",
        "topology.objectives.write-rto.rto=3h",
    ])
    .expect(0);
}

/// A pipe whose reader has gone.
struct Closed;

impl std::io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_closed_pipe_is_no_error_and_hides_no_failure() {
    let code = |args: &[&str]| {
        let mut err = Vec::new();
        let code = assize::run(
            std::iter::once(&"assize").chain(args),
            &mut Closed,
            &mut err,
        );
        assert!(err.is_empty(), "{}", String::from_utf8_lossy(&err));
        code
    };
    assert_eq!(code(&["faults"]), 0);
    assert_eq!(code(&["--help"]), 0);
    assert_eq!(code(&["simulate", &path(PASS)]), 0);
    assert_eq!(code(&["simulate", &path(FAIL)]), 1);
}
