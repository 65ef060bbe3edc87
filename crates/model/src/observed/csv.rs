//! Outages in CSV, as people write them down after an incident.
//!
//! The first row names the columns: `population` or `service`, `from`, `to`, and as wanted
//! `journey`, `share`, `cause`, `owner`, `detected`, `reported`, `users`, `sites`. Lines
//! that begin with `#` are remarks.

use super::{About, Observed, Row};
use crate::calendar::Calendar;
use crate::file::{Problem, Problems, Severity, did_you_mean, sha256};
use assize_fault::Ppb;
use jiff::Timestamp;
use std::collections::BTreeMap;

const COLUMNS: [&str; 12] = [
    "population",
    "service",
    "journey",
    "from",
    "to",
    "share",
    "cause",
    "owner",
    "detected",
    "reported",
    "users",
    "sites",
];
/// The most rows of one file.
const MOST_ROWS: usize = 20_000;

/// Reads outages; local instants are of the calendar's zone.
///
/// # Errors
/// Every row that cannot be used, with its place and what to write.
pub fn read(file: &str, text: &str, calendar: &Calendar) -> Result<Observed, Problems> {
    let mut r = Reader {
        file,
        calendar,
        problems: Vec::new(),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text
        .lines()
        .zip(1u32..)
        .filter(|(line, _)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    let Some((head, number)) = lines.next() else {
        let help = "the first row names the columns: `population,journey,from,to,share,cause`";
        return Err(Problems::of_file(file, "the file is empty", help));
    };
    let columns = r.columns(head, number);
    let mut rows = Vec::new();
    for (line, number) in lines {
        if rows.len() == MOST_ROWS {
            r.wrong(
                number,
                line,
                format!("there are more than {MOST_ROWS} rows"),
                "",
            );
            break;
        }
        rows.extend(r.row(&columns, line, number));
    }
    if r.problems.is_empty() && rows.is_empty() {
        let help = "a share of 0% says that a population was watched, and well";
        r.wrong(number, head, "the file has no rows".into(), help);
    }
    if !r.problems.is_empty() {
        return Err(Problems(r.problems));
    }
    Ok(Observed {
        file: file.to_string(),
        rows,
        digest: sha256(text.as_bytes()),
        ..Observed::default()
    })
}

struct Reader<'a> {
    file: &'a str,
    calendar: &'a Calendar,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn wrong(&mut self, line: u32, text: &str, what: String, help: &str) {
        if self.problems.len() < 200 {
            self.problems
                .push(problem(self.file, line, text, what, help));
        }
    }

    fn columns(&mut self, head: &str, line: u32) -> Vec<String> {
        let columns: Vec<String> = cells(head).unwrap_or_default();
        for (index, name) in columns.iter().enumerate() {
            if !COLUMNS.contains(&name.as_str()) {
                let help = did_you_mean(name, COLUMNS);
                self.wrong(line, head, format!("`{name}` is not a column"), &help);
            } else if columns[..index].contains(name) {
                self.wrong(
                    line,
                    head,
                    format!("the column `{name}` is there twice"),
                    "",
                );
            }
        }
        let has = |name: &str| columns.iter().any(|c| c == name);
        if !has("population") && !has("service") {
            let help = "name whom or what each row is about";
            self.wrong(
                line,
                head,
                "there is no column `population` or `service`".into(),
                help,
            );
        }
        for name in ["from", "to"] {
            if !has(name) {
                self.wrong(line, head, format!("there is no column `{name}`"), "");
            }
        }
        columns
    }

    fn row(&mut self, columns: &[String], text: &str, line: u32) -> Option<Row> {
        let Some(cells) = cells(text) else {
            self.wrong(
                line,
                text,
                "a quote is not closed".into(),
                "a quote in a quoted cell is doubled",
            );
            return None;
        };
        if cells.len() != columns.len() {
            let what = format!(
                "the row has {} cells for {} columns",
                cells.len(),
                columns.len()
            );
            self.wrong(
                line,
                text,
                what,
                "a cell with a comma in it stands in quotes",
            );
            return None;
        }
        let named: BTreeMap<&str, &str> = columns
            .iter()
            .zip(&cells)
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(column, cell)| (column.as_str(), cell.as_str()))
            .collect();
        let get = |name: &str| named.get(name).copied();
        let list = |name: &str| -> Vec<String> {
            let parts = get(name).unwrap_or_default().split('+').map(str::trim);
            parts
                .filter(|part| !part.is_empty())
                .map(str::to_string)
                .collect()
        };
        let about = match (get("population"), get("service")) {
            (Some(name), None) => Some(About::Population(bare(name, "population/"))),
            (None, Some(name)) => Some(About::Service(bare(name, "service/"))),
            _ => {
                let what = "a row is about one `population` or one `service`".to_string();
                self.wrong(line, text, what, "fill in one of the two cells");
                None
            }
        };
        let at = |this: &mut Self, name: &str| this.instant(get(name)?, text, line);
        let (from, to) = (at(self, "from"), at(self, "to"));
        let (detected, reported) = (at(self, "detected"), at(self, "reported"));
        for name in ["from", "to"] {
            if get(name).is_none() {
                self.wrong(
                    line,
                    text,
                    format!("`{name}` is missing"),
                    "an outage that goes on has its end in a later edition of the file",
                );
            }
        }
        let share = self.share(get("share").unwrap_or("100%"), text, line);
        let users = get("users").and_then(|cell| self.number(cell, "users", text, line));
        let sites = get("sites").and_then(|cell| self.number(cell, "sites", text, line));
        let causes = list("cause");
        if causes.is_empty() && share.is_some_and(|share| share > Ppb::ZERO) {
            let help =
                "write what failed, such as `link/hub-n`, or in words; several joined by `+`";
            self.wrong(line, text, "an outage has a `cause`".into(), help);
        }
        let (about, from, to, share) = (about?, from?, to?, share?);
        if to <= from {
            self.wrong(line, text, "the row ends before it begins".into(), "");
            return None;
        }
        Some(Row {
            line,
            text: text.to_string(),
            about,
            journey: get("journey").map(|name| bare(name, "journey/")),
            from,
            to,
            share,
            causes,
            owners: list("owner")
                .iter()
                .map(|name| bare(name, "domain/"))
                .collect(),
            detected,
            reported,
            users,
            sites,
        })
    }

    fn instant(&mut self, cell: &str, text: &str, line: u32) -> Option<Timestamp> {
        let read = self.calendar.timestamp(cell);
        read.map_err(|help| self.wrong(line, text, format!("`{cell}` is not an instant"), &help))
            .ok()
    }

    fn share(&mut self, cell: &str, text: &str, line: u32) -> Option<Ppb> {
        let read = Ppb::parse(cell);
        read.map_err(|help| self.wrong(line, text, format!("`{cell}` is not a share"), &help))
            .ok()
    }

    fn number(&mut self, cell: &str, what: &str, text: &str, line: u32) -> Option<u64> {
        let number = cell
            .parse::<u64>()
            .ok()
            .filter(|n| (1..=10_000_000).contains(n));
        if number.is_none() {
            let help = "write a whole number from 1 to 10000000";
            self.wrong(
                line,
                text,
                format!("`{cell}` is not a number of {what}"),
                help,
            );
        }
        number
    }
}

/// A problem on a line of a file of rows.
pub(super) fn problem(file: &str, line: u32, text: &str, what: String, help: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        file: file.to_string(),
        line: if text.is_empty() { 0 } else { line },
        column: 1,
        len: text.chars().count().max(1) as u32,
        what,
        help: help.to_string(),
        source_line: text.to_string(),
    }
}

fn bare(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_string()
}

/// The cells of a row, trimmed; `None` if a quote is not closed.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let (mut quoted, mut was) = (false, false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let cell = cells.last_mut()?;
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() && !was => {
                cell.clear();
                (quoted, was) = (true, true);
            }
            ',' if !quoted => {
                cells.push(String::new());
                was = false;
            }
            c => cell.push(c),
        }
    }
    let trimmed = cells.into_iter().map(|cell| cell.trim().to_string());
    (!quoted).then(|| trimmed.collect())
}
