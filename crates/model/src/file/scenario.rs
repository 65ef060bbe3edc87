//! A merged document becomes a [`Scenario`] over a topology.

use super::cx::{Cx, Fields, Names};
use super::doc::{Doc, Span, Value};
use super::objectives::{Scope, instant};
use super::select::{Of, domains_named, narrow, owners, resolve_selector};
use crate::faults::{self, FaultKind};
use crate::ids::GroupId;
use crate::objective::Objective;
use crate::scenario::{Action, FaultEntry, Flap, Response, Scenario, StepEntry, Target};
use crate::topology::Topology;
use assize_fault::Nanos;

/// Outages less than this apart are one, unless the file says otherwise.
const STABLE_FOR: Nanos = Nanos::secs(60);
/// How long a scenario goes on after its last fault or step, unless the file says otherwise.
const SETTLE: Nanos = Nanos::mins(10);
/// How many turns a flap may make.
const MAX_TURNS: i64 = 100_000;
/// How many elements all faults and steps of a scenario may select together.
const MAX_TARGETS: usize = 1_000_000;

/// A scenario that is being read.
pub(crate) struct Reader<'a> {
    pub cx: &'a Cx,
    pub t: &'a Topology,
    pub start: jiff::Timestamp,
    tables: Tables,
    faults: Vec<FaultEntry>,
    /// Where each fault stands, and whether it has `for` or `until`.
    places: Vec<(Span, bool)>,
    steps: Vec<StepEntry>,
    ids: Names,
    targets: usize,
}

/// The names of a finished topology.
struct Tables {
    nodes: Names,
    groups: Names,
    services: Names,
    populations: Names,
    journeys: Names,
}

impl Tables {
    fn new(t: &Topology) -> Self {
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
    f.ignore(&["assize", "include", "topology", "bindings"]);
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
    let end = r.end(&f);
    r.close(end);
    let objectives = r.objectives(&f);
    let expect = super::expect::read(&r.scope(), t, &f, expect);
    r.live(&f);
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
        stable_for: f.duration("stable_for").unwrap_or(STABLE_FOR),
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

    fn instant(&self, doc: &Doc, key: &str) -> Option<Nanos> {
        instant(self.cx, &self.t.calendar, self.start, doc, key)
    }

    fn steady_state(&self, f: &Fields<'_>) -> Nanos {
        let Some(s) = f
            .raw("steady_state")
            .and_then(|d| Fields::open(self.cx, d, "steady state"))
        else {
            return Nanos::ZERO;
        };
        let held = s.duration_or("for", Nanos::ZERO);
        s.finish();
        held
    }

    fn entry(&mut self, doc: &Doc) {
        let kind = if doc.get("do").is_some() {
            "step"
        } else {
            "fault"
        };
        let Some(f) = Fields::open(self.cx, doc, kind) else {
            return;
        };
        let number = if kind == "step" {
            self.steps.len()
        } else {
            self.faults.len()
        } + 1;
        let id = f.text("id").unwrap_or_else(|| format!("{kind}-{number}"));
        let place = f.raw("id").map_or(f.at, |d| d.at);
        super::cx::check_name(self.cx, kind, &id, place);
        if self.ids.get(&id).is_some() {
            self.cx.error(
                place,
                format!("two entries of the timeline are named `{id}`"),
                "",
            );
        }
        self.ids.add(&id, place);
        let at = f.raw("at").and_then(|d| self.instant(d, "at"));
        if !f.has("at") {
            self.cx.error(
                f.at,
                format!("`{id}` has no `at`"),
                "when it begins, such as `at: 0s`",
            );
        }
        let at = at.unwrap_or(Nanos::ZERO);
        if at < Nanos::ZERO {
            self.cx.error(
                f.key("at"),
                "nothing happens before `start`",
                "move `start`, or `at`",
            );
        }
        if kind == "step" {
            self.step(&f, id, at);
        } else {
            self.fault(&f, id, at);
        }
        f.finish();
    }

    fn fault(&mut self, f: &Fields<'_>, id: String, at: Nanos) {
        let Some(kind) = self.fault_kind(f) else {
            // Which fields it may have is unknown, so none is reported.
            f.ignore(PARAMETERS);
            return;
        };
        let mut params = kind.read(f);
        if let Some(doc) = f.raw("flap") {
            params.flap = self.flap(doc);
        }
        let targets = self.selection(f, "target", Some(kind));
        let of = f.raw("of").and_then(|d| self.of(d));
        let targets = match of {
            Some(of) if !targets.is_empty() => match narrow(self.t, targets, of) {
                Ok(targets) => targets,
                Err(why) => {
                    self.cx.error(f.key("of"), why, "");
                    Vec::new()
                }
            },
            _ => targets,
        };
        let against = match params.against {
            Some(key) if f.has(key) => self.selection(f, key, None),
            _ => Vec::new(),
        };
        let along = |t: &Target| matches!(t, Target::Link(..) | Target::Flow(..));
        if params.against_required && !targets.iter().all(along) {
            let help = "name the far side: `against: domain/dc-south`";
            self.cx
                .error(f.at, format!("`{}` needs `against`", kind.name), help);
        }
        let until = self.until(f, at);
        self.places.push((f.at, until.is_some()));
        let named = self.named_domains(f);
        let entry = FaultEntry {
            id,
            kind: kind.name,
            at,
            until: until.unwrap_or(Nanos::NEVER),
            bounded: until.is_some(),
            flap: params.flap,
            effects: params.effects,
            owners: owners(self.t, &targets, &named),
            targets,
            against,
            target_text: texts(f, "target"),
        };
        self.faults.push(entry);
    }

    fn fault_kind(&self, f: &Fields<'_>) -> Option<&'static FaultKind> {
        let Some(doc) = f.raw("fault") else {
            self.cx.error(
                f.at,
                "an entry of the timeline has `fault` or `do`",
                "for example `fault: outage`",
            );
            return None;
        };
        let text = self.cx.text(doc, "fault")?;
        let kind = faults::find(&text);
        if kind.is_none() {
            let help = self.cx.suggest(&text, faults::all().iter().map(|k| k.name));
            self.cx
                .error(doc.at, format!("no fault is named `{text}`"), help);
        }
        kind
    }

    fn flap(&self, doc: &Doc) -> Option<Flap> {
        let f = Fields::open(self.cx, doc, "flap")?;
        let (down, up) = (f.period("down"), f.period("up"));
        if !f.has("down") || !f.has("up") {
            self.cx.error(
                f.at,
                "`flap` needs `down` and `up`",
                "for example `{down: 2m, up: 10m}`",
            );
        }
        f.finish();
        Some(Flap {
            down: down?,
            up: up?,
        })
    }

    fn of(&self, doc: &Doc) -> Option<Of> {
        let f = Fields::open(self.cx, doc, "narrowing")?;
        let count = f
            .whole("count", 1, u64::from(u32::MAX))
            .map(|n| Of::Count(n as u32));
        let share = f.share("share").map(Of::Share);
        let group = f.raw("group").and_then(|d| {
            let name = self.cx.text(d, "group")?;
            let bare = name.strip_prefix("group/").unwrap_or(&name);
            self.tables
                .groups
                .find(self.cx, bare, d.at)
                .map(|i| Of::Group(GroupId::from(i)))
        });
        let stated = [f.has("count"), f.has("share"), f.has("group")];
        if stated.iter().filter(|s| **s).count() != 1 {
            self.cx
                .error(f.at, "`of` states one of `count`, `share` and `group`", "");
        }
        f.finish();
        count.or(share).or(group)
    }

    /// The instant at which a fault ends, if the file gives one.
    fn until(&self, f: &Fields<'_>, at: Nanos) -> Option<Nanos> {
        let length = f.duration("for");
        let until = f.raw("until").and_then(|d| self.instant(d, "until"));
        if f.has("for") && f.has("until") {
            self.cx.error(
                f.key("until"),
                "`for` and `until` are both given",
                "keep one",
            );
        }
        if until.is_some_and(|until| until <= at) {
            self.cx.error(
                f.key("until"),
                "the fault ends before it begins",
                "`until` is after `at`",
            );
        }
        if length == Some(Nanos::ZERO) {
            self.cx
                .error(f.key("for"), "a fault lasts longer than no time at all", "");
        }
        until.or(length.map(|length| at + length))
    }

    /// The elements that a field selects: a union of selectors.
    fn selection(
        &mut self,
        f: &Fields<'_>,
        key: &'static str,
        kind: Option<&FaultKind>,
    ) -> Vec<Target> {
        let mut found: Vec<Target> = Vec::new();
        if !f.has(key) {
            self.cx.error(
                f.at,
                format!("`{key}` is missing"),
                "for example `domain/dc-north`",
            );
        }
        for (text, at) in f.texts(key) {
            if self.cx.full() {
                break;
            }
            match resolve_selector(self.t, &text) {
                Ok(targets) => {
                    if let Some(Err(help)) = kind.map(|k| allowed(k, &text, &targets)) {
                        let what = format!(
                            "`{}` cannot be done to `{text}`",
                            kind.map_or("", |k| k.name)
                        );
                        self.cx.error(at, what, help);
                    }
                    found.extend(targets);
                }
                Err(help) => {
                    self.cx.error(
                        at,
                        format!("`{text}` selects nothing that can be targeted"),
                        help,
                    );
                }
            }
        }
        if let Some(kind) = kind {
            found.retain(|target| kind.allows(target).is_ok());
        }
        found.sort();
        found.dedup();
        self.targets += found.len();
        if self.targets > MAX_TARGETS {
            self.cx.error(
                f.key(key),
                format!("more than {MAX_TARGETS} elements are selected"),
                "",
            );
            return Vec::new();
        }
        found
    }

    fn named_domains(&self, f: &Fields<'_>) -> Vec<crate::ids::DomainId> {
        let texts = f.texts("target");
        let patterns = texts
            .iter()
            .filter_map(|(text, _)| text.strip_prefix("domain/"));
        patterns
            .flat_map(|p| domains_named(self.t, p).unwrap_or_default())
            .collect()
    }

    fn step(&mut self, f: &Fields<'_>, id: String, at: Nanos) {
        let target_text = texts(f, "target");
        #[derive(Clone, Copy)]
        enum Do {
            Promote,
            FailBack,
            Restore,
            Activate,
            Deactivate,
            RollBack,
        }
        let words = [
            ("promote", Do::Promote),
            ("fail-back", Do::FailBack),
            ("restore", Do::Restore),
            ("activate", Do::Activate),
            ("deactivate", Do::Deactivate),
            ("roll-back", Do::RollBack),
        ];
        let Some(action) = f.choice("do", &words) else {
            f.ignore(&["target"]);
            return;
        };
        let action = match action {
            Do::RollBack => self.roll_back(f),
            Do::Activate => Some(Action::Activate(self.standbys(f))),
            Do::Deactivate => Some(Action::Deactivate(self.standbys(f))),
            Do::Promote | Do::FailBack | Do::Restore => {
                let targets = self.selection(f, "target", None);
                match (action, targets.as_slice()) {
                    (_, []) => None,
                    (Do::Promote, [Target::Service(s)]) => Some(Action::Promote(*s, None)),
                    (Do::Promote, [Target::Replica(s, r)]) => Some(Action::Promote(*s, Some(*r))),
                    (Do::FailBack, [Target::Service(s)]) => Some(Action::FailBack(*s)),
                    (Do::Restore, [Target::Service(s)]) => Some(Action::Restore(*s)),
                    _ => {
                        let what = format!("`{target_text}` is not one service");
                        self.cx
                            .error(f.key("target"), what, "name one: `service/NAME`");
                        None
                    }
                }
            }
        };
        self.check_restorable(f, action.as_ref());
        if let Some(action) = action {
            self.steps.push(StepEntry {
                id,
                at,
                action,
                target_text,
            });
        }
    }

    fn check_restorable(&self, f: &Fields<'_>, action: Option<&Action>) {
        if let Some(Action::Restore(service)) = action {
            let service = self.t.service(*service);
            if service.state.as_ref().is_none_or(|s| s.backups.is_empty()) {
                let what = format!("`{}` has no backup to restore from", service.id);
                self.cx
                    .error(f.key("target"), what, "state its backups in the topology");
            }
        }
    }

    fn roll_back(&self, f: &Fields<'_>) -> Option<Action> {
        let doc = f.raw("target")?;
        let text = self.cx.text(doc, "target")?;
        let name = text.strip_prefix("fault/").unwrap_or(&text);
        self.find_fault(name, doc.at).map(Action::RollBack)
    }

    fn find_fault(&self, name: &str, at: Span) -> Option<usize> {
        let found = self.faults.iter().position(|x| x.id == name);
        if found.is_none() {
            let help = self
                .cx
                .suggest(name, self.faults.iter().map(|x| x.id.as_str()));
            self.cx.error(
                at,
                format!("no fault of this scenario is named `{name}`"),
                help,
            );
        }
        found
    }

    /// Links and access paths; those that are not standby have nothing to activate.
    fn standbys(&mut self, f: &Fields<'_>) -> Vec<Target> {
        let targets = self.selection(f, "target", None);
        let of = f.raw("of").and_then(|d| self.of(d));
        let targets = match of {
            Some(of) if !targets.is_empty() => narrow(self.t, targets, of).unwrap_or_else(|why| {
                self.cx.error(f.key("of"), why, "");
                Vec::new()
            }),
            _ => targets,
        };
        for target in &targets {
            let (name, standby) = match target {
                Target::Link(id, _) => (&self.t.link(*id).id, self.t.link(*id).standby.is_some()),
                Target::Access(id) => (
                    &self.t.access_path(*id).id,
                    self.t.access_path(*id).standby.is_some(),
                ),
                _ => {
                    let what = "only links and access paths are activated";
                    self.cx
                        .error(f.key("target"), what, "name `link/…` or `access/…`");
                    break;
                }
            };
            if !standby {
                let what = format!("`{name}` is not on standby: it is in service all the time");
                self.cx.warn(
                    f.key("target"),
                    what,
                    "give it `standby: {activates_in: …}`",
                );
            }
        }
        targets
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

    fn end(&self, f: &Fields<'_>) -> Nanos {
        let faults = self
            .faults
            .iter()
            .map(|x| if x.bounded { x.until } else { x.at });
        let last = faults
            .chain(self.steps.iter().map(|s| s.at))
            .max()
            .unwrap_or(Nanos::ZERO);
        let settle = f
            .raw("settle")
            .and_then(|d| self.settle(d))
            .unwrap_or(SETTLE);
        let Some(doc) = f.raw("end") else {
            return last + settle;
        };
        if f.has("settle") {
            self.cx.error(
                f.key("settle"),
                "`end` and `settle` are both given",
                "keep one",
            );
        }
        let Some(end) = self.instant(doc, "end") else {
            return last + settle;
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
        end
    }

    /// A duration, or `{until: stable 10s, max: 60s}`, of which the longest is planned.
    fn settle(&self, doc: &Doc) -> Option<Nanos> {
        let Value::Map(_) = doc.value else {
            return self.cx.duration(doc, "settle");
        };
        let f = Fields::open(self.cx, doc, "settling")?;
        if let Some(until) = f.raw("until") {
            self.cx.parsed(until, "until", "a condition", |text| {
                let rest = text.strip_prefix("stable").ok_or("write `stable 10s`")?;
                Nanos::parse(rest)
            });
        }
        let max = f.duration("max");
        if !f.has("max") {
            self.cx.error(
                f.at,
                "`max` is missing",
                "the longest that is waited: `max: 60s`",
            );
        }
        f.finish();
        max
    }

    /// Faults without an end last to the scenario's; flaps are bounded by what can be carried out.
    fn close(&mut self, end: Nanos) {
        for (fault, (place, _)) in self.faults.iter_mut().zip(&self.places) {
            if !fault.bounded {
                fault.until = end.max(fault.at);
            }
            if let Some(flap) = fault.flap
                && (fault.until - fault.at).0 / (flap.down + flap.up).0.max(1) > MAX_TURNS
            {
                let what = format!(
                    "`{}` would go up and down more than {MAX_TURNS} times",
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

    /// `live:` is for runs on real systems; here only the names in it are checked.
    fn live(&self, f: &Fields<'_>) {
        let Some(doc) = f.raw("live") else { return };
        let Some(map) = self.cx.map(doc, "live", "a map") else {
            return;
        };
        let Some(faults) = map.get("faults").and_then(|e| e.value.map()) else {
            return;
        };
        for (name, entry) in faults {
            self.find_fault(name, entry.key);
        }
    }
}

/// The parameters of all faults.
const PARAMETERS: &[&str] = &[
    "fault",
    "target",
    "of",
    "for",
    "until",
    "flap",
    "how",
    "latency",
    "jitter",
    "loss",
    "bandwidth",
    "errors",
    "down",
    "up",
    "against",
    "from",
    "one_way",
    "left",
    "lost",
    "spare",
];

/// Whether a fault may be on what a selector names. A domain or a pattern holds elements of many
/// kinds; those that the fault is not for are passed over, unless that is all of them.
fn allowed(kind: &FaultKind, text: &str, targets: &[Target]) -> Result<(), String> {
    let mut wrong = targets.iter().filter_map(|t| kind.allows(t).err());
    let Some(first) = wrong.next() else {
        return Ok(());
    };
    let mixed = text.starts_with("domain/") || text.contains('*');
    if mixed && wrong.count() + 1 < targets.len() {
        Ok(())
    } else {
        Err(first)
    }
}

/// The texts of a field as one.
fn texts(f: &Fields<'_>, key: &'static str) -> String {
    let texts: Vec<String> = f.texts(key).into_iter().map(|(text, _)| text).collect();
    texts.join(", ")
}

/// A scenario that no file states: selectors that are down from the start for a time.
///
/// All objectives of the topology that name no fault are judged.
///
/// # Errors
/// Which selector names nothing, with the nearest names.
pub fn bare_scenario(
    t: &Topology,
    down: &[String],
    length: Nanos,
    start: Option<jiff::Timestamp>,
) -> Result<Scenario, String> {
    let outage = faults::find("outage").ok_or("no fault is named `outage`")?;
    if length <= Nanos::ZERO || length > super::cx::LONGEST {
        return Err("a fault lasts from 1ns to 10 years; write `--for 2h`".into());
    }
    if down.is_empty() {
        return Err("nothing is down; write `--down domain/NAME`".into());
    }
    let mut entries = Vec::new();
    for (i, text) in down.iter().enumerate() {
        let targets = resolve_selector(t, text)?;
        allowed(outage, text, &targets)?;
        let targets: Vec<Target> = targets
            .into_iter()
            .filter(|x| outage.allows(x).is_ok())
            .collect();
        let named = text
            .strip_prefix("domain/")
            .map(|p| domains_named(t, p))
            .transpose()?;
        entries.push(FaultEntry {
            id: format!("fault-{}", i + 1),
            kind: outage.name,
            at: Nanos::ZERO,
            until: length,
            bounded: true,
            flap: None,
            effects: vec![faults::Effect::Down(None)],
            owners: owners(t, &targets, &named.unwrap_or_default()),
            targets,
            against: Vec::new(),
            target_text: text.clone(),
        });
    }
    let digest = super::sha256(format!("what-if {length} {}", down.join(" ")).as_bytes());
    Ok(Scenario {
        name: "what-if".to_string(),
        path: String::new(),
        start: start.unwrap_or_else(super::default_start),
        steady_state: Nanos::ZERO,
        end: length + Nanos::hours(1),
        faults: entries,
        steps: Vec::new(),
        responses: Vec::new(),
        objectives: t
            .objectives
            .iter()
            .filter(|o| o.fault.is_none())
            .cloned()
            .collect(),
        expect: Vec::new(),
        stable_for: STABLE_FOR,
        tags: Vec::new(),
        digest,
    })
}
