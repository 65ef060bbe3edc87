//! What a reader sees, and that nothing from a file is markup.

use super::*;
use crate::sample;
use assize_model::finding::VerdictKind;

fn printed(runs: Vec<Run>) -> String {
    sample::printed(&FORMAT, &sample::suite(runs))
}

#[test]
fn a_miss_is_shown_with_measured_target_and_reason() {
    let text = printed(vec![sample::run("loss", VerdictKind::Fail, Status::Missed)]);
    assert!(text.starts_with("<!-- assize/markdown/v1 -->\n\n## loss on net: FAIL, 1 of 1"));
    let row = "| **MISSED** | `write-rto` | population-with-a-long-name / \
               journey-with-a-long-name | ≤ 15m | ≥ 8d 23h 59m 59.999s (still open) | over by \
               8d 23h 44m 59.999s | simulation |";
    assert!(text.contains(row), "{text}");
    assert!(text.contains("- `write-rto`: because\n"), "{text}");
    assert!(text.ends_with("\nnet misses 1 target in loss.\n"), "{text}");
}

#[test]
fn a_contract_and_the_record_of_a_drill_are_shown() {
    let mut suite = sample::suite(vec![sample::run("loss", VerdictKind::Fail, Status::Missed)]);
    suite.record = Some(sample::drill());
    if let Run::Judged(outcome) = &mut suite.runs[0] {
        outcome.contract = Some(sample::credits("observed"));
    }
    let text = sample::printed(&FORMAT, &suite);
    for line in [
        // (220 h − 26 h) ÷ 220 h.
        "| January 2019 | 88.18% | 0 |",
        "- credits of January 2019: GBP 98,181.82 due",
        "HAPPENED (26h with fewer than 50% served",
        "- approved by C. Owner (service owner) on 2026-11-20",
        "- action for D. Networks by 2027-01-31: second duct (open)",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
}

#[test]
fn several_begin_with_one_row_each() {
    let text = printed(vec![
        sample::run("loss", VerdictKind::Fail, Status::Missed),
        sample::accepted("blip"),
    ]);
    assert!(text.contains("## 2 scenarios: FAIL, 1 of 2 targets missed"));
    assert!(
        text.contains("| `blip` | `net` | **pass** | 0 | 0 | 1 | 0 |"),
        "{text}"
    );
}

#[test]
fn text_from_files_is_no_markup() {
    for (text, escaped) in [
        ("a | b", "a \\| b"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("@team #12 [x](y)", "@<!-- -->team &#35;12 \\[x\\](y)"),
        (
            "due to `out|22` and *all*",
            "due to `out\\|22` and \\*all\\*",
        ),
        ("a lone ` stays", "a lone \\` stays"),
        ("two\nlines", "two lines"),
    ] {
        assert_eq!(escape(text), escaped);
    }
    assert_eq!(code("a`b|c"), "`a b\\|c`");
}

#[test]
fn every_row_of_a_table_has_as_many_cells_as_its_head() {
    let mut run = sample::run("loss", VerdictKind::Fail, Status::Missed);
    if let Run::Judged(outcome) = &mut run {
        outcome.findings[0].objective = "a|b`c".into();
        outcome.faults[0].evidence = "x | y".into();
    }
    let text = printed(vec![run]);
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let mut head = None;
    let mut rows = 0;
    for line in text.lines() {
        if !line.starts_with('|') {
            head = None;
            continue;
        }
        assert_eq!(cells(line), *head.get_or_insert(cells(line)), "{line}");
        rows += 1;
    }
    assert!(rows > 5, "{text}");
}
