//! What a contract makes of it: each level with its sums, credits, critical failures.

use super::Section;
use crate::credits::{basis, due, happened, in_short, last_line};
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use assize_model::contract::Credits;

pub(super) const SECTION: Section = Section {
    id: "contract",
    title: "The contract",
    shown: |scene| scene.outcome.contract.is_some(),
    write,
};

fn write(scene: &Scene<'_>, page: &mut Html) {
    let Some(credits) = &scene.outcome.contract else {
        return;
    };
    page.leaf("p", &[], &format!("{}.", last_line(credits)));
    let supplier = credits.supplier.join(" and ");
    let text = format!(
        "The supplier answers for {supplier}; {}.",
        basis(credits.tested_on)
    );
    page.leaf("p", &[], &text);
    if credits.template {
        let text = "The contract is a template that nobody signed: replace its figures by yours.";
        page.leaf("p", &[], text);
    }
    levels(credits, page);
    months(credits, page);
    criticals(credits, page);
    for note in &credits.notes {
        page.leaf("p", &[], &format!("Note: {note}."));
    }
}

fn levels(credits: &Credits, page: &mut Html) {
    let heads = ["service level", "period", "reached", "points", "sums"];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for level in in_short(credits) {
            let month = level.result;
            page.el("tr", &[], |page| {
                page.leaf("th", &[("scope", "row")], &level.level);
                page.leaf("td", &[("data-h", heads[1])], &month.month.name());
                page.el("td", &[("data-h", heads[2])], |page| {
                    page.text(&month.achieved_text);
                    page.text(" ");
                    parts::pill(page, &level.status, level.paint);
                });
                page.leaf("td", &[("data-h", heads[3])], &month.points.to_string());
                sums(&month.arithmetic, heads[4], page);
            });
        }
    });
}

fn sums(lines: &[(&str, String)], head: &str, page: &mut Html) {
    page.el("td", &[("class", "sums"), ("data-h", head)], |page| {
        page.el("ul", &[], |page| {
            for (name, text) in lines {
                page.leaf("li", &[], &format!("{name}: {text}"));
            }
        });
    });
}

fn months(credits: &Credits, page: &mut Html) {
    let shown = || {
        credits
            .months
            .iter()
            .filter(|month| !month.arithmetic.is_empty())
    };
    if shown().next().is_none() {
        return;
    }
    let heads = ["credits", "points", "due", "sums"];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for month in shown() {
            page.el("tr", &[], |page| {
                page.leaf("th", &[("scope", "row")], &month.month.name());
                page.leaf("td", &[("data-h", heads[1])], &month.points.to_string());
                let due = due(credits, month).unwrap_or_else(|| "no charges stated".into());
                page.leaf("td", &[("data-h", heads[2])], &due);
                sums(&month.arithmetic, heads[3], page);
            });
        }
    });
}

fn criticals(credits: &Credits, page: &mut Html) {
    if credits.critical.is_empty() {
        return;
    }
    let heads = ["critical failure", "happened", "sum"];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for one in &credits.critical {
            page.el("tr", &[], |page| {
                page.leaf("th", &[("scope", "row")], &one.clause);
                page.el("td", &[("data-h", heads[1])], |page| {
                    let (text, paint) = happened(credits, one);
                    parts::pill(page, text, paint);
                });
                page.leaf("td", &[("data-h", heads[2])], &one.arithmetic);
            });
        }
    });
}
