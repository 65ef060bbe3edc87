//! The machine that a live run was made on, and its clock, as far as the system says.

use serde_json::{Value, json};
use std::process::Command;

/// Of a simulation: no figure rests on either.
pub(super) fn virtual_clock() -> Value {
    json!({"source": "virtual time: no figure rests on a clock", "offset_estimate": "0s"})
}

/// The clock of the machine and how far it may be off.
pub(super) fn clock() -> Value {
    let source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    let chrony = output("chronyc", &["-c", "tracking"]);
    let offset = chrony.as_deref().and_then(of_chrony);
    let synchronised = output(
        "timedatectl",
        &["show", "--property=NTPSynchronized", "--value"],
    );
    json!({
        "source": source.map_or_else(
            || "the system's clock".to_owned(),
            |source| format!("the system's clock, counted by {source}"),
        ),
        "synchronised": match (&offset, synchronised.as_deref()) {
            (Some(_), _) | (None, Some("yes")) => "yes",
            (None, Some("no")) => "no",
            _ => "not known",
        },
        "offset_estimate": offset.unwrap_or_else(
            || "not known: chrony does not run here; a time-stamp (`assize evidence tsq`) bounds it".into(),
        ),
    })
}

/// What `chronyc -c tracking` says: the offset of the system's clock, and the largest error.
fn of_chrony(text: &str) -> Option<String> {
    let fields: Vec<&str> = text.trim().split(',').collect();
    let seconds = |index: usize| fields.get(index)?.parse::<f64>().ok();
    // Reference, name, stratum, time, then the system's offset; delay and dispersion of the root.
    let (offset, delay, dispersion) = (seconds(4)?, seconds(10)?, seconds(11)?);
    let error = delay / 2.0 + dispersion;
    Some(format!(
        "{offset:+.6} s, at most {error:.6} s wrong, says chrony"
    ))
}

/// The machine.
pub(super) fn machine() -> Value {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let field = |file: &str, name: &str| {
        let text = read(file)?;
        let line = text.lines().find(|line| line.starts_with(name))?.to_owned();
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    json!({
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "kernel": read("/proc/sys/kernel/osrelease"),
        "name": read("/proc/sys/kernel/hostname"),
        "processor": field("/proc/cpuinfo", "model name"),
        "processors": processors,
        "memory": field("/proc/meminfo", "MemTotal"),
    })
}

fn read(file: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What a program of the system says, if it is there.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success()).then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_read_from_chrony() {
        let text = "A29FC87B,162.159.200.123,4,1764331200.1,0.000012345,-0.00001,0.00002,-1.2,0.0,\
                    0.1,0.010000000,0.001000000,64.2,Normal\n";
        let said = of_chrony(text).expect("read");
        assert_eq!(said, "+0.000012 s, at most 0.006000 s wrong, says chrony");
        assert_eq!(of_chrony("506 Cannot talk to daemon"), None);
    }
}
