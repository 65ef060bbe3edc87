//! What is wrong with a file: where, why, and what to write instead.
//!
//! A problem carries the line it is about, so that it can be printed without the file at hand.
//! It does not decide what happens next; a list with an error in it means no topology.

use std::fmt;

/// How grave a problem is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Nothing can be built from the file.
    Error,
    /// The file can be used; something in it is probably not what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// How grave.
    pub severity: Severity,
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1; 0 when the problem has no place in a file.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters are concerned, at least 1.
    pub len: u32,
    /// What is wrong.
    pub what: String,
    /// What to write instead; empty when `what` says it all.
    pub help: String,
    /// The text of the line.
    pub source_line: String,
}

/// Everything that is wrong with a file and the files it includes, in order of file and line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// One problem that has no line of its own, such as a file that cannot be read.
    #[must_use]
    pub fn of_file(file: &str, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self(vec![Problem {
            severity: Severity::Error,
            file: file.to_string(),
            line: 0,
            column: 0,
            len: 1,
            what: what.into(),
            help: help.into(),
            source_line: String::new(),
        }])
    }

    /// How many errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.0
            .iter()
            .filter(|p| p.severity == Severity::Error)
            .count()
    }
}

/// The longest line that is printed; longer ones are cut around the place in question.
const WIDTH: usize = 120;

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}: {}", self.what)?;
        if self.line == 0 {
            write!(f, " --> {}", self.file)?;
        } else {
            let number = self.line.to_string();
            let pad = " ".repeat(number.len());
            let (shown, before, len) = self.excerpt();
            writeln!(f, "{pad}--> {}:{}:{}", self.file, self.line, self.column)?;
            writeln!(f, "{pad} |")?;
            writeln!(f, "{number} | {shown}")?;
            write!(f, "{pad} | {}{}", " ".repeat(before), "^".repeat(len))?;
        }
        if !self.help.is_empty() {
            let pad = " ".repeat(self.line.to_string().len());
            write!(f, "\n{pad} = help: {}", self.help)?;
        }
        Ok(())
    }
}

impl Problem {
    /// The part of the line to print, how many columns stand before the place, and its length.
    fn excerpt(&self) -> (String, usize, usize) {
        // A control character would move the caret away from its place, or move the cursor.
        let chars: Vec<char> = self
            .source_line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let column = (self.column.max(1) as usize - 1).min(chars.len());
        let first = if column > WIDTH - 40 { column - 40 } else { 0 };
        let last = chars.len().min(first + WIDTH);
        let shown: String = chars[first..last].iter().collect();
        let len = (self.len.max(1) as usize).min(last.saturating_sub(column).max(1));
        (shown, column - first, len)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The names most like `wanted`, best first, at most three; ready for a help line.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: Vec<char> = wanted
        .chars()
        .take(LONGEST_NAME)
        .flat_map(char::to_lowercase)
        .collect();
    let mut found: Vec<(usize, &str)> = Vec::new();
    for name in names.into_iter().take(MOST_NAMES) {
        let chars: Vec<char> = name
            .chars()
            .take(LONGEST_NAME)
            .flat_map(char::to_lowercase)
            .collect();
        // One slip in a short name, more in longer ones; none where it would be another name.
        let allowed = wanted
            .len()
            .max(chars.len())
            .div_ceil(3)
            .min(wanted.len().saturating_sub(1));
        if wanted.len().abs_diff(chars.len()) > allowed && !contains(&chars, &wanted) {
            continue;
        }
        let distance = distance(&wanted, &chars);
        if distance <= allowed {
            found.push((distance, name));
        } else if contains(&chars, &wanted) {
            found.push((allowed + 1, name));
        }
    }
    found.sort();
    found.dedup();
    let best = found.first().map_or(0, |f| f.0);
    found
        .into_iter()
        .filter(|f| f.0 <= best + 1)
        .take(3)
        .map(|(_, name)| name)
        .collect()
}

/// Names longer than this are compared by their beginnings.
const LONGEST_NAME: usize = 48;
/// A suggestion is not worth comparing more names than this.
const MOST_NAMES: usize = 2_000;

/// Whether one of two names of at least three characters contains the other.
fn contains(a: &[char], b: &[char]) -> bool {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    short.len() >= 3 && long.windows(short.len()).any(|w| w == short)
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

/// ``did you mean `a` or `b`?``, or what there is when nothing is near.
pub fn did_you_mean<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let near = nearest(wanted, names.clone());
    if !near.is_empty() {
        return format!("did you mean {}?", quoted(&near, "or"));
    }
    let all: Vec<&str> = names.into_iter().take(MOST_LISTED + 1).collect();
    there_are(&all)
}

/// More names than this are not listed in full.
const MOST_LISTED: usize = 12;

/// Which names there are, if they are few, else the first ones.
pub(crate) fn there_are(names: &[&str]) -> String {
    match names.len() {
        0 => "there is none".to_string(),
        1 => format!("there is {}", quoted(names, "and")),
        n if n <= MOST_LISTED => format!("there are {}", quoted(names, "and")),
        _ => format!("there are, among others, {}", quoted(&names[..8], "and")),
    }
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn quoted(names: &[&str], word: &str) -> String {
    let mut text = String::new();
    for (i, name) in names.iter().enumerate() {
        if i > 0 {
            text.push_str(if i + 1 == names.len() { " " } else { ", " });
            if i + 1 == names.len() {
                text.push_str(word);
                text.push(' ');
            }
        }
        text.push('`');
        text.push_str(name);
        text.push('`');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["court-wan", "court-lte", "hub-n", "office-wan"];
        assert_eq!(nearest("cuort-wan", names), ["court-wan"]);
        assert_eq!(nearest("hubn", names), ["hub-n"]);
        assert!(nearest("zebra", names).is_empty());
        assert_eq!(did_you_mean("zebra", ["a", "b"]), "there are `a` and `b`");
        assert_eq!(did_you_mean("zebra", []), "there is none");
    }

    #[test]
    fn the_caret_stands_under_the_text() {
        let problem = Problem {
            severity: Severity::Error,
            file: "x.yaml".into(),
            line: 12,
            column: 9,
            len: 3,
            what: "no node is named `foo`".into(),
            help: "did you mean `food`?".into(),
            source_line: "target: foo # so".into(),
        };
        let expected = "error: no node is named `foo`\n  --> x.yaml:12:9\n   |\n12 | target: foo # so\n   |         ^^^\n   = help: did you mean `food`?";
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let problem = Problem {
            severity: Severity::Warning,
            file: "x.yaml".into(),
            line: 1,
            column: 5_001,
            len: 1_000_000,
            what: "w".into(),
            help: String::new(),
            source_line: "é".repeat(10_000),
        };
        let text = problem.to_string();
        assert!(text.chars().count() < 500, "{text}");
        let caret = text.lines().nth(4).and_then(|l| l.find('^'));
        assert_eq!(caret, Some(44));
    }
}
