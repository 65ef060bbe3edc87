//! `cargo xtask new fault NAME`: the file of a new fault and its registry lines.
//!
//! The pattern is a fault that exists, the simplest one: so the result compiles at once, passes
//! its tests, and cannot fall behind the code. What is left is the manual and the effects.

use crate::{say, shell};
use anyhow::{Context, Result, bail};
use std::fs;

/// The fault that serves as the pattern, as its file is called.
const PATTERN: &str = "lying_check";

/// Where the faults are.
const FOLDER: &str = "crates/model/src/faults";

/// The manual that a new file begins with; every fault answers these in this order.
const MANUAL: &str = "\
//! In one line: what it does to its targets while it is on.
//!
//! Targets: the elements that it can be done to.
//!
//! Parameters: each with its unit and its default, or none.
//!
//! Bites when something has met it while it was on: say what.
//!
//! Stands for: the real events, and how it differs from the faults nearest to it.
";

/// Writes the file and registers it; refuses to overwrite.
pub(crate) fn run(name: &str) -> Result<()> {
    let kebab = kebab(name)?;
    let snake = kebab.replace('-', "_");
    let folder = shell::root().join(FOLDER);
    let target = folder.join(format!("{snake}.rs"));
    if target.exists() {
        bail!("{FOLDER}/{snake}.rs is there already");
    }
    let read = |name: &str| {
        fs::read_to_string(folder.join(name))
            .with_context(|| format!("cannot read {FOLDER}/{name}"))
    };
    let source = format!(
        "{MANUAL}{}",
        code(&renamed(&read(&format!("{PATTERN}.rs"))?, &snake))
    );
    let registry = registered(&read("mod.rs")?, &snake)?;
    fs::write(&target, source)?;
    fs::write(folder.join("mod.rs"), registry)?;
    say::line(&format!(
        "wrote {FOLDER}/{snake}.rs and registered it in {FOLDER}/mod.rs.\n\
         It is a copy of `{}` so far. Next:\n\
         \x20 1. write its manual at the top of the file: it is what `assize faults {kebab}` prints\n\
         \x20 2. say what it does to its targets, and what its parameters are\n\
         \x20 3. make its tests fail for wrong code, and add a scenario in which it bites\n\
         \x20 4. cargo xtask codegen && cargo xtask ci",
        PATTERN.replace('_', "-"),
    ));
    Ok(())
}

/// The name with hyphens, if it is one.
fn kebab(name: &str) -> Result<String> {
    let kebab = name.replace('_', "-");
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if !kebab.split('-').all(is_word) {
        bail!(
            "`{name}` is no name for a fault: lower-case words with hyphens, such as `lying-check`"
        );
    }
    Ok(kebab)
}

fn camel(snake: &str) -> String {
    snake
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_ascii_uppercase().to_string() + letters.as_str()
            })
        })
        .collect()
}

/// The text with the pattern's name, in each way of writing it, replaced.
fn renamed(text: &str, snake: &str) -> String {
    text.replace(PATTERN, snake)
        .replace(&PATTERN.replace('_', "-"), &snake.replace('_', "-"))
        .replace(&camel(PATTERN), &camel(snake))
}

/// The text without its first `//!` lines.
fn code(text: &str) -> String {
    let rest = text.lines().skip_while(|line| line.starts_with("//!"));
    rest.fold(String::new(), |mut out, line| {
        out.push_str(line);
        out.push('\n');
        out
    })
}

/// The registry with a line like each of the pattern's, in order of name within its block.
fn registered(registry: &str, snake: &str) -> Result<String> {
    let mut lines: Vec<String> = registry.lines().map(str::to_owned).collect();
    let tests = lines.iter().position(|line| line.contains("#[cfg(test)]"));
    let product = &lines[..tests.unwrap_or(lines.len())];
    let of_pattern: Vec<String> = product
        .iter()
        .filter(|line| line.contains(PATTERN))
        .cloned()
        .collect();
    if of_pattern.is_empty() {
        bail!("{FOLDER}/mod.rs does not name `{PATTERN}`, which new faults are copied from");
    }
    for line in of_pattern {
        let new = renamed(&line, snake);
        let like = |other: &str| frame(other) == frame(&line);
        let Some(at) = lines.iter().position(|other| *other == line) else {
            continue;
        };
        let mut first = at;
        while first > 0 && like(&lines[first - 1]) {
            first -= 1;
        }
        let mut place = first;
        while place < lines.len() && like(&lines[place]) && lines[place] < new {
            place += 1;
        }
        lines.insert(place, new);
    }
    Ok(lines.join("\n") + "\n")
}

/// What lines of one block share: their punctuation and their capitals, without the names.
fn frame(line: &str) -> String {
    let of_name = |c: char| c.is_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    line.chars().filter(|c| !of_name(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words() {
        assert_eq!(kebab("clock_skew").ok().as_deref(), Some("clock-skew"));
        for bad in ["", "-", "a--b", "Clock", "a b", "../a", "1st"] {
            assert!(kebab(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_way_of_writing_the_name_is_replaced() {
        let text = "lying_check \"lying-check\" LyingCheck";
        assert_eq!(
            renamed(text, "clock_skew"),
            "clock_skew \"clock-skew\" ClockSkew"
        );
    }

    #[test]
    fn registry_lines_go_where_the_alphabet_puts_them() {
        let registry = "\
//! Faults.
mod deletion;
mod lying_check;
mod outage;

registry! {
    deletion \"deletion\";
    lying_check \"lying-check\";
    outage \"outage\";
}

#[cfg(test)]
mod tests {
    // lying_check
}
";
        let early = registered(registry, "clock_skew").expect("the pattern is registered");
        assert!(
            early.contains("Faults.\nmod clock_skew;\nmod deletion;\n"),
            "{early}"
        );
        assert!(
            early.contains("{\n    clock_skew \"clock-skew\";\n    deletion \"deletion\";\n"),
            "{early}"
        );
        let late = registered(registry, "zone_loss").expect("the pattern is registered");
        assert!(
            late.contains("mod outage;\nmod zone_loss;\n\nregistry"),
            "{late}"
        );
        assert!(
            late.contains("    outage \"outage\";\n    zone_loss \"zone-loss\";\n}"),
            "{late}"
        );
    }

    #[test]
    fn the_manual_of_the_pattern_is_not_copied() {
        assert_eq!(code("//! Lies.\n//!\n//! More.\n\nuse a;\n"), "\nuse a;\n");
    }

    #[test]
    fn a_registry_without_the_pattern_is_an_error() {
        assert!(registered("//! Faults.\nmod outage;\n", "clock_skew").is_err());
    }
}
