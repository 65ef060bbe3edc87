//! The register of a plan: every attempt, chained, from before it begins.
//!
//! A line for each entry; each names the digest of the line before. An attempt is entered before
//! anything is run, and that entry's digest stands in the first record of its journal: an attempt
//! that was broken off leaves its entry.

use crate::chain::{BEFORE, records};
use crate::digest::sha256;
use crate::plan::Registered;
use crate::statement::State;
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
        /// How far it came, if not to its end.
        #[serde(default, skip_serializing_if = "State::is_complete")]
        run: State,
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
        let made = self.complete();
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

    /// Enters the end of an attempt, with the digest of its pack and how far the run came.
    ///
    /// # Errors
    /// That it was not begun, or has ended already.
    pub fn end(
        &mut self,
        attempt: u32,
        verdict: &str,
        pack: &str,
        run: State,
    ) -> Result<(), String> {
        if !self.begun().any(|begun| begun == attempt) {
            return Err(format!("has no attempt {attempt}"));
        }
        if self.has_ended(attempt) {
            return Err(format!(
                "has the end of attempt {attempt} already: its pack was made before"
            ));
        }
        self.push(Entry::Ended {
            attempt,
            verdict: verdict.into(),
            pack: pack.into(),
            run,
            before: self.head(),
        });
        Ok(())
    }

    /// Whether it goes on where another ends.
    #[must_use]
    pub fn continues(&self, other: &Self) -> bool {
        self.bytes.starts_with(&other.bytes)
    }

    /// Whether the end of an attempt is entered.
    #[must_use]
    pub fn has_ended(&self, attempt: u32) -> bool {
        self.ended().any(|(ended, ..)| ended == attempt)
    }

    /// Attempts that came to their end.
    fn complete(&self) -> usize {
        self.ended().filter(|(.., run)| run.is_complete()).count()
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
    pub(crate) fn begun(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Begun { attempt, .. } => Some(*attempt),
            _ => None,
        })
    }

    /// Attempts that have ended, their packs, and how far they came.
    pub(crate) fn ended(&self) -> impl Iterator<Item = (u32, &str, State)> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Ended {
                attempt, pack, run, ..
            } => Some((*attempt, pack.as_str(), *run)),
            _ => None,
        })
    }

    /// That attempts are numbered without a gap, and each ends once at most. One that was killed
    /// may end after others have begun: when its pack is made.
    fn in_order(&self) -> Result<(), String> {
        let mut begun = 0;
        let mut ended = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let fits = match entry {
                Entry::Registered { .. } => index == 0,
                Entry::Begun { attempt, .. } => {
                    begun += 1;
                    index > 0 && *attempt == begun
                }
                Entry::Ended { attempt, .. } => {
                    let first = !ended.contains(attempt);
                    ended.push(*attempt);
                    first && (1..=begun).contains(attempt)
                }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;
    use crate::series::tests::attempt;

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
