//! Markdown, for a pull request or a build's summary (`$GITHUB_STEP_SUMMARY`).
//!
//! The verdict, the targets and why; what else there is to say is folded away. Text from files is
//! escaped, so that it can neither break a table nor call anybody by name. The version of the
//! format stands in the first line.

use crate::credits::{self, due, happened, in_short};
use crate::suite::{Run, Suite};
use crate::{Format, Style, summary, tell, words};
use assize_model::contract::Credits;
use assize_model::finding::{Finding, Outcome, Status};
use std::fmt::Write as _;
use std::io::{self, Write};

/// The registry's line.
pub const FORMAT: Format = Format {
    name: "markdown",
    about: "for a pull request or the summary of a build",
    write,
    ends_in_words: false,
};

fn write(suite: &Suite, _: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = String::from("<!-- assize/markdown/v1 -->\n");
    let alone = suite.runs.len() == 1;
    if !alone {
        together(suite, &mut page);
    }
    for run in &suite.runs {
        scenario(run, alone, &mut page);
    }
    if let Some(drill) = &suite.record {
        folded("The record of the drill", &mut page, |page| {
            for line in drill.lines() {
                let _ = writeln!(page, "- {}", escape(&line));
            }
        });
    }
    let _ = writeln!(page, "\n{}.", escape(&summary::last_line(suite)));
    out.write_all(page.as_bytes())
}

/// One row per scenario, before all of them.
fn together(suite: &Suite, page: &mut String) {
    let on = tell::on_stand_ins(tell::outcomes(suite));
    let verdict = tell::verdict_text(suite.verdict(), suite.tally(), on);
    let count = words::number(suite.runs.len(), "scenario", "scenarios");
    let _ = writeln!(page, "## {count}: {verdict}\n");
    let heads = [
        "scenario",
        "topology",
        "verdict",
        "met",
        "missed",
        "accepted",
        "undecided",
    ];
    let rows = suite.runs.iter().map(|run| {
        let tally = run.tally();
        let figure = |n: usize| words::count(n as u64);
        vec![
            code(run.scenario()),
            code(run.topology()),
            strong(tell::verdict_word(run.verdict())),
            figure(tally.met),
            figure(tally.missed),
            figure(tally.accepted),
            figure(tally.open),
        ]
    });
    table(&heads, rows, page);
}

fn scenario(run: &Run, alone: bool, page: &mut String) {
    let level = if alone { "##" } else { "###" };
    let title = escape(&tell::title(run.scenario(), run.topology()));
    let outcome = match run {
        Run::Judged(outcome) => outcome,
        Run::NotRun { reason, .. } => {
            let _ = writeln!(
                page,
                "\n{level} {title}: COULD NOT RUN\n\n{}",
                escape(reason)
            );
            return;
        }
    };
    let on = tell::on_stand_ins([outcome.as_ref()]);
    let verdict = tell::verdict_text(run.verdict(), run.tally(), on);
    let _ = writeln!(page, "\n{level} {title}: {verdict}\n");
    let _ = writeln!(
        page,
        "{} to {} UTC, {}, seed {}.\n",
        words::Clock::full(&outcome.start),
        words::Clock::full(&outcome.end),
        escape(&tell::how(outcome)),
        outcome.seed
    );
    if let Some(cut) = tell::cut(outcome) {
        let _ = writeln!(page, "**{cut}**\n");
    }
    let clock = words::Clock::new(&outcome.start, &outcome.end);
    findings(outcome, page);
    reasons(outcome, &clock, page);
    if let Some(credits) = &outcome.contract {
        contract(credits, page);
    }
    broken(outcome, &clock, page);
    grounds(outcome, &clock, page);
}

fn findings(outcome: &Outcome, page: &mut String) {
    let predicted = outcome
        .findings
        .iter()
        .any(|f| tell::predicted(f).is_some());
    let mut heads = vec!["status", "objective", "for", "target", "measured"];
    heads.extend(predicted.then_some("predicted"));
    heads.extend(["margin", "tested on"]);
    let rows = outcome.findings.iter().map(|finding| {
        let mut row = vec![
            strong(tell::status(finding).0),
            code(&finding.objective),
            escape(&finding.subject),
            escape(&finding.target_text),
            escape(&finding.measured_text),
        ];
        if predicted {
            row.push(escape(tell::predicted(finding).unwrap_or("not predicted")));
        }
        row.extend([escape(&finding.margin_text), finding.tested_on.to_owned()]);
        row
    });
    table(&heads, rows, page);
}

/// Why, where a target was not met.
fn reasons(outcome: &Outcome, clock: &words::Clock, page: &mut String) {
    let open: Vec<&Finding> = outcome
        .findings
        .iter()
        .filter(|f| f.status != Status::Met)
        .collect();
    if open.is_empty() {
        return;
    }
    page.push('\n');
    for finding in open {
        let mut text = clock.within(&finding.reason);
        let beside = tell::causes(finding).filter(|_| finding.attribution.len() > 1);
        for more in beside.into_iter().chain(tell::accepted(finding)) {
            let _ = write!(text, " {}.", words::capital(&more));
        }
        let _ = writeln!(page, "- {}: {}", code(&finding.objective), escape(&text));
    }
}

/// Each clause, what was reached and what follows.
fn contract(credits: &Credits, page: &mut String) {
    let basis = credits::basis(credits.tested_on);
    let line = format!("{} ({basis}).", credits::last_line(credits));
    let _ = writeln!(page, "\n**Contract** {}\n", escape(&line));
    let heads = ["", "service level", "period", "reached", "points"];
    let rows = in_short(credits).map(|level| {
        vec![
            strong(&level.status),
            escape(&level.level),
            level.result.month.name(),
            escape(&level.result.achieved_text),
            level.result.points.to_string(),
        ]
    });
    table(&heads, rows, page);
    page.push('\n');
    for month in &credits.months {
        if let Some(due) = due(credits, month) {
            let name = month.month.name();
            let _ = writeln!(page, "- credits of {name}: {}", escape(&due));
        }
    }
    for one in credits.critical.iter().filter(|one| one.happened) {
        let (word, sum) = (happened(credits, one).0, &one.arithmetic);
        let text = format!("critical failure: {}: {word} ({sum})", one.clause);
        let _ = writeln!(page, "- {}", escape(&text));
    }
}

/// What was broken and done, folded away.
fn broken(outcome: &Outcome, clock: &words::Clock, page: &mut String) {
    let faults = outcome.faults.iter().map(|fault| {
        vec![
            code(&fault.id),
            fault.fault.clone(),
            code(&fault.target),
            clock.show(&fault.from),
            clock.show(&fault.to),
            if fault.bit {
                "it bit".into()
            } else {
                format!("never bit: {}", escape(&clock.within(&fault.evidence)))
            },
        ]
    });
    let steps = outcome.steps.iter().map(|step| {
        vec![
            code(&step.id),
            "step".into(),
            String::new(),
            clock.show(&step.at),
            String::new(),
            escape(&clock.within(&step.outcome)),
        ]
    });
    let heads = ["", "what", "target", "from", "to", "came of it"];
    folded("What was broken, and done", page, |page| {
        table(&heads, faults.chain(steps), page);
    });
}

/// What the verdict rests on, folded away.
fn grounds(outcome: &Outcome, clock: &words::Clock, page: &mut String) {
    if !outcome.expected.is_empty() {
        let got = outcome.expected.iter().filter(|s| s.reproduced).count();
        let all = outcome.expected.len();
        let title = format!("Published symptoms: {got} of {all} reproduced");
        folded(&title, page, |page| {
            let rows = outcome.expected.iter().map(|s| {
                let mark = if s.reproduced { "yes" } else { "**NO**" };
                let cells = [&s.symptom, &s.published, &s.got];
                let cells = cells.map(|text| escape(&clock.within(text)));
                std::iter::once(mark.to_owned()).chain(cells).collect()
            });
            table(&["", "symptom", "published", "here"], rows, page);
        });
    }
    if !outcome.not_exercised.is_empty() {
        folded("Never exercised, so not shown to work", page, |page| {
            for item in &outcome.not_exercised {
                let _ = writeln!(page, "- {}: {}", code(&item.element), escape(&item.what));
            }
        });
    }
    if !outcome.warnings.is_empty() {
        folded("Warnings", page, |page| {
            for warning in &outcome.warnings {
                let _ = writeln!(page, "- {}", escape(warning));
            }
        });
    }
}

fn folded(title: &str, page: &mut String, body: impl FnOnce(&mut String)) {
    let _ = writeln!(page, "\n<details><summary>{title}</summary>\n");
    body(page);
    page.push_str("\n</details>\n");
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>, page: &mut String) {
    let _ = writeln!(page, "| {} |", heads.join(" | "));
    let _ = writeln!(page, "|{}", " --- |".repeat(heads.len()));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
}

fn strong(text: &str) -> String {
    format!("**{text}**")
}

/// A name as code, in which nothing is markup.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let plain: String = text
        .chars()
        .map(|c| if c == '`' || c.is_control() { ' ' } else { c })
        .collect();
    format!("`{}`", plain.replace('|', "\\|"))
}

/// Text in which nothing is markup, save names between backticks, which become code.
fn escape(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let both = parts.iter().enumerate();
    let escaped = both.map(|(index, part)| {
        if index % 2 == 1 {
            code(part)
        } else {
            plain(part)
        }
    });
    escaped.collect()
}

fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Nobody is to be called, and no issue to be linked, by what a file says.
            '@' => out.push_str("@<!-- -->"),
            '#' => out.push_str("&#35;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
