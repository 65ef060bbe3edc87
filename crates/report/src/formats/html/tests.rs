//! A page says everything, holds nothing foreign, and is whole whatever files say.

use super::*;
use crate::sample;
use assize_fault::Nanos;
use assize_model::finding::{AssumptionResult, Status, VerdictKind};
use assize_model::journal::DecisionKind;
use assize_model::picture::{Drill, Event, Line, Mark, Picture, Place};

fn printed(runs: Vec<Run>) -> String {
    sample::printed(&FORMAT, &sample::suite(runs))
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

/// Two classes of sites, a hub that failed for some of them, a way round, and a restore.
fn picture() -> Picture {
    let place = |id: &str, kind: &str, count, users| Place {
        id: id.into(),
        kind: kind.into(),
        count,
        zone: String::new(),
        users,
        marks: Vec::new(),
        instead: Vec::new(),
    };
    let line = |id: &str, from: &[usize], to| Line {
        id: id.into(),
        from: from.to_vec(),
        to,
        medium: String::new(),
        standby: false,
        marks: Vec::new(),
        activated: None,
    };
    let mut core = place("core", "switch", 1, 0);
    core.zone = "dc-north".into();
    let mut spare = place("spare", "switch", 1, 0);
    spare.zone = "dc-south".into();
    spare.instead = vec!["service/db/b".into()];
    let mut hub = line("hub", &[0, 1], 2);
    hub.marks = vec![Mark {
        fault: 0,
        part: "58 of 144 circuits".into(),
    }];
    let mut lte = line("lte", &[0, 1], 3);
    lte.activated = Some(Nanos::hours(2));
    let event = |at, kind| Event {
        at,
        kind,
        subject: "service/db".into(),
        faults: vec![0],
    };
    Picture {
        places: vec![
            place("crown", "site", 84, 900),
            place("county", "site", 60, 100),
            core,
            spare,
        ],
        links: vec![hub, lte],
        events: vec![
            event(Nanos::hours(1), DecisionKind::Down),
            event(Nanos::hours(2), DecisionKind::PeopleKnow),
            event(Nanos::hours(3), DecisionKind::Diagnosed),
        ],
        drills: vec![Drill {
            service: "db".into(),
            backup: "nightly".into(),
            point: Nanos::ZERO,
            from: Nanos::hours(4),
            to: Nanos::hours(9),
            good: true,
        }],
        ..Picture::default()
    }
}

#[test]
fn the_map_says_what_failed_and_what_served_instead() {
    let mut run = sample::run("loss", VerdictKind::Fail, Status::Missed);
    if let Run::Judged(outcome) = &mut run {
        outcome.picture = picture();
    }
    let page = printed(vec![run]);
    for text in [
        // Alike places share a box, so each link is one wire.
        "144 sites in 2 classes, 2 single places, 2 links, 2 data centres (dc-north and dc-south)",
        "84 × crown",
        "switch in dc-north",
        "link/hub (wire 1)",
        "58 of 144 circuits by dc",
        "link/lte (wire 2)",
        "activated 16 Jan 10:00",
        "✓ instead: service/db/b",
        // From the first decision about the fault: 1 h, 1 h, 1 h, and 5 h of restoring.
        "1h until somebody knew, 1h until the cause was found, 1h until the restore began, 5h \
         restoring; the backup was 4h old when the restore began; the data was good",
    ] {
        assert!(page.contains(text), "{text}:\n{page}");
    }
    assert_eq!(page.matches("class=\"wire cut\"").count(), 1);
    assert_eq!(page.matches("class=\"wire act\"").count(), 1);
}

fn beside(change: impl FnOnce(&mut Suite)) -> String {
    let mut suite = sample::suite(vec![sample::live("loss", "stand-in", Status::Met)]);
    change(&mut suite);
    sample::printed(&FORMAT, &suite)
}

#[test]
fn what_stands_beside_is_shown_where_it_is_and_not_where_it_is_not() {
    let ids = ["id=\"analysis\"", "id=\"record\"", "id=\"contract\""];
    let bare = beside(|_| ());
    assert!(ids.iter().all(|id| !bare.contains(id)), "{bare}");
    let page = beside(|suite| {
        suite.record = Some(sample::drill());
        suite.analysis = Some(sample::analysis());
    });
    for text in [
        "85 elements that can fail",
        "<code>node/core</code></th><td data-h=\"this cannot be done until it is repaired\">read, \
         write",
        "<code>link/duct</code> (accepted)",
        "write (25%)",
        "99.5%",
        "2 at a time: 85 of 3,570 combinations miss a target, 1 of them only because",
        "<code>link/a</code> and <code>link/b</code>, 2 alike",
        "1: write-rto; too small: link/c",
        "10Mbit/s",
        "125%",
        "The demand of <code>staff</code> is not stated",
        "failover",
        "C. Owner, service owner, 2026-11-20",
        "CHG0012345",
        ">open</span>",
        ">done 2026-12-01</span>",
        "href=\"#analysis\"",
    ] {
        assert!(page.contains(text), "{text}:\n{page}");
    }
}

#[test]
fn stand_ins_support_design_and_no_clause() {
    let page = beside(|suite| {
        if let Run::Judged(outcome) = &mut suite.runs[0] {
            outcome.contract = Some(sample::credits("stand-in"));
        }
    });
    assert!(page.contains("id=\"compliance\""), "{page}");
    assert!(page.contains("they support design at most"));
    assert!(page.contains("Nothing here bears on: B5.a"), "{page}");
    assert!(page.contains("no clause rests on it"));
    assert!(page.contains("nothing follows from stand-ins"));
    for word in ["clause met", ">met<", "would be met", ">missed<", "fulfil"] {
        assert!(!page.contains(word), "{word}:\n{page}");
    }
}

#[test]
fn what_several_rest_on_alike_stands_once() {
    let warned = |name: &str, more: &str| {
        let mut run = sample::run(name, VerdictKind::Fail, Status::Missed);
        if let Run::Judged(outcome) = &mut run {
            outcome.warnings.push(more.into());
            let path = "links.hub".into();
            let reason = "as published".into();
            outcome.assumptions = vec![AssumptionResult { path, reason }];
        }
        run
    };
    let runs = || vec![warned("a", "only a"), warned("b", "only b")];
    let page = printed(runs());
    for once in [
        "The queue of db was full",
        "Only a",
        "Only b",
        "as published",
    ] {
        assert_eq!(page.matches(once).count(), 1, "{once}:\n{page}");
    }
    assert!(page.contains("What the verdicts rest on"));
    // One alone has its own.
    let alone = printed(runs().split_off(1));
    assert!(alone.contains("What the verdict rests on") && alone.contains("Only b"));
}
