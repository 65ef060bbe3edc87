//! The verb on an engine that makes its observations from the simulator's journal, so that
//! folding, judging and printing are tested from end to end without a socket.

use super::{Arguments, Engine, out, run_on};
use crate::Console;
use crate::args::Cli;
use crate::exit::{Exit, Failure};
use crate::journal;
use crate::verbs::Verb;
use assize_fault::Nanos;
use assize_live::{Ended, Options, Refused, Stop};
use assize_model::observation::{Ending, Observation, Served};
use assize_model::{Journal, Plan};
use clap::Parser as _;
use std::path::{Path, PathBuf};

mod cut;
mod evidence;

const SCENARIO: &str = r#"
assize: scenario/v1
topology:
  name: pair
  nodes: {desk: {kind: site, count: 2}, core: {kind: switch}, north: {kind: switch}, south: {kind: switch}}
  links:
    wan: {between: [desk, core]}
    to-north: {between: [core, north]}
    to-south: {between: [core, south]}
  services:
    db:
      mode: active-standby
      replicas: {a: {at: north, role: primary}, b: {at: south, role: standby}}
      failover: {check: {every: 2s, timeout: 1s, fall: 3, rise: 2, from: south}, promote: 20s, redirect: {dns_ttl: 16s}}
      state: {replication: {mode: async, every: 5s}}
  access: {wired: {via: [wan]}}
  populations: {staff: {at: {desk: 100}, access: [wired], makes: {save: 1/s}}}
  journeys: {save: {calls: [db], writes: db, timeout: 3s}}
steady_state: {for: 20s}
timeline: [{id: dc, at: 10s, fault: outage, target: node/north, for: 3m}]
objectives:
  - {id: back, rto: 90s, journey: save}
  - {id: data, rpo: 10s, service: db}
  - {id: user-time, availability: 60%}
end: 4m
"#;

const EVERY: Nanos = Nanos::millis(500);

/// A folder with the scenario in it, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("assize-run-verb-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        std::fs::write(path.join("loss.yaml"), SCENARIO).expect("a file");
        Self(path)
    }
    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One representative for each cohort of each cell, who meets what the simulator says.
fn observe(plan: &Plan<'_>, journal: &Journal, late: Nanos, sink: &mut dyn FnMut(Observation)) {
    sink(Observation::Machine {
        pace: 10,
        jitter: Nanos::ZERO,
        round_trip: Nanos::ZERO,
        probe_every: EVERY,
        resolution: EVERY,
    });
    let rep = |cell: usize, cohort: u32| u32::try_from(cell).unwrap_or(0) * 64 + cohort;
    for cell in 0..plan.cells.len() {
        for cohort in 0..64 {
            let cohorts = 1 << cohort;
            sink(Observation::Representative {
                rep: rep(cell, cohort),
                cell,
                cohorts,
            });
        }
    }
    for series in &journal.series {
        let weight = plan.cells[series.cell].users * 1_000_000_000;
        for cohort in 0..64 {
            let mut at = -plan.scenario.steady_state + Nanos(EVERY.0 / 64 * i64::from(cohort));
            while at < journal.end {
                // What is `late` keeps users out for longer than was predicted.
                let met = |t: Nanos| {
                    let past = series.steps.partition_point(|step| step.at <= t);
                    series.steps[past.saturating_sub(1)].served > u64::from(cohort) * weight
                };
                let good = met(at) && (at < late || met(at - late));
                sink(Observation::Sample {
                    at,
                    rep: rep(series.cell, cohort),
                    journey: series.journey.index(),
                    took: Nanos::millis(5),
                    served: if good { Served::Yes } else { Served::No },
                    why: String::new(),
                });
                at += EVERY;
            }
        }
    }
    for (fault, record) in journal.faults.iter().enumerate() {
        sink(Observation::Fault {
            at: record.from,
            fault,
            on: true,
        });
        if let Some((at, evidence)) = &record.bite {
            sink(Observation::Bite {
                at: *at,
                fault,
                evidence: evidence.clone(),
            });
        }
        sink(Observation::Fault {
            at: record.to,
            fault,
            on: false,
        });
    }
    for decision in &journal.decisions {
        sink(Observation::Decided(decision.clone()));
    }
    for span in &journal.serving {
        let (service, replica) = (span.service.index(), span.replica);
        sink(Observation::Serves {
            at: span.from,
            service,
            replica,
            on: true,
        });
        sink(Observation::Serves {
            at: span.to,
            service,
            replica,
            on: false,
        });
    }
    for back in &journal.read_backs {
        sink(Observation::ReadBack(back.clone()));
    }
}

fn ended(at: Nanos, why: Ending) -> Ended {
    Ended {
        at,
        why,
        left: Vec::new(),
    }
}

fn as_predicted(
    plan: &Plan<'_>,
    _: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    let journal = assize_sim::simulate(plan);
    observe(plan, &journal, Nanos::ZERO, sink);
    Ok(ended(journal.end, Ending::Finished))
}

/// Recovery takes half a minute longer than the topology says.
fn late(plan: &Plan<'_>, _: &Options, sink: &mut dyn FnMut(Observation)) -> Result<Ended, Refused> {
    let journal = assize_sim::simulate(plan);
    observe(plan, &journal, Nanos::secs(30), sink);
    Ok(ended(journal.end, Ending::Finished))
}

fn refused(_: &Plan<'_>, _: &Options, _: &mut dyn FnMut(Observation)) -> Result<Ended, Refused> {
    Err(Refused::new("port 5432 is taken"))
}

fn interrupted(
    plan: &Plan<'_>,
    options: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    options.stop.request();
    let journal = assize_sim::simulate(plan);
    observe(plan, &journal, Nanos::ZERO, sink);
    Ok(ended(Nanos::secs(40), Ending::Interrupted))
}

fn parsed(args: &[&str]) -> Arguments {
    let all = ["assize", "run"].iter().chain(args);
    let cli = Cli::try_parse_from(all).unwrap_or_else(|error| panic!("{error}"));
    match cli.verb {
        Verb::Run(arguments) => arguments,
        other => panic!("{other:?}"),
    }
}

/// How it ended, and what it printed.
fn ran(engine: Engine, args: &[&str]) -> (Result<Exit, Failure>, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = run_on(
        engine,
        &Stop::default(),
        &parsed(args),
        &mut Console::new(&mut out, &mut err),
    );
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (exit, text(out), text(err))
}

fn json(engine: Engine, args: &[&str]) -> (Exit, serde_json::Value) {
    let (exit, out, err) = ran(engine, &[args, &["--format", "json"]].concat());
    let exit = exit.unwrap_or_else(|failure| panic!("{failure:?}\n{err}"));
    (exit, serde_json::from_str(&out).expect("JSON"))
}

fn finding<'a>(json: &'a serde_json::Value, objective: &str) -> &'a serde_json::Value {
    let all = json["findings"].as_array().expect("findings");
    all.iter()
        .find(|f| f["objective"] == objective)
        .expect("a finding")
}

#[test]
fn what_goes_as_predicted_is_measured_as_predicted() {
    let folder = Folder::new("predicted");
    let (exit, json) = json(as_predicted, &[&folder.file("loss.yaml")]);
    assert_eq!(exit, Exit::Pass, "{json:#}");
    let back = finding(&json, "back");
    let ns = |value: &serde_json::Value| value["ns"].as_i64().expect("a duration");
    let (measured, predicted) = (ns(&back["measured"]), ns(&back["predicted"]));
    assert!(predicted > 20_000_000_000, "{back:#}");
    assert!((measured - predicted).abs() <= EVERY.0, "{back:#}");
    assert_eq!(ns(&back["error"]), EVERY.0);
    let data = finding(&json, "data");
    assert_eq!(data["measured"], data["predicted"]);
    for name in ["back", "data", "user-time"] {
        let finding = finding(&json, name);
        assert_eq!(finding["status"], "met", "{finding:#}");
        let details = finding["details"].as_array().expect("details");
        assert!(
            details.iter().all(|d| d["name"] != "difference"),
            "{finding:#}"
        );
        assert_eq!(finding["tested_on"], "stand-in");
    }
    assert_eq!(json["engine"], "run");
    assert_eq!(json["live"]["pace"], 10);
    assert_eq!(json["faults"][0]["bit"], true);
}

#[test]
fn a_slower_recovery_is_measured_and_the_difference_named() {
    let folder = Folder::new("late");
    let (_, out, _) = ran(late, &[&folder.file("loss.yaml")]);
    // Half a minute more, seen to half a second.
    assert!(out.contains("longer than predicted"), "{out}");
    let (_, json) = json(late, &[&folder.file("loss.yaml")]);
    let back = finding(&json, "back");
    let more = back["measured"]["ns"].as_i64().unwrap_or(0)
        - back["predicted"]["ns"].as_i64().unwrap_or(0);
    assert!((more - Nanos::secs(30).0).abs() <= EVERY.0, "{back:#}");
}

#[test]
fn a_refused_run_could_not_be_carried_out() {
    let folder = Folder::new("refused");
    let (exit, out, _) = ran(refused, &[&folder.file("loss.yaml")]);
    assert_eq!(exit.expect("an exit"), Exit::CouldNotRun);
    assert!(
        out.ends_with("loss could not be run: port 5432 is taken\n"),
        "{out}"
    );
}

#[test]
fn an_interrupted_run_reports_what_there_is_and_exits_as_not_carried_out() {
    let folder = Folder::new("interrupted");
    let (exit, json) = json(interrupted, &[&folder.file("loss.yaml")]);
    assert_eq!(exit, Exit::CouldNotRun);
    assert_eq!(json["live"]["ended"], "interrupted");
    assert_eq!(finding(&json, "user-time")["status"], "inconclusive");
}

#[test]
fn the_journal_is_there_and_judges_to_the_same() {
    let folder = Folder::new("journal");
    let out = folder.file("out");
    let scenario = folder.file("loss.yaml");
    let (_, json) = json(as_predicted, &[&scenario, "--out", &out]);
    let bytes = std::fs::read(out::path(Path::new(&out), "loss", 1)).expect("a journal");
    let all = journal::read(&bytes).expect("records");
    assert!(matches!(all.first(), Some(Observation::Began { .. })));
    assert!(matches!(all.last(), Some(Observation::Ended { .. })));
    let verdict = std::fs::read_to_string(Path::new(&out).join("verdict.json")).expect("a verdict");
    let verdict: serde_json::Value = serde_json::from_str(&verdict).expect("JSON");
    assert_eq!(verdict["trace_digest"], json["trace_digest"]);
    // Judged again it is what it was.
    let journal = out::path(Path::new(&out), "loss", 1).display().to_string();
    let (mut text, mut said) = (Vec::new(), Vec::new());
    let args = ["assize", "judge", &scenario, &journal, "--format", "json"];
    assert_eq!(crate::run(args, &mut text, &mut said), 0);
    let again: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(again, json);
    let other = ["assize", "judge", &scenario, &journal, "--set", "end=5m"];
    assert_eq!(crate::run(other, &mut text, &mut said), 2);
    // A killed writer leaves half a line.
    let cut = journal::read(&bytes[..bytes.len() / 2]).expect("records");
    assert!(!cut.is_empty() && cut.len() < all.len());
    assert!(journal::read(b"{\"is\":\"nonsense\"}\n{}\n").is_err());
    // What was measured is not written over.
    let (again, _, _) = ran(as_predicted, &[&scenario, "--out", &out]);
    assert!(matches!(again, Err(Failure::Usage(why)) if why.contains("is there already")));
    // A run as good as the last is no regression; one that is half a minute longer is.
    let (exit, _, _) = ran(as_predicted, &[&scenario, "--baseline", &out]);
    assert_eq!(exit.expect("an exit"), Exit::Pass);
    let (exit, text, _) = ran(
        late,
        &[
            &scenario,
            "--baseline",
            &out,
            "--set",
            "objectives.back.rto=10m",
        ],
    );
    assert_eq!(exit.expect("an exit"), Exit::Missed, "{text}");
    assert!(
        text.contains("in the baseline: worse by more than 20%"),
        "{text}"
    );
}

#[test]
fn repeats_show_their_spread_and_the_worst_decides() {
    let folder = Folder::new("repeat");
    let (exit, json) = json(as_predicted, &[&folder.file("loss.yaml"), "--repeat", "3"]);
    assert_eq!(exit, Exit::Pass);
    assert_eq!(json["live"]["runs"].as_array().map(Vec::len), Some(3));
    let details = finding(&json, "back")["details"].clone();
    assert!(
        details.to_string().contains("met in 3 of 3 runs"),
        "{details:#}"
    );
}

#[test]
fn what_could_not_be_decided_is_tried_again_and_a_miss_is_not() {
    let folder = Folder::new("retry");
    let runs = |sets: &str| {
        let file = folder.file("loss.yaml");
        let args = [file.as_str(), "--retry", "inconclusive=2", "--set", sets];
        let (exit, json) = json(as_predicted, &args);
        (exit, json["live"]["runs"].as_array().map_or(1, Vec::len))
    };
    // An availability as measured, give or take: too close to call each time.
    let (_, first) = json(as_predicted, &[&folder.file("loss.yaml")]);
    let share = finding(&first, "user-time")["measured"]
        .as_f64()
        .unwrap_or(0.0);
    let close = format!("objectives.user-time.availability={:.3}%", share * 100.0);
    assert_eq!(runs(&close), (Exit::Inconclusive, 3));
    assert_eq!(runs("objectives.back.rto=1s"), (Exit::Missed, 1));
    let file = folder.file("loss.yaml");
    let (exit, _, _) = ran(
        as_predicted,
        &[&file, "--require", "real", "--retry", "inconclusive=1"],
    );
    assert_eq!(exit.expect("an exit"), Exit::Inconclusive);
    let (exit, _, _) = ran(
        as_predicted,
        &[&file, "--require", "real", "--fail-on", "missed"],
    );
    assert_eq!(exit.expect("an exit"), Exit::Pass);
}

#[test]
fn what_does_not_fit_the_budget_is_not_exercised() {
    let folder = Folder::new("budget");
    let (exit, json) = json(as_predicted, &[&folder.file("loss.yaml"), "--budget", "5s"]);
    assert_eq!(exit, Exit::Inconclusive);
    assert_eq!(finding(&json, "back")["status"], "not_exercised");
}

/// Runs until it is stopped, as if it had been thought to be shorter than it is.
fn endless(
    _: &Plan<'_>,
    options: &Options,
    _: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    while !options.stop.is_requested() {
        std::thread::yield_now();
    }
    Ok(Ended {
        at: Nanos::secs(1),
        why: Ending::Interrupted,
        left: Vec::new(),
    })
}

#[test]
fn what_takes_longer_than_the_budget_is_stopped() {
    let folder = Folder::new("stopped");
    let file = folder.file("loss.yaml");
    // 4 s are allowed for what is around a scenario, and 1 s is all that this one has.
    let short = [
        "--set",
        "timeline=[]",
        "--set",
        "steady_state.for=0s",
        "--set",
        "end=1s",
    ];
    let arguments: Vec<&str> = [file.as_str(), "--budget", "8s"]
        .into_iter()
        .chain(short)
        .collect();
    let (exit, json) = json(endless, &arguments);
    assert_eq!(exit, Exit::Inconclusive);
    let back = finding(&json, "back");
    assert_eq!(back["status"], "not_exercised");
    assert!(
        back["reason"]
            .as_str()
            .is_some_and(|r| r.contains("spent before its end")),
        "{back}"
    );
}

#[test]
fn folders_give_what_is_short_or_has_a_live_plan() {
    let folder = Folder::new("folder");
    let long = SCENARIO
        .replace("end: 4m", "end: 4h")
        .replace("name: pair", "name: slow");
    std::fs::write(folder.0.join("long.yaml"), long).expect("a file");
    let (exit, out, err) = ran(as_predicted, &[&folder.file("")]);
    assert_eq!(exit.expect("an exit"), Exit::Pass, "{out}");
    assert!(err.contains("not run, being longer than 20m"), "{err}");
    assert!(err.contains("long (4h)"), "{err}");
    assert!(err.contains("dc begins: outage of node/north"), "{err}");
    let (exit, _, _) = ran(as_predicted, &[&folder.file(""), "--tag", "nightly"]);
    assert!(matches!(exit, Err(Failure::Usage(_))));
    let file = folder.file("loss.yaml");
    let (exit, out, _) = ran(as_predicted, &[&file, "--plan"]);
    assert_eq!(exit.expect("an exit"), Exit::Pass);
    assert!(out.starts_with("loss\n"), "{out}");
}

/// What `assize report` prints, and how it ends.
fn reported(args: &[&str]) -> (i32, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let all = ["assize", "report"].iter().chain(args);
    let code = crate::run(all, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (code, text(out), text(err))
}

#[test]
fn a_stored_run_is_reported_as_it_was_printed() {
    let folder = Folder::new("report");
    let (scenario, out) = (folder.file("loss.yaml"), folder.file("out"));
    let args = [&scenario, "--out", &out, "--repeat", "2"].map(String::from);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (_, printed, _) = ran(late, &[args.as_slice(), &["--format", "json"]].concat());
    for run in [out.as_str(), &folder.file("out/")] {
        let (code, text, said) = reported(&[run, "--scenario", &scenario, "--format", "json"]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(text, printed);
    }
    // The run holds what was run, wherever its files are now.
    let elsewhere = folder.file("moved.yaml");
    std::fs::rename(&scenario, &elsewhere).expect("moved");
    let (code, text, said) = reported(&[&out, "--format", "json"]);
    assert_eq!(code, 0, "{said}");
    assert!(text == printed);
    std::fs::rename(&elsewhere, &scenario).expect("moved back");
    // A folder of an older version does not.
    std::fs::remove_file(Path::new(&out).join("run.json")).expect("removed");
    std::fs::remove_dir_all(Path::new(&out).join("inputs")).expect("removed");
    let (code, _, said) = reported(&[&out]);
    assert_eq!(code, 2);
    assert!(said.contains("--scenario FILE"), "{said}");
    // What has changed since is refused.
    let (code, _, said) = reported(&[&out, "--scenario", &scenario, "--set", "end=5m"]);
    assert_eq!(code, 2);
    assert!(said.contains("which is none of loss"), "{said}");
}

#[test]
fn every_format_says_of_a_killed_run_that_it_was_killed() {
    let folder = Folder::new("killed");
    let (scenario, out) = (folder.file("loss.yaml"), folder.file("out"));
    let (exit, _, _) = ran(as_predicted, &[&scenario, "--out", &out]);
    assert_eq!(exit.expect("an exit"), Exit::Pass);
    let journal = out::path(Path::new(&out), "loss", 1);
    let bytes = std::fs::read(&journal).expect("a journal");
    std::fs::write(&journal, &bytes[..bytes.len() * 3 / 4]).expect("a shorter journal");
    std::fs::remove_file(Path::new(&out).join("verdict.json")).expect("no verdict");
    for format in ["table", "json", "junit", "markdown", "html"] {
        let args = [&out, "--scenario", &scenario, "--format", format];
        let (code, text, said) = reported(&args);
        assert_eq!(code, 3, "{format}: {text}{said}");
        assert!(text.contains("killed"), "{format}: {text}");
    }
    // A journal of a version to come is refused, with who wrote it.
    let text = String::from_utf8(bytes).expect("text");
    let later = text.replacen("assize/journal/v1", "assize/journal/v9", 1);
    std::fs::write(&journal, later).expect("a journal");
    let (code, _, said) = reported(&[&out, "--scenario", &scenario]);
    assert_eq!(code, 2);
    assert!(said.contains("is of version `assize/journal/v9`"), "{said}");
}

#[test]
fn what_was_met_on_stand_ins_never_reads_as_a_clause_that_is_met() {
    let folder = Folder::new("stand-ins");
    let (scenario, out) = (folder.file("loss.yaml"), folder.file("out"));
    let (exit, _, _) = ran(as_predicted, &[&scenario, "--out", &out]);
    assert_eq!(exit.expect("an exit"), Exit::Pass);
    for format in ["table", "junit", "markdown", "html"] {
        let args = [&out, "--scenario", &scenario, "--format", format];
        let (code, text, _) = reported(&args);
        assert_eq!(code, 0, "{text}");
        let text = text.split("<body>").last().unwrap_or("").replace('\n', " ");
        assert!(!text.to_lowercase().contains("clause"), "{format}: {text}");
        let mut seen = 0;
        for (at, _) in text.match_indices("met") {
            let (before, after) = (&text[..at], &text[at + 3..]);
            let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            // The word itself, and not when it says what met a fault.
            let word = !inside(before.chars().last()) && !inside(after.chars().next());
            if !word || after.starts_with(" it") {
                continue;
            }
            // Columns that count findings have it as their head.
            if after.trim_start().starts_with(['|', '<']) && !after.contains("on stand-ins") {
                continue;
            }
            seen += 1;
            assert!(
                after.trim_start().starts_with("on stand-ins") || after.starts_with(" in 1"),
                "{format}: {}",
                &text[at.saturating_sub(60)..(at + 60).min(text.len())]
            );
        }
        assert!(seen > 0, "{format}: {text}");
        // And where real systems are required, it is not met at all.
        let (code, text, _) = reported(&[&args[..], &["--require", "real"]].concat());
        assert_eq!(code, 3, "{format}: {text}");
        assert!(!text.contains("met on stand-ins"), "{format}: {text}");
    }
}
