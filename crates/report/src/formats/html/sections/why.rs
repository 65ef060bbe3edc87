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
        page.leaf("p", &[], &format!("{line}."));
        page.el("p", &[], |page| {
            page.prose(&scene.clock.within(&finding.reason))
        });
        let mut more = tell::details(finding, &scene.clock, true);
        more.extend(
            finding
                .attribution
                .iter()
                .map(|part| format!("caused by {}", tell::cause(part))),
        );
        more.extend(tell::accepted(finding));
        more.push(format!(
            "tested on {}; stated in {}",
            finding.tested_on, finding.source
        ));
        page.el("ul", &[("class", "faint")], |page| {
            for text in more {
                page.el("li", &[], |page| page.prose(&words::capital(&text)));
            }
        });
    });
    page.line();
}
