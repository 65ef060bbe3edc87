//! What will be run, registered before it is: scenarios, how often, and the customer's challenge.

use crate::digest::{raw, sha256};
use serde::{Deserialize, Serialize};

const SCHEMA: &str = "assize/evidence-plan/v1";

/// A plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    schema: String,
    /// `simulate` or `run`.
    pub verb: String,
    /// How many runs there will be; each is of all scenarios.
    pub times: u32,
    /// What the customer chose, so that nothing could be run before; may be empty.
    pub challenge: String,
    /// The scenarios, in order.
    pub scenarios: Vec<Planned>,
}

/// A scenario of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Its file.
    pub path: String,
    /// Its name.
    pub scenario: String,
    /// The topology's name.
    pub topology: String,
    /// Digest of both as they are read, variations and bindings included.
    pub model_digest: String,
}

impl Registered {
    /// A plan.
    #[must_use]
    pub fn new(verb: &str, times: u32, challenge: &str, scenarios: Vec<Planned>) -> Self {
        Self {
            schema: SCHEMA.into(),
            verb: verb.into(),
            times,
            challenge: challenge.into(),
            scenarios,
        }
    }

    /// JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Text and numbers, which JSON can always hold.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) writes, and no other spelling of it: its digest is
    /// what the customer was told.
    ///
    /// # Errors
    /// Why it is none, as the rest of a sentence.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let plan: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("is no plan of `assize evidence plan`: {error}"))?;
        if plan.schema != SCHEMA {
            return Err(format!("is of another version: `{}`", plan.schema));
        }
        if plan.to_bytes() != bytes {
            return Err("was edited: make a new one with `assize evidence plan`".into());
        }
        Ok(plan)
    }

    /// SHA-256 of its file.
    #[must_use]
    pub fn digest(&self) -> String {
        sha256(&self.to_bytes())
    }

    /// The seed of an attempt, which nobody chose: from the plan, its challenge included.
    #[must_use]
    pub fn seed(&self, attempt: u32) -> u64 {
        let text = format!("assize/seed/v1\n{}\n{attempt}\n", self.digest());
        let digest = raw(&[text.as_bytes()]);
        let (first, _) = digest.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        u64::from_be_bytes(*first)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn plan(times: u32) -> Registered {
        let scenario = Planned {
            path: "a.yaml".into(),
            scenario: "a".into(),
            topology: "net".into(),
            model_digest: sha256(b"a"),
        };
        Registered::new("run", times, "dice: 4 2 6", vec![scenario])
    }

    #[test]
    fn a_plan_has_one_spelling() {
        let bytes = plan(2).to_bytes();
        assert_eq!(Registered::from_bytes(&bytes), Ok(plan(2)));
        let text = String::from_utf8(bytes).expect("text");
        for other in [
            text.replace("  ", " "),
            text.replace("v1\"", "v2\""),
            "{}".into(),
        ] {
            assert!(Registered::from_bytes(other.as_bytes()).is_err());
        }
    }

    #[test]
    fn the_seed_follows_from_plan_challenge_and_attempt() {
        let mut other = plan(2);
        other.challenge = "dice: 4 2 5".into();
        let seeds = [
            plan(2).seed(1),
            plan(2).seed(2),
            plan(3).seed(1),
            other.seed(1),
        ];
        for (index, seed) in seeds.iter().enumerate() {
            assert!(!seeds[..index].contains(seed));
        }
        assert_eq!(plan(2).seed(1), plan(2).seed(1));
    }
}
