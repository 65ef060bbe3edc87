//! The map for people: each framework, what supports what, and what has no evidence.

use super::{Compliance, Evidence, Outcome, State};
use crate::Style;
use crate::text::{Paint, paragraph};
use crate::words;
use std::io::{self, Write};

/// How many pieces of evidence are shown of a kind.
const SHOWN: usize = 5;

/// Writes it.
///
/// # Errors
/// As `out`.
pub fn write(map: &Compliance, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut framework = "";
    for outcome in &map.outcomes {
        if outcome.framework != framework {
            framework = outcome.framework;
            writeln!(out)?;
            paragraph(out, style, 0, 2, Paint::Strong, framework)?;
        }
        one(outcome, style, out)?;
    }
    writeln!(out)?;
    if map.design_only > 0 {
        let findings = words::number(map.design_only, "finding", "findings");
        let text = format!(
            "{findings} of simulations, analyses or stand-ins: they support design at most."
        );
        paragraph(out, style, 0, 2, Paint::Care, &text)?;
    }
    let supported = map
        .outcomes
        .iter()
        .filter(|o| o.state == State::Supported)
        .count();
    let against = map
        .outcomes
        .iter()
        .filter(|o| o.state == State::Against)
        .count();
    writeln!(
        out,
        "{} of {} supported, {against} with evidence against, no evidence for {}",
        supported,
        map.outcomes.len(),
        if map.no_evidence.is_empty() {
            "none".into()
        } else {
            words::list(&map.no_evidence)
        }
    )
}

fn one(outcome: &Outcome, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let (word, paint) = match outcome.state {
        State::Supported => ("supported", Paint::Good),
        State::Against => ("evidence against", Paint::Bad),
        State::Undecided => ("undecided", Paint::Care),
        State::NoEvidence => ("no evidence", Paint::Faint),
    };
    let title = format!("{:<12}{}: {word}", outcome.id, outcome.name);
    paragraph(out, style, 2, 12, paint, &title)?;
    paragraph(out, style, 14, 0, Paint::Faint, outcome.asks)?;
    evidence("against", &outcome.against, style, out)?;
    evidence("supports", &outcome.supports, style, out)?;
    if outcome.state == State::Undecided || style.verbose {
        evidence("undecided", &outcome.undecided, style, out)?;
    }
    Ok(())
}

fn evidence(word: &str, list: &[Evidence], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let shown = if style.verbose { list.len() } else { SHOWN };
    for one in list.iter().take(shown) {
        let about = [one.objective.as_str(), one.subject.as_str()];
        let about: Vec<&str> = about.into_iter().filter(|text| !text.is_empty()).collect();
        let about = if about.is_empty() {
            String::new()
        } else {
            format!(" {}", about.join(", "))
        };
        let text = format!(
            "{word}: {}{about} ({}): {}",
            one.run,
            one.tested_on.word(),
            one.shows
        );
        paragraph(out, style, 14, 2, Paint::Plain, &text)?;
    }
    match list.len().saturating_sub(shown) {
        0 => Ok(()),
        more => paragraph(
            out,
            style,
            14,
            2,
            Paint::Faint,
            &format!("and {more} more; --verbose lists them"),
        ),
    }
}
