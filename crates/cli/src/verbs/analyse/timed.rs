//! `assize analyse --timed`: every element that there is once is out for a while in virtual time,
//! and all targets are judged: recovery times, losses and backlogs, not reachability alone.

use crate::engine::{self, TopologyFile};
use assize_analysis::{Report, Timed, TimedMiss};
use assize_fault::Nanos;
use assize_model::finding::Status;
use assize_report::Run;

/// Simulates each outage of this length. One that cannot be aimed, or whose run breaks, is left
/// out and counted, and spoils nothing else.
pub(super) fn run(loaded: &TopologyFile, report: &Report, length: Nanos) -> Timed {
    let mut timed = Timed {
        length: length.to_string(),
        simulated: 0,
        left_out: 0,
        missing: Vec::new(),
    };
    for element in &report.elements {
        let aimed = (element.count == 1 && !element.id.contains('@')).then(|| {
            engine::what_if(
                loaded.clone(),
                std::slice::from_ref(&element.id),
                length,
                None,
            )
        });
        let Some(Ok(file)) = aimed else {
            timed.left_out += 1;
            continue;
        };
        let Run::Judged(outcome) = engine::simulate(&file, 0, 1) else {
            timed.left_out += 1;
            continue;
        };
        timed.simulated += 1;
        let missed = outcome
            .findings
            .iter()
            .filter(|f| f.status == Status::Missed);
        let words = missed.map(|f| {
            format!(
                "{} ({}): {}, wanted {}",
                f.objective, f.subject, f.measured_text, f.target_text
            )
        });
        let missed: Vec<String> = words.collect();
        if !missed.is_empty() {
            timed.missing.push(TimedMiss {
                element: element.id.clone(),
                missed,
            });
        }
    }
    timed
}
