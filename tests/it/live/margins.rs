//! The live plans of `topologies/moj` leave a busy machine room: no timer under 2 s, and neither a
//! target nor the question whether two outages are one within three resolutions of what is
//! predicted.

use assize_fault::Nanos;
use assize_model::file::{LoadOptions, Source, load_scenario};
use assize_model::finding::{Outcome, Value};
use assize_model::{Plan, Scenario, Topology, judge, timers};
use std::path::{Path, PathBuf};

/// The largest pace that is chosen, and what a run tries on the wall: so coarse it gets at most.
const PACE: i64 = 20;
const ATTEMPTS_PER_SECOND: i64 = 800;
const LEAST_INTERVAL: Nanos = Nanos::millis(200);

struct Files;

impl Source for Files {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|e| e.to_string())
    }
}

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topologies/moj/scenarios");
    let files = std::fs::read_dir(folder).expect("the folder");
    let live = files.filter_map(|file| {
        let path = file.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a file");
        text.lines().any(|l| l == "live:").then_some(path)
    });
    let mut live: Vec<PathBuf> = live.collect();
    live.sort_unstable();
    live
}

fn load(path: &Path) -> (Topology, Scenario) {
    let options = LoadOptions {
        live: true,
        ..LoadOptions::default()
    };
    let loaded = load_scenario(&Files, path, &options);
    let (topology, scenario, _) = loaded.unwrap_or_else(|problems| panic!("{problems}"));
    (topology, scenario)
}

/// To what a run knows its durations at the largest pace, the machine's jitter aside.
fn resolution(plan: &Plan<'_>) -> Nanos {
    let makes = |cell: &assize_model::Cell| plan.topology.population(cell.population).makes.len();
    let each: usize = plan.cells.iter().map(makes).sum();
    let attempts = (each * usize::from(plan.phases)) as i64;
    let round = Nanos(attempts * 1_000_000_000 / ATTEMPTS_PER_SECOND);
    round.max(LEAST_INTERVAL) * PACE
}

#[test]
fn ten_plans_have_no_timer_under_two_seconds() {
    let all = scenarios();
    assert_eq!(all.len(), 10, "{all:?}");
    for path in all {
        let (mut topology, _) = load(&path);
        timers::each(&mut topology, &mut |name, timer| {
            assert!(*timer >= Nanos::secs(2), "{}: {name}", path.display());
        });
    }
}

#[test]
fn ten_plans_are_three_resolutions_from_what_would_make_them_doubtful() {
    for path in scenarios() {
        let (topology, scenario) = load(&path);
        let plan = Plan::new(&topology, &scenario, 0);
        let room = resolution(&plan) * 3;
        let predicted = assize_sim::simulate_with_solos(&plan, 1);
        let outcome = judge(&plan, &predicted, Vec::new());
        let name = path.display();
        for finding in &outcome.findings {
            let figures = (finding.measured, finding.target);
            if let (Some(Value::Time(measured)), Some(Value::Time(target))) = figures {
                let margin = (measured - target).max(target - measured);
                assert!(margin >= room, "{name}: {} {margin}", finding.objective);
            }
            for gap in gaps(&outcome, &finding.subject) {
                let doubt = (gap - scenario.stable_for).max(scenario.stable_for - gap);
                assert!(doubt >= room, "{name}: {} {gap} apart", finding.subject);
            }
        }
    }
}

/// Between the outages of a population's journey.
fn gaps(outcome: &Outcome, subject: &str) -> Vec<Nanos> {
    let mut gaps = Vec::new();
    for population in &outcome.populations {
        for journey in &population.journeys {
            if subject == format!("{} / {}", population.id, journey.id) {
                let pairs = journey.outages.windows(2);
                let apart = pairs.map(|pair| pair[1].from_offset - pair[0].to_offset);
                gaps.extend(apart.filter(|gap| *gap > Nanos::ZERO));
            }
        }
    }
    gaps
}
