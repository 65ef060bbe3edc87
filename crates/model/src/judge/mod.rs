//! The judge: objectives and observations in, findings and a verdict out.
//!
//! Pure, and blind to the engine: it reads the plan and the journal and nothing else. What each
//! figure means is written at the file that measures it; a new kind of objective is one file
//! and one line in `findings`.

mod attribution;
mod availability;
mod backup_rule;
mod blast;
mod capacity;
mod context;
mod detection;
pub(crate) mod exact;
mod failback;
mod latency;
mod live;
mod losses;
mod outages;
mod picture;
mod predicted;
mod proportion;
mod results;
mod rpo;
mod rto;
mod series;
mod split_brain;
mod status;
mod symptoms;
mod words;

#[cfg(test)]
pub(crate) mod tests;

pub use predicted::compare;
pub use status::{suite_verdict, verdict};

use crate::finding::{Finding, Outcome};
use crate::ids::ServiceId;
use crate::journal::{Engine, Journal};
use crate::objective::{Objective, ObjectiveKind};
use crate::plan::Plan;
use assize_fault::Nanos;
use context::{Context, Pair};
use sha2::{Digest, Sha256};
use status::{About, Draft};

/// Judges what an engine recorded of a plan.
///
/// `warnings` are those from reading the files; they are passed on. A measurement that is
/// missing from the journal makes findings inconclusive, never met.
#[must_use]
pub fn judge(plan: &Plan<'_>, journal: &Journal, warnings: Vec<String>) -> Outcome {
    let context = Context::new(plan, journal);
    let objectives = &plan.scenario.objectives;
    let findings: Vec<Finding> = objectives
        .iter()
        .flat_map(|o| findings(&context, o))
        .chain(live::command(&context))
        .collect();
    Outcome {
        schema: "assize/verdict/v1",
        engine: match journal.engine {
            Engine::Simulate => "simulate",
            Engine::Run => "run",
            Engine::Observed => "observed",
        },
        topology: plan.topology.name.clone(),
        scenario: plan.scenario.name.clone(),
        seed: journal.seed,
        model_digest: model_digest(plan),
        start: context.instant(Nanos::ZERO),
        end: context.instant(journal.end),
        verdict: verdict(&findings),
        findings,
        populations: results::populations(&context),
        services: results::services(&context),
        groups: results::groups(&context),
        faults: results::faults(&context),
        steps: results::steps(&context),
        expected: symptoms::score(&context),
        not_exercised: results::not_exercised(&context),
        assumptions: results::assumptions(&context),
        warnings: live::with_notes(&context, with_amplification(&context, warnings)),
        live: live::result(&context),
        resolution: Nanos::ZERO,
        contract: None,
        picture: picture::draw(&context),
        trace_digest: journal.trace_digest.clone(),
        events: journal.events,
    }
}

/// The registry of objectives: measures one, and gives each finding its status.
fn findings(context: &Context<'_>, objective: &Objective) -> Vec<Finding> {
    let (kind, drafts) = match &objective.kind {
        ObjectiveKind::Rto(target) => ("rto", rto::judge(context, objective, *target)),
        ObjectiveKind::Rpo(target) => ("rpo", rpo::judge(context, objective, *target)),
        ObjectiveKind::Availability(target) => (
            "availability",
            availability::judge(context, objective, *target),
        ),
        ObjectiveKind::Outages { max, total } => {
            let limits = outages::Limits {
                max: *max,
                total: *total,
            };
            ("outages", outages::judge(context, objective, limits))
        }
        ObjectiveKind::MustNotAffect(items) => (
            "must_not_affect",
            blast::untouched(context, objective, items),
        ),
        ObjectiveKind::BlastRadius(target) => {
            ("blast_radius", blast::radius(context, objective, *target))
        }
        ObjectiveKind::UserHoursLost(most) => (
            "user_hours_lost",
            blast::hours_lost(context, objective, *most),
        ),
        ObjectiveKind::Latency(target) => ("latency", latency::judge(context, objective, *target)),
        ObjectiveKind::RetainedCapacity(target) => (
            "retained_capacity",
            capacity::retained(context, objective, *target),
        ),
        ObjectiveKind::Backlog(target) => {
            ("backlog", capacity::backlog(context, objective, *target))
        }
        ObjectiveKind::Detection(target) => {
            ("detection", detection::judge(context, objective, *target))
        }
        ObjectiveKind::Failback(target) => {
            ("failback", failback::judge(context, objective, *target))
        }
        ObjectiveKind::SplitBrain => ("split_brain", split_brain::judge(context, objective)),
        ObjectiveKind::Duplicates(most) => {
            ("duplicates", rpo::duplicates(context, objective, *most))
        }
        ObjectiveKind::BackupRule {
            copies,
            places,
            off_site,
            offline,
        } => {
            let rule = backup_rule::Rule {
                copies: *copies,
                places: *places,
                off_site: *off_site,
                offline: *offline,
            };
            ("backup_rule", backup_rule::judge(context, objective, rule))
        }
    };
    drafts
        .into_iter()
        .map(|draft| status::finish(context, objective.into(), kind, draft))
        .collect()
}

/// One draft for each population and journey that an objective is about; those that could not
/// be measured say so, and so does an objective that is about nobody.
fn each_pair(
    context: &Context<'_>,
    objective: &Objective,
    target_text: String,
    one: impl Fn(Pair) -> Option<Draft>,
) -> Vec<Draft> {
    let pairs = context.subjects(objective);
    if pairs.is_empty() {
        let why = "Nobody makes a journey that this objective is about.".to_string();
        return vec![Draft::unmeasured("nobody".to_string(), target_text, why)];
    }
    let unmeasured = |pair| {
        let why = if objective.excluding.is_empty() {
            "Nothing was recorded of this journey."
        } else {
            "Nothing was recorded of this journey, or all of its users are left out."
        };
        Draft::unmeasured(
            context.pair_name(pair),
            target_text.clone(),
            why.to_string(),
        )
    };
    pairs
        .into_iter()
        .map(|pair| Draft {
            about: About::Pairs(vec![pair]),
            ..one(pair).unwrap_or_else(|| unmeasured(pair))
        })
        .collect()
}

/// One draft for each service; those that could not be measured say so.
fn each_service(
    context: &Context<'_>,
    services: &[ServiceId],
    target_text: &str,
    one: impl Fn(ServiceId) -> Option<Draft>,
) -> Vec<Draft> {
    if services.is_empty() {
        let why = "The topology has no service that this objective is about.".to_string();
        return vec![Draft::unmeasured(
            "no service".to_string(),
            target_text.to_string(),
            why,
        )];
    }
    let unmeasured = |service| {
        let why = "Nothing was recorded of this service that the objective asks for.".to_string();
        Draft::unmeasured(context.service_name(service), target_text.to_string(), why)
    };
    services
        .iter()
        .map(|&s| Draft {
            about: About::Service(s),
            ..one(s).unwrap_or_else(|| unmeasured(s))
        })
        .collect()
}

/// SHA-256 over the digests of topology and scenario, in hexadecimal.
#[must_use]
pub fn model_digest(plan: &Plan<'_>) -> String {
    let mut hash = Sha256::new();
    for part in [&plan.topology.digest, &plan.scenario.digest] {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Says where retries at least doubled what arrived at a service.
fn with_amplification(context: &Context<'_>, mut warnings: Vec<String>) -> Vec<String> {
    for &(service, milli) in &context.journal.amplification {
        if milli >= 2_000 {
            warnings.push(format!(
                "{}: requests that arrived were at worst {}.{} times those that users made",
                context.service_name(service),
                milli / 1_000,
                milli % 1_000 / 100
            ));
        }
    }
    warnings
}
