//! What the proxy costs and how exact its faults are: `cargo xtask bench proxy`.
//!
//! One program drives the same load through each proxy in turn, round after round, so that a
//! machine that slows down slows all. It judges no run as failed: the table says which goals were
//! reached.

mod clock;
mod faults;
mod load;
mod peers;
mod poll;
mod rows;
mod sheet;
mod upstream;

use crate::{process, say};
use anyhow::{Context, Result};
use load::percentile;
use peers::{Peer, To};
use rows::*;
use sheet::{OURS, SPINS, Sheet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use upstream::Upstreams;

/// Idle connections whose memory is measured.
const IDLE: usize = 2_000;

/// What is measured of a peer in one round.
type Part = (
    &'static str,
    fn(&Peer, &Upstreams, &mut Sheet) -> Result<()>,
);

const PARTS: &[Part] = &[
    ("bulk", bulk),
    ("ping", ping),
    ("connections", connections),
    ("idle", idle),
    ("faults", exactness),
    ("rates", rates),
    ("cuts", cuts),
];

/// What is to be measured.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Order {
    rounds: usize,
    toxiproxy: Option<PathBuf>,
    parts: Vec<String>,
}

impl Order {
    /// Of arguments: `[--rounds N] [--toxiproxy PATH] [PART]...`.
    pub(crate) fn read(mut args: &[&str]) -> Option<Self> {
        let mut order = Self {
            rounds: 5,
            toxiproxy: None,
            parts: Vec::new(),
        };
        while let [first, rest @ ..] = args {
            args = match (*first, rest) {
                ("--rounds", [n, rest @ ..]) => {
                    order.rounds = n.parse().ok().filter(|n| *n >= 1)?;
                    rest
                }
                ("--toxiproxy", [path, rest @ ..]) => {
                    order.toxiproxy = Some(PathBuf::from(path));
                    rest
                }
                (part, rest) => {
                    PARTS.iter().find(|known| known.0 == part)?;
                    order.parts.push(part.to_owned());
                    rest
                }
            };
        }
        Some(order)
    }
}

/// Measures it, and prints the table.
pub(crate) fn run(order: &Order) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("assize-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = measure(order, &folder);
    // Only configuration of ours is in it.
    let _ = std::fs::remove_dir_all(&folder);
    say::line(&measured?.text());
    Ok(())
}

fn measure(order: &Order, folder: &Path) -> Result<Sheet> {
    let upstreams = Upstreams::start()?;
    let peers = line_up(order, &upstreams, folder)?;
    let mut sheet = Sheet::new(KINDS, peers.iter().map(|peer| peer.name).collect());
    for round in 1..=order.rounds {
        for (name, part) in PARTS {
            if !order.parts.is_empty() && !order.parts.iter().any(|wanted| wanted == name) {
                continue;
            }
            say::progress(&format!("  round {round}: {name}"));
            // Each begins once, so that none always follows the same one.
            let begins = round % peers.len();
            let (last, first) = peers.split_at(begins);
            for peer in first.iter().chain(last) {
                part(peer, &upstreams, &mut sheet)
                    .with_context(|| format!("{name}, {}", peer.name))?;
            }
        }
    }
    Ok(sheet)
}

/// Starts all peers that are here, and says how to get the others.
fn line_up(order: &Order, upstreams: &Upstreams, folder: &Path) -> Result<Vec<Peer>> {
    let ours = process::product()?;
    let mut peers = vec![
        Peer::direct(upstreams),
        Peer::with_api(OURS, &ours, &["proxy"], upstreams)?,
        Peer::with_api(SPINS, &ours, &["proxy", "--spin"], upstreams)?,
    ];
    let mut missing = |peer: Option<Peer>, install: &str| match peer {
        Some(peer) => peers.push(peer),
        None => say::progress(&format!("  left out: `{install}` installs it")),
    };
    missing(
        Peer::haproxy(false, upstreams, folder)?,
        "apt-get install haproxy",
    );
    missing(
        Peer::haproxy(true, upstreams, folder)?,
        "apt-get install haproxy",
    );
    missing(
        Peer::nginx(upstreams, folder)?,
        "apt-get install nginx-light libnginx-mod-stream",
    );
    match &order.toxiproxy {
        Some(program) => peers.push(Peer::with_api("Toxiproxy", program, &[], upstreams)?),
        None => say::progress("  left out: Toxiproxy; `--toxiproxy PATH` names its server"),
    }
    Ok(peers)
}

fn bulk(peer: &Peer, upstreams: &Upstreams, sheet: &mut Sheet) -> Result<()> {
    let times = (Duration::from_millis(300), Duration::from_millis(1_000));
    for (connections, speed, cost) in [(1, BULK_1, CPU_1), (16, BULK_16, CPU_16)] {
        let address = peer.address(To::Sink);
        let (rate, cpu) = load::bulk(address, upstreams, connections, times, || peer.cpu())?;
        sheet.add(speed, peer.name, rate / 1e9);
        if peer.name != "direct" {
            sheet.add(cost, peer.name, cpu);
        }
    }
    Ok(())
}

fn ping(peer: &Peer, _: &Upstreams, sheet: &mut Sheet) -> Result<()> {
    let address = peer.address(To::Echo);
    let (trips, _) = load::ping(address, 1, Duration::from_millis(700), Duration::ZERO)?;
    sheet.add(PING_1, peer.name, percentile(&trips, 0.5) / 1e3);
    let (trips, took) = load::ping(address, 64, Duration::from_millis(1_200), Duration::ZERO)?;
    sheet.add(PING_64, peer.name, trips.len() as f64 / took / 1e3);
    sheet.add(TAIL_64, peer.name, percentile(&trips, 0.999) / 1e6);
    Ok(())
}

fn connections(peer: &Peer, _: &Upstreams, sheet: &mut Sheet) -> Result<()> {
    // The kernel gives a port of a closed connection to the same pair again after a second; until
    // then whoever comes next would search for ports that the one before has used up.
    clock::pause(Duration::from_millis(1_500));
    let rate = load::connections(peer.address(To::Echo), 8, Duration::from_millis(500))?;
    sheet.add(CONNECTIONS, peer.name, rate / 1e3);
    Ok(())
}

fn idle(peer: &Peer, _: &Upstreams, sheet: &mut Sheet) -> Result<()> {
    // A process keeps what it once had: only the first time tells what a connection takes.
    if peer.name != "direct" && !sheet.is_measured(MEMORY, peer.name) {
        let before = peer.memory();
        let held = load::idle(peer.address(To::Echo), IDLE)?;
        sheet.add(MEMORY, peer.name, (peer.memory() - before) / IDLE as f64);
        drop(held);
    }
    Ok(())
}

/// Only those with an API, and one of ours is enough.
fn injects(peer: &Peer) -> bool {
    peer.has_api() && peer.name != SPINS
}

fn exactness(peer: &Peer, upstreams: &Upstreams, sheet: &mut Sheet) -> Result<()> {
    if !injects(peer) {
        return Ok(());
    }
    let (p50, p99) = faults::latency(peer)?;
    sheet.add(LATENCY_50, peer.name, p50);
    sheet.add(LATENCY_99, peer.name, p99);
    sheet.add(STREAM, peer.name, faults::stream(peer)?);
    let attached = peer.attach(
        To::Sink,
        r#""type":"latency","stream":"upstream","attributes":{"latency":100}"#,
    )?;
    let times = (Duration::from_millis(600), Duration::from_millis(1_000));
    let (rate, _) = load::bulk(peer.address(To::Sink), upstreams, 1, times, || 0.0)?;
    drop(attached);
    sheet.add(BULK_LATE, peer.name, rate / 1e9);
    Ok(())
}

fn rates(peer: &Peer, upstreams: &Upstreams, sheet: &mut Sheet) -> Result<()> {
    if !injects(peer) {
        return Ok(());
    }
    for (rate, error, spread) in [
        (10_000, ERROR_10M, SPREAD_10M),
        (100, ERROR_100K, SPREAD_100K),
    ] {
        let measured = faults::bandwidth(peer, upstreams, rate)?;
        sheet.add(error, peer.name, measured.0);
        sheet.add(spread, peer.name, measured.1);
    }
    Ok(())
}

fn cuts(peer: &Peer, _: &Upstreams, sheet: &mut Sheet) -> Result<()> {
    if peer.name == "direct" {
        sheet.add(CUT, peer.name, faults::cut_directly()?);
    } else if injects(peer) {
        sheet.add(CUT, peer.name, faults::cut(peer)?);
        sheet.add(RESETS, peer.name, faults::resets(peer)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        let order = Order::read(&["--rounds", "2", "bulk", "--toxiproxy", "/x", "cuts"]);
        let order = order.expect("they make sense");
        assert_eq!(
            (order.rounds, order.parts),
            (2, vec!["bulk".into(), "cuts".into()])
        );
        assert_eq!(order.toxiproxy, Some(PathBuf::from("/x")));
        for wrong in [
            &["--rounds"][..],
            &["--rounds", "0"],
            &["nonsense"],
            &["--toxiproxy"],
        ] {
            assert_eq!(Order::read(wrong), None, "{wrong:?}");
        }
    }
}
