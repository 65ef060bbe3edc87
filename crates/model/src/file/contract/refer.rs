//! The parts of a contract that refer to its calendar, its levels and its periods.

use super::super::cx::{Cx, Fields};
use super::super::doc::Doc;
use super::super::place::Span;
use crate::calendar::Calendar;
use crate::contract::{
    Contract, Critical, CriticalHours, Earlier, Exclusion, ExclusionKind, Level, Month, Period,
};
use assize_fault::Nanos;
use jiff::Timestamp;

/// What parts of a contract need that refer to its calendar and its levels.
pub(super) struct Refer<'a> {
    pub(super) cx: &'a Cx,
    pub(super) calendar: &'a Calendar,
    pub(super) levels: &'a [Level],
}

impl Refer<'_> {
    fn instant(&self, f: &Fields<'_>, key: &'static str) -> Option<Timestamp> {
        let doc = f.raw(key)?;
        self.cx
            .parsed(doc, key, "an instant", |text| self.calendar.timestamp(text))
    }

    /// The index of a level by its name.
    fn level(&self, doc: &Doc, key: &str) -> Option<usize> {
        let name = self.cx.text(doc, key)?;
        let found = self.levels.iter().position(|level| level.id == name);
        if found.is_none() {
            let known: Vec<&str> = self.levels.iter().map(|l| l.id.as_str()).collect();
            let help = self.cx.suggest(&name, known);
            self.cx
                .error(doc.at, format!("no service level is named `{name}`"), help);
        }
        found
    }

    pub(super) fn exclusions(&self, f: &Fields<'_>) -> Vec<Exclusion> {
        let list = f.list("exclusions").into_iter().enumerate();
        list.filter_map(|(index, doc)| self.exclusion(index, doc))
            .collect()
    }

    fn exclusion(&self, index: usize, doc: &Doc) -> Option<Exclusion> {
        let f = Fields::open(self.cx, doc, "exclusion")?;
        let kinds = [
            ("permitted-maintenance", ExclusionKind::Maintenance),
            ("relief", ExclusionKind::Relief),
        ];
        let kind = f.choice("kind", &kinds);
        if !f.has_key("kind") {
            let help = "write `kind: permitted-maintenance` or `kind: relief`";
            self.cx.error(f.at, "`kind` is missing", help);
        }
        let (from, to) = (self.instant(&f, "from"), self.instant(&f, "to"));
        let faults: Vec<String> = f.texts("faults").into_iter().map(|(t, _)| t).collect();
        let whole = f.has_key("from") && f.has_key("to");
        let none = !f.has_key("from") && !f.has_key("to");
        let enough = whole || (none && kind == Some(ExclusionKind::Relief) && !faults.is_empty());
        if !enough {
            let help = "write `from` and `to`; relief may name `faults` instead";
            self.cx.error(f.at, "an exclusion has a window", help);
        }
        if let (Some(from), Some(to)) = (from, to)
            && to <= from
        {
            self.cx
                .error(f.key("to"), "the window ends before it begins", "");
        }
        for doc in f.list("levels") {
            self.level(doc, "levels");
        }
        let exclusion = Exclusion {
            id: f
                .text("id")
                .unwrap_or_else(|| format!("exclusion-{}", index + 1)),
            kind: kind.unwrap_or(ExclusionKind::Relief),
            window: from.zip(to),
            faults,
            levels: f.texts("levels").into_iter().map(|(t, _)| t).collect(),
            approved_by: f.text("approved_by"),
            notified: self.instant(&f, "notified"),
        };
        f.finish();
        Some(exclusion)
    }

    pub(super) fn reports(&self, f: &Fields<'_>) -> Vec<(String, Timestamp)> {
        let entries = f.entries("reports").into_iter();
        let one = |(id, _, doc): (&str, Span, &Doc)| {
            let parse = |text: &str| self.calendar.timestamp(text);
            Some((
                id.to_string(),
                self.cx.parsed(doc, id, "an instant", parse)?,
            ))
        };
        entries.filter_map(one).collect()
    }

    pub(super) fn earlier(&self, f: &Fields<'_>, contract: &Contract) -> Vec<Earlier> {
        let mut all: Vec<Earlier> = Vec::new();
        for doc in f.list("earlier") {
            let Some(f) = Fields::open(self.cx, doc, "earlier period") else {
                continue;
            };
            let period = f.raw("month").and_then(|doc| self.period(doc, contract));
            let level = match f.raw("level") {
                Some(doc) => self.level(doc, "level"),
                None if self.levels.len() == 1 => Some(0),
                None => {
                    self.cx
                        .error(f.at, "`level` is missing", "name one of the levels");
                    None
                }
            };
            let achieved = f.share("achieved");
            for key in ["month", "achieved"] {
                if !f.has_key(key) {
                    self.cx.error(f.at, format!("`{key}` is missing"), "");
                }
            }
            f.finish();
            let (Some(period), Some(level), Some(achieved)) = (period, level, achieved) else {
                continue;
            };
            if all.iter().any(|e| e.period == period && e.level == level) {
                let what = format!("{period} is stated twice for this level");
                self.cx.error(doc.at, what, "");
            }
            all.push(Earlier {
                period,
                level,
                achieved,
            });
        }
        all
    }

    /// A period by its first month.
    fn period(&self, doc: &Doc, contract: &Contract) -> Option<Period> {
        let month = self.cx.parsed(doc, "month", "a month", Month::parse)?;
        let period = contract.period_of(month);
        if period.from != month {
            let help = format!(
                "a quarter is named by its first month, here `{}`",
                period.from
            );
            let what = format!("`{month}` lies within {}", period.name());
            self.cx.error(doc.at, what, help);
        }
        Some(period)
    }

    pub(super) fn critical(&self, doc: &Doc) -> Option<Critical> {
        let f = Fields::open(self.cx, doc, "critical failure")?;
        let whole = |f: &Fields<'_>, key: &'static str, most: u64| {
            if !f.has(key) {
                self.cx.error(f.at, format!("`{key}` is missing"), "");
            }
            f.whole(key, 1, most).unwrap_or(1)
        };
        let points = f.list("points").into_iter().filter_map(|doc| {
            let f = Fields::open(self.cx, doc, "critical points")?;
            let pair = (
                whole(&f, "at_least", 1_000_000),
                whole(&f, "months", 36) as u8,
            );
            f.finish();
            Some(pair)
        });
        let hours = f.list("hours").into_iter().filter_map(|doc| {
            let f = Fields::open(self.cx, doc, "critical hours")?;
            if !f.has("more_than") {
                self.cx
                    .error(f.at, "`more_than` is missing", "such as `more_than: 24h`");
            }
            let one = CriticalHours {
                level: f.raw("level").and_then(|doc| self.level(doc, "level")),
                more_than: f.duration_or("more_than", Nanos::ZERO),
                months: whole(&f, "months", 36) as u8,
            };
            f.finish();
            Some(one)
        });
        let critical = Critical {
            points: points.collect(),
            hours: hours.collect(),
            at_cap: f.flag("at_cap").unwrap_or(false),
            replaces_credits: f.flag("replaces_credits").unwrap_or(false),
            effect: f.text("effect"),
        };
        f.finish();
        Some(critical)
    }
}
