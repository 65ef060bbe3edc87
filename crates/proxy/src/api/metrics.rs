//! Metrics in Prometheus' text format, under Toxiproxy's names.
//!
//! Bytes are counted as they move, also on connections that are still open. What belongs to Go's
//! runtime in the original is answered with what a dashboard looks for, and no more.

use super::registry::Registry;
use super::reply::Reply;
use super::{Settings, VERSION};
use std::fmt::Write as _;

const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics that are switched on.
pub(crate) fn reply(registry: &Registry, settings: &Settings) -> Reply {
    let mut text = String::new();
    if settings.runtime_metrics {
        runtime(&mut text);
    }
    if settings.proxy_metrics {
        proxies(&mut text, registry);
    }
    Reply::text(200, KIND, text)
}

fn proxies(text: &mut String, registry: &Registry) {
    let snapshots = registry.list();
    for (what, name, about) in [
        (
            Moved::Received,
            "toxiproxy_proxy_received_bytes_total",
            "The total number of bytes received on a given proxy link in a given direction",
        ),
        (
            Moved::Sent,
            "toxiproxy_proxy_sent_bytes_total",
            "The total number of bytes sent on a given proxy link in a given direction",
        ),
    ] {
        head(text, name, about, "counter");
        for proxy in &snapshots {
            let counters = &proxy.counters;
            for (direction, traffic) in [
                ("downstream", counters.downstream),
                ("upstream", counters.upstream),
            ] {
                let bytes = match what {
                    Moved::Received => traffic.received,
                    Moved::Sent => traffic.sent,
                };
                let (listener, upstream) = (label(&proxy.listen), label(&proxy.upstream));
                let proxy = label(&proxy.name);
                // Writing to a string cannot fail, here and below.
                let _ = writeln!(
                    text,
                    r#"{name}{{direction="{direction}",listener={listener},proxy={proxy},upstream={upstream}}} {bytes}"#
                );
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Moved {
    Received,
    Sent,
}

fn runtime(text: &mut String) {
    head(
        text,
        "go_info",
        "Information about the Go environment.",
        "gauge",
    );
    let _ = writeln!(text, r#"go_info{{version="none; assize"}} 1"#);
    head(
        text,
        "go_build_info",
        "Build information about the main Go module.",
        "gauge",
    );
    let _ = writeln!(
        text,
        r#"go_build_info{{checksum="",path="github.com/Shopify/toxiproxy/v2",version="{VERSION}"}} 1"#
    );
    let threads = count("/proc/self/task");
    let about = "Number of goroutines that currently exist.";
    head(text, "go_goroutines", about, "gauge");
    let _ = writeln!(text, "go_goroutines {threads}");
    head(text, "go_threads", "Number of OS threads created.", "gauge");
    let _ = writeln!(text, "go_threads {threads}");
    let files = count("/proc/self/fd");
    head(
        text,
        "process_open_fds",
        "Number of open file descriptors.",
        "gauge",
    );
    let _ = writeln!(text, "process_open_fds {files}");
    if let Some(bytes) = resident() {
        let about = "Resident memory size in bytes.";
        head(text, "process_resident_memory_bytes", about, "gauge");
        let _ = writeln!(text, "process_resident_memory_bytes {bytes}");
    }
}

fn head(text: &mut String, name: &str, about: &str, kind: &str) {
    let _ = writeln!(text, "# HELP {name} {about}\n# TYPE {name} {kind}");
}

/// A label's value with its quotes; the format knows fewer escapes than JSON.
fn label(value: &str) -> String {
    if value.contains(['"', '\\', '\n']) {
        let escaped = value.replace('\\', r"\\").replace('"', "\\\"");
        return format!("\"{}\"", escaped.replace('\n', r"\n"));
    }
    format!("\"{value}\"")
}

/// How many entries a folder of the system has; at least one, where there is no such folder.
fn count(folder: &str) -> usize {
    std::fs::read_dir(folder).map_or(1, Iterator::count)
}

/// Bytes of memory that the process holds, where the system says so.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}
