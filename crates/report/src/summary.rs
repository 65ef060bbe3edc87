//! The last line of a run: in words, why it exits as it does.

use crate::suite::{Run, Suite, SuiteVerdict, Tally};
use crate::{tell, words};
use assize_model::finding::Status;

/// One sentence, without a full stop, that says what decided.
#[must_use]
pub fn last_line(suite: &Suite) -> String {
    if let Some(forced) = &suite.forced {
        return forced.why.clone();
    }
    match suite.verdict() {
        SuiteVerdict::CouldNotRun => could_not_run(suite),
        SuiteVerdict::Fail => fail(suite),
        SuiteVerdict::Inconclusive => inconclusive(suite),
        SuiteVerdict::Pass => pass(suite),
    }
}

/// The topology, or topologies, in the order of the runs.
fn topologies(suite: &Suite) -> String {
    let mut names: Vec<&str> = Vec::new();
    for run in &suite.runs {
        if !names.contains(&run.topology()) {
            names.push(run.topology());
        }
    }
    words::list(&names)
}

fn one_topology(suite: &Suite) -> bool {
    suite
        .runs
        .windows(2)
        .all(|pair| pair[0].topology() == pair[1].topology())
}

/// ` in SCENARIO`, unless the topology has the same name because it stands in the scenario.
fn place(run: &Run) -> String {
    if run.scenario() == run.topology() {
        String::new()
    } else {
        format!(" in {}", run.scenario())
    }
}

/// A sentence as the rest of another.
fn within(sentence: &str) -> String {
    let mut chars = sentence.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            format!("{}{}", first.to_lowercase(), &sentence[first.len_utf8()..])
        }
        _ => sentence.to_owned(),
    }
}

fn could_not_run(suite: &Suite) -> String {
    let failed: Vec<(&str, &str)> = suite
        .runs
        .iter()
        .filter_map(|run| match run {
            Run::NotRun {
                scenario, reason, ..
            } => Some((scenario.as_str(), reason.as_str())),
            Run::Judged(_) => None,
        })
        .collect();
    match failed.as_slice() {
        [(scenario, reason)] => format!("{scenario} could not be run: {reason}"),
        _ => format!(
            "{} of {} scenarios could not be run",
            failed.len(),
            suite.runs.len()
        ),
    }
}

fn fail(suite: &Suite) -> String {
    let missed = suite.tally().missed;
    let targets = words::number(missed, "target", "targets");
    let verb = if one_topology(suite) {
        "misses"
    } else {
        "miss"
    };
    if let Some(remarks) = remarks(suite) {
        return remarks;
    }
    let who = topologies(suite);
    match suite.runs.as_slice() {
        [run] => format!("{who} {verb} {targets}{}", place(run)),
        runs => {
            let failing = runs
                .iter()
                .filter(|r| r.verdict() == SuiteVerdict::Fail)
                .count();
            let all = words::number(runs.len(), "scenario", "scenarios");
            format!("{who} {verb} {targets} in {failing} of {all}")
        }
    }
}

/// What each topology that misses targets says about it, if all of them do.
fn remarks(suite: &Suite) -> Option<String> {
    let mut missed: Vec<(&str, usize)> = Vec::new();
    for run in &suite.runs {
        let Run::Judged(outcome) = run else { continue };
        let here = Tally::of(outcome).missed;
        match missed.iter_mut().find(|m| m.0 == run.topology()) {
            Some(m) => m.1 += here,
            None => missed.push((run.topology(), here)),
        }
    }
    let sentences = missed.into_iter().filter(|m| m.1 > 0).map(|(who, n)| {
        let targets = words::number(n, "target", "targets");
        let remark = suite.on_miss.get(who)?;
        Some(format!("{who} misses {targets}, {remark}"))
    });
    Some(sentences.collect::<Option<Vec<_>>>()?.join("; "))
}

fn inconclusive(suite: &Suite) -> String {
    let open = suite.tally().open;
    let undecided = suite.runs.iter().find_map(|run| match run {
        Run::Judged(outcome) => outcome
            .findings
            .iter()
            .find(|finding| matches!(finding.status, Status::Inconclusive | Status::NotExercised)),
        Run::NotRun { .. } => None,
    });
    let what = words::number(open, "target", "targets");
    let why = match undecided {
        Some(finding) if open == 1 => {
            format!(": {}: {}", finding.objective, within(&finding.reason))
        }
        Some(finding) => format!(
            "; the first is {}: {}",
            finding.objective,
            within(&finding.reason)
        ),
        None => String::new(),
    };
    let why = why.trim_end_matches('.');
    format!(
        "{} misses none, but {what} could not be decided{why}",
        topologies(suite)
    )
}

fn pass(suite: &Suite) -> String {
    let tally = suite.tally();
    let verb = if one_topology(suite) { "meets" } else { "meet" };
    let who = topologies(suite);
    let place = match suite.runs.as_slice() {
        [run] => place(run),
        runs => format!(
            " in all {}",
            words::number(runs.len(), "scenario", "scenarios")
        ),
    };
    let place = format!("{place}{}", tell::on_stand_ins(tell::outcomes(suite)));
    if tally.total() == 1 && tally.met == 1 {
        return format!("{who} {verb} its one target{place}");
    }
    if tally.total() == 0 {
        return format!("no targets were set{place}, so nothing was missed");
    }
    let met = words::number(tally.met, "target", "targets");
    match tally.accepted {
        0 => format!("{who} {verb} all {met}{place}"),
        n => {
            let misses = words::number(n, "miss is", "misses are");
            format!("{who} {verb} {met}{place}; {misses} accepted, with reasons above")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use assize_model::finding::VerdictKind;

    fn suite(runs: Vec<Run>, on_miss: Option<&str>) -> Suite {
        Suite {
            runs,
            on_miss: on_miss
                .map(|r| ("net".into(), r.into()))
                .into_iter()
                .collect(),
            ..Suite::default()
        }
    }

    #[test]
    fn says_why_in_words() {
        let missed = || sample::run("loss", VerdictKind::Fail, Status::Missed);
        let met = || sample::run("blip", VerdictKind::Pass, Status::Met);
        let open = || sample::run("quiet", VerdictKind::Inconclusive, Status::Inconclusive);
        let broken = || Run::NotRun {
            topology: "net".into(),
            scenario: "odd".into(),
            reason: "no port".into(),
        };
        for (suite, text) in [
            (suite(vec![missed()], None), "net misses 1 target in loss"),
            (
                suite(vec![missed(), met()], None),
                "net misses 1 target in 1 of 2 scenarios",
            ),
            (
                suite(vec![missed(), missed()], Some("as it did in January 2019")),
                "net misses 2 targets, as it did in January 2019",
            ),
            (
                suite(vec![met(), met()], Some("as ever")),
                "net meets all 2 targets in all 2 scenarios",
            ),
            (
                suite(vec![open(), met()], None),
                "net misses none, but 1 target could not be decided: write-rto: because",
            ),
            (
                suite(vec![missed(), broken()], None),
                "odd could not be run: no port",
            ),
            (
                suite(vec![], None),
                "no targets were set in all 0 scenarios, so nothing was missed",
            ),
        ] {
            assert_eq!(last_line(&suite), text);
        }
    }

    #[test]
    fn each_topology_that_misses_says_so_itself() {
        let missed = |topology: &str| {
            let mut run = sample::run("loss", VerdictKind::Fail, Status::Missed);
            if let Run::Judged(outcome) = &mut run {
                outcome.topology = topology.into();
            }
            run
        };
        let mut two = suite(
            vec![missed("net"), missed("new"), missed("net")],
            Some("as ever"),
        );
        assert_eq!(
            last_line(&two),
            "net and new miss 3 targets in 3 of 3 scenarios"
        );
        two.on_miss.insert("new".into(), "for once".into());
        assert_eq!(
            last_line(&two),
            "net misses 2 targets, as ever; new misses 1 target, for once"
        );
    }

    #[test]
    fn an_accepted_miss_passes_and_is_said() {
        let run = sample::accepted("loss");
        assert_eq!(
            last_line(&suite(vec![run], Some("as ever"))),
            "net meets 0 targets in loss; 1 miss is accepted, with reasons above"
        );
    }
}
