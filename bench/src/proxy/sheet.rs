//! What was measured of each peer, round by round, and the table that it ends in: medians and
//! spread, and each goal as a figure of this run, reached or missed.

use crate::measure::Rounds;
use crate::say;
use std::collections::BTreeMap;

/// Ours, and ours with the option to spin.
pub(super) const OURS: &str = "Assize";
pub(super) const SPINS: &str = "Assize spin";

/// What is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Better {
    More,
    Less,
}

/// What a figure of ours is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Than {
    /// With this number itself.
    Number,
    /// With so many times the figure of a peer.
    Peer(&'static str),
    /// With so many times the best figure of all proxies but ours.
    Best,
    /// With so many times our own figure in another row.
    Own(&'static str),
}

/// One goal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    pub(super) of: &'static str,
    pub(super) factor: f64,
    pub(super) than: Than,
}

/// A row of the table before anything is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) what: &'static str,
    pub(super) digits: usize,
    pub(super) better: Better,
    pub(super) goals: &'static [Goal],
}

/// All figures.
pub(super) struct Sheet {
    kinds: &'static [Kind],
    peers: Vec<&'static str>,
    values: BTreeMap<(&'static str, &'static str), Vec<f64>>,
}

impl Sheet {
    pub(super) fn new(kinds: &'static [Kind], peers: Vec<&'static str>) -> Self {
        Self {
            kinds,
            peers,
            values: BTreeMap::new(),
        }
    }

    /// Adds a figure of one round.
    pub(super) fn add(&mut self, what: &'static str, peer: &'static str, value: f64) {
        say::progress(&format!("    {what}, {peer}: {value:.3}"));
        self.values.entry((what, peer)).or_default().push(value);
    }

    /// Whether there is a figure of an earlier round.
    pub(super) fn is_measured(&self, what: &'static str, peer: &'static str) -> bool {
        self.values.contains_key(&(what, peer))
    }

    fn median(&self, what: &str, peer: &str) -> Option<f64> {
        let values = self
            .values
            .iter()
            .find(|((w, p), _)| *w == what && *p == peer);
        values.map(|(_, values)| Rounds::new(values.clone()).median())
    }

    /// The table, in Markdown.
    pub(super) fn text(&self) -> String {
        let mut text = format!("| | {} | goals |\n| --- |", self.peers.join(" | "));
        text += &" --: |".repeat(self.peers.len());
        text += " --- |";
        for kind in self.kinds {
            let cells: Vec<String> = self
                .peers
                .iter()
                .map(|peer| self.cell(kind, peer))
                .collect();
            if cells.iter().all(String::is_empty) {
                continue;
            }
            let goals: Vec<String> = kind
                .goals
                .iter()
                .filter_map(|goal| self.judge(kind, goal))
                .collect();
            text += &format!(
                "\n| {} | {} | {} |",
                kind.what,
                cells.join(" | "),
                goals.join("; ")
            );
        }
        text
    }

    /// The median, and the least and the greatest value.
    fn cell(&self, kind: &Kind, peer: &'static str) -> String {
        let Some(values) = self.values.get(&(kind.what, peer)) else {
            return String::new();
        };
        let rounds = Rounds::new(values.clone());
        let (least, most) = rounds.spread();
        let digits = kind.digits;
        format!(
            "{:.digits$} ({least:.digits$}–{most:.digits$})",
            rounds.median()
        )
    }

    /// A goal with its figure; none if it, or what it is compared with, was not measured.
    fn judge(&self, kind: &Kind, goal: &Goal) -> Option<String> {
        let own = self.median(kind.what, goal.of)?;
        let (measure, name) = match goal.than {
            Than::Number => (1.0, String::new()),
            Than::Peer(peer) => (self.median(kind.what, peer)?, format!(" × {peer}")),
            Than::Own(what) => (self.median(what, goal.of)?, format!(" × {what}")),
            Than::Best => {
                let (best, peer) = self.best(kind)?;
                (best, format!(" × best peer ({peer})"))
            }
        };
        let figure = own / measure;
        let (sign, reached) = match kind.better {
            Better::More => ("≥", figure >= goal.factor),
            Better::Less => ("≤", figure <= goal.factor),
        };
        let digits = kind.digits.max(2);
        let who = if goal.of == OURS {
            String::new()
        } else {
            format!("{}: ", goal.of)
        };
        let verdict = if reached { "reached" } else { "**missed**" };
        Some(format!(
            "{who}{sign} {}{name}: {figure:.digits$}, {verdict}",
            goal.factor
        ))
    }

    fn best(&self, kind: &Kind) -> Option<(f64, &'static str)> {
        let others = self
            .peers
            .iter()
            .filter(|peer| ![OURS, SPINS, "direct"].contains(*peer));
        let medians = others.filter_map(|peer| Some((self.median(kind.what, peer)?, *peer)));
        medians.reduce(|a, b| {
            let b_is_better = match kind.better {
                Better::More => b.0 > a.0,
                Better::Less => b.0 < a.0,
            };
            if b_is_better { b } else { a }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: &[Kind] = &[
        Kind {
            what: "GB/s",
            digits: 1,
            better: Better::More,
            goals: &[
                Goal {
                    of: OURS,
                    factor: 1.3,
                    than: Than::Peer("other"),
                },
                Goal {
                    of: OURS,
                    factor: 1.0,
                    than: Than::Best,
                },
                Goal {
                    of: SPINS,
                    factor: 1.0,
                    than: Than::Peer("direct"),
                },
            ],
        },
        Kind {
            what: "µs",
            digits: 0,
            better: Better::Less,
            goals: &[Goal {
                of: OURS,
                factor: 80.0,
                than: Than::Number,
            }],
        },
        Kind {
            what: "not measured",
            digits: 0,
            better: Better::Less,
            goals: &[],
        },
    ];

    #[test]
    fn goals_are_judged_on_medians_and_named_with_their_figure() {
        let mut sheet = Sheet::new(KINDS, vec!["direct", OURS, "other", "third"]);
        for value in [9.0, 4.0, 1.0] {
            sheet.add("GB/s", OURS, value);
        }
        sheet.add("GB/s", "other", 2.0);
        sheet.add("GB/s", "third", 5.0);
        sheet.add("µs", OURS, 81.0);
        let text = sheet.text();
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| GB/s |  | 4.0 (1.0–9.0) | 2.0 (2.0–2.0) | 5.0 (5.0–5.0) | \
                 ≥ 1.3 × other: 2.00, reached; ≥ 1 × best peer (third): 0.80, **missed** |",
                "| µs |  | 81 (81–81) |  |  | ≤ 80: 81.00, **missed** |",
            ]
        );
    }
}
