//! Tests as text: what happens to a machine, and what it decides, one line each.

use assize_fault::Nanos;

/// Drives `machine` by next-event jumps through `input` lines (`5ms WORD`) and compares what it
/// announces (`7ms WORD`) with `expect`. It is woken for 100 seconds after the last input.
pub(crate) fn check<M>(
    mut machine: M,
    input: &str,
    expect: &str,
    mut feed: impl FnMut(&mut M, Nanos, &str),
    next_wake: impl Fn(&M) -> Option<Nanos>,
    mut wake: impl FnMut(&mut M, Nanos, &mut Vec<String>),
) {
    let mut log: Vec<String> = Vec::new();
    let mut run_to = |machine: &mut M, limit: Nanos| {
        let mut budget = 10_000;
        while let Some(at) = next_wake(machine).filter(|at| *at < limit) {
            let mut out = Vec::new();
            wake(machine, at, &mut out);
            log.extend(
                out.into_iter()
                    .map(|word| format!("{}ms {word}", at.0 / 1_000_000)),
            );
            budget -= 1;
            assert!(
                budget > 0,
                "the machine asks to be woken without end at {at}"
            );
        }
    };
    let mut last = Nanos::ZERO;
    for line in input.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (at, word) = line.split_once(' ').expect("a line is `5ms WORD`");
        last = Nanos::parse(at).expect("a time");
        run_to(&mut machine, last);
        feed(&mut machine, last, word);
    }
    run_to(&mut machine, last + Nanos::secs(100));
    let expect: Vec<&str> = expect
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    assert_eq!(log, expect, "after\n{input}");
}
