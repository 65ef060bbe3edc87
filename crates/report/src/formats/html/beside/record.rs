//! The record of the drill: who led, observed and approved it, and what follows.

use super::Section;
use crate::Suite;
use crate::formats::html::markup::Html;
use crate::formats::html::parts;
use crate::text::Paint;
use crate::words;
use assize_model::drill::{Action, Drill};

pub(super) const SECTION: Section = Section {
    id: "record",
    title: "The record of the drill",
    shown: |suite| suite.record.is_some(),
    write,
};

fn write(suite: &Suite, page: &mut Html) {
    let Some(drill) = &suite.record else { return };
    about(drill, page);
    if !drill.actions.is_empty() {
        page.leaf("h3", &[], "Actions");
        actions(&drill.actions, page);
    }
    if let Some(notes) = &drill.notes {
        page.leaf("p", &[], &format!("Notes: {notes}"));
    }
}

fn about(drill: &Drill, page: &mut Html) {
    let or_none = |text: &str| match text {
        "" => "nobody".to_owned(),
        text => text.to_owned(),
    };
    let approvals = drill.approvals.iter().map(|approval| {
        let role = approval.role.iter().map(|role| format!(", {role}"));
        let role: String = role.collect();
        format!("{}{role}, {}", approval.by, approval.on)
    });
    let approvals: Vec<String> = approvals.collect();
    let heads = ["what", "who"];
    let change = drill.change.as_deref().unwrap_or("none");
    let rows = [
        ("kind of test", drill.kind.to_owned()),
        ("led by", drill.lead.clone()),
        ("observed by", or_none(&words::list(&drill.observers))),
        ("change ticket", change.to_owned()),
        ("approved by", or_none(&approvals.join("; "))),
    ];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for (name, text) in &rows {
            page.el("tr", &[], |page| {
                page.leaf("th", &[("scope", "row")], name);
                page.leaf("td", &[("data-h", "")], text);
            });
        }
    });
}

fn actions(actions: &[Action], page: &mut Html) {
    let heads = ["action", "owner", "due", "state"];
    parts::table(page, &[("class", "flow")], &heads, &[], |page| {
        for action in actions {
            page.el("tr", &[], |page| {
                page.leaf("th", &[("scope", "row")], &action.what);
                page.leaf("td", &[("data-h", heads[1])], &action.owner);
                page.leaf("td", &[("data-h", heads[2])], &action.due);
                page.el("td", &[("data-h", heads[3])], |page| match &action.done {
                    Some(done) => parts::pill(page, &format!("done {done}"), Paint::Good),
                    None => parts::pill(page, "open", Paint::Care),
                });
            });
        }
    });
}
