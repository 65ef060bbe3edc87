//! Which replica served when, where that changed; services with the same story together.

use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts::{bar, legend, row, ticks};
use crate::words;
use assize_model::finding::{Outcome, ServedBy, ServiceResult};

pub(super) fn write(scene: &Scene<'_>, page: &mut Html) {
    let stories = stories(scene.outcome);
    if stories.is_empty() {
        return;
    }
    page.leaf("h3", &[], "Which replica served");
    let text = "Only services of which that changed, or that did not serve all the time.";
    page.leaf("p", &[("class", "faint")], text);
    legend(page, &[("serve", "it served")]);
    ticks(scene, page);
    for (names, service) in stories {
        for (replica, role) in replicas(scene.outcome, service) {
            let spans = service.served_by.iter().filter(|s| s.replica == replica);
            let spans: Vec<&ServedBy> = spans.collect();
            let name = format!("{}: {replica}", words::list(&names));
            let mut path = String::new();
            for span in &spans {
                let (from, to) = (scene.axis.instant(&span.from), scene.axis.instant(&span.to));
                bar(&mut path, from, to, 3, 12);
            }
            let note = note(scene, role, &spans);
            row(
                scene,
                page,
                18,
                (&name, &note, &format!("{name}: {note}")),
                |page| {
                    page.shape("path", &[("class", "serve"), ("d", &path)]);
                },
            );
        }
    }
}

/// Services whose replicas served at the same times, with one of them.
fn stories(outcome: &Outcome) -> Vec<(Vec<&str>, &ServiceResult)> {
    let mut stories: Vec<(Vec<&str>, &ServiceResult)> = Vec::new();
    let same = |a: &ServiceResult, b: &ServiceResult| {
        let story = |s: &ServiceResult| -> Vec<(String, String, String)> {
            let spans = s.served_by.iter();
            spans
                .map(|s| (s.replica.clone(), s.from.clone(), s.to.clone()))
                .collect()
        };
        story(a) == story(b) && replicas(outcome, a) == replicas(outcome, b)
    };
    let changed = |service: &&ServiceResult| {
        let whole = |s: &ServedBy| s.from <= outcome.start && s.to >= outcome.end;
        service.served_by.is_empty() || !service.served_by.iter().all(whole)
    };
    for service in outcome.services.iter().filter(changed) {
        match stories.iter_mut().find(|(_, known)| same(known, service)) {
            Some((names, _)) => names.push(&service.id),
            None => stories.push((vec![&service.id], service)),
        }
    }
    stories
}

/// The replicas of a service, with their roles; those that the topology knows, else those that
/// served.
fn replicas<'a>(outcome: &'a Outcome, service: &'a ServiceResult) -> Vec<(&'a str, &'static str)> {
    let all = outcome.picture.replicas.iter();
    let own = all.filter(|replica| replica.service == service.id);
    let mut list: Vec<(&str, &'static str)> = own
        .map(|r| (r.replica.as_str(), if r.primary { "primary" } else { "" }))
        .collect();
    for span in &service.served_by {
        if !list.iter().any(|(name, _)| *name == span.replica) {
            list.push((&span.replica, ""));
        }
    }
    list
}

fn note(scene: &Scene<'_>, role: &str, spans: &[&ServedBy]) -> String {
    let role = match role {
        "" => String::new(),
        role => format!("{role}, "),
    };
    let when = match spans {
        [] => "never served".to_owned(),
        [one] => format!(
            "served {} to {}",
            scene.clock.show(&one.from),
            scene.clock.show(&one.to)
        ),
        [first, .., last] => format!(
            "served in {} spans from {} to {}",
            spans.len(),
            scene.clock.show(&first.from),
            scene.clock.show(&last.to)
        ),
    };
    format!("{role}{when}")
}
