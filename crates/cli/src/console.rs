//! Where output goes and how it may look. Reads no environment itself.

use assize_report::Style;
use std::io::Write;

/// The two streams of a command.
pub struct Console<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Progress, warnings and errors.
    pub err: &'a mut dyn Write,
    /// Whether `out` may be coloured.
    pub colour: bool,
    /// Whether `err` is a terminal, on which a line may be written over.
    pub progress_bar: bool,
    /// Whether the command is this process, and not called within another program: only then can
    /// the program be started again as the guard of a run.
    pub own_process: bool,
    /// The command, word by word, as it was given.
    pub command: Vec<String>,
}

impl<'a> Console<'a> {
    /// Plain streams, neither of them a terminal.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out,
            err,
            colour: false,
            progress_bar: false,
            own_process: false,
            command: Vec::new(),
        }
    }

    /// How a report looks here.
    pub(crate) fn style(&self, verbose: bool) -> Style {
        Style {
            colour: self.colour,
            verbose,
            ..Style::default()
        }
    }

    /// Says something to the person who waits. That nobody listens is no failure.
    pub(crate) fn say(&mut self, text: &str) {
        let _ = writeln!(self.err, "{text}");
    }

    /// Says how far a job of `total` parts is: one line written over on a terminal, plain lines
    /// otherwise, nothing for a job of one part.
    pub(crate) fn progress(&mut self, done: usize, total: usize, what: &str) {
        const BAR: usize = 24;
        if total < 2 {
            return;
        }
        if !self.progress_bar {
            self.say(&format!("{done}/{total} {what}"));
            return;
        }
        let filled = BAR * done / total;
        let bar = format!("{}{}", "━".repeat(filled), "╌".repeat(BAR - filled));
        // The line is cleared at the end, so that a finished job leaves no trace of its progress.
        let text = if done == total {
            String::new()
        } else {
            format!("{bar} {done}/{total} {what}")
        };
        let _ = write!(self.err, "\r\u{1b}[K{text}");
        let _ = self.err.flush();
    }
}
