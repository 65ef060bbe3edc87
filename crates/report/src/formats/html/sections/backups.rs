//! Restores from backup by phase: noticed, understood, prepared, restored.

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::markup::Html;
use crate::formats::html::parts::{bar, legend, row, ticks};
use assize_fault::Nanos;
use assize_model::journal::DecisionKind;
use assize_model::picture::{Drill, Event, Picture};

pub(super) const SECTION: Section = Section {
    id: "backups",
    title: "Backups put to the test",
    shown: |scene| !scene.outcome.picture.drills.is_empty(),
    write,
};

/// Phases, with the class of their colour.
const PHASES: [(&str, &str); 4] = [
    ("phase0", "until somebody knew"),
    ("phase1", "until the cause was found"),
    ("phase2", "until the restore began"),
    ("phase3", "restoring"),
];

fn write(scene: &Scene<'_>, page: &mut Html) {
    legend(page, &PHASES);
    ticks(scene, page);
    for drill in &scene.outcome.picture.drills {
        one(scene, drill, page);
    }
}

fn one(scene: &Scene<'_>, drill: &Drill, page: &mut Html) {
    let phases = phases(&scene.outcome.picture, drill);
    let lengths = phases.iter().map(|(phase, from, to)| {
        let length: Nanos = *to - *from;
        format!("{length} {}", PHASES[*phase].1)
    });
    let lengths: Vec<String> = lengths.collect();
    let age = drill.from - drill.point;
    let came = if drill.good {
        "the data was good"
    } else {
        "the backup was bad"
    };
    let name = format!("{} from {}", drill.service, drill.backup);
    let note = format!(
        "{}; the backup was {age} old when the restore began; {came}",
        lengths.join(", ")
    );
    row(
        scene,
        page,
        20,
        (&name, &note, &format!("{name}: {note}")),
        |page| {
            for (phase, from, to) in &phases {
                let mut path = String::new();
                let at = |time: &Nanos| scene.axis.offset(time.0);
                bar(&mut path, at(from), at(to), 3, 14);
                page.shape("path", &[("class", PHASES[*phase].0), ("d", &path)]);
            }
        },
    );
}

/// What led to a restore, as far as people had a part in it, and the restore itself.
fn phases(picture: &Picture, drill: &Drill) -> Vec<(usize, Nanos, Nanos)> {
    let before = |kind: DecisionKind, of: Option<&Event>| {
        let mut events = picture.events.iter().rev();
        events.find(|event| {
            event.kind == kind
                && event.at <= drill.from
                && of.is_none_or(|of| of.faults == event.faults)
        })
    };
    let mut phases = Vec::new();
    let known = before(DecisionKind::PeopleKnow, None);
    if let Some(known) = known {
        let begun = picture.events.iter().find(|e| e.faults == known.faults);
        let begun = begun.map_or(known.at, |event| event.at.min(known.at));
        phases.push((0, begun, known.at));
        let found = before(DecisionKind::Diagnosed, Some(known));
        let found = found.map_or(known.at, |event| event.at);
        phases.push((1, known.at, found));
        phases.push((2, found, drill.from));
    }
    phases.push((3, drill.from, drill.to));
    phases.retain(|(_, from, to)| to > from);
    phases
}
