//! Files become a [`Topology`] and a [`Scenario`], or a list of everything that is wrong.
//!
//! Reading goes in three steps. `doc` turns bytes into a tree in which every value knows its
//! place; `merge` puts included files and `--set` values together; the readers of each section
//! walk the tree and report every problem. Nothing here touches a file system: the caller gives
//! a [`Source`]. `docs/FILES.md` is the reference of every field.

mod bare;
mod bind;
mod checks;
mod contract;
pub(crate) mod cx;
mod doc;
mod expect;
mod fields;
mod figures;
mod links;
mod live;
mod merge;
mod narrow;
mod objectives;
mod place;
mod problem;
mod provenance;
mod record;
mod reliability;
mod scenario;
mod schema;
mod select;
mod services;
mod sets;
mod state;
#[cfg(test)]
mod tests;
mod timeline;
mod topology;
mod users;

pub use bare::bare_scenario;
pub use contract::load_contract;
pub use doc::{MAX_BYTES, MAX_DEPTH, MAX_NODES};
pub use figures::{Figure, assumed_figures};
pub use problem::{Problem, Problems, Severity, did_you_mean};
pub use record::load_record;
pub use schema::{reference, schema};
pub use select::resolve_selector;

use crate::scenario::Scenario;
use crate::topology::Topology;
use cx::Cx;
use doc::{Doc, Value};
use place::Span;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the caller changes about what files say.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// `path=value`, applied in order; `path=null` deletes.
    pub sets: Vec<String>,
    /// Replaces the scenario's topology.
    pub topology: Option<PathBuf>,
    /// A file of symptoms, which replaces those that the scenario is scored against.
    pub expect: Option<PathBuf>,
    /// A file of bindings, laid over those of the scenario and the topology.
    pub bind: Option<PathBuf>,
    /// Whether the scenario's `live:` is applied: for a run on real sockets, and its prediction.
    pub live: bool,
    /// Conditions under which a live run is stopped, beside those of `live.abort_if`.
    pub abort_if: Vec<String>,
}

/// Where files come from. Paths are relative to the working directory, or absolute, as the
/// caller first gave them; names inside files are checked to stay in their folder before they
/// are asked for. A source on a real file system refuses links that leave that folder.
pub trait Source {
    /// The bytes of a file.
    ///
    /// # Errors
    /// Why it cannot be read, as the rest of a sentence.
    fn read(&self, path: &Path) -> Result<Vec<u8>, String>;
}

/// Files held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemorySource(BTreeMap<PathBuf, Vec<u8>>);

impl MemorySource {
    /// Files by name and content.
    #[must_use]
    pub fn new<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self(
            files
                .into_iter()
                .map(|(name, text)| (name.into(), text.into()))
                .collect(),
        )
    }

    /// Adds a file.
    pub fn insert(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.insert(name.into(), bytes);
    }
}

impl Source for MemorySource {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| "there is no such file".to_string())
    }
}

/// What a file says it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `assize: topology/v1`
    Topology,
    /// `assize: scenario/v1`
    Scenario,
    /// `assize: part/v1`: only included by others.
    Part,
    /// `assize: expect/v1`: the symptoms of one incident.
    Expect,
    /// `assize: bindings/v1`: the real systems behind a topology's services.
    Bindings,
    /// `assize: contract/v1`: what a supplier promises.
    Contract,
    /// `assize: record/v1`: who led, observed and approved a drill.
    Record,
}

impl Kind {
    const ALL: [(&'static str, Self); 7] = [
        ("topology/v1", Self::Topology),
        ("scenario/v1", Self::Scenario),
        ("part/v1", Self::Part),
        ("expect/v1", Self::Expect),
        ("bindings/v1", Self::Bindings),
        ("contract/v1", Self::Contract),
        ("record/v1", Self::Record),
    ];
}

/// What a file is, by its `assize:` line; `None` if it is no file of ours, or no YAML.
#[must_use]
pub fn kind_of(bytes: &[u8]) -> Option<Kind> {
    let doc = doc::parse(&mut place::Files::default(), "", bytes).ok()?;
    let text = doc.get("assize")?.scalar()?.to_string();
    Kind::ALL
        .into_iter()
        .find(|(name, _)| *name == text)
        .map(|(_, kind)| kind)
}

/// Any YAML or JSON document as plain values, for formats of others: numbers as text, keys sorted.
///
/// # Errors
/// What keeps the text from being a document, with its place.
pub fn plain(name: &str, bytes: &[u8]) -> Result<serde_json::Value, Problems> {
    doc::parse(&mut place::Files::default(), name, bytes).map(|doc| doc.canonical())
}

/// Reads a topology with all that it includes.
///
/// # Errors
/// Everything that is wrong with it, warnings included.
pub fn load_topology(
    source: &dyn Source,
    path: &Path,
    options: &LoadOptions,
) -> Result<(Topology, Vec<Problem>), Problems> {
    let cx = Cx::default();
    let mut doc = merge::load(&cx, source, path)?;
    if !check_kind(&cx, &doc, Kind::Topology) {
        return Err(cx.outcome().err().unwrap_or_default());
    }
    lay_file(&cx, source, options.bind.as_deref(), &mut doc);
    for set in &options.sets {
        sets::apply(&cx, set, None, &mut doc);
    }
    let digest = digest(&doc);
    let topology = topology::read(&cx, &doc, None, digest);
    finish(&cx, topology.map(|t| named(t, path)))
}

/// Reads a scenario and its topology.
///
/// # Errors
/// Everything that is wrong with either, warnings included.
pub fn load_scenario(
    source: &dyn Source,
    path: &Path,
    options: &LoadOptions,
) -> Result<(Topology, Scenario, Vec<Problem>), Problems> {
    let cx = Cx::default();
    let mut doc = merge::load(&cx, source, path)?;
    if !check_kind(&cx, &doc, Kind::Scenario) {
        return Err(cx.outcome().err().unwrap_or_default());
    }
    let Some((mut base, topology_path)) = topology_of(&cx, source, path, &mut doc, options) else {
        return Err(cx.outcome().err().unwrap_or_default());
    };
    bindings(&cx, source, path, &mut doc, &mut base);
    lay_file(&cx, source, options.bind.as_deref(), &mut base);
    if options.live {
        live::apply(&cx, &mut doc, &mut base);
    }
    let stated = live::timeline_names(&doc);
    for set in &options.sets {
        sets::apply(&cx, set, Some(&mut doc), &mut base);
    }
    live::forget_removed(&mut doc, &stated);
    let start = doc.get("start").and_then(Doc::scalar).map(str::to_string);
    let topology = topology::read(&cx, &base, start.as_deref(), digest(&base));
    let Some(topology) = topology.map(|t| named(t, &topology_path)) else {
        return Err(cx.outcome().err().unwrap_or_default());
    };
    let expect = match &options.expect {
        Some(file) => expect_instead(&cx, source, file, &mut doc),
        None => expect_file(&cx, source, path, &doc),
    };
    // A scenario over a topology that is not whole would be reported for what it did not do.
    if cx.failed() && !sound(&topology) {
        return Err(cx.outcome().err().unwrap_or_default());
    }
    let names = (stem(path), path.display().to_string());
    let scenario = scenario::read(&cx, &topology, &doc, names, expect.as_ref(), digest(&doc));
    if let Some(what) = too_large(&topology) {
        cx.error(
            doc.at,
            what,
            "model like sites as one class with `count:`, or cut the topology",
        );
    }
    let abort_if = live::abort_conditions(&cx, &topology, &options.abort_if);
    let scenario = scenario.map(|mut s| {
        s.live.applied = options.live;
        s.live.abort_if.extend(abort_if);
        s
    });
    let ((mut topology, scenario), warnings) = finish(&cx, scenario.map(|s| (topology, s)))?;
    if options.live {
        crate::timers::raise(&mut topology, scenario.live.shortest_timer);
    }
    Ok((topology, scenario, warnings))
}

/// Paths are kept from every node to every place that serves, and state for every place, access
/// and journey of a population: both are bounded, so that no file takes memory without bound.
fn too_large(t: &Topology) -> Option<String> {
    const PATHS: usize = 30_000_000;
    const USES: usize = 500_000;
    let mut places: Vec<_> = t
        .services
        .iter()
        .flat_map(|s| &s.replicas)
        .map(|r| r.at)
        .collect();
    places.sort_unstable();
    places.dedup();
    let paths = places.len() * t.nodes.len();
    if paths > PATHS {
        return Some(format!(
            "{} places that serve among {} nodes are too many: {paths} paths, {PATHS} at most",
            places.len(),
            t.nodes.len()
        ));
    }
    let uses: usize = t
        .populations
        .iter()
        .map(|p| p.at.len() * p.access.len() * p.makes.len())
        .sum();
    (uses > USES).then(|| {
        format!(
            "{uses} uses (places × accesses × journeys of populations) are too many: {USES} at most"
        )
    })
}

/// Whether every index of a topology that was read with errors is in range.
fn sound(t: &Topology) -> bool {
    let nodes = t.nodes.len();
    let node = |id: crate::ids::NodeId| id.index() < nodes;
    t.links.iter().all(|l| node(l.to))
        && t.services
            .iter()
            .all(|s| s.replicas.iter().all(|r| node(r.at)))
}

fn finish<T>(cx: &Cx, value: Option<T>) -> Result<(T, Vec<Problem>), Problems> {
    let warnings = cx.outcome()?;
    match value {
        Some(value) => Ok((value, warnings)),
        None => Err(Problems(warnings)),
    }
}

fn named(mut topology: Topology, path: &Path) -> Topology {
    if topology.name.is_empty() {
        topology.name = stem(path);
    }
    topology
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|s| s.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The topology of a scenario, taken out of it or read from the file that it names.
fn topology_of(
    cx: &Cx,
    source: &dyn Source,
    path: &Path,
    doc: &mut Doc,
    options: &LoadOptions,
) -> Option<(Doc, PathBuf)> {
    let place = doc.at;
    let stated = match &mut doc.value {
        Value::Map(map) => map.shift_remove("topology"),
        _ => None,
    };
    let stated = stated.filter(|entry| !entry.value.is_null());
    let base = if let Some(path) = &options.topology {
        match merge::load(cx, source, path) {
            Ok(doc) => (doc, path.clone()),
            Err(problems) => {
                cx.extend(problems);
                return None;
            }
        }
    } else {
        let Some(stated) = stated else {
            let help = "write `topology: FILE`, or the topology itself";
            cx.error(place, "the scenario has no `topology`", help);
            return None;
        };
        let at = stated.value.at;
        match &stated.value.value {
            Value::Map(_) => {
                let inline = merge::including(cx, source, path, stated.value);
                return Some((inline, path.to_path_buf()));
            }
            _ => {
                let name = cx.text(&stated.value, "topology")?;
                let from = merge::folder(path);
                // One level up, and no further: examples stand in a folder beside their base.
                let parent = merge::tidy(&from.join(".."));
                let file = merge::inside(&from, &from, &name)
                    .or_else(|| merge::inside(&parent, &from, &name));
                let Some(file) = file else {
                    let what = format!("`{name}` is outside the scenario's folder and its parent");
                    cx.error(at, what, "give it on the command line: `--topology FILE`");
                    return None;
                };
                (load_part(cx, source, &file, at)?, file)
            }
        }
    };
    check_kind(cx, &base.0, Kind::Topology).then_some(base)
}

/// Loads a file that another one names; a file that is not there is reported where it is named.
fn load_part(cx: &Cx, source: &dyn Source, path: &Path, at: Span) -> Option<Doc> {
    match merge::load(cx, source, path) {
        Ok(doc) => Some(doc),
        Err(problems) => {
            for problem in &problems.0 {
                if problem.line == 0 {
                    let help = match problem.help.as_str() {
                        "" => "the name is read from the folder of the file that it stands in",
                        help => help,
                    };
                    cx.error(at, format!("{}: {}", problem.file, problem.what), help);
                }
            }
            cx.extend(Problems(
                problems.0.into_iter().filter(|p| p.line > 0).collect(),
            ));
            None
        }
    }
}

/// Lays what a scenario's `bind:` says, itself or in a file, over its topology.
fn bindings(cx: &Cx, source: &dyn Source, path: &Path, doc: &mut Doc, topology: &mut Doc) {
    let Some(stated) = doc.get("bind").filter(|d| !d.is_null()) else {
        return;
    };
    let laid = match stated.scalar() {
        None => Some(stated.clone()),
        Some(name) => {
            let folder = merge::folder(path);
            let file = merge::inside(&folder, &folder, name);
            if file.is_none() {
                let what = format!("`{name}` is outside the scenario's folder");
                let help = "give it on the command line: `--bind FILE`";
                cx.error(stated.at, what, help);
            }
            file.and_then(|file| load_part(cx, source, &file, stated.at))
                .filter(|laid| check_kind(cx, laid, Kind::Bindings))
        }
    };
    if let Some(laid) = laid {
        bind::lay(cx, laid, topology);
    }
}

/// Lays the bindings of a file that the caller names over a topology.
fn lay_file(cx: &Cx, source: &dyn Source, file: Option<&Path>, topology: &mut Doc) {
    let Some(file) = file else { return };
    match merge::load(cx, source, file) {
        Ok(laid) if check_kind(cx, &laid, Kind::Bindings) => bind::lay(cx, laid, topology),
        Ok(_) => {}
        Err(problems) => cx.extend(problems),
    }
}

/// The file of symptoms that the caller names, in place of what the scenario says.
fn expect_instead(cx: &Cx, source: &dyn Source, file: &Path, doc: &mut Doc) -> Option<Doc> {
    let expect = match merge::load(cx, source, file) {
        Ok(expect) => expect,
        Err(problems) => {
            cx.extend(problems);
            return None;
        }
    };
    if let Value::Map(map) = &mut doc.value {
        let value = Doc {
            at: expect.at,
            value: Value::Text(file.display().to_string()),
        };
        let key = value.at;
        map.insert("expect".into(), doc::Entry { key, value });
    }
    Some(expect)
}

fn expect_file(cx: &Cx, source: &dyn Source, path: &Path, doc: &Doc) -> Option<Doc> {
    let expect = doc.get("expect")?;
    let name = expect.scalar()?;
    let folder = merge::folder(path);
    let Some(file) = merge::inside(&folder, &folder, name) else {
        let what = format!("`{name}` is outside the scenario's folder");
        cx.error(
            expect.at,
            what,
            "the file of symptoms stands beside the scenario, or below it",
        );
        return None;
    };
    load_part(cx, source, &file, expect.at)
}

/// Whether a file is, or is probably meant to be, of the kind wanted; if not, reading on would
/// only report what follows from that.
fn check_kind(cx: &Cx, doc: &Doc, wanted: Kind) -> bool {
    let name = Kind::ALL
        .iter()
        .find(|(_, kind)| *kind == wanted)
        .map_or("", |(name, _)| name);
    let help = format!("the first line of the file is `assize: {name}`");
    match doc.get("assize") {
        Some(stated) if stated.scalar() == Some(name) => true,
        Some(stated) => {
            let text: String = stated
                .scalar()
                .unwrap_or_default()
                .chars()
                .take(40)
                .collect();
            let known = Kind::ALL.iter().any(|(name, _)| *name == text);
            let what = if known {
                format!("this is a `{text}`, and a `{name}` is needed here")
            } else {
                format!("`assize: {text}` is unknown")
            };
            cx.error(stated.at, what, help);
            !known
        }
        None => {
            let keys = doc.map().map(|map| map.keys().map(String::as_str));
            // A slip in that very word is reported as an unknown field.
            if keys.is_some_and(|keys| !problem::nearest("assize", keys).is_empty()) {
                return true;
            }
            let at = Span { len: 1, ..doc.at };
            cx.error(at, "the file does not say what it is", help);
            doc.map().is_some()
        }
    }
}

/// Owner domains of what a selector names: those of its elements, or the domain itself.
pub(crate) fn owners_of(
    t: &Topology,
    text: &str,
    targets: &[crate::scenario::Target],
) -> Vec<crate::ids::DomainId> {
    let domain = text.strip_prefix("domain/");
    let named = domain.and_then(|pattern| select::domains_named(t, pattern).ok());
    narrow::owners(t, targets, &named.unwrap_or_default())
}

fn digest(doc: &Doc) -> String {
    sha256(doc.canonical().to_string().as_bytes())
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Instant zero of a scenario without `start:`: Monday 6 January 2025, 09:00 UTC, an ordinary
/// working morning.
pub(crate) fn default_start() -> jiff::Timestamp {
    jiff::Timestamp::constant(1_736_154_000, 0)
}
