//! The terminal: what was broken, what was measured, what it rests on, in a person's words.
//!
//! Calm where all is well: a section without content is not printed, reasons stand only where a
//! target was not met. `verbose` prints every row.

mod broken;
mod contract;
mod findings;
mod grounds;
mod users;

use crate::suite::{Run, Suite, Tally};
use crate::tell::{how, on_stand_ins, outcomes, title, verdict_paint, verdict_text, verdict_word};
use crate::text::{Column, Grid, Paint, paragraph, width};
use crate::{Format, Style, summary, words};
use assize_model::finding::Outcome;
use std::io::{self, Write};

/// The registry's line.
pub const FORMAT: Format = Format {
    name: "table",
    about: "tables and sentences for people",
    write,
    ends_in_words: true,
};

/// Where and how a section prints.
struct Page<'a> {
    out: &'a mut dyn Write,
    style: Style,
    clock: words::Clock,
}

impl Page<'_> {
    /// The heading of a section, after a blank line.
    fn section(&mut self, heading: &str) -> io::Result<()> {
        writeln!(self.out)?;
        writeln!(self.out, "  {}", Paint::Strong.on(heading, &self.style))
    }

    /// A table under a heading; nothing at all if it has no rows.
    fn table(&mut self, heading: &str, grid: &Grid) -> io::Result<()> {
        if grid.is_empty() {
            return Ok(());
        }
        self.section(heading)?;
        grid.print(self.out, &self.style, 4)
    }

    /// A wrapped line of a section.
    fn line(&mut self, paint: Paint, text: &str) -> io::Result<()> {
        paragraph(self.out, &self.style, 4, 2, paint, text)
    }
}

fn write(suite: &Suite, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for (index, run) in suite.runs.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        match run {
            Run::Judged(outcome) => scenario(outcome, suite.runs.len() == 1, style, out)?,
            Run::NotRun {
                topology,
                scenario,
                reason,
            } => {
                heading(
                    out,
                    style,
                    &title(scenario, topology),
                    "COULD NOT RUN",
                    Paint::Bad,
                )?;
                paragraph(out, style, 2, 2, Paint::Plain, reason)?;
            }
        }
    }
    if suite.runs.len() > 1 {
        together(suite, style, out)?;
    }
    if let Some(drill) = &suite.record {
        writeln!(out)?;
        paragraph(out, style, 2, 0, Paint::Strong, "The record of the drill")?;
        for line in drill.lines() {
            paragraph(out, style, 4, 2, Paint::Plain, &line)?;
        }
    }
    writeln!(out)?;
    // Never wrapped: programs and people look for the reason on the last line.
    let paint = verdict_paint(suite.verdict());
    writeln!(out, "{}", paint.on(&summary::last_line(suite), style))?;
    Ok(())
}

/// A rule, the name at the left and the verdict at the right.
fn heading(
    out: &mut dyn Write,
    style: &Style,
    left: &str,
    right: &str,
    paint: Paint,
) -> io::Result<()> {
    writeln!(out, "{}", Paint::Faint.on(&"─".repeat(style.width), style))?;
    let used = width(left) + width(right);
    if used < style.width {
        let gap = style.width - used;
        let left = Paint::Strong.on(left, style);
        writeln!(out, "{left}{:gap$}{}", "", paint.on(right, style))
    } else {
        paragraph(out, style, 0, 2, Paint::Strong, left)?;
        writeln!(out, "{}", paint.on(right, style))
    }
}

fn scenario(outcome: &Outcome, alone: bool, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let tally = Tally::of(outcome);
    let verdict = outcome.verdict.into();
    let left = title(&outcome.scenario, &outcome.topology);
    heading(
        out,
        style,
        &left,
        &verdict_text(verdict, tally, on_stand_ins([outcome])),
        verdict_paint(verdict),
    )?;
    let how = how(outcome);
    let about = format!(
        "{} to {} UTC, {how}, seed {}",
        words::Clock::full(&outcome.start),
        words::Clock::full(&outcome.end),
        outcome.seed
    );
    paragraph(out, style, 0, 2, Paint::Faint, &about)?;
    let clock = words::Clock::new(&outcome.start, &outcome.end);
    let mut page = Page {
        out,
        style: *style,
        clock,
    };
    broken::print(&mut page, outcome)?;
    findings::print(&mut page, outcome)?;
    users::print(&mut page, outcome)?;
    contract::print(&mut page, outcome)?;
    grounds::symptoms(&mut page, outcome)?;
    // Of several scenarios, what they rest on is said once, at the end.
    if alone || style.verbose {
        grounds::print(&mut page, &[outcome])?;
    }
    Ok(())
}

/// One line per scenario, after all of them.
fn together(suite: &Suite, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    let heading_left = words::number(suite.runs.len(), "scenario", "scenarios");
    let verdict = suite.verdict();
    heading(
        out,
        style,
        &heading_left,
        &verdict_text(verdict, suite.tally(), on_stand_ins(outcomes(suite))),
        verdict_paint(verdict),
    )?;
    writeln!(out)?;
    let mut grid = Grid::new(&[
        Column::words("scenario"),
        Column::words("topology"),
        Column::tag("verdict"),
        Column::figure("met"),
        Column::figure("missed"),
        Column::figure("accepted"),
        Column::figure("undecided"),
    ]);
    for run in &suite.runs {
        let tally = run.tally();
        let figure = |n: usize, paint: Paint| match n {
            0 => ("-".to_owned(), Paint::Faint),
            n => (words::count(n as u64), paint),
        };
        grid.row(vec![
            (run.scenario().to_owned(), Paint::Plain),
            (run.topology().to_owned(), Paint::Plain),
            (
                verdict_word(run.verdict()).to_owned(),
                verdict_paint(run.verdict()),
            ),
            figure(tally.met, Paint::Plain),
            figure(tally.missed, Paint::Bad),
            figure(tally.accepted, Paint::Care),
            figure(tally.open, Paint::Care),
        ]);
    }
    grid.print(out, style, 2)?;
    let outcomes: Vec<&Outcome> = outcomes(suite).collect();
    let clock = words::Clock::new("", "");
    grounds::print(
        &mut Page {
            out,
            style: *style,
            clock,
        },
        &outcomes,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use assize_model::finding::{Detail, Status, VerdictKind};

    fn printed(run: Run, style: &Style) -> String {
        let mut out = Vec::new();
        write(&sample::suite(vec![run]), style, &mut out).expect("writing to memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn fits_the_page_and_cuts_no_figure() {
        let run = || sample::run("loss", VerdictKind::Fail, Status::Missed);
        for columns in [80, 100, 140] {
            let text = printed(
                run(),
                &Style {
                    width: columns,
                    ..Style::default()
                },
            );
            assert!(
                text.lines().all(|line| width(line) <= columns),
                "{columns}:\n{text}"
            );
            // Wrapped or not, every figure is there.
            let squeezed: String = text.split_whitespace().collect();
            for figure in ["99.99999%", "1,234,567", "1m35.531s", "16,496"] {
                assert!(squeezed.contains(figure), "{figure} at {columns}:\n{text}");
            }
        }
    }

    #[test]
    fn shows_what_a_reader_must_not_miss() {
        let text = printed(
            sample::run("loss", VerdictKind::Fail, Status::Missed),
            &Style::default(),
        );
        for needle in [
            "FAIL, 1 of 1 target missed",
            "never bit",
            "no packet met it",
            "MISSED",
            "because",
            "service/db/south",
            "the queue of db was full",
        ] {
            assert!(text.contains(needle), "{needle}:\n{text}");
        }
        assert!(text.ends_with("\nnet misses 1 target in loss\n"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_live_run_shows_the_prediction_and_where_it_differs() {
        let mut run = sample::live("loss", "stand-in", Status::Met);
        if let Run::Judged(outcome) = &mut run {
            for (name, text) in [
                ("predicted", "1m 12s"),
                ("difference", "23s longer than predicted (1m 12s)"),
            ] {
                outcome.findings[0].details.push(Detail {
                    name,
                    value: None,
                    text: text.into(),
                });
            }
        }
        let text = printed(run, &Style::default());
        for needle in [
            "run on stand-ins, 20 times as fast, durations to 2s",
            "predicted",
            "23s longer than predicted (1m 12s)",
        ] {
            assert!(text.contains(needle), "{needle}:\n{text}");
        }
        assert!(!printed(sample::accepted("loss"), &Style::default()).contains("predicted"));
    }

    #[test]
    fn an_accepted_miss_is_shown_with_its_reason() {
        let text = printed(sample::accepted("loss"), &Style::default());
        assert!(text.contains("missed, accepted"), "{text}");
        assert!(text.contains("accepted by network owner until 2027-03-31: no second duct"));
    }
}
