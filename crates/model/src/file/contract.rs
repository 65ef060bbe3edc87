//! Contracts: a file of their own, or the `contract:` of a topology.

use super::cx::{Cx, Fields};
use super::doc::Doc;
use super::place::Span;
use super::topology::Build;
use super::{Kind, LoadOptions, Problem, Problems, Source, check_kind, finish, merge, sets, stem};
use crate::calendar::{self, Calendar, Holidays, Hours};
use crate::contract::{
    Band, Cap, Charges, Clock, Contract, Critical, CriticalHours, Earlier, Exclusion,
    ExclusionKind, Level, Money, Month, Remedy, Weighting,
};
use assize_fault::{Nanos, Ppb};
use jiff::Timestamp;
use jiff::civil::Date;
use std::path::Path;

/// The smallest step to which a figure is rounded: a thousandth of a percent.
const LEAST_STEP: u64 = 10_000;

/// Reads a contract, or that of a topology or of a scenario's topology.
///
/// # Errors
/// Everything that is wrong with it, warnings included.
pub fn load_contract(
    source: &dyn Source,
    path: &Path,
    options: &LoadOptions,
) -> Result<(Contract, Vec<Problem>), Problems> {
    let bytes = source.read(path).unwrap_or_default();
    let within = match super::kind_of(&bytes) {
        Some(Kind::Topology) => Some(super::load_topology(source, path, options)?),
        Some(Kind::Scenario) => {
            let (topology, _, warnings) = super::load_scenario(source, path, options)?;
            Some((topology, warnings))
        }
        _ => None,
    };
    if let Some((topology, warnings)) = within {
        let name = path.display().to_string();
        let help = "give a file `assize: contract/v1`, or write `contract:` into the topology";
        let none = || Problems::of_file(&name, "it states no `contract`", help);
        return Ok((topology.contract.ok_or_else(none)?, warnings));
    }
    let cx = Cx::default();
    let mut doc = merge::load(&cx, source, path)?;
    if !check_kind(&cx, &doc, Kind::Contract) {
        return Err(cx.outcome().err().unwrap_or_default());
    }
    for set in &options.sets {
        sets::apply_anywhere(&cx, set, &mut doc);
    }
    let calendar = Calendar {
        zone: jiff::tz::TimeZone::UTC,
        holidays: Holidays::None,
    };
    let contract = read(&cx, &doc, &calendar, &stem(path));
    finish(&cx, contract)
}

impl Build<'_> {
    /// `contract: {supplier: atos, levels: {…}}`: its names are those of the topology.
    pub(crate) fn contract(&mut self, f: &Fields<'_>) {
        let Some(doc) = f.raw("contract") else { return };
        let Some(contract) = read(self.cx, doc, &self.t.calendar, &self.t.name) else {
            return;
        };
        let n = &self.names;
        let find = |names: &super::cx::Names, list: &[String], at: Span| {
            for name in list {
                names.find(self.cx, name, at);
            }
        };
        let place = |key: &str| doc.get(key).map_or(doc.at, |d| d.at);
        find(&n.domains, &contract.supplier, place("supplier"));
        for level in &contract.levels {
            let at = doc.get("levels").and_then(|d| d.get(&level.id));
            let at = at.map_or(doc.at, |d| d.at);
            find(&n.populations, &level.populations, at);
            find(&n.journeys, &level.journeys, at);
        }
        self.t.contract = Some(contract);
    }
}

fn read(cx: &Cx, doc: &Doc, around: &Calendar, name: &str) -> Option<Contract> {
    let f = Fields::open(cx, doc, "contract")?;
    f.ignore(&["assize", "include"]);
    let zone = f
        .raw("time_zone")
        .and_then(|d| cx.parsed(d, "time_zone", "a time zone", calendar::zone));
    let words = [
        ("england-and-wales", Holidays::EnglandAndWales),
        ("none", Holidays::None),
    ];
    let calendar = Calendar {
        zone: zone.unwrap_or_else(|| around.zone.clone()),
        holidays: f.choice("holidays", &words).unwrap_or(around.holidays),
    };
    let supplier: Vec<String> = f.texts("supplier").into_iter().map(|(t, _)| t).collect();
    if supplier.is_empty() {
        let help = "name the owner domain, or domains, that the supplier answers for";
        cx.error(f.at, "`supplier` is missing", help);
    }
    let levels = levels(&f);
    let r = Reader {
        cx,
        calendar: &calendar,
        levels: &levels,
    };
    let contract = Contract {
        name: f.text("name").unwrap_or_else(|| name.to_string()),
        template: f.flag("template").unwrap_or(false),
        about: f.text("about"),
        customer: f.text("customer"),
        supplier,
        from: f.raw("from").and_then(|d| {
            cx.parsed(d, "from", "a date", |text| {
                text.parse::<Date>()
                    .map_err(|_| "write `2018-10-01`".to_string())
            })
        }),
        currency: f.text("currency").unwrap_or_else(|| "GBP".into()),
        charges: f
            .raw("charges")
            .and_then(|d| charges(cx, d))
            .unwrap_or_default(),
        point: f.share("point"),
        exclusions: r.exclusions(&f),
        maintenance_notice: f.duration_or("maintenance_notice", Nanos::ZERO),
        reports: r.reports(&f),
        earlier: r.earlier(&f),
        cap: f.raw("cap").and_then(|d| cap(cx, d)).unwrap_or_default(),
        critical: f
            .raw("critical")
            .and_then(|d| r.critical(d))
            .unwrap_or_default(),
        calendar: calendar.clone(),
        levels: levels.clone(),
    };
    f.finish();
    Some(contract)
}

fn charges(cx: &Cx, doc: &Doc) -> Option<Charges> {
    let f = Fields::open(cx, doc, "charges")?;
    let money = |key: &'static str| {
        let doc = f.raw(key)?;
        cx.parsed(doc, key, "an amount", Money::parse)
    };
    let months = f
        .entries("months")
        .into_iter()
        .filter_map(|(key, at, doc)| {
            let month = Month::parse(key);
            let money = cx.parsed(doc, key, "an amount", Money::parse);
            match month {
                Ok(month) => Some((month, money?)),
                Err(help) => {
                    cx.error(at, format!("`{key}` is not a month"), help);
                    None
                }
            }
        });
    let charges = Charges {
        months: months.collect(),
        per_month: money("per_month"),
        first_year: money("first_year"),
    };
    f.finish();
    Some(charges)
}

fn levels(f: &Fields<'_>) -> Vec<Level> {
    let entries = f.entries("levels");
    if entries.is_empty() {
        let help = "write `levels: {NAME: {target: 99%, bands: […]}}`";
        f.cx.error(f.key("levels"), "a contract has at least one level", help);
    }
    let levels = entries.into_iter().filter_map(|(id, at, doc)| {
        super::cx::check_name(f.cx, "service level", id, at);
        level(f.cx, id, doc)
    });
    levels.collect()
}

fn level(cx: &Cx, id: &str, doc: &Doc) -> Option<Level> {
    let f = Fields::open(cx, doc, "service level")?;
    let names = |key| f.texts(key).into_iter().map(|(text, _)| text).collect();
    if !f.has("target") {
        cx.error(f.at, "`target` is missing", "such as `target: 99%`");
    }
    let hours_text = f.text("hours").unwrap_or_else(|| "always".into());
    let hours = f.raw("hours").filter(|_| hours_text != "always");
    let hours = hours.and_then(|d| cx.parsed(d, "hours", "hours", Hours::parse));
    let round = f.share("round");
    if let (Some(step), Some(d)) = (round, f.raw("round")) {
        let divides = step.0 >= LEAST_STEP && Ppb::ONE.0.is_multiple_of(step.0);
        if !divides {
            let help = "a step is from 0.001% up and divides 100%, such as `0.1%`";
            cx.error(d.at, format!("`round: {step}` is no step"), help);
        }
    }
    let weightings = [
        ("user-minutes", Weighting::UserMinutes),
        ("site-minutes", Weighting::SiteMinutes),
        ("service-minutes", Weighting::ServiceMinutes),
    ];
    let target = f.share("target").unwrap_or(Ppb::ONE);
    let level = Level {
        id: id.to_string(),
        title: f.text("title").unwrap_or_else(|| id.to_string()),
        clause: f.text("clause"),
        populations: names("population"),
        journeys: names("journey"),
        target,
        hours,
        hours_text,
        weighting: f
            .choice("weighting", &weightings)
            .unwrap_or(Weighting::UserMinutes),
        up_at: f.share("level").unwrap_or(Ppb::ONE),
        clock: clock(&f).unwrap_or(Clock::Fault),
        degraded_counts: degraded(&f).unwrap_or(Ppb::ZERO),
        round: round.filter(|step| step.0 >= LEAST_STEP),
        remedy: remedy(&f, target),
        repeat: f.whole("repeat", 1, 100).unwrap_or(1) as u32,
    };
    f.finish();
    Some(level)
}

const CLOCKS: [(&str, Clock); 3] = [
    ("fault", Clock::Fault),
    ("detected", Clock::Detected),
    ("reported", Clock::Reported),
];

fn clock(f: &Fields<'_>) -> Option<Clock> {
    let doc = f.raw("clock")?;
    if doc.scalar().is_some() {
        return f.choice("clock", &CLOCKS);
    }
    let f = Fields::open(f.cx, doc, "clock")?;
    let clock = f.choice("starts", &CLOCKS);
    f.finish();
    clock
}

/// A share, or all or nothing of it.
fn degraded(f: &Fields<'_>) -> Option<Ppb> {
    match f.raw("degraded_counts")?.scalar() {
        Some("true") => Some(Ppb::ONE),
        Some("false") => Some(Ppb::ZERO),
        _ => f.share("degraded_counts"),
    }
}

fn remedy(f: &Fields<'_>, target: Ppb) -> Remedy {
    let cx = f.cx;
    let place = f.key("bands");
    let docs = f.list("bands");
    let bands: Vec<(Band, bool, bool)> = docs.iter().filter_map(|doc| band(cx, doc)).collect();
    let shortfall = f.choice("credit", &[("shortfall", ())]).is_some();
    if shortfall != docs.is_empty() {
        let help = "write `bands: [{at_least: 0%, points: 4}]`, or `credit: shortfall`";
        cx.error(place, "a level has either `bands` or `credit`", help);
    }
    if shortfall {
        return Remedy::Shortfall;
    }
    let points = bands.iter().any(|(_, points, _)| *points);
    let credit = bands.iter().any(|(_, _, credit)| *credit);
    if points && credit {
        cx.error(
            place,
            "bands have points or credits, not both",
            "write two levels",
        );
    }
    let mut bands: Vec<Band> = bands.into_iter().map(|(band, ..)| band).collect();
    bands.sort_by_key(|band| std::cmp::Reverse(band.at_least));
    if bands
        .windows(2)
        .any(|pair| pair[0].at_least == pair[1].at_least)
    {
        cx.error(place, "two bands begin at the same share", "");
    }
    if let Some(first) = bands.first().filter(|band| band.at_least >= target) {
        let (from, name) = (first.at_least, &first.name);
        let help = "at the target and above nothing follows";
        cx.error(
            place,
            format!("the band {name} begins at {from}, and the target is {target}"),
            help,
        );
    }
    if bands.last().is_some_and(|band| band.at_least > Ppb::ZERO) {
        let help = "give the lowest band `at_least: 0%`";
        cx.error(
            place,
            "nothing is said of figures below the lowest band",
            help,
        );
    }
    if credit {
        Remedy::Credit(bands)
    } else {
        Remedy::Points(bands)
    }
}

/// A band, and whether it has points and a credit.
fn band(cx: &Cx, doc: &Doc) -> Option<(Band, bool, bool)> {
    let f = Fields::open(cx, doc, "band")?;
    if !f.has("at_least") {
        cx.error(f.at, "`at_least` is missing", "such as `at_least: 98%`");
    }
    let (points, credit) = (f.whole("points", 0, 10_000), f.share("credit"));
    let stated = (f.has_key("points"), f.has_key("credit"));
    if stated.0 == stated.1 {
        cx.error(f.at, "a band has either `points` or a `credit`", "");
    }
    let band = Band {
        at_least: f.share("at_least").unwrap_or_default(),
        name: f.text("name").unwrap_or_default(),
        points: points.unwrap_or(0) as u32,
        credit: credit.unwrap_or_default(),
        then: f.text("then"),
    };
    f.finish();
    Some((band, stated.0, stated.1))
}

fn cap(cx: &Cx, doc: &Doc) -> Option<Cap> {
    let f = Fields::open(cx, doc, "cap")?;
    let cap = Cap {
        first_year: f.share("first_year"),
        rolling: f.share("rolling"),
    };
    f.finish();
    Some(cap)
}

/// What parts of a contract need that refer to its calendar and its levels.
struct Reader<'a> {
    cx: &'a Cx,
    calendar: &'a Calendar,
    levels: &'a [Level],
}

impl Reader<'_> {
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

    fn exclusions(&self, f: &Fields<'_>) -> Vec<Exclusion> {
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

    fn reports(&self, f: &Fields<'_>) -> Vec<(String, Timestamp)> {
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

    fn earlier(&self, f: &Fields<'_>) -> Vec<Earlier> {
        let mut all: Vec<Earlier> = Vec::new();
        for doc in f.list("earlier") {
            let Some(f) = Fields::open(self.cx, doc, "earlier period") else {
                continue;
            };
            let month = f.raw("month");
            let month = month.and_then(|d| self.cx.parsed(d, "month", "a month", Month::parse));
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
            let (Some(month), Some(level), Some(achieved)) = (month, level, achieved) else {
                continue;
            };
            if all.iter().any(|e| e.month == month && e.level == level) {
                let what = format!("{month} is stated twice for this level");
                self.cx.error(doc.at, what, "");
            }
            all.push(Earlier {
                month,
                level,
                achieved,
            });
        }
        all
    }

    fn critical(&self, doc: &Doc) -> Option<Critical> {
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
