//! What a run would do, in words; touches nothing.

use crate::flows::FlowKey;
use crate::options::{Options, Refused};
use crate::probe::Crowd;
use crate::realise::{flow_keys, flow_name};
use crate::sparing::Ways;
use crate::thin;
use assize_fault::Nanos;
use assize_model::Plan;
use assize_model::binding::{Binding, Realisation};
use assize_model::scenario::{Action, StepEntry};

/// Whether a run would be refused for something that stands in its plan or its environment; touches
/// nothing.
///
/// # Errors
/// Commands without consent, a pace that is not to be had, a data source that is not there.
pub fn admit(plan: &Plan<'_>, options: &Options) -> Result<(), Refused> {
    crate::pace::possible(plan, options.pace)?;
    if options.direct && !plan.scenario.faults.is_empty() {
        return Err(Refused::new("without proxies nothing can be broken"));
    }
    for service in &plan.topology.services {
        if let Realisation::Bound(binding) = &service.realised {
            consent(binding, options, &service.id)?;
            crate::drivers::source(binding, &service.id)?;
        }
    }
    Ok(())
}

/// Every address, proxy and step of a run, a line each.
///
/// # Errors
/// The run would be refused for something that stands in the plan: commands without consent.
pub fn describe(plan: &Plan<'_>, options: &Options) -> Result<Vec<String>, Refused> {
    let mut lines = vec![format!("scenario {}", plan.scenario.name)];
    let real = plan.topology.has_real();
    lines.push(match options.pace.or(plan.scenario.live.pace) {
        Some(pace) => format!("pace {pace}"),
        None if real => "pace 1: real services".into(),
        None => "pace: the largest that the machine permits, up to 20".into(),
    });
    addresses(plan, options, &mut lines)?;
    let pace = options.pace.or(plan.scenario.live.pace).unwrap_or(1);
    let mut crowd = Crowd::new(plan, pace, options.probes_per_second);
    let makings: usize = crowd.reps.iter().map(|r| r.journeys.len()).sum();
    lines.push(format!(
        "users {} representatives, {makings} journeys among them",
        crowd.reps.len()
    ));
    let keys: Vec<FlowKey> = flow_keys(plan).into_iter().collect();
    let ways = Ways::new(plan, &keys);
    lines.extend(ways.spare(&mut crowd, thin::factor(plan, pace, ways.narrowest())));
    for key in keys {
        lines.push(format!("proxy {}:0 {}", options.host, flow_name(plan, key)));
    }
    timeline(plan, &mut lines);
    Ok(lines)
}

/// What stands behind each replica.
fn addresses(plan: &Plan<'_>, options: &Options, lines: &mut Vec<String>) -> Result<(), Refused> {
    for service in &plan.topology.services {
        for (r, replica) in service.replicas.iter().enumerate() {
            let what = match &service.realised {
                Realisation::StandIn(kind) => format!("stand-in {kind:?}").to_lowercase(),
                Realisation::Bound(binding) => {
                    consent(binding, options, &service.id)?;
                    let address = binding.addresses.get(r).map_or("", String::as_str);
                    format!("{} at {address}", binding.driver)
                }
            };
            lines.push(format!("replica {}/{}: {what}", service.id, replica.id));
        }
        if let Realisation::Bound(binding) = &service.realised {
            for command in &binding.commands {
                lines.push(format!(
                    "command {} {}: {}",
                    service.id,
                    command.verb,
                    command.argv.join(" ")
                ));
            }
        }
    }
    Ok(())
}

fn consent(binding: &Binding, options: &Options, service: &str) -> Result<(), Refused> {
    let runs =
        matches!(binding.driver.as_str(), "exec" | "process") || !binding.commands.is_empty();
    if runs && !options.allow_exec {
        return Err(Refused::new(format!(
            "`{service}` runs commands; say `--allow-exec` if you trust this file"
        )));
    }
    Ok(())
}

/// Faults and steps, in order of time.
fn timeline(plan: &Plan<'_>, lines: &mut Vec<String>) {
    let mut entries: Vec<(Nanos, String)> = Vec::new();
    for fault in &plan.scenario.faults {
        let until = if fault.bounded {
            format!(", until {}", fault.until)
        } else {
            ", to the end".into()
        };
        entries.push((
            fault.at,
            format!(
                "fault `{}`: {} on {}{until}",
                fault.id, fault.kind, fault.target_text
            ),
        ));
    }
    for step in &plan.scenario.steps {
        entries.push((step.at, format!("step `{}`: {}", step.id, action(step))));
    }
    entries.sort_by_key(|e| e.0);
    for (at, what) in entries {
        lines.push(format!("at {at} {what}"));
    }
    lines.push(format!("end at {}", plan.scenario.end));
}

fn action(step: &StepEntry) -> String {
    let what = match step.action {
        Action::Promote(..) => "promote",
        Action::FailBack(_) => "fail back",
        Action::Restore(_) => "restore",
        Action::Activate(_) => "activate",
        Action::Deactivate(_) => "deactivate",
        Action::RollBack(_) => "roll back",
    };
    format!("{what} {}", step.target_text)
}
