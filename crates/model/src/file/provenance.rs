//! Where figures come from, and which weaknesses are known and accepted.

use super::cx::Fields;
use super::doc::Doc;
use super::place::Span;
use super::topology::Build;
use crate::topology::{Accepted, Assumed};

impl Build<'_> {
    pub(crate) fn assumed(&mut self, f: &Fields<'_>, root: &Doc) {
        for (path, at, doc) in f.entries("assumed") {
            let Some(reason) = self.cx.text(doc, path) else {
                continue;
            };
            if let Err(why) = super::merge::lookup(root, path) {
                self.cx
                    .error(at, format!("`{path}` names nothing in this topology"), why);
            }
            self.t.assumed.push(Assumed {
                path: path.to_string(),
                reason,
            });
        }
    }

    pub(crate) fn accepted(&mut self, f: &Fields<'_>) {
        for doc in f.list("accepted") {
            let Some(f) = Fields::open(self.cx, doc, "acceptance") else {
                continue;
            };
            let objective = f.text("objective");
            let single = f.text("single_point");
            let journey = f.text("journey");
            if let (Some(name), Some(d)) = (&objective, f.raw("objective")) {
                let known = self.t.objectives.iter().map(|o| o.id.as_str());
                if !known.clone().any(|o| o == name) {
                    let help = self.cx.suggest(name, known.collect::<Vec<_>>());
                    self.cx
                        .error(d.at, format!("no objective is named `{name}`"), help);
                }
            }
            if let (Some(name), Some(d)) = (&single, f.raw("single_point")) {
                self.check_element(name, d.at);
            }
            if let (Some(name), Some(d)) = (&journey, f.raw("journey")) {
                self.names.journeys.find(self.cx, name, d.at);
            }
            if objective.is_some() == single.is_some() {
                let what = "an acceptance is about one `objective` or one `single_point`";
                self.cx.error(f.at, what, "");
            }
            let until = f.required_text("until", "until when, as a date: `2027-03-31`");
            if let Some(d) = f
                .raw("until")
                .filter(|_| until.parse::<jiff::civil::Date>().is_err())
            {
                self.cx.error(
                    d.at,
                    format!("`{until}` is not a date"),
                    "write `2027-03-31`",
                );
            }
            self.t.accepted.push(Accepted {
                objective,
                scenario: f.text("scenario"),
                single_point: single.map(|s| (s, journey)),
                by: f.required_text("by", "who accepts it"),
                until,
                reason: f.required_text("reason", "why it is accepted"),
            });
            f.finish();
        }
    }

    /// An element named without its kind (or with it), of any kind that can fail.
    pub(super) fn check_element(&self, name: &str, at: Span) {
        let bare = name.split_once('/').map_or(name, |(_, rest)| rest);
        let bare = bare.split('/').next().unwrap_or(bare);
        let n = &self.names;
        let tables = [&n.nodes, &n.links, &n.services, &n.domains];
        if tables.iter().all(|t| t.get(bare).is_none()) {
            let all: Vec<&str> = tables.iter().flat_map(|t| t.iter()).collect();
            let help = self.cx.suggest(bare, all);
            self.cx
                .error(at, format!("no element is named `{bare}`"), help);
        }
    }
}
