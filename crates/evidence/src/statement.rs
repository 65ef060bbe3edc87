//! What a person signs: an in-toto Statement v1 that names every file of the pack with its
//! digest, the role in which it is signed, and whether the run came to its end.

use crate::digest::sha256;
use crate::files::{Files, Refusal};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of statement.
const TYPE: &str = "https://in-toto.io/Statement/v1";
/// What our predicate means: docs/EVIDENCE.md.
const PREDICATE: &str = "https://example.invalid/assize/evidence/v1";

/// In which role a pack is signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Who ran it and answers for it.
    Supplier,
    /// Who was there and saw it run.
    Witness,
    /// Who has checked and accepts it.
    Customer,
}

impl Role {
    /// All.
    pub const ALL: [Self; 3] = [Self::Supplier, Self::Witness, Self::Customer];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Supplier => "supplier",
            Self::Witness => "witness",
            Self::Customer => "customer",
        })
    }
}

/// How far a run came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// To its end.
    #[default]
    Complete,
    /// It was stopped, left something out, or could not be carried out; it wrote its pack itself.
    Aborted,
    /// It was killed; its pack was made afterwards from what it had recorded.
    Killed,
}

impl State {
    /// Whether it came to its end.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Complete => "complete",
            Self::Aborted => "aborted",
            Self::Killed => "killed",
        })
    }
}

/// The statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: Digest,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digest {
    sha256: String,
}

/// Room for more, in later versions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    role: Role,
    run: State,
}

impl Statement {
    /// That these files, and no others, are the pack of a run that came so far.
    #[must_use]
    pub fn of(files: &Files, role: Role, run: State) -> Self {
        let subject = files.iter().map(|(name, bytes)| Subject {
            name: name.clone(),
            digest: Digest {
                sha256: sha256(bytes),
            },
        });
        Self {
            kind: TYPE.into(),
            subject: subject.collect(),
            predicate_type: PREDICATE.into(),
            predicate: Predicate { role, run },
        }
    }

    /// JSON, on one line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Text and nothing else, which JSON can always hold.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads one.
    ///
    /// # Errors
    /// Why it is none of ours.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        let statement: Self = serde_json::from_slice(bytes)
            .map_err(|_| Refusal::of(name, "what is signed is no statement about a pack"))?;
        if statement.kind != TYPE || statement.predicate_type != PREDICATE {
            return Err(Refusal::of(
                name,
                "what is signed is another kind of statement",
            ));
        }
        // Readers by hand look for text in it: it has one spelling, and each file stands once.
        let once = statement.subject.windows(2).all(|s| s[0].name < s[1].name);
        if !once || statement.to_bytes() != bytes {
            return Err(Refusal::of(
                name,
                "what is signed is not written as packs have it, or names a file twice",
            ));
        }
        Ok(statement)
    }

    /// The role in which it was signed.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.predicate.role
    }

    /// How far it says that the run came.
    #[must_use]
    pub const fn run(&self) -> State {
        self.predicate.run
    }

    /// Whether it covers a file.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.subject.iter().any(|subject| subject.name == name)
    }

    /// Compares all that it names with what is there.
    #[must_use]
    pub fn check(&self, files: &Files) -> Vec<Refusal> {
        let wrong = |subject: &Subject| match files.get(&subject.name) {
            None => Some(Refusal::of(
                &subject.name,
                "it was signed, and is not there",
            )),
            Some(bytes) if sha256(bytes) != subject.digest.sha256 => Some(Refusal::of(
                &subject.name,
                "its bytes are not those that were signed",
            )),
            Some(_) => None,
        };
        self.subject.iter().filter_map(wrong).collect()
    }
}
