//! What `assize ctl` prints: tables for people, and the lines of `toxiproxy-cli`.

use crate::Console;
use assize_report::text::{Column, Grid, Paint};
use serde_json::Value;
use std::io;

/// The proxies, as a table.
pub(super) fn list(proxies: &Value, console: &mut Console<'_>) -> io::Result<()> {
    let all = proxies.as_object();
    if all.is_none_or(serde_json::Map::is_empty) {
        return writeln!(
            console.out,
            "There are no proxies; `assize ctl create` makes one."
        );
    }
    let columns = ["proxy", "listens on", "connects to", "is", "toxics"];
    let mut grid = Grid::new(&columns.map(Column::tag));
    for proxy in all.into_iter().flat_map(|map| map.values()) {
        let toxics = proxy["toxics"].as_array().map_or(0, Vec::len);
        let (state, paint) = state(proxy);
        grid.row(vec![
            (text(proxy, "name"), Paint::Strong),
            (text(proxy, "listen"), Paint::Plain),
            (text(proxy, "upstream"), Paint::Plain),
            (state.to_owned(), paint),
            (toxics.to_string(), Paint::Plain),
        ]);
    }
    print(&grid, console)
}

/// One proxy with its toxics.
pub(super) fn inspect(proxy: &Value, console: &mut Console<'_>) -> io::Result<()> {
    writeln!(
        console.out,
        "{} listens on {}, connects to {}, is {}",
        text(proxy, "name"),
        text(proxy, "listen"),
        text(proxy, "upstream"),
        state(proxy).0
    )?;
    let listener = text(proxy, "listener");
    if !listener.is_empty() && listener != "open" {
        writeln!(
            console.out,
            "New clients meet a listener that is set to {listener}."
        )?;
    }
    if let Some(counters) = proxy["counters"].as_object() {
        writeln!(
            console.out,
            "{} of {} connections are open; {} bytes went up, {} down",
            counters["open"],
            counters["accepted"],
            counters["upstream"]["sent"],
            counters["downstream"]["sent"]
        )?;
    }
    let Some(toxics) = proxy["toxics"].as_array().filter(|list| !list.is_empty()) else {
        return writeln!(console.out, "It has no toxics.");
    };
    let columns = ["toxic", "type", "stream", "toxicity", "attributes", "for"];
    let mut grid = Grid::new(&columns.map(Column::tag));
    for toxic in toxics {
        let whom = toxic["peer"].as_str().map(|peer| format!("of {peer}"));
        let left = toxic["expires_in_ms"].as_f64();
        let left = left.map(|ms| format!("{:.1} s more", ms / 1e3));
        let limits: Vec<_> = whom.into_iter().chain(left).collect();
        grid.row(vec![
            (text(toxic, "name"), Paint::Strong),
            (text(toxic, "type"), Paint::Plain),
            (text(toxic, "stream"), Paint::Plain),
            (toxic["toxicity"].to_string(), Paint::Plain),
            (attributes(toxic, " "), Paint::Plain),
            (limits.join(", "), Paint::Plain),
        ]);
    }
    print(&grid, console)
}

/// Live connections.
pub(super) fn connections(list: &Value, console: &mut Console<'_>) -> io::Result<()> {
    let Some(all) = list["connections"].as_array().filter(|all| !all.is_empty()) else {
        return writeln!(console.out, "There are no connections.");
    };
    let columns = [
        "id",
        "client",
        "age",
        "bytes up",
        "bytes down",
        "touched by",
    ];
    let mut grid = Grid::new(&columns.map(Column::tag));
    for one in all {
        let faults = one["faults"].as_array().into_iter().flatten();
        let faults: Vec<_> = faults.filter_map(Value::as_str).collect();
        let age = one["age_s"].as_f64().unwrap_or_default();
        grid.row(vec![
            (one["id"].to_string(), Paint::Plain),
            (text(one, "peer"), Paint::Strong),
            (format!("{age:.1} s"), Paint::Plain),
            (one["upstream_bytes"].to_string(), Paint::Plain),
            (one["downstream_bytes"].to_string(), Paint::Plain),
            (faults.join(", "), Paint::Plain),
        ]);
    }
    print(&grid, console)
}

/// That a proxy was made, and where it listens.
pub(super) fn created(proxy: &Value, original: bool) -> String {
    let name = text(proxy, "name");
    if original {
        return format!("Created new proxy {name}");
    }
    format!("{name} listens on {}", text(proxy, "listen"))
}

/// What a proxy is after it was switched.
pub(super) fn toggled(proxy: &Value, original: bool) -> String {
    let (name, state) = (text(proxy, "name"), state(proxy).0);
    let begin = if original { "Proxy " } else { "" };
    format!("{begin}{name} is now {state}")
}

/// The proxies as `toxiproxy-cli` prints them where nobody watches.
pub(super) fn original_list(proxies: &Value, console: &mut Console<'_>) -> io::Result<()> {
    for proxy in proxies.as_object().into_iter().flat_map(|map| map.values()) {
        writeln!(
            console.out,
            "{}\t{}\t{}\t{}\t{}",
            text(proxy, "name"),
            text(proxy, "listen"),
            text(proxy, "upstream"),
            state(proxy).0,
            proxy["toxics"].as_array().map_or(0, Vec::len)
        )?;
    }
    Ok(())
}

/// The toxics of a proxy as `toxiproxy-cli` prints them where nobody watches.
pub(super) fn original_toxics(proxy: &Value, console: &mut Console<'_>) -> io::Result<()> {
    for toxic in proxy["toxics"].as_array().into_iter().flatten() {
        let attributes = attributes(toxic, "\t");
        let begin = if attributes.is_empty() { "" } else { "\t" };
        writeln!(
            console.out,
            "{}\ttype={}\tstream={}\ttoxicity={:.2}\tattributes=[{begin}{attributes}\t]",
            text(toxic, "name"),
            text(toxic, "type"),
            text(toxic, "stream"),
            toxic["toxicity"].as_f64().unwrap_or_default(),
        )?;
    }
    Ok(())
}

fn print(grid: &Grid, console: &mut Console<'_>) -> io::Result<()> {
    let style = console.style(false);
    grid.print(console.out, &style, 0)
}

fn state(proxy: &Value) -> (&'static str, Paint) {
    if proxy["enabled"] == true {
        ("enabled", Paint::Good)
    } else {
        ("disabled", Paint::Bad)
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// `key=value` by key, with something between.
fn attributes(toxic: &Value, between: &str) -> String {
    let map = toxic["attributes"].as_object().into_iter().flatten();
    let mut pairs: Vec<_> = map.map(|(key, value)| format!("{key}={value}")).collect();
    pairs.sort();
    pairs.join(between)
}
