//! The timeline of a scenario: faults, and steps that are not faults.

use super::cx::Fields;
use super::doc::Doc;
use super::narrow::{Of, narrow, owners};
use super::place::Span;
use super::scenario::Reader;
use super::select::{domains_named, resolve_selector};
use crate::faults::{self, FaultKind};
use crate::ids::GroupId;
use crate::scenario::{Action, FaultEntry, Flap, StepEntry, Target};
use assize_fault::Nanos;

/// How many elements all faults and steps of a scenario may select together.
const MAX_TARGETS: usize = 1_000_000;

impl Reader<'_> {
    pub(crate) fn entry(&mut self, doc: &Doc) {
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
                "give one another `id`",
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
            let key = params.against.unwrap_or("against");
            let help = match key {
                "sessions" => "name whose sessions are lost: `sessions: service/radius`",
                _ => "name the far side: `against: domain/dc-south`",
            };
            self.cx
                .error(f.at, format!("`{}` needs `{key}`", kind.name), help);
        }
        let until = self.until(f, at);
        let named = self.named_domains(f);
        let mut entry = FaultEntry {
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
        if !params.waves {
            self.places.push((f.at, until.is_some()));
            self.faults.push(entry);
            return;
        }
        let (id, targets) = (entry.id.clone(), std::mem::take(&mut entry.targets));
        for (name, span, group, until) in self.waves(f, at) {
            match narrow(self.t, targets.clone(), Of::Group(group)) {
                Ok(targets) => {
                    let id = format!("{id}-{name}");
                    self.ids.add(&id, span);
                    self.places.push((span, true));
                    self.faults.push(FaultEntry {
                        id,
                        until,
                        bounded: true,
                        owners: owners(self.t, &targets, &named),
                        targets,
                        ..entry.clone()
                    });
                }
                Err(why) => self
                    .cx
                    .error(span, why, "a wave is a group of the target's sites"),
            }
        }
    }

    /// When a fault ends at the sites of each group.
    fn waves<'f>(&self, f: &Fields<'f>, at: Nanos) -> Vec<(&'f str, Span, GroupId, Nanos)> {
        if f.has("for") || f.has("until") {
            let help = "leave out `for` and `until`";
            self.cx
                .error(f.key("waves"), "the waves say when it ends", help);
        }
        let wave = |(name, span, doc): (&'f str, Span, &'f Doc)| {
            let bare = name.strip_prefix("group/").unwrap_or(name);
            let group = self.tables.groups.find(self.cx, bare, span)?;
            let until = self.instant(doc, name)?;
            if until <= at {
                let what = format!("`{name}` is rolled back before the change is pushed");
                self.cx.error(doc.at, what, "a time after `at`");
            }
            Some((bare, span, GroupId::from(group), until))
        };
        f.entries("waves").into_iter().filter_map(wave).collect()
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

    pub(crate) fn find_fault(&self, name: &str, at: Span) -> Option<usize> {
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
    "by",
    "tolerance",
    "sessions",
    "times",
    "waves",
];

/// Whether a fault may be on what a selector names. A domain or a pattern holds elements of many
/// kinds; those that the fault is not for are passed over, unless that is all of them.
pub(crate) fn allowed(kind: &FaultKind, text: &str, targets: &[Target]) -> Result<(), String> {
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
