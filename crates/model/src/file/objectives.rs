//! Objectives, of a topology or of a scenario.

use super::cx::{Cx, Fields, Names, one_or_many};
use super::doc::Doc;
use super::place::Span;
use super::topology::Build;
use crate::calendar::Calendar;
use crate::ids::{JourneyId, NodeId, PopulationId, ServiceId};
use crate::objective::{During, Objective, ObjectiveKind as Kind, Untouched};
use crate::topology::{Population, Service};
use assize_fault::{Nanos, Ppb};

/// The keys that say what is measured; an objective has exactly one.
const KINDS: [&str; 15] = [
    "rto",
    "rpo",
    "availability",
    "outages",
    "must_not_affect",
    "blast_radius",
    "user_hours_lost",
    "latency",
    "retained_capacity",
    "backlog",
    "detection",
    "failback",
    "split_brain",
    "duplicates",
    "backup_rule",
];

/// The keys that an objective may have beside.
const OTHERS: [&str; 11] = [
    "id",
    "journey",
    "population",
    "service",
    "level",
    "stable_for",
    "fault",
    "from",
    "excluding",
    "during",
    "window",
];

/// What an objective may refer to.
pub(crate) struct Scope<'a> {
    pub cx: &'a Cx,
    pub start: jiff::Timestamp,
    pub calendar: &'a Calendar,
    pub nodes: &'a Names,
    pub groups: &'a Names,
    pub services: &'a Names,
    pub populations: &'a Names,
    pub journeys: &'a Names,
    pub all_populations: &'a [Population],
    pub all_services: &'a [Service],
    /// `topology` or `scenario`.
    pub place: &'static str,
}

impl Build<'_> {
    fn scope(&self) -> Scope<'_> {
        Scope {
            cx: self.cx,
            start: self.start,
            calendar: &self.t.calendar,
            nodes: &self.names.nodes,
            groups: &self.names.groups,
            services: &self.names.services,
            populations: &self.names.populations,
            journeys: &self.names.journeys,
            all_populations: &self.t.populations,
            all_services: &self.t.services,
            place: "topology",
        }
    }

    pub(crate) fn objectives(&mut self, f: &Fields<'_>) {
        let mut found: Vec<Objective> = Vec::new();
        if matches!(
            f.raw("objectives").map(|d| &d.value),
            Some(super::doc::Value::List(_))
        ) {
            for doc in f.list("objectives") {
                if let Some(objective) = self.scope().objective(doc, None, &found) {
                    found.push(objective);
                }
            }
        } else {
            for (name, at, doc) in f.entries("objectives") {
                super::cx::check_name(self.cx, "objective", name, at);
                if let Some(objective) = self.scope().objective(doc, Some(name), &found) {
                    found.push(objective);
                }
            }
        }
        self.t.objectives = found;
    }
}

impl Scope<'_> {
    /// Reads one objective; its name is `name`, or its `id`, or made from kind and subject.
    pub(crate) fn objective(
        &self,
        doc: &Doc,
        name: Option<&str>,
        others: &[Objective],
    ) -> Option<Objective> {
        let f = Fields::open(self.cx, doc, "objective")?;
        let stated: Vec<&'static str> = KINDS.into_iter().filter(|k| f.has(k)).collect();
        let [kind_key] = stated[..] else {
            // A slip in the key that says what is measured is reported as that.
            if stated.is_empty() && f.has_other_than(&OTHERS) {
                f.ignore(&OTHERS);
                f.finish();
                return None;
            }
            let what = if stated.is_empty() {
                "an objective states a target".to_string()
            } else {
                format!("an objective states one target, not {}", stated.len())
            };
            self.cx.error(
                f.at,
                what,
                "for example `rto: 15m`, `rpo: 0s`, `availability: 99.9%`",
            );
            return None;
        };
        let kind = self.kind(&f, kind_key);
        let journey = self.find(&f, "journey", self.journeys).map(JourneyId::from);
        let population = self
            .find(&f, "population", self.populations)
            .map(PopulationId::from);
        let mut service = self.find(&f, "service", self.services).map(ServiceId::from);
        if service.is_none() && !f.has("service") {
            service = self.implied_service(&f, kind_key);
        }
        let excluding = self.excluding(&f, population, journey);
        let id = name.map(str::to_string).or_else(|| f.text("id"));
        let id = id.unwrap_or_else(|| self.slug(kind_key, journey, population, service, others));
        if others.iter().any(|o| o.id == id) {
            self.cx.error(
                f.at,
                format!("two objectives are named `{id}`"),
                "give one another `id`",
            );
        }
        let at = f.at;
        let objective = Objective {
            id,
            kind: kind.unwrap_or(Kind::SplitBrain),
            journey,
            population,
            service,
            level: f.share("level").unwrap_or(Ppb::ONE),
            stable_for: f.duration("stable_for"),
            fault: f.text("fault"),
            from_fault_end: f
                .choice("from", &[("fault_start", false), ("fault_end", true)])
                .unwrap_or(false),
            excluding,
            during: f
                .choice(
                    "during",
                    &[
                        ("all", During::All),
                        ("fault", During::Fault),
                        ("after", During::After),
                    ],
                )
                .unwrap_or_default(),
            window: f.raw("window").and_then(|d| self.window(d)),
            source: format!(
                "{} {}:{}",
                self.place,
                self.cx.files.borrow().name(at.file),
                at.line
            ),
        };
        f.finish();
        Some(objective)
    }

    fn kind(&self, f: &Fields<'_>, key: &'static str) -> Option<Kind> {
        Some(match key {
            "rto" => Kind::Rto(f.duration(key)?),
            "rpo" => Kind::Rpo(f.duration(key)?),
            "availability" => Kind::Availability(f.share(key)?),
            "outages" => return self.outages(f),
            "must_not_affect" => return self.untouched(f),
            "blast_radius" => Kind::BlastRadius(f.share(key)?),
            "user_hours_lost" => Kind::UserHoursLost(f.duration(key)?),
            "latency" => Kind::Latency(f.duration(key)?),
            "retained_capacity" => Kind::RetainedCapacity(f.share(key)?),
            "backlog" => Kind::Backlog(f.duration(key)?),
            "detection" => Kind::Detection(f.duration(key)?),
            "failback" => Kind::Failback(f.duration(key)?),
            "split_brain" => {
                f.choice(key, &[("never", ())])?;
                Kind::SplitBrain
            }
            "duplicates" => Kind::Duplicates(f.whole(key, 0, u64::from(u32::MAX))?),
            _ => return self.backup_rule(f),
        })
    }

    fn outages(&self, f: &Fields<'_>) -> Option<Kind> {
        let o = Fields::open(self.cx, f.raw("outages")?, "outages")?;
        let max = o.whole("max", 0, u64::from(u32::MAX)).map(|n| n as u32);
        let total = o.duration("total");
        if max.is_none() && total.is_none() {
            self.cx
                .error(o.at, "`outages` states `max`, `total`, or both", "");
        }
        o.finish();
        Some(Kind::Outages { max, total })
    }

    fn untouched(&self, f: &Fields<'_>) -> Option<Kind> {
        let mut list = Vec::new();
        for doc in f.list("must_not_affect") {
            let text = self.cx.text(doc, "must_not_affect")?;
            let help = "write `population/NAME`, `journey/NAME` or `group/NAME`";
            let Some((kind, name)) = text.split_once('/') else {
                self.cx
                    .error(doc.at, format!("`{text}` does not say what it names"), help);
                continue;
            };
            let item = match kind {
                "population" => self
                    .populations
                    .find(self.cx, name, doc.at)
                    .map(|i| Untouched::Population(PopulationId::from(i))),
                "journey" => self
                    .journeys
                    .find(self.cx, name, doc.at)
                    .map(|i| Untouched::Journey(JourneyId::from(i))),
                "group" => self
                    .groups
                    .find(self.cx, name, doc.at)
                    .map(|i| Untouched::Group(crate::ids::GroupId::from(i))),
                _ => {
                    self.cx.error(
                        doc.at,
                        format!("`{text}` names neither users nor a journey"),
                        help,
                    );
                    None
                }
            };
            list.extend(item);
        }
        if list.is_empty() && !self.cx.failed() {
            self.cx.error(
                f.key("must_not_affect"),
                "`must_not_affect` names nobody",
                "",
            );
        }
        Some(Kind::MustNotAffect(list))
    }

    fn backup_rule(&self, f: &Fields<'_>) -> Option<Kind> {
        let doc = f.raw("backup_rule")?;
        self.cx.parsed(doc, "backup_rule", "a backup rule", |text| {
            let help = "write `3-2-1` (copies, places, off site) or `3-2-1-1` (and offline)";
            let parts: Vec<Option<u32>> = text
                .split('-')
                .map(|p| p.parse().ok().filter(|&n| n <= 100))
                .collect();
            let (copies, places, off_site, offline) = match parts[..] {
                [Some(a), Some(b), Some(c)] => (a, b, c, 0),
                [Some(a), Some(b), Some(c), Some(d)] => (a, b, c, d),
                _ => return Err(help.to_string()),
            };
            Ok(Kind::BackupRule {
                copies,
                places,
                off_site,
                offline,
            })
        })
    }

    fn find(&self, f: &Fields<'_>, key: &'static str, names: &Names) -> Option<usize> {
        let doc = f.raw(key)?;
        let text = self.cx.text(doc, key)?;
        let bare = text
            .strip_prefix(key)
            .and_then(|t| t.strip_prefix('/'))
            .unwrap_or(&text);
        names.find(self.cx, bare, doc.at)
    }

    /// Objectives about data need a service; where only one has state, it is meant.
    fn implied_service(&self, f: &Fields<'_>, kind: &str) -> Option<ServiceId> {
        if !["rpo", "split_brain", "duplicates", "backup_rule"].contains(&kind) {
            return None;
        }
        let stateful: Vec<usize> = (0..self.all_services.len())
            .filter(|&i| self.all_services[i].state.is_some())
            .collect();
        if let [only] = stateful[..] {
            return Some(ServiceId::from(only));
        }
        let names: Vec<&str> = stateful
            .iter()
            .map(|&i| self.all_services[i].id.as_str())
            .collect();
        let help = self.cx.suggest("", names);
        self.cx.error(
            f.key(kind),
            format!("`{kind}` is about one service: add `service`"),
            help,
        );
        None
    }

    fn excluding(
        &self,
        f: &Fields<'_>,
        population: Option<PopulationId>,
        journey: Option<JourneyId>,
    ) -> Vec<NodeId> {
        let mut out = Vec::new();
        for (name, at) in f.texts("excluding") {
            let bare = name.strip_prefix("node/").unwrap_or(&name);
            if let Some(index) = self.nodes.find(self.cx, bare, at) {
                out.push(NodeId::from(index));
            }
        }
        let concerned = self.all_populations.iter().enumerate().filter(|(i, p)| {
            population.is_none_or(|id| id.index() == *i)
                && journey.is_none_or(|j| p.makes.iter().any(|(made, _)| *made == j))
        });
        let places: Vec<NodeId> = concerned
            .flat_map(|(_, p)| p.at.iter().map(|a| a.0))
            .collect();
        if !out.is_empty() && !places.is_empty() && places.iter().all(|p| out.contains(p)) {
            let what = "this leaves out every user whom the objective is about";
            self.cx.error(
                f.key("excluding"),
                what,
                "an objective about nobody measures nothing",
            );
        }
        out
    }

    /// `[from, to]` or `{from, to}`.
    pub(crate) fn window(&self, doc: &Doc) -> Option<(Nanos, Nanos)> {
        let (from, to) = match one_or_many(doc)[..] {
            [from, to] => (self.instant(from, "from")?, self.instant(to, "to")?),
            _ => {
                let w = Fields::open(self.cx, doc, "window")?;
                let from = w.raw("from").and_then(|d| self.instant(d, "from"));
                let to = w.raw("to").and_then(|d| self.instant(d, "to"));
                if !w.has("from") || !w.has("to") {
                    self.cx.error(w.at, "a window has `from` and `to`", "");
                }
                w.finish();
                (from?, to?)
            }
        };
        self.ordered(doc.at, from, to).then_some((from, to))
    }

    pub(crate) fn ordered(&self, at: Span, from: Nanos, to: Nanos) -> bool {
        if to <= from {
            self.cx.error(at, "the window ends before it begins", "");
        }
        to > from
    }

    /// An offset from the scenario's start, or an instant.
    pub(crate) fn instant(&self, doc: &Doc, key: &str) -> Option<Nanos> {
        instant(self.cx, self.calendar, self.start, doc, key)
    }

    fn slug(
        &self,
        kind: &str,
        journey: Option<JourneyId>,
        population: Option<PopulationId>,
        service: Option<ServiceId>,
        others: &[Objective],
    ) -> String {
        let name = |names: &Names, i: usize| names.iter().nth(i).unwrap_or_default().to_string();
        let mut parts = Vec::new();
        parts.extend(population.map(|p| name(self.populations, p.index())));
        parts.extend(journey.map(|j| name(self.journeys, j.index())));
        parts.extend(service.map(|s| name(self.services, s.index())));
        parts.push(kind.replace('_', "-"));
        let slug = parts.join("-");
        let taken = |id: &str| others.iter().any(|o| o.id == id);
        if !taken(&slug) {
            return slug;
        }
        (2..=others.len() + 2)
            .map(|n| format!("{slug}-{n}"))
            .find(|id| !taken(id))
            .unwrap_or(slug)
    }
}

/// An offset from the scenario's start (`90s`), or an instant, local or not.
pub(crate) fn instant(
    cx: &Cx,
    calendar: &Calendar,
    start: jiff::Timestamp,
    doc: &Doc,
    key: &str,
) -> Option<Nanos> {
    cx.parsed(doc, key, "an instant", |text| {
        let dated = text.len() >= 10 && text.as_bytes().get(4) == Some(&b'-');
        let offset = if dated {
            calendar.local(text, start)?
        } else {
            Nanos::parse(text)?
        };
        if offset.0.abs() > super::cx::LONGEST.0 {
            return Err("an instant is within ten years of the start".into());
        }
        Ok(offset)
    })
}
