//! Symptoms that were published of the real incident, and whether they came about here.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::text::Paint;
use crate::words;

pub(super) const SECTION: Section = Section {
    id: "symptoms",
    title: "Published symptoms",
    shown: |scene| !scene.outcome.expected.is_empty(),
    write,
};

const HEADS: [&str; 4] = ["symptom", "reproduced", "published", "here"];

fn write(scene: &Scene<'_>, page: &mut Html) {
    let all = &scene.outcome.expected;
    let reproduced = all.iter().filter(|s| s.reproduced).count();
    let text = format!(
        "{reproduced} of {} reproduced. They are scored beside the verdict and decide nothing.",
        words::number(all.len(), "symptom", "symptoms")
    );
    page.leaf("p", &[], &text);
    parts::table(page, &[("class", "flow")], &HEADS, &[], |page| {
        for symptom in all {
            page.el("tr", &[], |page| {
                let symptom_text = scene.clock.within(&symptom.symptom);
                page.leaf("th", &[("scope", "row")], &symptom_text);
                page.el("td", &[], |page| {
                    let (text, paint) = if symptom.reproduced {
                        ("reproduced", Paint::Good)
                    } else {
                        ("NOT reproduced", Paint::Care)
                    };
                    parts::pill(page, text, paint);
                });
                for (head, text) in HEADS[2..].iter().zip([&symptom.published, &symptom.got]) {
                    page.leaf("td", &[("data-h", head)], &scene.clock.within(text));
                }
            });
        }
    });
}
