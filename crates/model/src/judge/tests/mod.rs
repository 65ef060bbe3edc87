//! The judge on hand-made journals.

mod examples;
pub(crate) mod fixture;
mod kinds;
mod live;
mod outages;
mod properties;
mod statuses;

use crate::finding::Finding;
use crate::journal::{Loss, ReadBack};
use crate::objective::ObjectiveKind;
use assize_fault::Nanos;
use fixture::{APP, Bench};

fn s(seconds: i64) -> Nanos {
    Nanos::secs(seconds)
}

fn m(minutes: i64) -> Nanos {
    Nanos::mins(minutes)
}

fn h(hours: i64) -> Nanos {
    Nanos::hours(hours)
}

fn detail<'a>(finding: &'a Finding, name: &str) -> &'a str {
    let found = finding.details.iter().find(|detail| detail.name == name);
    found.map_or("absent", |detail| detail.text.as_str())
}

fn back(at: Nanos, lost: Option<(i64, i64, i64)>) -> ReadBack {
    ReadBack {
        service: APP,
        at,
        is_final: at == h(3),
        acknowledged: 10_000,
        lost: lost.map_or(0, |(oldest, newest, _)| (newest - oldest) as u64 + 1),
        duplicated: 0,
        stale: 0,
        corrupted: 0,
        indeterminate: 0,
        losses: lost.into_iter().map(loss).collect(),
        unwritten: None,
    }
}

fn loss((oldest, newest, fault): (i64, i64, i64)) -> Loss {
    Loss {
        oldest_at: s(oldest),
        newest_at: s(newest),
        until: None,
        survivor_before: Some(s(oldest - 1)),
        fault_at: Some(Nanos::millis(fault)),
        fault: Some(0),
    }
}

fn rpo(target: Nanos, backs: Vec<ReadBack>) -> Finding {
    let mut bench = Bench::new(h(3));
    bench.fault("dc", s(63), h(1));
    bench.objective(ObjectiveKind::Rpo(target));
    let mut journal = bench.journal();
    journal.read_backs = backs;
    bench.finding(&journal)
}
