//! What `simulate` predicted of the same plan, beside what was measured.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::tell;

pub(super) const SECTION: Section = Section {
    id: "predicted",
    title: "Predicted and measured",
    shown: |scene| {
        let mut findings = scene.outcome.findings.iter();
        findings.any(|finding| tell::predicted(finding).is_some())
    },
    write,
};

const HEADS: [&str; 5] = [
    "objective",
    "subject",
    "predicted",
    "measured",
    "difference",
];

fn write(scene: &Scene<'_>, page: &mut Html) {
    let text = "A difference is named if it is more than the error bound and a tenth.";
    page.leaf("p", &[("class", "faint")], text);
    parts::table(page, &[("class", "flow")], &HEADS, &[], |page| {
        for finding in &scene.outcome.findings {
            let detail = |name: &str| {
                let mut all = finding.details.iter();
                let found = all.find(|detail| detail.name == name);
                found.map(|detail| detail.text.as_str())
            };
            let cells = [
                finding.objective.as_str(),
                &finding.subject,
                tell::predicted(finding).unwrap_or("not predicted"),
                &finding.measured_text,
                detail("difference").unwrap_or("none"),
            ];
            parts::words_row(page, &HEADS, &cells);
        }
    });
}
