//! Evidence packs: what was run and measured, so that nobody can alter it unseen.
//!
//! Pure: files in memory in, files in memory out. Which files a run has, and whether its findings
//! follow from its journal, is for others to say; here is what makes them one sealed thing.
//! `docs/EVIDENCE.md` is for those who use it.
#![forbid(unsafe_code)]

pub mod chain;
mod digest;
pub mod dsse;
mod files;
mod keys;
pub mod pack;
pub mod plan;
pub mod redact;
pub mod register;
pub mod series;
mod statement;
pub mod sums;
pub mod tsp;
pub mod zip;

pub use digest::{is_sha256, sha256};
pub use files::{Files, MOST_BYTES, MOST_FILES, Refusal, fit_name, fit_together, name_for};
pub use keys::{PrivateKey, PublicKey};
pub use statement::{Role, State, Statement};
