//! Golden output of every format, and reports in files beside what is printed.

use crate::support::{Folder, assize, golden};

/// As the tests stand in their folder, so that no path of a machine is in a golden file.
const FAIL: &str = "scenarios/must-fail.yaml";
const FORMATS: [(&str, &str); 5] = [
    ("table", "txt"),
    ("json", "json"),
    ("junit", "xml"),
    ("markdown", "md"),
    ("html", "html"),
];

#[test]
fn every_format_prints_what_it_printed() {
    for (format, ending) in FORMATS {
        let ran = assize(&["simulate", FAIL, "--format", format]).expect(1);
        golden(&format!("golden/must-fail.{ending}"), &ran.out);
    }
}

#[test]
fn reports_go_into_files_beside_what_is_printed() {
    let folder = Folder::new("reports");
    let file = |ending: &str| folder.path(&format!("report.{ending}"));
    let reports = FORMATS.map(|(format, ending)| format!("{format}={}", file(ending)));
    let mut args = vec!["simulate", FAIL, "--format", "json"];
    for report in &reports {
        args.extend(["--report", report]);
    }
    let ran = assize(&args).expect(1);
    assert_eq!(ran.json()["verdict"], "fail");
    for (_, ending) in FORMATS {
        let text = std::fs::read_to_string(file(ending)).expect("a report");
        golden(&format!("golden/must-fail.{ending}"), &text);
    }
    // What cannot be written is said before anything is run.
    let nowhere = format!("html={}", folder.path("no/report.html"));
    let ran = assize(&["simulate", FAIL, "--report", &nowhere]).expect(2);
    assert!(ran.err.contains("make the folder first"), "{}", ran.err);
    assize(&["simulate", FAIL, "--report", "pdf=x"]).expect(2);
}

#[test]
fn a_journal_of_version_1_stays_readable() {
    for (run, killed) in [
        ("stored/journal-v1", false),
        ("stored/journal-v1/loss.journal.jsonl", false),
        ("killed", true),
    ] {
        let folder = Folder::new("stored");
        let bytes = std::fs::read("stored/journal-v1/loss.journal.jsonl").expect("a journal");
        let text = String::from_utf8(bytes).expect("text");
        let half = folder.write("loss.journal.jsonl", &text[..text.len() / 2]);
        let run = if killed { half.as_str() } else { run };
        let scenario = "stored/journal-v1/inputs/loss.yaml";
        let args = ["report", run, "--format", "json", "--scenario", scenario];
        let value = assize(&args).expect(if killed { 3 } else { 0 }).json();
        let finding = &value["findings"][0];
        if killed {
            assert_eq!(value["live"]["ended"], "killed");
            assert_eq!(finding["status"], "inconclusive", "{finding:#}");
        } else {
            // As it was judged when it was recorded.
            assert_eq!(finding["measured"]["ns"], 2_600_000_000_i64, "{finding:#}");
            assert_eq!(finding["status"], "met");
            assert_eq!(finding["tested_on"], "stand-in");
        }
    }
    // Without naming it, what was run is found in the run's own folder.
    assize(&["report", "stored/journal-v1", "--format", "junit"]).expect(0);
}
