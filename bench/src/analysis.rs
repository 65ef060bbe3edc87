//! `cargo xtask bench analyse`: sweeps of links beside union-find from scratch, the pairs of a
//! topology, and growth with the number of sites.
//!
//! Networks are read from a folder (`--data DIR`, with `topology-zoo/*.graphml`); without it
//! rings with chords of the same sizes stand in.

use crate::measure::{Rounds, Thousands, time};
use crate::say;
use crate::table::Table;
use anyhow::{Context, Result, bail};
use assize_analysis::connected::{count, naive};
use assize_analysis::cycles::Adjacency;
use assize_analysis::design::{Question, Slice, Wanted, analyse};
use assize_analysis::{Limits, graphml};
use assize_model::file::{LoadOptions, MemorySource, load_topology};
use assize_model::topology::Topology;
use std::hint::black_box;
use std::path::Path;

const ROUNDS: usize = 5;

/// Ends of links by number of places, with a name.
type Network = (String, usize, Vec<(u32, u32)>);

/// Measures all of it; `data` is the folder of published networks.
pub(crate) fn run(data: Option<&str>, topology: &str) -> Result<()> {
    let mut table = Table::default();
    say::progress("links");
    let networks = match data {
        Some(folder) => published(folder)?,
        None => [20, 50, 100, 150].map(ring).into(),
    };
    links(&networks, &mut table);
    say::progress("topology");
    let text = flattened(Path::new(topology))?;
    pairs(
        "moj-2019: single elements and pairs, all targets, reachability and capacity, one core",
        &text,
        Some(2.0),
        &mut table,
    );
    say::progress("growth");
    for sites in [100, 1_000, 10_000] {
        let loaded = sites_of(sites)?;
        pairs(
            &format!("{} sites in ten classes", Thousands(f64::from(sites))),
            &loaded,
            None,
            &mut table,
        );
    }
    let peak = Rounds::new(vec![peak_mib() as f64]);
    table.rate("peak memory, all of it", &peak, "MiB", None);
    table.print();
    Ok(())
}

fn published(folder: &str) -> Result<Vec<Network>> {
    let mut networks = Vec::new();
    for entry in std::fs::read_dir(Path::new(folder).join("topology-zoo"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "graphml") {
            let graph = graphml::read(&std::fs::read_to_string(&path)?)
                .with_context(|| path.display().to_string())?;
            networks.push((graph.name.clone(), graph.places.len(), graph.ends()));
        }
    }
    networks.sort();
    if networks.is_empty() {
        bail!("no network in {folder}/topology-zoo");
    }
    Ok(networks)
}

/// A ring with a chord at every fifth place.
fn ring(n: u32) -> Network {
    let around = (0..n).map(|i| (i, (i + 1) % n));
    let across = (0..n).step_by(5).map(|i| (i, (i + n / 2) % n));
    (
        format!("ring of {n}"),
        n as usize,
        around.chain(across).collect(),
    )
}

/// One and two links at a time, over all networks, one thread.
fn links(networks: &[Network], table: &mut Table) {
    let sweep = || {
        for (_, places, ends) in networks {
            let graph = Adjacency::new(*places, ends);
            for k in [1, 2] {
                black_box(count(&graph, k));
            }
        }
    };
    let floor = || {
        for (_, places, ends) in networks {
            for k in [1, 2] {
                black_box(naive(*places, ends, k));
            }
        }
    };
    let rounds =
        |work: &dyn Fn()| Rounds::new((0..ROUNDS).map(|_| time(work).0.as_secs_f64()).collect());
    let (fast, slow) = (rounds(&sweep), rounds(&floor));
    let each = (0..ROUNDS).map(|_| {
        let (quick, plain) = (time(sweep).0.as_secs_f64(), time(floor).0.as_secs_f64());
        plain / quick.max(1e-9)
    });
    let times = Rounds::new(each.collect());
    table.millis(
        &format!("{} networks, 1 and 2 links at a time", networks.len()),
        &fast,
        None,
    );
    table.millis("the same by union-find from scratch", &slow, None);
    table.ratio("how many times as fast, on one core", &times, 20.0);
}

fn pairs(what: &str, topology: &Topology, goal: Option<f64>, table: &mut Table) {
    let question = Question {
        k: 2,
        down: Vec::new(),
        wanted: Wanted {
            order: 2,
            most: 100,
            limits: Limits::default(),
        },
        slice: Slice::WHOLE,
        threads: 1,
        demands: Vec::new(),
        unexplored: 1.0,
    };
    let taken = (0..ROUNDS).map(|_| {
        time(|| black_box(analyse(topology, &question)))
            .0
            .as_secs_f64()
    });
    table.millis(what, &Rounds::new(taken.collect()), goal);
}

/// A topology with what it includes.
fn flattened(path: &Path) -> Result<Topology> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut source = MemorySource::default();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        if file.is_file() {
            source.insert(&file.display().to_string(), std::fs::read(&file)?);
        }
    }
    load_topology(&source, path, &LoadOptions::default())
        .map(|l| l.0)
        .map_err(|p| anyhow::anyhow!("{p}"))
}

fn sites_of(sites: u32) -> Result<Topology> {
    let mut text = String::from(
        "assize: topology/v1\nname: growth\nnodes:\n  a: {kind: router}\n  b: {kind: router}\n  d: {kind: host}\n",
    );
    for class in 0..10 {
        text.push_str(&format!(
            "  s{class}: {{kind: site, count: {}}}\n",
            sites / 10
        ));
    }
    text.push_str("links:\n  a-d: {between: [a, d], bandwidth: 10Gbit/s}\n  b-d: {between: [b, d], bandwidth: 10Gbit/s}\n");
    for class in 0..10 {
        text.push_str(&format!(
            "  s{class}-a: {{between: [s{class}, a], bandwidth: 100Mbit/s}}\n  s{class}-b: {{between: [s{class}, b], bandwidth: 100Mbit/s}}\n"
        ));
    }
    text.push_str("services: {app: {replicas: {x: {at: d}}}}\njourneys: {work: {calls: [app], sends: 10KiB, receives: 90KiB}}\npopulations:\n");
    for class in 0..10 {
        text.push_str(&format!(
            "  p{class}: {{at: {{s{class}: {sites}}}, makes: {{work: 1/h}}}}\n"
        ));
    }
    let source = MemorySource::new([("growth.yaml", text.as_str())]);
    load_topology(&source, Path::new("growth.yaml"), &LoadOptions::default())
        .map(|l| l.0)
        .map_err(|p| anyhow::anyhow!("{p}"))
}

/// The most memory that this process has held, where the system says.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|l| l.split_whitespace().next())
        .and_then(|n| n.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
