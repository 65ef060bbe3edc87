//! Contracts: a file of their own, or the `contract:` of a topology.

mod levels;
mod refer;

use levels::levels;
use refer::Refer;

use super::cx::{Cx, Fields};
use super::doc::Doc;
use super::place::Span;
use super::topology::Build;
use super::{Kind, LoadOptions, Problem, Problems, Source, check_kind, finish, merge, sets, stem};
use crate::calendar::{self, Calendar, Holidays};
use crate::contract::{Cap, Charges, Contract, Money, Month};
use assize_fault::Nanos;
use jiff::civil::Date;
use std::path::Path;

/// Measurement periods, in months.
const PERIODS: [(&str, u8); 2] = [("month", 1), ("quarter", 3)];

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
    let r = Refer {
        cx,
        calendar: &calendar,
        levels: &levels,
    };
    let mut contract = Contract {
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
        period: f.choice("measurement_period", &PERIODS).unwrap_or(1),
        charges: f
            .raw("charges")
            .and_then(|d| charges(cx, d))
            .unwrap_or_default(),
        point: f.share("point"),
        exclusions: r.exclusions(&f),
        maintenance_notice: f.duration_or("maintenance_notice", Nanos::ZERO),
        reports: r.reports(&f),
        earlier: Vec::new(),
        cap: f.raw("cap").and_then(|d| cap(cx, d)).unwrap_or_default(),
        critical: f
            .raw("critical")
            .and_then(|d| r.critical(d))
            .unwrap_or_default(),
        calendar: calendar.clone(),
        levels: levels.clone(),
    };
    // Which periods there are, the contract says.
    contract.earlier = r.earlier(&f, &contract);
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

fn cap(cx: &Cx, doc: &Doc) -> Option<Cap> {
    let f = Fields::open(cx, doc, "cap")?;
    let cap = Cap {
        first_year: f.share("first_year"),
        rolling: f.share("rolling"),
    };
    f.finish();
    Some(cap)
}
