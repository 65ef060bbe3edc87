//! The first screen: every target with what was measured, the misses first.
//!
//! On a telephone each takes two lines; what has no room there stands in the section on why.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::tell;
use assize_model::finding::{Finding, Status};

pub(super) const SECTION: Section = Section {
    id: "targets",
    title: "",
    shown: |scene| !scene.outcome.findings.is_empty(),
    write,
};

fn write(scene: &Scene<'_>, page: &mut Html) {
    let findings = &scene.outcome.findings;
    let predicted = findings.iter().any(|f| tell::predicted(f).is_some());
    let mixed = parts::tested_on(scene.outcome).is_empty();
    let mut heads = vec!["status", "objective", "for", "target", "measured"];
    heads.extend(predicted.then_some("predicted"));
    heads.push("margin");
    heads.extend(mixed.then_some("tested on"));
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| rank(finding));
    parts::table(page, &[("class", "targets flow")], &heads, &[], |page| {
        for finding in sorted {
            let twin = findings.iter().filter(|f| f.objective == finding.objective);
            row(page, finding, predicted, mixed, twin.count() > 1);
        }
    });
}

/// Missed, then undecided, then accepted, then met.
fn rank(finding: &Finding) -> u8 {
    match finding.status {
        Status::Missed if finding.accepted.is_none() => 0,
        Status::Inconclusive => 1,
        Status::NotExercised => 2,
        Status::Missed => 3,
        Status::Met => 4,
    }
}

fn row(page: &mut Html, finding: &Finding, with_predicted: bool, mixed: bool, twin: bool) {
    let predicted = tell::predicted(finding).unwrap_or("not predicted");
    page.el("tr", &[], |page| {
        page.el("td", &[("class", "s")], |page| {
            let (text, paint) = tell::status(finding);
            parts::pill(page, text, paint);
        });
        page.el("td", &[("class", "o")], |page| {
            page.leaf("b", &[], &finding.objective);
        });
        let wide = |page: &mut Html, text: &str| page.leaf("td", &[("class", "wide")], text);
        wide(page, &finding.subject);
        wide(page, &finding.target_text);
        page.leaf("td", &[("class", "m")], &finding.measured_text);
        if with_predicted {
            wide(page, predicted);
        }
        wide(page, &finding.margin_text);
        if mixed {
            wide(page, finding.tested_on);
        }
        page.el("td", &[("class", "rest narrow")], |page| {
            // Where one objective has several findings, its name alone tells nothing.
            if twin {
                page.leaf("span", &[], &finding.subject);
            }
            page.leaf("span", &[], &format!("target {}", finding.target_text));
            if with_predicted {
                page.leaf("span", &[], &format!("predicted {predicted}"));
            }
            if !finding.margin_text.is_empty() {
                page.leaf("span", &[], &finding.margin_text);
            }
            if mixed {
                page.leaf("span", &[], &format!("on {}", finding.tested_on));
            }
        });
    });
}
