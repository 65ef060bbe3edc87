//! A page says everything, holds nothing foreign, and is whole whatever files say.

use super::*;
use crate::sample;
use assize_model::finding::{Status, VerdictKind};

fn printed(runs: Vec<Run>) -> String {
    let mut out = Vec::new();
    let suite = Suite {
        runs,
        ..Suite::default()
    };
    write(&suite, &Style::default(), &mut out).expect("to memory");
    String::from_utf8(out).expect("text")
}

#[test]
fn the_first_screen_has_verdict_and_figures_before_all_else() {
    let page = printed(vec![sample::run("loss", VerdictKind::Fail, Status::Missed)]);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}:\n{page}"));
    let order = [
        "FAIL, 1 of 1 target missed</p>",
        "tested in simulation",
        "MISSED",
        "write-rto",
        "≥ 8d 23h 59m 59.999s (still open)",
        "≤ 15m",
        "over by 8d 23h 44m 59.999s",
        "<nav",
        "What happened when</h2>",
        "never bit: no packet met it",
        "service/db/south",
        "The queue of db was full",
        "assize simulate SCENARIO --seed 0",
    ];
    let places: Vec<usize> = order.iter().map(|text| place(text)).collect();
    assert!(places[..5].is_sorted(), "{places:?}");
    assert!(page.contains(r#"<meta name="assize-format" content="assize/html/v1">"#));
}

#[test]
fn a_page_asks_for_nothing_and_runs_nothing() {
    let page = printed(vec![
        sample::run("loss", VerdictKind::Fail, Status::Missed),
        sample::accepted("blip"),
    ]);
    for foreign in [
        "<script", "<link", "<img", "<iframe", "http://", "https://", "@import", "url(",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("default-src &#39;none&#39;"));
    // Each scenario has addresses of its own.
    for id in ["run-1-targets", "run-2-targets", "targets"] {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
}

#[test]
fn nothing_that_a_file_says_is_markup() {
    let mut run = sample::run("loss", VerdictKind::Fail, Status::Missed);
    let odd = "</td><script>alert(1)</script>\"'\u{0}";
    if let Run::Judged(outcome) = &mut run {
        outcome.scenario = odd.into();
        outcome.findings[0].objective = odd.into();
        outcome.findings[0].reason = odd.into();
        outcome.faults[0].id = odd.into();
        outcome.populations[0].id = odd.into();
        outcome.warnings.push(odd.into());
        outcome.picture.path = odd.into();
    }
    let page = printed(vec![run]);
    assert!(!page.contains("<script"), "{page}");
    assert!(page.matches("&lt;script&gt;").count() >= 7);
    assert!(!page.contains('\u{0}'));
}

#[test]
fn a_killed_run_says_so() {
    let mut run = sample::live("loss", "stand-in", Status::Inconclusive);
    if let Run::Judged(outcome) = &mut run
        && let Some(live) = &mut outcome.live
    {
        live.ended = "killed";
    }
    assert!(printed(vec![run]).contains("This run was killed before its end."));
}
