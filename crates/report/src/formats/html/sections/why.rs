//! Each finding in full: reason, figures beside the main one, causes, where it is stated.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::{tell, words};
use assize_model::finding::Finding;

pub(super) const SECTION: Section = Section {
    id: "why",
    title: "Each target, and why",
    shown: |scene| !scene.outcome.findings.is_empty(),
    write: |scene, page| {
        for finding in &scene.outcome.findings {
            one(scene, finding, page);
        }
    },
};

fn one(scene: &Scene<'_>, finding: &Finding, page: &mut Html) {
    page.el("div", &[("class", "why")], |page| {
        page.el("h3", &[], |page| {
            let (text, paint) = tell::status(finding);
            parts::pill(page, text, paint);
            page.text(&format!(" {}: {}", finding.objective, finding.subject));
        });
        let mut line = format!(
            "Measured {}, target {}",
            finding.measured_text, finding.target_text
        );
        if !finding.margin_text.is_empty() {
            line.push_str(&format!(", {}", finding.margin_text));
        }
        let reason = scene.clock.within(&finding.reason);
        page.el("p", &[], |page| page.prose(&format!("{line}. {reason}")));
        let mut more = tell::details(finding, &scene.clock, true);
        more.extend(tell::causes(finding));
        more.extend(tell::accepted(finding));
        let on = parts::tested_on(scene.outcome).is_empty();
        more.extend(on.then(|| format!("tested on {}", finding.tested_on)));
        more.push(format!("stated in {}", finding.source));
        let text = format!("{}.", words::capital(&more.join("; ")));
        page.el("p", &[("class", "faint")], |page| page.prose(&text));
    });
    page.line();
}
