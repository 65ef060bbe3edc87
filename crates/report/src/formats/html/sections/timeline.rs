//! What happened when: faults and steps, who was served, who served them, how long recovery took.

mod clocks;
mod decided;
mod groups;
mod roles;
mod shares;

use super::Section;
use crate::formats::html::Scene;
use crate::formats::html::axis::WIDTH;
use crate::formats::html::markup::Html;
use crate::formats::html::parts::{bar, legend, number, row, ticks};
use assize_model::finding::{FaultResult, StepResult};

pub(super) const SECTION: Section = Section {
    id: "timeline",
    title: "What happened when",
    shown: |_| true,
    write,
};

fn write(scene: &Scene<'_>, page: &mut Html) {
    page.leaf("p", &[("class", "faint")], "All times are UTC.");
    let outcome = scene.outcome;
    if !outcome.faults.is_empty() || !outcome.steps.is_empty() {
        page.leaf("h3", &[], "What was broken, and what was done");
        let mut entries = vec![("fault", "the fault is on")];
        let idle = outcome.faults.iter().any(|fault| !fault.bit);
        entries.extend(idle.then_some(("miss", "on, and nothing met it")));
        entries.extend((!outcome.steps.is_empty()).then_some(("step", "a step")));
        legend(page, &entries);
        ticks(scene, page);
        for (index, one) in outcome.faults.iter().enumerate() {
            fault(scene, index, one, page);
        }
        for one in &outcome.steps {
            step(scene, one, page);
        }
    }
    groups::write(scene, page);
    shares::write(scene, page);
    clocks::write(scene, page);
    roles::write(scene, page);
    decided::write(scene, page);
}

fn fault(scene: &Scene<'_>, index: usize, fault: &FaultResult, page: &mut Html) {
    let (from, to) = (scene.clock.show(&fault.from), scene.clock.show(&fault.to));
    let mut note = format!("{} of {}, {from} to {to}", fault.fault, fault.target);
    let flap = scene.outcome.picture.flaps.get(index).copied().flatten();
    if let Some((down, up)) = flap {
        note.push_str(&format!(", {down} on, {up} off"));
    }
    if !fault.bit {
        let why = scene.clock.within(&fault.evidence);
        note.push_str(&format!("; never bit: {why}"));
    }
    let (left, right) = (
        scene.axis.instant(&fault.from),
        scene.axis.instant(&fault.to),
    );
    let mut path = String::new();
    match flap {
        Some((down, up)) if (down.0, up.0) > (0, 0) => {
            // As far apart as it really was, as long as that can be seen.
            let scale = scene.axis.offset(down.0 + up.0).max(0.5);
            let on = scale * down.0 as f64 / (down.0 + up.0) as f64;
            let mut at = left;
            while at < right {
                bar(&mut path, at, (at + on).min(right), 3, 14);
                at += scale;
            }
        }
        _ => bar(&mut path, left, right, 3, 14),
    }
    let class = if fault.bit { "fault" } else { "miss" };
    row(
        scene,
        page,
        20,
        (&fault.id, &note, &format!("{}: {note}", fault.id)),
        |page| {
            page.shape("path", &[("class", class), ("d", &path)]);
        },
    );
}

fn step(scene: &Scene<'_>, step: &StepResult, page: &mut Html) {
    let what = scene.clock.within(&step.outcome);
    let note = format!("step at {}: {what}", scene.clock.show(&step.at));
    let at = scene.axis.instant(&step.at).clamp(1.0, WIDTH - 1.0);
    row(
        scene,
        page,
        20,
        (&step.id, &note, &format!("{}: {note}", step.id)),
        |page| {
            let d = format!("M{} 1V19", number(at));
            page.shape("path", &[("class", "step"), ("d", &d)]);
        },
    );
}
