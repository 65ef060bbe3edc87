//! What a file says about the real thing: the system behind a service, what a journey asks of
//! it, and bindings that stand apart from the topology.
//!
//! Bindings of a file of their own are laid over the topology before it is read, so that a bound
//! service is read in one way only. Nothing here connects to anything, and no secret is read:
//! files name the environment variable that holds one.

use super::cx::{Cx, Fields};
use super::doc::{Doc, Entry, Value};
use super::merge;
use super::place::Span;
use super::topology::Build;
use crate::binding::{
    Binding, Command, DRIVERS, EnvVar, Misbehaviour, Realisation, Request, StandIn, VERBS,
};
use crate::ids::ServiceId;
use crate::topology::{Journey, Service};
use std::path::PathBuf;

/// What a binding may say of a service.
const SERVICE: &[&str] = &[
    "driver",
    "address",
    "addresses",
    "dsn",
    "peers",
    "health",
    "commands",
];
/// What a binding may say of a journey.
const JOURNEY: &[&str] = &["http", "to", "body", "expect", "sql", "exec", "rate"];
/// Methods of HTTP that a journey may use.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Lays the bindings of a document over a topology's. What is bound is no stand-in.
pub(crate) fn lay(cx: &Cx, bindings: Doc, topology: &mut Doc) {
    let Some(f) = Fields::open(cx, &bindings, "bindings") else {
        return;
    };
    f.ignore(&["assize"]);
    for (section, kind, keys) in [
        ("services", "bound service", SERVICE),
        ("journeys", "bound journey", JOURNEY),
    ] {
        for (name, at, doc) in f.entries(section) {
            if let Some(entry) = Fields::open(cx, doc, kind) {
                entry.ignore(keys);
                entry.finish();
            }
            let Some(there) = section_of(topology, section).and_then(|map| map.get_mut(name))
            else {
                let names: Vec<String> = section_of(topology, section)
                    .map(|map| map.keys().cloned().collect())
                    .unwrap_or_default();
                let help = cx.suggest(name, names.iter().map(String::as_str).collect::<Vec<_>>());
                let what = format!(
                    "the topology has no {} `{name}`",
                    &section[..section.len() - 1]
                );
                cx.error(at, what, help);
                continue;
            };
            if there.value.is_null() {
                there.value.value = Value::Map(super::doc::Map::default());
            }
            if let Value::Map(map) = &mut there.value.value {
                map.shift_remove("stand_in");
            }
            merge::overlay(&mut there.value, doc.clone());
        }
    }
    f.finish();
}

fn section_of<'a>(doc: &'a mut Doc, section: &str) -> Option<&'a mut super::doc::Map> {
    let Value::Map(map) = &mut doc.value else {
        return None;
    };
    let entry: &mut Entry = map.get_mut(section)?;
    match &mut entry.value.value {
        Value::Map(map) => Some(map),
        _ => None,
    }
}

const STAND_INS: [(&str, StandIn); 4] = [
    ("http", StandIn::Http),
    ("store", StandIn::Store),
    ("radius", StandIn::Radius),
    ("dns", StandIn::Dns),
];

impl Build<'_> {
    /// The kind of a stand-in, a word or a map with what it does wrong, if the file says.
    pub(crate) fn stand_in(&self, f: &Fields<'_>, service: &mut Service) -> Option<StandIn> {
        let doc = f.raw("stand_in")?;
        if !matches!(doc.value, Value::Map(_)) {
            return f.choice("stand_in", &STAND_INS);
        }
        let f = Fields::open(self.cx, doc, "stand-in")?;
        let kind = f.choice("kind", &STAND_INS);
        service.knobs.promote = f.duration("promote");
        for (word, at) in f.texts("misbehaves") {
            let known = Misbehaviour::ALL.iter().find(|(name, _)| *name == word);
            if let Some((_, wrong)) = known {
                service.knobs.misbehaves.push(*wrong);
                continue;
            }
            let names = Misbehaviour::ALL.map(|(name, _)| name);
            let help = format!("write {}", super::problem::quoted(&names, "or"));
            self.cx
                .error(at, format!("`misbehaves: {word}` is unknown"), help);
        }
        f.finish();
        kind
    }

    /// What stands behind a service; `addresses` are those that its replicas state.
    pub(crate) fn realised(
        &self,
        f: &Fields<'_>,
        service: &Service,
        mut addresses: Vec<Option<String>>,
        stand_in: Option<StandIn>,
    ) -> Realisation {
        let stated = self.addresses(f, service, &mut addresses);
        let driver = f.raw("driver").and_then(|d| self.driver(d));
        let binding = Binding {
            driver: driver.unwrap_or_default().to_string(),
            addresses: addresses.iter().flatten().cloned().collect(),
            dsn: f.raw("dsn").and_then(|d| self.secret(d)),
            peers: self.peers(f),
            health: f.text("health"),
            commands: self.commands(f, service),
            folder: self.folder(f.key("driver")),
        };
        if !f.has("driver") {
            for key in SERVICE.iter().filter(|key| f.has_key(key)) {
                let what = format!("`{key}` is of a real service, and no `driver` is named");
                let help = format!("write {}", super::problem::quoted(&DRIVERS, "or"));
                self.cx
                    .error(f.key(key), what, format!("{help} as `driver`"));
            }
            return Realisation::StandIn(stand_in.unwrap_or(StandIn::Http));
        }
        if stand_in.is_some() {
            let what = format!("`{}` has a driver and a stand-in", service.id);
            self.cx.error(f.key("stand_in"), what, "keep one of them");
        }
        if let Some(i) = addresses.iter().position(Option::is_none) {
            let replica = &service.replicas[i].id;
            let what = format!("replica `{replica}` of `{}` has no address", service.id);
            let help = format!("write `addresses: {{{replica}: HOST:PORT}}`");
            self.cx.error(stated.unwrap_or(f.at), what, help);
        }
        self.complete(f, &binding);
        Realisation::Bound(binding)
    }

    /// What a driver cannot do without.
    fn complete(&self, f: &Fields<'_>, binding: &Binding) {
        let missing = |verb: &str| !binding.commands.iter().any(|c| c.verb == verb);
        if binding.driver == "postgres" && binding.dsn.is_none() && !f.has("dsn") {
            let what = "the driver `postgres` needs a data source";
            let help = "write `dsn: {env: NAME}`; the variable holds `postgres://USER:PASSWORD@HOST/DATABASE`";
            self.cx.error(f.key("driver"), what, help);
        }
        for (driver, verb) in [("process", "start"), ("exec", "write")] {
            if binding.driver == driver && missing(verb) {
                let what = format!("the driver `{driver}` needs a command `{verb}`");
                let help = format!("write `commands: {{{verb}: [PROGRAM, ARGUMENT]}}`");
                self.cx.error(f.key("driver"), what, help);
            }
        }
    }

    fn driver(&self, doc: &Doc) -> Option<&'static str> {
        let name = self.cx.text(doc, "driver")?;
        let found = DRIVERS.into_iter().find(|d| *d == name);
        if found.is_none() {
            let help = self.cx.suggest(&name, DRIVERS);
            self.cx
                .error(doc.at, format!("no driver is named `{name}`"), help);
        }
        found
    }

    /// Addresses that stand beside the replicas. Returns where, if anywhere.
    fn addresses(
        &self,
        f: &Fields<'_>,
        service: &Service,
        addresses: &mut [Option<String>],
    ) -> Option<Span> {
        if let Some(doc) = f.raw("address") {
            let address = self.address(doc, "address");
            match addresses {
                [only] => *only = address.or(only.take()),
                _ => self.cx.error(
                    doc.at,
                    format!("`{}` has several replicas", service.id),
                    "write `addresses: {REPLICA: HOST:PORT}`",
                ),
            }
        }
        for (name, at, doc) in f.entries("addresses") {
            match service.replicas.iter().position(|r| r.id == name) {
                Some(index) => addresses[index] = self.address(doc, name),
                None => {
                    let help = self.cx.suggest(
                        name,
                        service
                            .replicas
                            .iter()
                            .map(|r| r.id.as_str())
                            .collect::<Vec<_>>(),
                    );
                    let what = format!("`{}` has no replica `{name}`", service.id);
                    self.cx.error(at, what, help);
                }
            }
        }
        f.has("addresses").then(|| f.key("addresses"))
    }

    /// `host:port`.
    pub(crate) fn address(&self, doc: &Doc, key: &str) -> Option<String> {
        let text = self.cx.text(doc, key)?;
        if !is_address(&text) {
            let what = format!("`{text}` is not an address");
            self.cx.error(
                doc.at,
                what,
                "an address is `HOST:PORT`, such as `127.0.0.1:5432`",
            );
            return None;
        }
        Some(text)
    }

    fn peers(&self, f: &Fields<'_>) -> Vec<String> {
        let list = f.list("peers");
        list.into_iter()
            .filter_map(|d| self.address(d, "peers"))
            .collect()
    }

    /// `{env: NAME}`. A secret that stands in a file is refused, and not repeated.
    fn secret(&self, doc: &Doc) -> Option<EnvVar> {
        if !matches!(doc.value, Value::Map(_)) {
            let what = "a data source stands in the environment, not in a file";
            self.cx
                .error_unseen(doc.at, what, "write `dsn: {env: NAME}`");
            return None;
        }
        let f = Fields::open(self.cx, doc, "secret")?;
        let name = f.required_text("env", "the environment variable that holds it");
        let at = f.raw("env").map_or(f.at, |d| d.at);
        f.finish();
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty()
            || !name.chars().all(good)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            if !name.is_empty() {
                let what = "this cannot name an environment variable";
                self.cx
                    .error_unseen(at, what, "letters, digits and `_`, such as `DB_URL`");
            }
            return None;
        }
        Some(EnvVar(name))
    }

    /// Commands: for each verb a program with its arguments, or those of each replica.
    fn commands(&self, f: &Fields<'_>, service: &Service) -> Vec<Command> {
        let mut commands = Vec::new();
        for (verb, at, doc) in f.entries("commands") {
            if !VERBS.contains(&verb) {
                let help = self.cx.suggest(verb, VERBS);
                self.cx
                    .error(at, format!("there is no command `{verb}`"), help);
            }
            let mut add = |replica, argv| {
                commands.push(Command {
                    verb: verb.to_string(),
                    replica,
                    argv,
                });
            };
            let Value::Map(map) = &doc.value else {
                if let Some(argv) = self.argv(doc, verb) {
                    add(None, argv);
                }
                continue;
            };
            for (name, entry) in map {
                let index = service.replicas.iter().position(|r| r.id == *name);
                let Some(index) = index else {
                    let what = format!("`{}` has no replica `{name}`", service.id);
                    let help = self.cx.suggest(
                        name,
                        service
                            .replicas
                            .iter()
                            .map(|r| r.id.as_str())
                            .collect::<Vec<_>>(),
                    );
                    self.cx.error(entry.key, what, help);
                    continue;
                };
                if let Some(argv) = self.argv(&entry.value, verb) {
                    add(Some(index as u16), argv);
                }
            }
        }
        commands
    }

    /// A program and its arguments: a list, or one text that is cut at blanks. No shell reads it.
    fn argv(&self, doc: &Doc, key: &str) -> Option<Vec<String>> {
        let argv: Vec<String> = match &doc.value {
            Value::List(list) => list.iter().filter_map(|d| self.cx.text(d, key)).collect(),
            _ => {
                let text = self.cx.text(doc, key)?;
                text.split_whitespace().map(str::to_string).collect()
            }
        };
        if argv.first().is_none_or(String::is_empty) {
            let what = format!("`{key}` names no program");
            self.cx.error(doc.at, what, "write `[PROGRAM, ARGUMENT]`");
            return None;
        }
        Some(argv)
    }

    /// The folder of the file in which something stands: commands run there.
    fn folder(&self, at: Span) -> PathBuf {
        let files = self.cx.files.borrow();
        merge::folder(std::path::Path::new(files.name(at.file)))
    }

    /// What a journey asks in a live run, and the service that it asks.
    pub(crate) fn request(&self, f: &Fields<'_>, journey: &mut Journey) {
        let stated: Vec<&str> = ["http", "sql", "exec"]
            .into_iter()
            .filter(|key| f.has_key(key))
            .collect();
        f.ignore(&["http", "sql", "exec"]);
        if let [_, second, ..] = stated.as_slice() {
            let what = "a journey asks one thing";
            self.cx
                .error(f.key(second), what, "keep one of `http`, `sql` and `exec`");
        }
        let to = f.raw("to").and_then(|d| {
            let name = self.cx.text(d, "to")?;
            self.find_service(&name, d.at)
        });
        if f.has("to") && !stated.iter().any(|key| ["http", "sql"].contains(key)) {
            let what = "`to` says whom `http` or `sql` asks";
            self.cx.error(f.key("to"), what, "name services in `calls`");
        }
        let body = f.text("body");
        let expect = f.list("expect");
        if let Some(key) = ["body", "expect"]
            .into_iter()
            .find(|k| f.has_key(k) && !f.has("http"))
        {
            let what = format!("`{key}` is of an HTTP request");
            self.cx.error(f.key(key), what, "write `http: POST /path`");
        }
        let expect = expect
            .into_iter()
            .filter_map(|d| self.cx.whole(d, "expect", 100, 599))
            .map(|n| n as u16)
            .collect();
        let asked = || to.or_else(|| self.only_asked(f, journey));
        journey.request = match stated.first() {
            Some(&"http") => f
                .raw("http")
                .zip(asked())
                .and_then(|(d, to)| self.http(d, to, body, expect)),
            Some(&"sql") => f
                .text("sql")
                .zip(asked())
                .map(|(statement, to)| Request::Sql { to, statement }),
            Some(_) => f
                .raw("exec")
                .and_then(|d| self.argv(d, "exec"))
                .map(|argv| Request::Exec {
                    argv,
                    folder: self.folder(f.key("exec")),
                }),
            None => match journey.writes.as_slice() {
                [to, ..] if f.has("ledger") => Some(Request::Ledger { to: *to }),
                _ => None,
            },
        };
        if let Some(Request::Http { to, .. } | Request::Sql { to, .. }) = journey.request
            && !journey.calls.contains(&to)
        {
            journey.calls.push(to);
        }
    }

    /// The service that a request without `to` is for: the first that the journey calls, or the
    /// only one that there is.
    fn only_asked(&self, f: &Fields<'_>, journey: &Journey) -> Option<ServiceId> {
        if let Some(first) = journey.calls.first() {
            return Some(*first);
        }
        if self.t.services.len() == 1 {
            return Some(ServiceId(0));
        }
        let what = format!(
            "journey `{}` does not say which service it asks",
            journey.id
        );
        self.cx.error(f.at, what, "write `to: SERVICE`");
        None
    }

    fn http(
        &self,
        doc: &Doc,
        to: ServiceId,
        body: Option<String>,
        expect: Vec<u16>,
    ) -> Option<Request> {
        let text = self.cx.text(doc, "http")?;
        let (method, path) = text.split_once(' ').unwrap_or(("GET", &text));
        let (method, path) = (method.to_ascii_uppercase(), path.trim());
        let good = METHODS.contains(&method.as_str())
            && path.starts_with('/')
            && path.chars().all(|c| c.is_ascii_graphic());
        if !good {
            let what = format!("`{text}` is not a request");
            self.cx.error(
                doc.at,
                what,
                "write a method and a path, such as `POST /orders`",
            );
            return None;
        }
        Some(Request::Http {
            to,
            method,
            path: path.to_string(),
            body,
            expect,
        })
    }

    /// A service that keeps state has a store for a stand-in, unless the file names another.
    pub(crate) fn default_stand_ins(&mut self) {
        for service in &mut self.t.services {
            if service.state.is_some() && service.realised == Realisation::StandIn(StandIn::Http) {
                service.realised = Realisation::StandIn(StandIn::Store);
            }
        }
    }
}

/// `host:port`.
pub(crate) fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty()
            && !host.contains(['/', ' ', '@'])
            && port.len() <= 5
            && port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}
