//! A scenario that no file states, for a question of one line.

use super::narrow::owners;
use super::scenario::STABLE_FOR;
use super::select::{domains_named, resolve_selector};
use super::timeline::allowed;
use crate::faults;
use crate::scenario::{FaultEntry, Scenario, Target};
use crate::topology::Topology;
use assize_fault::Nanos;

/// A scenario that no file states: selectors that are down from the start for a time; none for
/// a look at the network as it is.
///
/// All objectives of the topology that name no fault are judged.
///
/// # Errors
/// Which selector names nothing, with the nearest names.
pub fn bare_scenario(
    t: &Topology,
    down: &[String],
    length: Nanos,
    start: Option<jiff::Timestamp>,
) -> Result<Scenario, String> {
    let outage = faults::find("outage").ok_or("no fault is named `outage`")?;
    if length <= Nanos::ZERO || length > super::cx::LONGEST {
        return Err("a fault lasts from 1ns to 10 years; write `--for 2h`".into());
    }
    let mut entries = Vec::new();
    for (i, text) in down.iter().enumerate() {
        let targets = resolve_selector(t, text)?;
        allowed(outage, text, &targets)?;
        let targets: Vec<Target> = targets
            .into_iter()
            .filter(|x| outage.allows(x).is_ok())
            .collect();
        let named = text
            .strip_prefix("domain/")
            .map(|p| domains_named(t, p))
            .transpose()?;
        entries.push(FaultEntry {
            id: format!("fault-{}", i + 1),
            kind: outage.name,
            at: Nanos::ZERO,
            until: length,
            bounded: true,
            flap: None,
            effects: vec![faults::Effect::Down(None)],
            owners: owners(t, &targets, &named.unwrap_or_default()),
            targets,
            against: Vec::new(),
            target_text: text.clone(),
        });
    }
    let digest = super::sha256(format!("what-if {length} {}", down.join(" ")).as_bytes());
    Ok(Scenario {
        name: "what-if".to_string(),
        path: String::new(),
        start: start.unwrap_or_else(super::default_start),
        steady_state: Nanos::ZERO,
        end: length + Nanos::hours(1),
        faults: entries,
        steps: Vec::new(),
        responses: Vec::new(),
        objectives: t
            .objectives
            .iter()
            .filter(|o| o.fault.is_none())
            .cloned()
            .collect(),
        expect: Vec::new(),
        stable_for: STABLE_FOR,
        live: crate::binding::LivePlan::default(),
        tags: Vec::new(),
        digest,
    })
}
