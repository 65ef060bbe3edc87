//! Text laid out in columns, wrapped to a width, with colour as an addition.
//!
//! Nothing is ever cut: what does not fit goes to the next line.

use crate::Style;
use std::io::{self, Write};

/// How a piece of text stands out. Without colour all are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Paint {
    /// As it is.
    #[default]
    Plain,
    /// Headings.
    Strong,
    /// What is beside the point.
    Faint,
    /// As it should be.
    Good,
    /// Missed.
    Bad,
    /// Undecided, accepted, or to be looked at.
    Care,
}

impl Paint {
    /// The text, within escape sequences if `style` allows them.
    #[must_use]
    pub fn on(self, text: &str, style: &Style) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Care => "33",
        };
        if style.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Columns that text takes. All that Assize itself prints is one column per character.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().count()
}

/// Splits text into lines of at most `width` columns, at spaces; a word that is longer than a
/// line also after `/`, `-`, `,` and `_`; a word without any of these is split where it must be.
#[must_use]
pub fn wrap(text: &str, width_: usize) -> Vec<String> {
    let limit = width_.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for piece in words(paragraph, limit) {
            let fits = width(&line) + width(piece.trim_end()) <= limit;
            if !fits && !line.is_empty() {
                lines.push(line.trim_end().to_owned());
                line = String::new();
            }
            let mut rest = piece;
            while width(rest.trim_end()) > limit {
                let at = rest
                    .char_indices()
                    .nth(limit)
                    .map_or(rest.len(), |(at, _)| at);
                lines.push(rest[..at].to_owned());
                rest = &rest[at..];
            }
            line.push_str(rest);
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Words, and the pieces of those that no line holds whole; each keeps the blank that closes it.
fn words(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ').flat_map(move |word| {
        let whole = width(word.trim_end()) <= limit;
        let (one, several) = if whole { (word, "") } else { ("", word) };
        std::iter::once(one)
            .filter(|w| !w.is_empty())
            .chain(pieces(several))
    })
}

/// Pieces between which a line may end; each keeps the separator that closes it.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive([' ', '/', '-', ',', '_'])
}

/// Prints a paragraph, `indent` columns in; further lines hang `hang` columns deeper.
///
/// # Errors
/// As `out`.
pub fn paragraph(
    out: &mut dyn Write,
    style: &Style,
    indent: usize,
    hang: usize,
    paint: Paint,
    text: &str,
) -> io::Result<()> {
    let lines = wrap(text, style.width.saturating_sub(indent + hang).max(20));
    for (index, line) in lines.iter().enumerate() {
        let lead = if index == 0 { indent } else { indent + hang };
        writeln!(out, "{:lead$}{}", "", paint.on(line, style))?;
    }
    Ok(())
}

/// One column of a [`Grid`].
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Heading; empty for none.
    pub head: &'static str,
    /// Whether text stands at the right, as figures do.
    pub right: bool,
    /// Whether it may become narrower than its text before figures do.
    pub wraps: bool,
}

impl Column {
    /// Words, wrapped where space is short.
    #[must_use]
    pub const fn words(head: &'static str) -> Self {
        Self {
            head,
            right: false,
            wraps: true,
        }
    }

    /// Figures, kept on one line while there is any other way.
    #[must_use]
    pub const fn figure(head: &'static str) -> Self {
        Self {
            head,
            right: true,
            wraps: false,
        }
    }

    /// A word or two, kept on one line while there is any other way.
    #[must_use]
    pub const fn tag(head: &'static str) -> Self {
        Self {
            head,
            right: false,
            wraps: false,
        }
    }
}

/// A table without lines.
#[derive(Clone, Debug)]
pub struct Grid {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    cells: Vec<(String, Paint)>,
    notes: Vec<(String, Paint)>,
}

/// Space between columns.
const GAP: usize = 2;
/// Words are wrapped to this before figures are.
const COMFORTABLE: usize = 17;
/// No column becomes narrower than this by wrapping, while another can.
const NARROWEST: usize = 8;

impl Grid {
    /// An empty table.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: Vec<(String, Paint)>) {
        self.rows.push(Row {
            cells,
            notes: Vec::new(),
        });
    }

    /// Adds a line over the whole width, under the last row.
    pub fn note(&mut self, text: impl Into<String>, paint: Paint) {
        if let Some(row) = self.rows.last_mut() {
            row.notes.push((text.into(), paint));
        }
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints it, `indent` columns in.
    ///
    /// # Errors
    /// As `out`.
    pub fn print(&self, out: &mut dyn Write, style: &Style, indent: usize) -> io::Result<()> {
        let widths = self.widths(style.width.saturating_sub(indent));
        if self.columns.iter().any(|c| !c.head.is_empty()) {
            let heads: Vec<_> = self
                .columns
                .iter()
                .map(|c| (c.head.to_owned(), Paint::Faint))
                .collect();
            self.print_cells(out, style, indent, &widths, &heads)?;
        }
        for row in &self.rows {
            self.print_cells(out, style, indent, &widths, &row.cells)?;
            for (note, paint) in &row.notes {
                paragraph(out, style, indent + 4, 2, *paint, note)?;
            }
        }
        Ok(())
    }

    fn widths(&self, room: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|c| width(c.head)).collect();
        for row in &self.rows {
            for (slot, (text, _)) in widths.iter_mut().zip(&row.cells) {
                let longest = text.split('\n').map(width).max().unwrap_or(0);
                *slot = (*slot).max(longest);
            }
        }
        let room = room.saturating_sub(GAP * widths.len().saturating_sub(1));
        let floors = self.floors();
        // The widest column gives way first: words while they stay comfortable, then figures at
        // their spaces, then words to their longest piece, then whatever there is.
        let narrow = |i: usize| floors[i].max(NARROWEST);
        self.shrink(&mut widths, room, |i, c| {
            c.wraps.then(|| narrow(i).max(COMFORTABLE))
        });
        self.shrink(&mut widths, room, |i, c| (!c.wraps).then(|| narrow(i)));
        self.shrink(&mut widths, room, |i, c| c.wraps.then(|| narrow(i)));
        self.shrink(&mut widths, room, |_, _| Some(NARROWEST));
        widths
    }

    /// The longest piece of each column that can only be split by force.
    fn floors(&self) -> Vec<usize> {
        let piece = |text: &str| pieces(text).map(|p| width(p.trim_end())).max().unwrap_or(0);
        let mut floors: Vec<usize> = self.columns.iter().map(|c| piece(c.head)).collect();
        for row in &self.rows {
            for (floor, (text, _)) in floors.iter_mut().zip(&row.cells) {
                *floor = (*floor).max(piece(text));
            }
        }
        floors
    }

    /// Takes from the widest column, one at a time, down to what `least` allows each.
    fn shrink(
        &self,
        widths: &mut [usize],
        room: usize,
        least: impl Fn(usize, &Column) -> Option<usize>,
    ) {
        while widths.iter().sum::<usize>() > room {
            let may = |&i: &usize| least(i, &self.columns[i]).is_some_and(|l| widths[i] > l);
            match (0..widths.len())
                .filter(may)
                .max_by_key(|&i| (widths[i], i))
            {
                Some(i) => widths[i] -= 1,
                None => return,
            }
        }
    }

    fn print_cells(
        &self,
        out: &mut dyn Write,
        style: &Style,
        indent: usize,
        widths: &[usize],
        cells: &[(String, Paint)],
    ) -> io::Result<()> {
        let wrapped: Vec<Vec<String>> = cells
            .iter()
            .zip(widths)
            .map(|((text, _), &w)| wrap(text, w))
            .collect();
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let mut printed = format!("{:indent$}", "");
            // Trailing blanks are held back until something follows them.
            let mut pending = 0;
            for (index, lines) in wrapped.iter().enumerate() {
                let text = lines.get(line).map_or("", String::as_str);
                let pad = widths[index].saturating_sub(width(text));
                let (before, after) = if self.columns[index].right {
                    (pad, 0)
                } else {
                    (0, pad)
                };
                if !text.is_empty() {
                    let lead = pending + before;
                    printed.push_str(&format!("{:lead$}", ""));
                    printed.push_str(&cells[index].1.on(text, style));
                    pending = 0;
                } else {
                    pending += before;
                }
                pending += after + GAP;
            }
            writeln!(out, "{}", printed.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(grid: &Grid, width: usize) -> String {
        let mut out = Vec::new();
        let style = Style {
            width,
            ..Style::default()
        };
        grid.print(&mut out, &style, 2).expect("writing to memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn words_wrap_before_figures() {
        let mut grid = Grid::new(&[Column::words("objective"), Column::figure("measured")]);
        grid.row(vec![
            ("a-rather-long-name-of-an-objective".into(), Paint::Plain),
            ("1d 2h 3m 4.567s".into(), Paint::Plain),
        ]);
        grid.note("why", Paint::Faint);
        assert_eq!(
            printed(&grid, 36),
            "  objective                 measured\n  a-rather-long-     1d 2h 3m 4.567s\n  \
             name-of-an-\n  objective\n      why\n"
        );
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let style = Style {
            colour: true,
            ..Style::default()
        };
        assert_eq!(
            Paint::Bad.on("missed", &style),
            "\u{1b}[1;31mmissed\u{1b}[0m"
        );
        assert_eq!(Paint::Bad.on("missed", &Style::default()), "missed");
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing_and_fits(text in "[a-z/, -]{0,120}", limit in 1_usize..40) {
            let lines = wrap(&text, limit);
            let squeeze = |s: &str| s.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&text));
            prop_assert!(lines.iter().all(|l| width(l) <= limit));
        }
    }
}
