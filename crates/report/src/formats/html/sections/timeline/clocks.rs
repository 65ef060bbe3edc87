//! RTO clocks: the longest outage of each recovery target, with the time that was allowed.

use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts::{bar, legend, row, ticks};
use crate::tell;
use assize_fault::Nanos;
use assize_model::finding::{Detail, Finding, Value};

pub(super) fn write(scene: &Scene<'_>, page: &mut Html) {
    let clocks: Vec<(&Finding, Nanos, Nanos, Nanos)> = scene
        .outcome
        .findings
        .iter()
        .filter_map(|finding| {
            clock(finding).map(|(from, out, target)| (finding, from, out, target))
        })
        .collect();
    if clocks.is_empty() {
        return;
    }
    page.leaf("h3", &[], "Recovery against its target");
    legend(
        page,
        &[
            ("allow", "out, within the target"),
            ("over", "out, beyond the target"),
        ],
    );
    ticks(scene, page);
    for (finding, from, out, target) in clocks {
        let text = |name: &str| {
            let found = finding.details.iter().find(|detail| detail.name == name);
            found.map(|detail| format!(", {name} {}", scene.clock.within(&detail.text)))
        };
        let note = format!(
            "{}: longest outage {}, target {}, {}{}",
            finding.subject,
            finding.measured_text,
            finding.target_text,
            tell::status(finding).0,
            text("detected").unwrap_or_default(),
        );
        let at = |time: Nanos| scene.axis.offset(time.0);
        let (mut within, mut over) = (String::new(), String::new());
        let limit = from + out.min(target);
        bar(&mut within, at(from), at(limit), 3, 14);
        if out > target {
            bar(&mut over, at(limit), at(from + out), 3, 14);
        }
        row(
            scene,
            page,
            20,
            (
                &finding.objective,
                &note,
                &format!("{}: {note}", finding.objective),
            ),
            |page| {
                page.shape("path", &[("class", "allow"), ("d", &within)]);
                page.shape("path", &[("class", "over"), ("d", &over)]);
            },
        );
    }
}

/// When the longest outage began, how long it was and how long it might have been; `None` for
/// what is no recovery time, and where nothing was out.
fn clock(finding: &Finding) -> Option<(Nanos, Nanos, Nanos)> {
    let (Some(Value::Time(target)), Some(Value::Time(out))) = (finding.target, finding.measured)
    else {
        return None;
    };
    if finding.kind != "rto" || out <= Nanos::ZERO {
        return None;
    }
    // It ended at the first good, `first_good` after the start.
    let good = finding.details.iter().find(|d| d.name == "first_good");
    let Some(Detail {
        value: Some(Value::Time(good)),
        ..
    }) = good
    else {
        return None;
    };
    let from = *good - out;
    (from >= Nanos::ZERO).then_some((from, out, target))
}
