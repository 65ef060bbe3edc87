//! A merged document becomes a [`Scenario`] over a topology.

use super::cx::{Cx, Fields, Names};
use super::doc::{Doc, Value};
use super::objectives::{Scope, instant};
use super::place::Span;
use crate::objective::Objective;
use crate::scenario::{FaultEntry, Response, Scenario, StepEntry};
use crate::topology::Topology;
use assize_fault::Nanos;

/// Outages less than this apart are one, unless the file says otherwise.
pub(crate) const STABLE_FOR: Nanos = Nanos::secs(60);
/// The same where some service is a real one: its outages are seconds, not minutes.
const STABLE_FOR_REAL: Nanos = Nanos::secs(5);
/// Steady state of a scenario with real systems that states none.
const STEADY_REAL: Nanos = Nanos::secs(10);
/// How long a scenario goes on after its last fault or step, unless the file says otherwise.
const SETTLE: Nanos = Nanos::mins(10);
/// How many turns the flaps of a scenario may make together.
const MAX_TURNS: i64 = 20_000;

/// How many backups the schedules of a scenario may take together.
const MAX_BACKUPS: i64 = 200_000;

/// A scenario that is being read.
pub(crate) struct Reader<'a> {
    pub cx: &'a Cx,
    pub t: &'a Topology,
    pub start: jiff::Timestamp,
    pub tables: Tables,
    pub faults: Vec<FaultEntry>,
    /// Where each fault stands, and whether it has `for` or `until`.
    pub places: Vec<(Span, bool)>,
    pub steps: Vec<StepEntry>,
    pub ids: Names,
    pub targets: usize,
}

/// The names of a finished topology.
pub(crate) struct Tables {
    pub nodes: Names,
    pub groups: Names,
    pub services: Names,
    pub populations: Names,
    pub journeys: Names,
}

impl Tables {
    pub(crate) fn new(t: &Topology) -> Self {
        fn table<'a>(what: &'static str, names: impl Iterator<Item = &'a String>) -> Names {
            let mut table = Names::new(what);
            names.for_each(|name| {
                table.add(name, Span::default());
            });
            table
        }
        Self {
            nodes: table("node", t.nodes.iter().map(|x| &x.id)),
            groups: table("group", t.groups.iter().map(|x| &x.id)),
            services: table("service", t.services.iter().map(|x| &x.id)),
            populations: table("population", t.populations.iter().map(|x| &x.id)),
            journeys: table("journey", t.journeys.iter().map(|x| &x.id)),
        }
    }
}

/// Reads a merged document. The result is to be used only if `cx` has no errors. `expect` is the
/// document of the file that `expect:` names, if it names one.
pub(crate) fn read(
    cx: &Cx,
    t: &Topology,
    doc: &Doc,
    name: (String, String),
    expect: Option<&Doc>,
    digest: String,
) -> Option<Scenario> {
    let f = Fields::open(cx, doc, "scenario")?;
    f.ignore(&["assize", "include", "topology", "bind"]);
    let stated = f
        .raw("start")
        .and_then(|d| cx.parsed(d, "start", "an instant", |text| t.calendar.timestamp(text)));
    let start = stated.unwrap_or_else(super::default_start);
    let tables = Tables::new(t);
    let mut r = Reader {
        cx,
        t,
        start,
        tables,
        faults: Vec::new(),
        places: Vec::new(),
        steps: Vec::new(),
        ids: Names::new("fault or step"),
        targets: 0,
    };
    for entry in f.list("timeline") {
        r.entry(entry);
    }
    let responses = r.responses(&f);
    let steady_state = r.steady_state(&f);
    let (end, until_stable) = r.end(&f);
    r.close(end);
    r.backups(f.at, end);
    let objectives = r.objectives(&f);
    let expect = super::expect::read(&r.scope(), t, &f, expect);
    let live = r.live(&f, until_stable);
    let by_default = if t.has_real() {
        STABLE_FOR_REAL
    } else {
        STABLE_FOR
    };
    let scenario = Scenario {
        name: f.text("name").unwrap_or(name.0),
        path: name.1,
        start,
        steady_state,
        end,
        faults: r.faults,
        steps: r.steps,
        responses,
        objectives,
        expect,
        stable_for: f.duration("stable_for").unwrap_or(by_default),
        live,
        tags: f.texts("tags").into_iter().map(|(tag, _)| tag).collect(),
        digest,
    };
    f.finish();
    Some(scenario)
}

impl Reader<'_> {
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope {
            cx: self.cx,
            start: self.start,
            calendar: &self.t.calendar,
            nodes: &self.tables.nodes,
            groups: &self.tables.groups,
            services: &self.tables.services,
            populations: &self.tables.populations,
            journeys: &self.tables.journeys,
            all_populations: &self.t.populations,
            all_services: &self.t.services,
            place: "scenario",
        }
    }

    pub(crate) fn instant(&self, doc: &Doc, key: &str) -> Option<Nanos> {
        instant(self.cx, &self.t.calendar, self.start, doc, key)
    }

    fn steady_state(&self, f: &Fields<'_>) -> Nanos {
        let Some(s) = f
            .raw("steady_state")
            .and_then(|d| Fields::open(self.cx, d, "steady state"))
        else {
            return self.usual_steady_state();
        };
        let held = s.duration_or("for", self.usual_steady_state());
        s.finish();
        held
    }

    /// Of a real system nobody knows that it is well before it was looked at.
    fn usual_steady_state(&self) -> Nanos {
        if self.t.has_real() {
            STEADY_REAL
        } else {
            Nanos::ZERO
        }
    }

    fn responses(&mut self, f: &Fields<'_>) -> Vec<Response> {
        let mut found: Vec<Response> = Vec::new();
        for doc in f.list("respond") {
            let Some(f) = Fields::open(self.cx, doc, "response") else {
                continue;
            };
            let to = f.required_text("to", "the fault that people respond to");
            let detect = f.duration_or("detect", Nanos::ZERO);
            let diagnose = f.duration_or("diagnose", Nanos::ZERO);
            let fix = f.duration_or("fix", Nanos::ZERO);
            let restore = f.raw("restore").and_then(|d| {
                let name = self.cx.text(d, "restore")?;
                let bare = name.strip_prefix("service/").unwrap_or(&name).to_string();
                let id =
                    crate::ids::ServiceId::from(self.tables.services.find(self.cx, &bare, d.at)?);
                if self
                    .t
                    .service(id)
                    .state
                    .as_ref()
                    .is_none_or(|s| s.backups.is_empty())
                {
                    let what = format!("`{bare}` has no backup to restore from");
                    self.cx
                        .error(d.at, what, "state its backups in the topology");
                }
                Some(id)
            });
            let place = f.raw("to").map_or(f.at, |d| d.at);
            if let Some(fault) = self.find_fault(&to, place).filter(|_| !to.is_empty()) {
                let (_, bounded) = self.places[fault];
                if bounded {
                    let what =
                        format!("`{to}` ends when its fix is done, and also has `for` or `until`");
                    self.cx.error(place, what, "remove one of them");
                }
                if found.iter().any(|r| r.fault == fault) {
                    self.cx
                        .error(place, format!("`{to}` has two responses"), "keep one");
                }
                let entry = &mut self.faults[fault];
                entry.until = entry.at + detect + diagnose + fix;
                entry.bounded = true;
                if entry.until == entry.at {
                    self.cx.error(
                        f.at,
                        "this response takes no time",
                        "add `detect`, `diagnose` or `fix`",
                    );
                }
                found.push(Response {
                    fault,
                    detect,
                    diagnose,
                    fix,
                    restore,
                });
            }
            f.finish();
        }
        found
    }

    /// When the scenario ends, and how long all must have been well for it to end before that.
    fn end(&self, f: &Fields<'_>) -> (Nanos, Option<Nanos>) {
        let faults = self
            .faults
            .iter()
            .map(|x| if x.bounded { x.until } else { x.at });
        let last = faults
            .chain(self.steps.iter().map(|s| s.at))
            .max()
            .unwrap_or(Nanos::ZERO);
        let (settle, stable) = f.raw("settle").map_or((None, None), |d| self.settle(d));
        let settled = last + settle.unwrap_or(SETTLE);
        let Some(doc) = f.raw("end") else {
            return (settled, stable);
        };
        if f.has("settle") {
            self.cx.error(
                f.key("settle"),
                "`end` and `settle` are both given",
                "keep one",
            );
        }
        let Some(end) = self.instant(doc, "end") else {
            return (settled, stable);
        };
        if end < last {
            let late = self.faults.iter().find(|x| x.bounded && x.until > end);
            let what = match late {
                Some(fault) => format!("the scenario ends before `{}` does", fault.id),
                None => "the scenario ends before its last fault or step begins".to_string(),
            };
            self.cx.error(
                doc.at,
                what,
                format!("`end` is at least {last} after the start"),
            );
        }
        if end <= Nanos::ZERO {
            self.cx
                .error(doc.at, "the scenario ends before it starts", "");
        }
        (end, stable)
    }

    /// A duration, or `{until: stable 10s, max: 60s}`, of which the longest is planned: how long,
    /// and after how long a calm it may end.
    fn settle(&self, doc: &Doc) -> (Option<Nanos>, Option<Nanos>) {
        let Value::Map(_) = doc.value else {
            return (self.cx.duration(doc, "settle"), None);
        };
        let Some(f) = Fields::open(self.cx, doc, "settling") else {
            return (None, None);
        };
        let stable = f.raw("until").and_then(|until| {
            self.cx.parsed(until, "until", "a condition", |text| {
                let rest = text.strip_prefix("stable").ok_or("write `stable 10s`")?;
                Nanos::parse(rest)
            })
        });
        let max = f.duration("max");
        if !f.has("max") {
            self.cx.error(
                f.at,
                "`max` is missing",
                "the longest that is waited: `max: 60s`",
            );
        }
        f.finish();
        (max, stable)
    }

    /// Each backup that a schedule takes is kept in mind, so their number is bounded.
    fn backups(&self, at: Span, end: Nanos) {
        let states = self.t.services.iter().filter_map(|s| s.state.as_ref());
        let schedules = states.flat_map(|s| &s.backups);
        let taken: i64 = schedules.map(|b| end.0 / b.every.0.max(1)).sum();
        if taken > MAX_BACKUPS {
            let what = format!("more than {MAX_BACKUPS} backups would be taken");
            let help = "make the scenario shorter, or the backups rarer";
            self.cx.error(Span { len: 1, ..at }, what, help);
        }
    }

    /// Faults without an end last to the scenario's; flaps are bounded by what can be carried out.
    fn close(&mut self, end: Nanos) {
        let mut turns = 0_i64;
        for (fault, (place, _)) in self.faults.iter_mut().zip(&self.places) {
            if !fault.bounded {
                fault.until = end.max(fault.at);
            }
            let Some(flap) = fault.flap else { continue };
            turns =
                turns.saturating_add((fault.until - fault.at).0 / (flap.down + flap.up).0.max(1));
            if turns > MAX_TURNS {
                let what = format!(
                    "with `{}`, the flaps go down more than {MAX_TURNS} times together",
                    fault.id
                );
                self.cx.error(
                    *place,
                    what,
                    "make `down` and `up` longer, or the fault shorter",
                );
            }
        }
    }

    fn objectives(&self, f: &Fields<'_>) -> Vec<Objective> {
        let known = |o: &&Objective| {
            o.fault
                .as_ref()
                .is_none_or(|id| self.faults.iter().any(|x| x.id == *id))
        };
        if !f.has("objectives") {
            // One that names a fault is about the scenarios that have it.
            return self.t.objectives.iter().filter(known).cloned().collect();
        }
        let mut found: Vec<Objective> = Vec::new();
        for doc in f.list("objectives") {
            let objective = match doc.value {
                Value::Map(_) => self.scope().objective(doc, None, &found),
                _ => self.selected(doc),
            };
            let Some(objective) = objective else { continue };
            if let Some(fault) = objective.fault.as_ref().filter(|_| !known(&&objective)) {
                self.find_fault(fault, doc.at);
            }
            if matches!(doc.value, Value::Map(_)) || found.iter().all(|o| o.id != objective.id) {
                found.push(objective);
            } else {
                self.cx.error(
                    doc.at,
                    format!("objective `{}` is selected twice", objective.id),
                    "",
                );
            }
        }
        found
    }

    fn selected(&self, doc: &Doc) -> Option<Objective> {
        let name = self.cx.text(doc, "objectives")?;
        let found = self.t.objectives.iter().find(|o| o.id == name);
        if found.is_none() {
            let help = self
                .cx
                .suggest(&name, self.t.objectives.iter().map(|o| o.id.as_str()));
            self.cx.error(
                doc.at,
                format!("no objective of the topology is named `{name}`"),
                help,
            );
        }
        found.cloned()
    }
}
