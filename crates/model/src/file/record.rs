//! Reads the record of a drill.

use super::cx::{Cx, Fields};
use super::{Kind, Problem, Problems, Source, check_kind, finish, merge};
use crate::drill::{Action, Approval, Drill};
use std::path::Path;

const KINDS: [&str; 6] = [
    "table-top",
    "walk-through",
    "simulation",
    "component",
    "failover",
    "full-interruption",
];

/// Reads the record of a drill.
///
/// # Errors
/// Everything that is wrong with it, warnings included.
pub fn load_record(source: &dyn Source, path: &Path) -> Result<(Drill, Vec<Problem>), Problems> {
    let cx = Cx::default();
    let doc = merge::load(&cx, source, path)?;
    if !check_kind(&cx, &doc, Kind::Record) {
        return Err(cx.outcome().err().unwrap_or_default());
    }
    let drill = Fields::open(&cx, &doc, "drill record").map(|f| drill(&cx, f));
    finish(&cx, drill)
}

pub(super) fn drill(cx: &Cx, f: Fields<'_>) -> Drill {
    f.ignore(&["assize"]);
    if !f.has("kind") {
        let help = format!("write {}", super::problem::quoted(&KINDS, "or"));
        cx.error(f.at, "`kind` is missing", help);
    }
    let drill = Drill {
        kind: f
            .choice("kind", &KINDS.map(|kind| (kind, kind)))
            .unwrap_or_default(),
        lead: f.required_text("lead", "who led it"),
        observers: f
            .texts("observers")
            .into_iter()
            .map(|(who, _)| who)
            .collect(),
        change: f.text("change"),
        approvals: each(cx, &f, "approvals", "approval", |f| Approval {
            by: f.required_text("by", "who approved it"),
            role: f.text("role"),
            on: required_date(cx, f, "on"),
        }),
        actions: each(cx, &f, "actions", "action", |f| Action {
            what: f.required_text("what", "what is to be done"),
            owner: f.required_text("owner", "who answers for it"),
            due: required_date(cx, f, "due"),
            done: f.has("done").then(|| date(cx, f, "done")),
        }),
        notes: f.text("notes"),
    };
    f.finish();
    drill
}

fn each<T>(
    cx: &Cx,
    f: &Fields<'_>,
    key: &'static str,
    kind: &'static str,
    read: impl Fn(&Fields<'_>) -> T,
) -> Vec<T> {
    let one = |doc| {
        let f = Fields::open(cx, doc, kind)?;
        let one = read(&f);
        f.finish();
        Some(one)
    };
    f.list(key).into_iter().filter_map(one).collect()
}

fn required_date(cx: &Cx, f: &Fields<'_>, key: &'static str) -> String {
    f.required_text(key, "a date: `2027-03-31`");
    date(cx, f, key)
}

fn date(cx: &Cx, f: &Fields<'_>, key: &'static str) -> String {
    let text = f.text(key).unwrap_or_default();
    if let Some(doc) = f
        .raw(key)
        .filter(|_| text.parse::<jiff::civil::Date>().is_err())
    {
        cx.error(
            doc.at,
            format!("`{text}` is not a date"),
            "write `2027-03-31`",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::MemorySource;

    fn read(text: &str) -> Result<Drill, Vec<String>> {
        let source = MemorySource::new([("d.yaml", text)]);
        match load_record(&source, Path::new("d.yaml")) {
            Ok((drill, _)) => Ok(drill),
            Err(problems) => {
                let line = |p: &Problem| format!("{}:{} {}", p.line, p.column, p.what);
                Err(problems.0.iter().map(line).collect())
            }
        }
    }

    #[test]
    fn a_record_is_read_and_said() {
        let text = "assize: record/v1\nkind: failover\nlead: A. Lead\nobservers: [B, C]\n\
                    change: CHG1\napprovals: [{by: D, role: service owner, on: 2026-11-01}]\n\
                    actions:\n- {what: second duct, owner: E, due: 2027-01-31}\n\
                    - {what: alarm, owner: F, due: 2026-12-01, done: 2026-11-27}\n";
        assert_eq!(
            read(text).expect("a record").lines(),
            [
                "failover test, led by A. Lead",
                "observed by B, C",
                "change CHG1",
                "approved by D (service owner) on 2026-11-01",
                "action for E by 2027-01-31: second duct (open)",
                "action for F by 2026-12-01: alarm (done 2026-11-27)",
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let text = "assize: record/v1\nkind: test\nleed: A\napprovals: [{by: D, on: soon}]\n\
                    actions: [{what: x, due: 2027-13-01}]\n";
        let problems = read(text).expect_err("refused");
        for (place, what) in [
            ("2:7", "`kind: test` is unknown"),
            ("1:1", "`lead` is missing"),
            ("3:1", "`leed` is not a field of a drill record"),
            ("4:25", "`soon` is not a date"),
            ("5:11", "`owner` is missing"),
            ("5:26", "`2027-13-01` is not a date"),
        ] {
            let found = problems
                .iter()
                .any(|p| p.starts_with(place) && p.contains(what));
            assert!(found, "{place} {what}: {problems:#?}");
        }
        let other = read("assize: scenario/v1\n").expect_err("refused");
        assert_eq!(other.len(), 1, "{other:?}");
    }
}
