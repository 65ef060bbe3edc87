//! Rules about the text of one file: module documentation, unfinished marks, white space, length.

use super::Complaint;
use crate::tree::File;

/// A file longer than this has a seam at which it can be cut.
const MOST_LINES: usize = 700;

/// Marks of unfinished work. Written in two halves: this file is checked too.
const MARKS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("dbg", "!"),
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
];

/// Checks one file.
pub(super) fn check(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    if file.is("rs") {
        source(file, &mut complaints);
    }
    if is_ours_to_format(file) {
        white_space(file, &mut complaints);
    }
    complaints
}

fn source(file: &File, complaints: &mut Vec<Complaint>) {
    if !file.text.starts_with("//! ") {
        complaints.push(Complaint::of(
            file,
            "begins without `//!`: say what the file is for, and what it does not do",
        ));
    }
    let lines = file.text.lines().count();
    if lines > MOST_LINES {
        complaints.push(Complaint::of(
            file,
            format!("has {lines} lines, over {MOST_LINES}: cut it at a seam"),
        ));
    }
    for (number, line) in file.text.lines().enumerate() {
        for mark in MARKS.iter().filter(|mark| holds(line, mark)) {
            complaints.push(Complaint::at(
                file,
                number,
                format!("`{mark}`: finish it, or open an issue and take the mark out"),
            ));
        }
        if line.contains(concat!("[al", "low(")) {
            complaints.push(Complaint::at(
                file,
                number,
                "`allow` outlives its cause: write `expect` with a reason",
            ));
        }
    }
}

/// Whether `mark` occurs in `line` as a word of its own.
fn holds(line: &str, mark: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(mark).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + mark.len()..].chars().next();
        !before.is_some_and(is_word) && (mark.ends_with('!') || !after.is_some_and(is_word))
    })
}

/// Golden output and wrong files of the tests are as they are; so is what is generated.
fn is_ours_to_format(file: &File) -> bool {
    let kept = ["rs", "md", "toml", "yaml", "yml"]
        .iter()
        .any(|extension| file.is(extension));
    kept && (file.is("rs") || !file.path.starts_with("tests/"))
}

fn white_space(file: &File, complaints: &mut Vec<Complaint>) {
    for (number, line) in file.text.lines().enumerate() {
        if line.ends_with([' ', '\t']) {
            complaints.push(Complaint::at(
                file,
                number,
                "white space at the end of the line",
            ));
        }
        if line.contains('\t') && !file.is("rs") {
            complaints.push(Complaint::at(file, number, "a tab: indent with spaces"));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        complaints.push(Complaint::of(file, "the last line does not end"));
    }
    if file.text.contains('\r') {
        complaints.push(Complaint::of(
            file,
            "carriage returns: end lines with a line feed only",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn places(path: &str, text: &str) -> Vec<String> {
        check(&file(path, text))
            .into_iter()
            .map(|complaint| complaint.place)
            .collect()
    }

    #[test]
    fn a_good_file_gives_no_complaint() {
        assert!(places("crates/x/src/a.rs", "//! What it is for.\n\nfn f() {}\n").is_empty());
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        assert_eq!(places("a.rs", "fn f() {}\n"), ["a.rs"]);
        assert_eq!(places("a.rs", "// Plain comment.\n"), ["a.rs"]);
    }

    #[test]
    fn each_mark_is_found_on_its_line_and_only_as_a_word() {
        for mark in MARKS {
            let text = format!("//! File.\n\n// {mark} later\n");
            assert_eq!(places("a.rs", &text), ["a.rs:3"], "{mark}");
            let inside = format!("//! File.\n\n// a{mark}\n");
            assert!(places("a.rs", &inside).is_empty(), "{mark}");
        }
        assert!(places("a.rs", concat!("//! File.\n\n// MET", "HODS TO", "DOS\n")).is_empty());
    }

    #[test]
    fn long_files_are_found_at_the_limit() {
        let fits = format!("//! File.\n{}", "//\n".repeat(MOST_LINES - 1));
        assert!(places("a.rs", &fits).is_empty());
        assert_eq!(places("a.rs", &format!("{fits}//\n")), ["a.rs"]);
    }

    #[test]
    fn white_space_is_found_except_in_golden_files() {
        assert_eq!(places("README.md", "a \nb\n"), ["README.md:1"]);
        assert_eq!(
            places("topologies/a.yaml", "a:\n\tb: 1\n"),
            ["topologies/a.yaml:2"]
        );
        assert_eq!(places("README.md", "a"), ["README.md"]);
        assert!(places("tests/wrong/a.yaml", "a: \n\tb").is_empty());
    }

    #[test]
    fn expect_is_asked_for_instead_of_allow() {
        let text = concat!("//! File.\n#[al", "low(dead_code)]\nfn f() {}\n");
        assert_eq!(places("a.rs", text), ["a.rs:2"]);
    }
}
