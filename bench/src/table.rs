//! The table that the benchmark ends with, in Markdown, so that it can be shown as it is.

use crate::measure::{Rounds, Thousands};
use crate::say;

/// Rows of what was measured.
#[derive(Default)]
pub(crate) struct Table(Vec<[String; 4]>);

impl Table {
    /// A rate: its median and its spread.
    pub(crate) fn rate(&mut self, what: &str, rounds: &Rounds, unit: &str, goal: Option<f64>) {
        let (least, most) = rounds.spread();
        self.row(
            what,
            &format!("{} {unit}", Thousands(rounds.median())),
            &format!("{} to {}", Thousands(least), Thousands(most)),
            goal.map(|goal| {
                let reached = rounds.median() >= goal;
                (format!("at least {}", Thousands(goal)), reached)
            }),
        );
    }

    /// A ratio: its median and its spread.
    pub(crate) fn ratio(&mut self, what: &str, rounds: &Rounds, goal: f64) {
        let (least, most) = rounds.spread();
        let reached = rounds.median() >= goal;
        self.row(
            what,
            &format!("{:.2}", rounds.median()),
            &format!("{least:.2} to {most:.2}"),
            Some((format!("at least {goal:.2}"), reached)),
        );
    }

    /// A ratio that is better the smaller it is: its median and its spread.
    pub(crate) fn at_most(&mut self, what: &str, rounds: &Rounds, goal: f64) {
        let (least, most) = rounds.spread();
        let reached = rounds.median() <= goal;
        self.row(
            what,
            &format!("{:.2}", rounds.median()),
            &format!("{least:.2} to {most:.2}"),
            Some((format!("at most {goal:.2}"), reached)),
        );
    }

    /// A plain figure with two digits and its unit: its median and its spread.
    pub(crate) fn figure(&mut self, what: &str, rounds: &Rounds, unit: &str) {
        let (least, most) = rounds.spread();
        self.row(
            what,
            &format!("{:.2} {unit}", rounds.median()),
            &format!("{least:.2} to {most:.2}"),
            None,
        );
    }

    /// Seconds: their median and their spread, in milliseconds; the goal, if any, too.
    pub(crate) fn millis(&mut self, what: &str, rounds: &Rounds, goal: Option<f64>) {
        let (least, most) = rounds.spread();
        self.row(
            what,
            &millis(rounds.median()),
            &format!("{} to {}", millis(least), millis(most)),
            goal.map(|goal| (format!("at most {}", millis(goal)), rounds.median() <= goal)),
        );
    }

    /// What was left out, and why.
    pub(crate) fn left_out(&mut self, what: &str, why: &str) {
        self.row(what, "left out", why, None);
    }

    fn row(&mut self, what: &str, figure: &str, spread: &str, goal: Option<(String, bool)>) {
        let goal = goal.map_or_else(String::new, |(text, reached)| {
            format!(
                "{text}: {}",
                if reached { "reached" } else { "not reached" }
            )
        });
        say::progress(&format!("  {what}: {figure} ({spread}) {goal}"));
        self.0
            .push([what, figure, spread, &goal].map(ToOwned::to_owned));
    }

    /// Prints it.
    pub(crate) fn print(&self) {
        say::line(&self.text());
    }

    fn text(&self) -> String {
        let mut text =
            String::from("| what | median | from, to | goal |\n| --- | --: | --- | --- |");
        for [what, figure, spread, goal] in &self.0 {
            text.push_str(&format!("\n| {what} | {figure} | {spread} | {goal} |"));
        }
        text
    }
}

/// Seconds in milliseconds, with as many digits as mean something.
fn millis(seconds: f64) -> String {
    let ms = seconds * 1e3;
    if ms < 10.0 {
        format!("{ms:.2} ms")
    } else {
        format!("{} ms", Thousands(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_says_whether_it_was_reached() {
        let mut table = Table::default();
        table.rate("runs", &Rounds::new(vec![1_500.0]), "runs/s", Some(2_000.0));
        table.millis("replay", &Rounds::new(vec![0.15]), Some(0.2));
        table.ratio("ratio", &Rounds::new(vec![0.1, 0.3, 0.4]), 0.25);
        table.at_most("ratio", &Rounds::new(vec![1.1, 1.6, 1.7]), 1.5);
        table.figure("cost", &Rounds::new(vec![1.25]), "cores");
        let text = table.text();
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| runs | 1,500 runs/s | 1,500 to 1,500 | at least 2,000: not reached |",
                "| replay | 150 ms | 150 ms to 150 ms | at most 200 ms: reached |",
                "| ratio | 0.30 | 0.10 to 0.40 | at least 0.25: reached |",
                "| ratio | 1.60 | 1.10 to 1.70 | at most 1.50: not reached |",
                "| cost | 1.25 cores | 1.25 to 1.25 |  |",
            ]
        );
    }
}
