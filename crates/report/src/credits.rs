//! What a contract makes of a run, clause by clause with its arithmetic, for people.
//!
//! The sums are those of [`assize_model::contract`]; nothing is computed here. A figure of a
//! simulation reads as what would be, and none on stand-ins reads as a clause that is met.

use crate::Style;
use crate::text::{Paint, paragraph};
use assize_model::contract::{
    Credits, CriticalResult, LevelResult, MonthResult, PeriodResult, Stated,
};
use std::io::{self, Write};

/// Writes it as tables of sums.
///
/// # Errors
/// As `out`.
pub fn write(credits: &Credits, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", Paint::Faint.on(&"─".repeat(style.width), style))?;
    let title = format!("{} against {}", credits.scenario, credits.contract);
    paragraph(out, style, 0, 2, Paint::Strong, &title)?;
    let (from, to) = (&credits.start, &credits.end);
    let supplier = credits.supplier.join(" and ");
    let head = format!(
        "{from} to {to}; the supplier answers for {supplier}; {}",
        basis(credits.tested_on)
    );
    paragraph(out, style, 2, 0, Paint::Plain, &head)?;
    if credits.template {
        let text = "The contract is a template that nobody signed: replace its figures by yours.";
        paragraph(out, style, 2, 0, Paint::Care, text)?;
    }
    for level in &credits.levels {
        for month in &level.months {
            period(level, month, style, out)?;
        }
    }
    for month in credits
        .months
        .iter()
        .filter(|month| !month.arithmetic.is_empty())
    {
        let due = due(credits, month).unwrap_or_default();
        let name = format!("Credits of {}", month.month.name());
        heading(&name, &due, Paint::Strong, style, out)?;
        sums(&month.arithmetic, style, out)?;
        if month.undecided {
            let text = "Some figure of this period is undecided, so this is not final.";
            paragraph(out, style, 4, 0, Paint::Care, text)?;
        }
    }
    criticals(credits, style, out)?;
    for note in &credits.notes {
        paragraph(out, style, 2, 2, Paint::Care, &format!("note: {note}"))?;
    }
    writeln!(out)?;
    writeln!(out, "{}", last_line(credits))
}

/// A level in a month, in short.
pub(crate) struct Short<'a> {
    /// The level, with its clause where it has one.
    pub(crate) level: String,
    pub(crate) id: &'a str,
    pub(crate) result: &'a PeriodResult,
    /// Met, missed, or neither.
    pub(crate) status: String,
    pub(crate) paint: Paint,
}

/// Every level in every month.
pub(crate) fn in_short(credits: &Credits) -> impl Iterator<Item = Short<'_>> {
    let levels = credits.levels.iter();
    let all = levels.flat_map(|level| level.months.iter().map(move |result| (level, result)));
    all.map(|(level, result)| {
        let (status, paint) = status(level, result);
        let clause = level.clause.iter().map(|clause| format!(" ({clause})"));
        let clause: String = clause.collect();
        Short {
            level: format!("{}{clause}", level.title),
            id: &level.id,
            result,
            status,
            paint,
        }
    })
}

/// The credits of a month, in words; `None` where the contract states no charges.
pub(crate) fn due(credits: &Credits, month: &MonthResult) -> Option<String> {
    let due = month.due?;
    Some(match credits.tested_on {
        "stand-in" => "nothing follows from stand-ins".to_owned(),
        "simulation" => format!("{} {due} would be due", credits.currency),
        _ => format!("{} {due} due", credits.currency),
    })
}

/// Whether a critical failure happened, in words that fit what it was tested on.
pub(crate) fn happened(credits: &Credits, one: &CriticalResult) -> (&'static str, Paint) {
    match (one.happened, credits.tested_on) {
        (false, _) => ("no", Paint::Plain),
        (true, "simulation") => ("WOULD HAVE HAPPENED", Paint::Bad),
        (true, "stand-in") => ("on stand-ins only", Paint::Care),
        (true, _) => ("HAPPENED", Paint::Bad),
    }
}

/// What the figures rest on, in words.
pub(crate) fn basis(tested_on: &str) -> String {
    match tested_on {
        "real" => "measured on real systems".into(),
        "observed" => "a real incident, as it was observed".into(),
        "simulation" => "simulated: what would follow, not what does".into(),
        "stand-in" => {
            "measured on stand-ins: it shows the design, and no clause rests on it".into()
        }
        other => format!("tested on {other}"),
    }
}

fn period(
    level: &LevelResult,
    month: &PeriodResult,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (word, paint) = status(level, month);
    let name = format!("{}, {}", level.title, month.month.name());
    heading(
        &name,
        &format!("{}: {word}", month.achieved_text),
        paint,
        style,
        out,
    )?;
    if let Some(clause) = &level.clause {
        paragraph(out, style, 4, 0, Paint::Faint, clause)?;
    }
    sums(&month.arithmetic, style, out)?;
    if let Some(then) = &month.then {
        paragraph(
            out,
            style,
            4,
            14,
            Paint::Plain,
            &format!("{:<14}{then}", "then"),
        )?;
    }
    Ok(())
}

/// How a level stands in a month, in words that never call met what was not really done.
pub(crate) fn status(level: &LevelResult, month: &PeriodResult) -> (String, Paint) {
    let would = if level.tested_on == "simulation" && !month.stated {
        "would be "
    } else {
        ""
    };
    match month.status {
        Stated::Met => (format!("{would}met"), Paint::Good),
        Stated::Missed => (format!("{would}missed").to_uppercase(), Paint::Bad),
        Stated::Inconclusive => ("inconclusive".to_string(), Paint::Care),
    }
}

fn heading(
    name: &str,
    right: &str,
    paint: Paint,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out)?;
    paragraph(out, style, 2, 2, Paint::Strong, name)?;
    if right.is_empty() {
        return Ok(());
    }
    paragraph(out, style, 4, 2, paint, right)
}

fn sums(lines: &[(&str, String)], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for (name, text) in lines {
        paragraph(
            out,
            style,
            4,
            14,
            Paint::Plain,
            &format!("{name:<14}{text}"),
        )?;
    }
    Ok(())
}

fn criticals(credits: &Credits, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if credits.critical.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    paragraph(out, style, 2, 2, Paint::Strong, "Critical failures")?;
    for one in &credits.critical {
        let (word, paint) = happened(credits, one);
        let text = format!("{}: {word} ({})", one.clause, one.arithmetic);
        paragraph(out, style, 4, 2, paint, &text)?;
    }
    let happened = credits.critical.iter().any(|one| one.happened);
    match &credits.critical_effect {
        Some(effect) if happened => paragraph(out, style, 4, 2, Paint::Plain, effect),
        _ => Ok(()),
    }
}

/// One sentence, without a full stop, that says what decided.
#[must_use]
pub fn last_line(credits: &Credits) -> String {
    let who = format!("{} in {}", credits.contract, credits.scenario);
    let measured = || {
        credits
            .levels
            .iter()
            .flat_map(|level| &level.months)
            .filter(|m| !m.stated)
    };
    let count = |status| measured().filter(|m| m.status == status).count();
    let (missed, open) = (count(Stated::Missed), count(Stated::Inconclusive));
    let all = measured().count();
    let critical = credits.critical.iter().filter(|one| one.happened).count();
    let would = if credits.tested_on == "simulation" {
        "would be "
    } else {
        ""
    };
    let more = match critical {
        0 => String::new(),
        1 => ", and a critical failure".into(),
        n => format!(", and {n} critical failures"),
    };
    if missed > 0 || credits.missed() {
        return format!("{who}: {missed} of {all} service levels {would}missed{more}");
    }
    if open > 0 {
        return format!("{who}: {open} of {all} service levels could not be decided");
    }
    format!("{who}: all {all} service levels {would}met")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn printed(tested_on: &'static str, style: &Style) -> String {
        let mut out = Vec::new();
        write(&sample::credits(tested_on), style, &mut out).expect("to memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_clause_has_its_arithmetic() {
        // Wrapped or not, every sum is there.
        let text = printed("observed", &Style::default());
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for needle in [
            "(220h − 26h) ÷ 220h = 88.1818%",
            "98% − 88.1818181% = 9.8181819%",
            "HAPPENED (26h with fewer than 50% served",
            "template that nobody signed",
            "by owner atos 26h",
        ] {
            assert!(text.contains(needle), "{needle}:\n{text}");
        }
    }

    #[test]
    fn a_simulation_says_would_and_stand_ins_meet_nothing() {
        let simulated = printed("simulation", &Style::default());
        assert!(
            simulated.contains("WOULD BE MISSED") && !simulated.contains("98,181.82 due"),
            "{simulated}"
        );
        let stand_in = printed("stand-in", &Style::default()).to_lowercase();
        assert!(stand_in.contains("no clause rests on it"));
        for word in [": met", " met\n", ": missed", "happened ("] {
            assert!(!stand_in.contains(word), "{word}:\n{stand_in}");
        }
    }

    #[test]
    fn it_fits_the_page() {
        for width in [80, 100] {
            let style = Style {
                width,
                ..Style::default()
            };
            let text = printed("observed", &style);
            let mut lines: Vec<&str> = text.lines().collect();
            // The last line is never wrapped.
            lines.pop();
            assert!(lines.iter().all(|l| l.chars().count() <= width), "{text}");
        }
    }
}
