//! Runs on real sockets.

mod anyone;
mod canaries;
mod first;
mod guard;
mod harness;
mod killed;
mod late;
mod margins;
mod narrow;
mod pair;
mod plain;
mod refused;
mod secrets;
mod unseen;

use assize_live::{Ended, Options, Refused};
use assize_model::Plan;
use assize_model::file::{LoadOptions, MemorySource, load_scenario};
use assize_model::observation::Observation;

/// Carries out a scenario, as it stands in a text.
pub(crate) fn run(
    name: &str,
    text: &str,
    options: impl FnOnce(&mut Options),
) -> Result<(Ended, Vec<Observation>), Refused> {
    let folder = crate::support::Folder::new(name);
    let source = MemorySource::new([("s.yaml", text)]);
    let load = LoadOptions {
        live: true,
        ..LoadOptions::default()
    };
    let (topology, scenario, _) = load_scenario(&source, "s.yaml".as_ref(), &load)
        .unwrap_or_else(|problems| panic!("{problems:#?}"));
    let plan = Plan::new(&topology, &scenario, 1);
    let mut how = Options::new(folder.path("").into());
    options(&mut how);
    let mut seen = Vec::new();
    let ended = assize_live::run(&plan, &how, &mut |o| seen.push(o))?;
    Ok((ended, seen))
}
