//! The rows of the table and their goals, all ratios or figures of one run.

use super::sheet::{Better, Goal, Kind, OURS, SPINS, Than};

pub(super) const BULK_1: &str = "bulk, 1 connection, GB/s";
pub(super) const CPU_1: &str = "… proxy CPU, s per GB";
pub(super) const BULK_16: &str = "bulk, 16 connections, GB/s";
pub(super) const CPU_16: &str = "… proxy CPU of 16, s per GB";
pub(super) const PING_1: &str = "64-byte ping-pong, 1 connection, p50 µs";
pub(super) const PING_64: &str = "64-byte ping-pong, 64 connections, thousand/s";
pub(super) const TAIL_64: &str = "… p99.9 ms";
pub(super) const CONNECTIONS: &str = "connections, thousand/s";
pub(super) const MEMORY: &str = "idle memory, KiB per connection";
pub(super) const LATENCY_50: &str = "100 ms latency, 50 connections: error p50, ms";
pub(super) const LATENCY_99: &str = "… p99, ms";
pub(super) const STREAM: &str = "10 ms latency on a stream: error p99, ms";
pub(super) const BULK_LATE: &str = "bulk under 100 ms latency, GB/s";
pub(super) const ERROR_10M: &str = "bandwidth 10,000 KB/s: rate error, %";
pub(super) const SPREAD_10M: &str = "… variation of 20 ms windows";
pub(super) const ERROR_100K: &str = "bandwidth 100 KB/s: rate error, %";
pub(super) const SPREAD_100K: &str = "… variation of 20 ms windows at 100 KB/s";
pub(super) const CUT: &str = "1,000 connections cut: last one, ms";
pub(super) const RESETS: &str = "`reset_peer` seen as RST, of 1,000 open before";

/// Every row, in order.
pub(super) const KINDS: &[Kind] = &[
    row(
        BULK_1,
        2,
        Better::More,
        &[goal(OURS, 1.3, Than::Peer("HAProxy splice"))],
    ),
    row(
        CPU_1,
        2,
        Better::Less,
        &[goal(OURS, 0.7, Than::Peer("HAProxy splice"))],
    ),
    row(
        BULK_16,
        2,
        Better::More,
        &[goal(OURS, 1.0, Than::Peer("HAProxy splice"))],
    ),
    row(CPU_16, 2, Better::Less, &[]),
    row(
        PING_1,
        1,
        Better::Less,
        &[
            goal(OURS, 1.0, Than::Best),
            goal(SPINS, 1.0, Than::Peer("direct")),
        ],
    ),
    row(PING_64, 1, Better::More, &[goal(OURS, 1.0, Than::Best)]),
    row(TAIL_64, 2, Better::Less, &[goal(OURS, 1.0, Than::Best)]),
    row(
        CONNECTIONS,
        1,
        Better::More,
        &[goal(OURS, 1.0, Than::Peer("nginx"))],
    ),
    row(MEMORY, 2, Better::Less, &[goal(OURS, 2.0, Than::Number)]),
    row(
        LATENCY_50,
        3,
        Better::Less,
        &[goal(OURS, 0.15, Than::Number)],
    ),
    row(
        LATENCY_99,
        3,
        Better::Less,
        &[goal(OURS, 0.4, Than::Number)],
    ),
    row(STREAM, 3, Better::Less, &[goal(OURS, 0.5, Than::Number)]),
    row(
        BULK_LATE,
        2,
        Better::More,
        &[
            goal(OURS, 3.0, Than::Peer("Toxiproxy")),
            goal(OURS, 0.6, Than::Own(BULK_1)),
        ],
    ),
    row(ERROR_10M, 3, Better::Less, &[goal(OURS, 0.1, Than::Number)]),
    row(
        SPREAD_10M,
        3,
        Better::Less,
        &[goal(OURS, 0.05, Than::Number)],
    ),
    row(
        ERROR_100K,
        3,
        Better::Less,
        &[goal(OURS, 0.2, Than::Number)],
    ),
    row(
        SPREAD_100K,
        3,
        Better::Less,
        &[goal(OURS, 0.3, Than::Number)],
    ),
    row(
        CUT,
        1,
        Better::Less,
        &[goal(OURS, 1.5, Than::Peer("direct"))],
    ),
    row(RESETS, 0, Better::More, &[goal(OURS, 1000.0, Than::Number)]),
];

const fn row(what: &'static str, digits: usize, better: Better, goals: &'static [Goal]) -> Kind {
    Kind {
        what,
        digits,
        better,
        goals,
    }
}

const fn goal(of: &'static str, factor: f64, than: Than) -> Goal {
    Goal { of, factor, than }
}
