//! Served share of some users over time: cell series combined, outages, and integrals.
//!
//! A [`Share`] is a step function over `[0, end)` in exact integers. What happened before the
//! scenario's start enters no figure; only whether the steady state held is kept.

use super::exact::{BILLION, compare_share};
use crate::calendar::Spans;
use crate::journal::{Series, USER};
use crate::plan::Cell;
use assize_fault::{Nanos, Ppb};
use core::cmp::Ordering;

/// A span `[from, to)` of the scenario.
pub(super) type Span = (Nanos, Nanos);

/// From `at` to the next point, in units of [`USER`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Point {
    pub(super) at: Nanos,
    pub(super) served: u128,
    pub(super) degraded: u128,
}

/// Users served of some users, as a step function.
#[derive(Clone, Debug)]
pub(super) struct Share {
    /// Users concerned.
    pub(super) users: u64,
    /// Users left out of both sides.
    pub(super) left_out: u64,
    /// The first point is at 0, neighbours differ, all lie before `end`.
    pub(super) points: Vec<Point>,
    /// Served just before 0, if recorded.
    pub(super) before: Option<u128>,
    /// The end of the scenario.
    pub(super) end: Nanos,
    /// The longest that a served attempt would have taken; `None` if none was served.
    pub(super) worst_latency: Option<Nanos>,
}

impl Share {
    /// Adds up the given series; `None` if there are no users, or if not every cell that is
    /// meant was recorded from the start (`expected` users).
    pub(super) fn combine<'a>(
        series: impl Iterator<Item = &'a Series>,
        cells: &[Cell],
        expected: u64,
        left_out: u64,
        end: Nanos,
    ) -> Option<Self> {
        let mut users: u64 = 0;
        let mut start = (0u128, 0u128);
        let mut before = Some(0u128);
        let mut changes: Vec<(Nanos, i128, i128)> = Vec::new();
        let mut worst_latency = None;
        for one in series {
            let cell = cells.get(one.cell)?;
            let first = one.steps.first().filter(|step| step.at <= Nanos::ZERO)?;
            users += cell.users;
            let past = one.steps.partition_point(|step| step.at <= Nanos::ZERO);
            let mut last = one.steps[past - 1];
            start.0 += u128::from(last.served);
            start.1 += u128::from(last.degraded);
            let earlier = one.steps.partition_point(|step| step.at < Nanos::ZERO);
            before = match (before, earlier) {
                (Some(sum), 1..) => Some(sum + u128::from(one.steps[earlier - 1].served)),
                _ => None,
            };
            let mut served = first.served > 0 || last.served > 0;
            for &step in one.steps[past..].iter().take_while(|step| step.at < end) {
                changes.push((
                    step.at,
                    i128::from(step.served) - i128::from(last.served),
                    i128::from(step.degraded) - i128::from(last.degraded),
                ));
                served |= step.served > 0;
                last = step;
            }
            if served {
                worst_latency = worst_latency.max(Some(one.worst_latency));
            }
        }
        if users == 0 || users != expected {
            return None;
        }
        changes.sort_by_key(|change| change.0);
        let points = accumulate(start, &changes);
        Some(Self {
            users,
            left_out,
            points,
            before,
            end: end.max(Nanos::ZERO),
            worst_latency,
        })
    }

    /// All users concerned, in units of [`USER`].
    pub(super) fn total(&self) -> u128 {
        u128::from(self.users) * u128::from(USER)
    }

    /// What is served at an instant of the scenario.
    pub(super) fn at(&self, at: Nanos) -> Point {
        let past = self.points.partition_point(|point| point.at <= at);
        self.points[past.saturating_sub(1)]
    }

    /// Whether so many served are fewer than the level asks for.
    pub(super) fn is_below(&self, served: u128, level: Ppb) -> bool {
        compare_share(served, self.total(), level.0) == Ordering::Less
    }

    /// Whether the steady state was recorded and already below the level.
    pub(super) fn broken_before(&self, level: Ppb) -> bool {
        self.before
            .is_some_and(|served| self.is_below(served, level))
    }

    /// Points with the instant at which each ends.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Span, Point)> + '_ {
        self.points
            .iter()
            .enumerate()
            .filter_map(|(index, &point)| {
                let to = self.points.get(index + 1).map_or(self.end, |next| next.at);
                (point.at < to).then_some(((point.at, to), point))
            })
    }

    /// Maximal intervals with the share below the level, in order, not bridged.
    pub(super) fn below(&self, level: Ppb) -> Vec<Span> {
        let mut out: Vec<Span> = Vec::new();
        for ((from, to), point) in self.pieces() {
            if !self.is_below(point.served, level) {
                continue;
            }
            match out.last_mut() {
                Some(last) if last.1 == from => last.1 = to,
                _ => out.push((from, to)),
            }
        }
        out
    }

    /// ∫ of a figure of each point over the spans, in units times nanoseconds.
    pub(super) fn integral(&self, spans: &[Span], figure: impl Fn(&Point) -> u128) -> u128 {
        let mut sum = 0;
        self.visit(spans, |length, point| {
            sum += figure(point) * length.0 as u128
        });
        sum
    }

    /// What changes of the figure of served users within the spans, up and down, in all.
    pub(super) fn variation(&self, spans: &[Span]) -> u128 {
        let changes = self.points.windows(2).filter(|pair| {
            let at = pair[1].at;
            spans.iter().any(|&(from, to)| from < at && at < to)
        });
        changes
            .map(|pair| pair[0].served.abs_diff(pair[1].served))
            .sum()
    }

    /// The most users out at any instant of the spans, in units.
    pub(super) fn peak_out(&self, spans: &[Span]) -> u128 {
        let mut peak = 0;
        self.visit(spans, |_, point| {
            peak = peak.max(self.total().saturating_sub(point.served))
        });
        peak
    }

    /// The fewest served at any instant of the spans, in units; `None` if they are empty.
    pub(super) fn least(&self, spans: &[Span]) -> Option<u128> {
        let mut least = None;
        self.visit(spans, |_, point| {
            least = Some(least.map_or(point.served, |l: u128| l.min(point.served)));
        });
        least
    }

    /// ∫ users out over the spans, in units times nanoseconds.
    pub(super) fn lost(&self, spans: &[Span]) -> u128 {
        self.integral(spans, |point| self.total().saturating_sub(point.served))
    }

    /// The whole scenario as a span.
    pub(super) fn whole(&self) -> [Span; 1] {
        [(Nanos::ZERO, self.end)]
    }

    fn visit(&self, spans: &[Span], mut each: impl FnMut(Nanos, &Point)) {
        for &(from, to) in spans {
            let (from, to) = (from.max(Nanos::ZERO), to.min(self.end));
            if from >= to {
                continue;
            }
            let mut index = self.points.partition_point(|point| point.at <= from) - 1;
            let mut at = from;
            while at < to {
                let next = self
                    .points
                    .get(index + 1)
                    .map_or(to, |point| point.at.min(to));
                each(next - at, &self.points[index]);
                at = next;
                index += 1;
            }
        }
    }
}

fn accumulate(start: (u128, u128), changes: &[(Nanos, i128, i128)]) -> Vec<Point> {
    let mut points = vec![Point {
        at: Nanos::ZERO,
        served: start.0,
        degraded: start.1,
    }];
    let (mut served, mut degraded) = (start.0 as i128, start.1 as i128);
    let mut index = 0;
    while index < changes.len() {
        let at = changes[index].0;
        while index < changes.len() && changes[index].0 == at {
            served += changes[index].1;
            degraded += changes[index].2;
            index += 1;
        }
        let point = Point {
            at,
            served: served as u128,
            degraded: degraded as u128,
        };
        let last = points[points.len() - 1];
        if (last.served, last.degraded) != (point.served, point.degraded) {
            points.push(point);
        }
    }
    points
}

/// Outages less than `stable_for` apart are one.
pub(super) fn bridge(raw: &[Span], stable_for: Nanos) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for &(from, to) in raw {
        match out.last_mut() {
            Some(last) if from - last.1 < stable_for || from <= last.1 => last.1 = to.max(last.1),
            _ => out.push((from, to)),
        }
    }
    out
}

/// Total length of disjoint spans.
pub(super) fn length(spans: &[Span]) -> Nanos {
    spans.iter().map(|&(from, to)| to - from).sum()
}

/// What two ordered lists of disjoint spans have in common.
pub(super) fn intersect(a: &[Span], b: &[Span]) -> Spans {
    let (mut i, mut j) = (0, 0);
    let mut out = Spans::new();
    while i < a.len() && j < b.len() {
        let from = a[i].0.max(b[j].0);
        let to = a[i].1.min(b[j].1);
        if from < to {
            out.push((from, to));
        }
        if a[i].1 <= b[j].1 {
            i += 1;
        } else {
            j += 1;
        }
    }
    out
}

/// The union of spans in any order.
pub(super) fn union(mut spans: Spans) -> Spans {
    spans.retain(|&(from, to)| from < to);
    spans.sort_unstable();
    bridge(&spans, Nanos::ZERO)
}

/// One as a share, for comparison with [`Ppb`].
pub(super) const ALL: Ppb = Ppb(BILLION);
