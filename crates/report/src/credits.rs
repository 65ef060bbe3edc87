//! What a contract makes of a run, clause by clause with its arithmetic, for people.
//!
//! The sums are those of [`assize_model::contract`]; nothing is computed here. A figure of a
//! simulation reads as what would be, and none on stand-ins reads as a clause that is met.

use crate::Style;
use crate::text::{Paint, paragraph};
use assize_model::contract::{Credits, LevelResult, PeriodResult, Stated};
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
        let due = match (month.due, credits.tested_on) {
            (Some(_), "stand-in") => "nothing follows from stand-ins".to_string(),
            (Some(due), on) => {
                let would = if on == "simulation" {
                    "would be due"
                } else {
                    "due"
                };
                format!("{} {due} {would}", credits.currency)
            }
            (None, _) => String::new(),
        };
        heading(
            &format!("Credits of {}", month.month.name()),
            &due,
            Paint::Strong,
            style,
            out,
        )?;
        sums(&month.arithmetic, style, out)?;
        if month.undecided {
            let text = "Some figure of this month is undecided, so this is not final.";
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
        let (word, paint) = match (one.happened, credits.tested_on) {
            (false, _) => ("no", Paint::Plain),
            (true, "simulation") => ("WOULD HAVE HAPPENED", Paint::Bad),
            (true, "stand-in") => ("on stand-ins only", Paint::Care),
            (true, _) => ("HAPPENED", Paint::Bad),
        };
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
    use assize_model::contract::{Record, reckon};
    use assize_model::file::{LoadOptions, MemorySource, load_contract};
    use std::path::Path;

    fn printed(tested_on: &'static str, style: &Style) -> String {
        let text = include_str!("../../../contracts/call-off.yaml");
        let source = MemorySource::new([("c.yaml", text)]);
        let loaded = load_contract(&source, Path::new("c.yaml"), &LoadOptions::default());
        let (contract, _) = loaded.unwrap_or_else(|problems| panic!("{problems}"));
        // 26 of 220 core hours out for all.
        let day = |day: i64, hours: i64| {
            let from = (day * 24 + 8) * 3_600_000_000_000_i64;
            let to = from + hours * 3_600_000_000_000;
            format!("{from} {to} out=6400000000000 degraded=0 sites=1 hub=6400000000000")
        };
        let verdict = serde_json::json!({
            "schema": "assize/verdict/v1", "engine": "observed", "topology": "moj",
            "scenario": "january", "start": "2019-01-01T00:00:00Z", "end": "2019-02-01T00:00:00Z",
            "faults": [{"id": "hub", "target": "link/hub-n", "owners": ["atos"]}],
            "populations": [{"id": "court-staff", "users": 100, "sites": 1, "journeys":
                [{"id": "sign-in", "availability_all_hours": 0.9,
                  "losses": [day(15, 10), day(16, 10), day(17, 6)]}]}],
        });
        let mut record = Record::read(&verdict).expect("a record");
        record.pairs[0].tested_on = tested_on;
        let mut out = Vec::new();
        write(&reckon(&contract, &record), style, &mut out).expect("to memory");
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
