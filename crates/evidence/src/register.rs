//! The register of a plan: every attempt, chained, from before it begins; and whether a set of
//! packs is all that it tells of.
//!
//! A line for each entry; each names the digest of the line before. An attempt is entered before
//! anything is run, and that entry's digest stands in the first record of its journal: an attempt
//! that was broken off leaves its entry.

use crate::chain::{BEFORE, records};
use crate::digest::sha256;
use crate::plan::Registered;
use serde::{Deserialize, Serialize};

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
enum Entry {
    /// The first.
    Registered { plan: String, before: String },
    /// An attempt begins.
    Begun {
        attempt: u32,
        seed: u64,
        /// RFC 3339, of the wall clock.
        wall: String,
        /// The pack that the user says came before, of another plan.
        after: Option<String>,
        before: String,
    },
    /// It has ended, with this verdict and this pack.
    Ended {
        attempt: u32,
        verdict: String,
        pack: String,
        before: String,
    },
}

/// What a run takes over from the register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Its seed.
    pub seed: u64,
    /// Digest of its entry.
    pub entry: String,
}

/// A register, as its file has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Register {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Register {
    /// Reads a register; no bytes are one in which nothing stands yet.
    ///
    /// # Errors
    /// The first entry that does not follow, as the rest of a sentence.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut before = BEFORE.to_owned();
        let mut entries = Vec::new();
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            return Err("ends in the middle of an entry".into());
        }
        for (index, line) in records(bytes).enumerate() {
            let number = index + 1;
            let entry: Entry = serde_json::from_slice(line)
                .map_err(|_| format!("has no entry in line {number}"))?;
            if line_of(&entry) != line || *entry.before() != before {
                return Err(format!(
                    "does not follow in line {number}: an entry was changed, dropped or added"
                ));
            }
            before = sha256(line);
            entries.push(entry);
        }
        let register = Self {
            bytes: bytes.to_vec(),
            entries,
        };
        register.in_order()?;
        Ok(register)
    }

    /// As its file has it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Enters an attempt at a plan. The first also enters the plan.
    ///
    /// # Errors
    /// That the register is of another plan, or that all runs of the plan were made.
    pub fn begin(
        &mut self,
        plan: &Registered,
        wall: &str,
        after: Option<&str>,
    ) -> Result<Begun, String> {
        let digest = plan.digest();
        match self.plan() {
            None => self.push(Entry::Registered {
                plan: digest,
                before: self.head(),
            }),
            Some(known) if *known != digest => return Err("is of another plan".into()),
            Some(_) => {}
        }
        let made = self.ended().count();
        if made >= plan.times as usize {
            return Err(format!(
                "has {made} of {} registered runs already: register further ones with a plan of \
                 their own",
                plan.times
            ));
        }
        let attempt = u32::try_from(self.begun().count() + 1).unwrap_or(u32::MAX);
        let seed = plan.seed(attempt);
        self.push(Entry::Begun {
            attempt,
            seed,
            wall: wall.into(),
            after: after.map(str::to_owned),
            before: self.head(),
        });
        Ok(Begun {
            attempt,
            seed,
            entry: self.head(),
        })
    }

    /// Enters the end of an attempt, with the digest of its pack.
    pub fn end(&mut self, attempt: u32, verdict: &str, pack: &str) {
        self.push(Entry::Ended {
            attempt,
            verdict: verdict.into(),
            pack: pack.into(),
            before: self.head(),
        });
    }

    /// Digest of the plan that it is of.
    #[must_use]
    pub fn plan(&self) -> Option<&String> {
        match self.entries.first() {
            Some(Entry::Registered { plan, .. }) => Some(plan),
            _ => None,
        }
    }

    /// The last attempt that was begun, if its entry is the last.
    #[must_use]
    pub fn last_begun(&self) -> Option<Begun> {
        match self.entries.last() {
            Some(Entry::Begun { attempt, seed, .. }) => Some(Begun {
                attempt: *attempt,
                seed: *seed,
                entry: self.head(),
            }),
            _ => None,
        }
    }

    /// Digest of the last line.
    fn head(&self) -> String {
        let last = records(&self.bytes).last();
        last.map_or(BEFORE.to_owned(), sha256)
    }

    fn push(&mut self, entry: Entry) {
        self.bytes.extend(line_of(&entry));
        self.bytes.push(b'\n');
        self.entries.push(entry);
    }

    /// Attempts that were begun.
    fn begun(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Begun { attempt, .. } => Some(*attempt),
            _ => None,
        })
    }

    /// Attempts that have ended, and their packs.
    fn ended(&self) -> impl Iterator<Item = (u32, &str)> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Ended { attempt, pack, .. } => Some((*attempt, pack.as_str())),
            _ => None,
        })
    }

    /// That attempts are numbered without a gap, and only the last of them ends.
    fn in_order(&self) -> Result<(), String> {
        let mut begun = 0;
        let mut open = false;
        for (index, entry) in self.entries.iter().enumerate() {
            let fits = match entry {
                Entry::Registered { .. } => index == 0,
                Entry::Begun { attempt, .. } => {
                    begun += 1;
                    open = true;
                    index > 0 && *attempt == begun
                }
                Entry::Ended { attempt, .. } => std::mem::take(&mut open) && *attempt == begun,
            };
            if !fits {
                return Err(format!("has no place for what line {} says", index + 1));
            }
        }
        Ok(())
    }
}

impl Entry {
    const fn before(&self) -> &String {
        match self {
            Self::Registered { before, .. }
            | Self::Begun { before, .. }
            | Self::Ended { before, .. } => before,
        }
    }
}

fn line_of(entry: &Entry) -> Vec<u8> {
    // Text and numbers, which JSON can always hold.
    serde_json::to_vec(entry).unwrap_or_default()
}

/// A pack of an attempt.
#[derive(Clone, Debug)]
pub struct Shown {
    /// How messages call it.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// The register that it holds, whose last entry is that of its attempt.
    pub register: Register,
}

/// What a set of packs says of its plan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Series {
    /// What cannot be: a gap, a run that was not registered.
    pub wrong: Vec<String>,
    /// What is not decided: attempts that were broken off, runs still to be made.
    pub open: Vec<String>,
}

/// Compares packs with their plan and with each other.
#[must_use]
pub fn series(plan: &Registered, packs: &[Shown]) -> Series {
    let mut series = Series::default();
    let digest = plan.digest();
    for pack in packs {
        if pack.register.plan() != Some(&digest) {
            let what = format!("{}: it is of another plan, or of none", pack.name);
            series.wrong.push(what);
        }
    }
    let longest = packs.iter().max_by_key(|pack| pack.register.entries.len());
    let Some(longest) = longest.filter(|_| series.wrong.is_empty()) else {
        return series;
    };
    for pack in packs {
        if !longest.register.bytes.starts_with(&pack.register.bytes) {
            series.wrong.push(format!(
                "{}: its register tells another story than that of {}: a run was made that the \
                 other does not register",
                pack.name, longest.name
            ));
        }
    }
    let ended: Vec<(u32, &str)> = longest.register.ended().collect();
    for attempt in longest.register.begun() {
        let of_it = |pack: &&Shown| pack.register.last_begun().map(|b| b.attempt) == Some(attempt);
        let shown: Vec<&Shown> = packs.iter().filter(of_it).collect();
        let registered = ended.iter().find(|(a, _)| *a == attempt).map(|(_, p)| *p);
        one_attempt(attempt, &shown, registered, &mut series);
    }
    counts(plan, packs, &ended, &mut series);
    series
}

fn one_attempt(attempt: u32, shown: &[&Shown], registered: Option<&str>, series: &mut Series) {
    for pack in shown {
        if registered.is_some_and(|digest| digest != pack.digest) {
            series.wrong.push(format!(
                "{}: it says that it is attempt {attempt}, and another pack is registered as that: \
                 a second run, which was not registered",
                pack.name
            ));
        }
    }
    match (shown, registered) {
        ([], Some(digest)) => series.wrong.push(format!(
            "there is a gap: attempt {attempt} was registered with the pack {digest}, which is not \
             among these"
        )),
        ([], None) => series.open.push(format!(
            "attempt {attempt} was begun and broken off: it is registered, and left no pack"
        )),
        ([first, others @ ..], _) => {
            for other in others.iter().filter(|other| other.digest != first.digest) {
                series.wrong.push(format!(
                    "{} and {} both say that they are attempt {attempt}: one of them was not \
                     registered",
                    first.name, other.name
                ));
            }
        }
    }
}

fn counts(plan: &Registered, packs: &[Shown], ended: &[(u32, &str)], series: &mut Series) {
    let mut made: Vec<u32> = packs
        .iter()
        .filter_map(|pack| Some(pack.register.last_begun()?.attempt))
        .chain(ended.iter().map(|(attempt, _)| *attempt))
        .collect();
    made.sort_unstable();
    made.dedup();
    let (made, times) = (made.len(), plan.times as usize);
    if made > times {
        let what = format!("{made} runs were made, and {times} registered");
        series.wrong.push(what);
    } else if made < times {
        let what = format!("{made} of {times} registered runs were made so far");
        series.open.push(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

    fn attempt(register: &mut Register, times: u32, pack: Option<&str>) -> Shown {
        let begun = register
            .begin(&plan(times), "2026-11-28T12:00:00Z", None)
            .expect("begun");
        let shown = Shown {
            name: format!("pack {}", begun.attempt),
            digest: sha256(format!("{pack:?}").as_bytes()),
            register: register.clone(),
        };
        if pack.is_some() {
            register.end(begun.attempt, "pass", &shown.digest);
        }
        shown
    }

    #[test]
    fn all_packs_of_a_plan_are_whole() {
        let mut register = Register::default();
        let packs = [
            attempt(&mut register, 2, Some("a")),
            attempt(&mut register, 2, Some("b")),
        ];
        assert_eq!(series(&plan(2), &packs), Series::default());
        let why = register.begin(&plan(2), "", None).expect_err("all made");
        assert!(why.contains("has 2 of 2 registered runs"), "{why}");
        let read = Register::read(register.bytes());
        assert_eq!(read, Ok(register));
    }

    #[test]
    fn a_gap_is_seen_and_so_is_what_was_broken_off() {
        let mut register = Register::default();
        let first = attempt(&mut register, 3, Some("a"));
        attempt(&mut register, 3, None);
        let third = attempt(&mut register, 3, Some("c"));
        let with_gap = series(&plan(3), std::slice::from_ref(&third));
        assert_eq!(with_gap.wrong.len(), 1);
        assert!(
            with_gap.wrong[0].contains("a gap: attempt 1"),
            "{with_gap:?}"
        );
        let open = series(&plan(3), &[first, third]);
        assert_eq!(open.wrong, Vec::<String>::new());
        assert!(open.open[0].contains("attempt 2 was begun and broken off"));
        assert!(open.open[1].contains("2 of 3 registered runs"));
    }

    #[test]
    fn a_second_run_that_was_not_registered_is_seen() {
        // Made as attempt 1 again, from a copy of the register.
        let (mut register, mut copy) = (Register::default(), Register::default());
        let one = attempt(&mut register, 2, Some("a"));
        let other = attempt(&mut copy, 2, Some("better"));
        let two = attempt(&mut register, 2, Some("b"));
        let seen = series(&plan(2), &[other.clone(), two.clone()]);
        assert!(
            seen.wrong.iter().any(|w| w.contains("a second run")),
            "{seen:?}"
        );
        let seen = series(&plan(2), &[one, other]);
        assert!(
            seen.wrong.iter().any(|w| w.contains("both say")),
            "{seen:?}"
        );
        // Begun anew at another time.
        let mut anew = Register::default();
        let begun = anew
            .begin(&plan(2), "2026-11-29T12:00:00Z", None)
            .expect("begun");
        let shown = Shown {
            name: "anew".into(),
            digest: sha256(b"x"),
            register: anew,
        };
        assert_eq!(begun.attempt, 1);
        let seen = series(&plan(2), &[shown, two]);
        assert!(
            seen.wrong.iter().any(|w| w.contains("another story")),
            "{seen:?}"
        );
    }

    #[test]
    fn a_register_that_was_touched_is_refused() {
        let mut register = Register::default();
        attempt(&mut register, 2, Some("a"));
        attempt(&mut register, 2, None);
        let text = String::from_utf8(register.bytes().to_vec()).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        for without in 0..lines.len() - 1 {
            let mut fewer = lines.clone();
            fewer.remove(without);
            let text = format!("{}\n", fewer.join("\n"));
            assert!(Register::read(text.as_bytes()).is_err(), "{without}");
        }
        let changed = text.replace("\"pass\"", "\"fail\"");
        assert!(Register::read(changed.as_bytes()).is_err());
        assert!(Register::read(&text.as_bytes()[..text.len() - 1]).is_err());
        let mut other = register;
        let why = other.begin(&plan(5), "", None).expect_err("another plan");
        assert!(why.contains("another plan"));
    }
}
