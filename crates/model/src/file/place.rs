//! Places in files, and the lines that stand there.

use super::problem::{Problem, Severity};

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Span {
    /// Index into [`Files`].
    pub file: u16,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// In characters.
    pub len: u32,
}

/// The files read so far, for printing the lines that problems are about.
#[derive(Debug, Default)]
pub(crate) struct Files(Vec<FileText>);

#[derive(Debug)]
struct FileText {
    name: String,
    text: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
}

/// How much of a very long line is kept on either side of the place in question.
const AROUND: usize = 200;

impl Files {
    /// Remembers a file and returns its index.
    pub(crate) fn add(&mut self, name: &str, text: &str) -> u16 {
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|&(_, b)| b == b'\n')
            .map(|(i, _)| i + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        self.0.push(FileText {
            name: name.to_string(),
            text: text.to_string(),
            lines,
        });
        (self.0.len() - 1).min(usize::from(u16::MAX)) as u16
    }

    pub(crate) fn name(&self, file: u16) -> &str {
        self.0.get(usize::from(file)).map_or("", |f| &f.name)
    }

    /// The text of a line, from 1.
    fn line(&self, at: Span) -> &str {
        let Some(file) = self.0.get(usize::from(at.file)) else {
            return "";
        };
        let index = (at.line as usize).saturating_sub(1);
        let start = file.lines.get(index).copied().unwrap_or(file.text.len());
        let end = file
            .lines
            .get(index + 1)
            .copied()
            .unwrap_or(file.text.len());
        file.text
            .get(start..end)
            .unwrap_or("")
            .trim_end_matches(['\n', '\r'])
    }

    /// A problem at a place.
    pub(crate) fn problem(
        &self,
        severity: Severity,
        at: Span,
        what: String,
        help: String,
    ) -> Problem {
        // Of a line of megabytes only what will be printed is kept; what stands before it
        // becomes blank, so that the column still counts from the line's beginning.
        let skip = (at.column as usize).saturating_sub(AROUND).min(1 << 16);
        let kept = self
            .line(at)
            .chars()
            .skip((at.column as usize).saturating_sub(AROUND));
        let source_line: String = std::iter::repeat_n(' ', skip)
            .chain(kept.take(2 * AROUND))
            .collect();
        let column = if (at.column as usize) < 1 << 16 {
            at.column
        } else {
            (skip + AROUND) as u32
        };
        Problem {
            severity,
            file: self.name(at.file).to_string(),
            line: at.line,
            column,
            len: at.len.max(1),
            what,
            help,
            source_line,
        }
    }
}
