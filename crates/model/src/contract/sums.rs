//! The lost time of a level in a period: whose it is, what of it counts, and the sums in words.

use super::clauses::{percent, percent_of};
use super::count::{Count, Goes, NOBODY, WAYS};
use super::credits::{OwnerPart, Shares};
use super::level::{Fraction, Window, rounded, shown};
use super::{Contract, Level, Weighting};
use crate::calendar::Spans;
use crate::judge::exact::ratio;
use assize_fault::Nanos;
use std::collections::BTreeMap;

/// Lost time of a period, in units times nanoseconds.
pub(super) struct Sums {
    lost: u128,
    goes: [u128; WAYS],
    /// Of which nobody is named as the owner.
    pub(super) unowned: u128,
    pub(super) shares: Shares,
    maintenance: Nanos,
}

impl Sums {
    pub(super) fn of(contract: &Contract, count: &Count, window: &Window<'_>) -> Self {
        let hours = length(window.hours);
        let maintenance = length(&intersect(window.hours, &count.maintenance));
        let mut lost = 0;
        let mut goes = [0; WAYS];
        let mut owners: BTreeMap<String, u128> = BTreeMap::new();
        let inside = |at: Nanos| super::count::within(window.hours, at);
        for piece in count.pieces.iter().filter(|p| inside(p.from)) {
            let length = (piece.to - piece.from).0 as u128;
            lost += piece.lost * length;
            for (sum, part) in goes.iter_mut().zip(piece.goes) {
                *sum += part * length;
            }
            for (owner, part) in &piece.owners {
                *owners.entry(owner.clone()).or_default() += part * length;
            }
        }
        let observed = [(Nanos::ZERO, window.end)].to_vec();
        let time = |sum: u128| Nanos(i64::try_from(sum / count.whole.max(1)).unwrap_or(0));
        let all = time(lost);
        let each = count.whole.max(1);
        let own: Vec<u128> = owners.values().copied().collect();
        let (times, own) = (times(all, &goes, each), times(all, &own, each));
        let unowned = owners.get(NOBODY).copied().unwrap_or(0);
        let owners = owners.into_keys().zip(own);
        let whole = count.whole * hours.0 as u128;
        let shares = Shares {
            hours,
            observed: length(&intersect(window.hours, &observed)),
            maintenance_hours: maintenance,
            lost: all,
            as_users_had_it: ratio(whole.saturating_sub(lost), whole),
            owners: owners
                .map(|(owner, lost)| OwnerPart {
                    supplier: contract.supplier.contains(&owner),
                    owner,
                    lost,
                })
                .collect(),
            counted: times[Goes::Counted as usize],
            maintenance: times[Goes::Maintenance as usize],
            relief: times[Goes::Relief as usize],
            before_clock: times[Goes::Early as usize],
            others: times[Goes::Others as usize],
        };
        Self {
            lost,
            goes,
            unowned,
            shares,
            maintenance,
        }
    }

    /// What counts, of the hours that count.
    pub(super) fn counted(&self, count: &Count) -> Fraction {
        let hours = self.shares.hours - self.maintenance;
        let whole = count.whole * hours.0.max(0) as u128;
        Fraction {
            part: self.goes[Goes::Counted as usize].min(whole),
            whole,
        }
    }

    /// The sums in words.
    pub(super) fn lines(
        &self,
        level: &Level,
        window: &Window<'_>,
        reached: &Fraction,
    ) -> Vec<(&'static str, String)> {
        let s = &self.shares;
        let month = window.period.name();
        let mut lines = vec![(
            "hours",
            format!("{}: {} in {month}", level.hours_text, long(s.hours)),
        )];
        if s.observed < s.hours {
            let rest = long(s.hours - s.observed);
            lines.push((
                "not observed",
                format!("{rest} of them, which count as available"),
            ));
        }
        if s.maintenance_hours > Nanos::ZERO {
            let left = long(s.hours - s.maintenance_hours);
            let text = format!(
                "{} of permitted maintenance leave {left}",
                long(s.maintenance_hours)
            );
            lines.push(("maintenance", text));
        }
        let over = match level.weighting {
            Weighting::UserMinutes => "over all users",
            Weighting::SiteMinutes => "over all sites",
            Weighting::ServiceMinutes => "with the service down",
        };
        let had = Fraction {
            part: (s.hours - s.lost).0.max(0) as u128,
            whole: s.hours.0 as u128,
        };
        let had = percent_of(had.part, had.whole, 2);
        lines.push((
            "lost",
            format!(
                "{} {over}, whoever caused it: {had} as users had it",
                long(s.lost)
            ),
        ));
        if self.lost > 0 {
            let parts = s.owners.iter().map(|part| {
                let owner = if part.owner == NOBODY {
                    "no owner named"
                } else {
                    &part.owner
                };
                format!("{owner} {}", long(part.lost))
            });
            lines.push(("by owner", parts.collect::<Vec<_>>().join(", ")));
        }
        let left_out = [
            (s.others, "for others to answer"),
            (s.maintenance, "in permitted maintenance"),
            (s.relief, "relieved"),
            (s.before_clock, "before the clock started"),
        ];
        for (time, what) in left_out.into_iter().filter(|(time, _)| *time > Nanos::ZERO) {
            lines.push(("left out", format!("{} {what}", long(time))));
        }
        let hours = s.hours - s.maintenance_hours;
        let exact = percent_of(reached.part, reached.whole, 4);
        let text = format!(
            "({} − {}) ÷ {} = {exact}",
            long(hours),
            long(s.counted),
            long(hours)
        );
        lines.push(("reached", text));
        if let Some(step) = level.round {
            let text = format!("to {}: {}", percent(step), shown(rounded(level, *reached)));
            lines.push(("rounded", text));
        }
        lines
    }
}

/// Parts of a time, each rounded down; what is left goes to the last that has any.
fn times(all: Nanos, parts: &[u128], whole: u128) -> Vec<Nanos> {
    let time = |part: &u128| Nanos(i64::try_from(part / whole).unwrap_or(0));
    let mut out: Vec<Nanos> = parts.iter().map(time).collect();
    let rest = all - out.iter().copied().sum();
    if let Some(last) = parts.iter().rposition(|part| *part > 0) {
        out[last] += rest;
    }
    out
}

/// A time in hours and below, as contracts count: `220h`, `43h 48m`.
pub(super) fn long(time: Nanos) -> String {
    let hours = time.0 / Nanos::hours(1).0;
    let rest = Nanos(time.0 % Nanos::hours(1).0);
    match (hours, rest.0) {
        (0, _) => rest.to_string(),
        (_, 0) => format!("{hours}h"),
        _ => format!("{hours}h {rest}"),
    }
}

pub(super) fn length(spans: &[(Nanos, Nanos)]) -> Nanos {
    spans.iter().map(|&(from, to)| to - from).sum()
}

/// What two ordered lists of disjoint spans have in common.
pub(super) fn intersect(a: &[(Nanos, Nanos)], b: &[(Nanos, Nanos)]) -> Spans {
    let mut out = Spans::new();
    for &(from, to) in a {
        let first = b.partition_point(|span| span.1 <= from);
        for &(open, close) in b[first..].iter().take_while(|span| span.0 < to) {
            out.push((from.max(open), to.min(close)));
        }
    }
    out
}
