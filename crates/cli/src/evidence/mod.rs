//! Evidence packs: what `--evidence` writes, and what `assize evidence` reads.
//!
//! What makes a pack one sealed thing is in `assize-evidence`; here is which files a run has, and
//! the judge once more.

pub(crate) mod again;
mod belongs;
mod build;
pub(crate) mod facts;
pub(crate) mod folder;
mod machine;
mod session;
pub(crate) mod store;

pub(crate) use build::{Attempt, BASELINE, Ran, beforehand, files, told};
pub(crate) use session::{Session, end, model_digest, read_plan, read_register, write};

use crate::exit::Failure;
use assize_evidence::{PrivateKey, PublicKey};
use std::path::{Path, PathBuf};

/// What is written beside the verdict, for those who were not there.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct EvidenceArgs {
    /// Write an evidence pack, which can be checked with standard tools: a new folder, or one zip
    /// file.
    #[arg(long, env = "ASSIZE_EVIDENCE", value_name = "DIR|FILE.zip")]
    pub(crate) evidence: Option<PathBuf>,
    /// Sign the pack with this key, as the supplier; in the environment the key itself may stand.
    #[arg(
        long,
        env = "ASSIZE_SIGN_KEY",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub(crate) sign_key: Option<String>,
    /// The plan that was registered before (`assize evidence plan`): it gives the seed, and the
    /// attempt is entered in its register.
    #[arg(long, env = "ASSIZE_PLAN_FILE", value_name = "FILE")]
    pub(crate) plan_file: Option<PathBuf>,
    /// The register of the plan; `PLAN.register.jsonl` beside it unless given.
    #[arg(long, env = "ASSIZE_REGISTER", value_name = "FILE")]
    pub(crate) register: Option<PathBuf>,
    /// The pack that came before this one: its digest is bound into the first record.
    #[arg(long, env = "ASSIZE_AFTER", value_name = "PACK")]
    pub(crate) after: Option<PathBuf>,
}

/// A private key from a file, or the text of one.
pub(crate) fn private_key(given: &str) -> Result<PrivateKey, Failure> {
    if given.trim_start().starts_with("-----BEGIN") {
        return PrivateKey::from_pem(given)
            .map_err(|why| Failure::Usage(format!("the key that signs {why}")));
    }
    let text = std::fs::read_to_string(given)
        .map_err(|error| Failure::Usage(format!("the key `{given}` cannot be read: {error}")))?;
    PrivateKey::from_pem(&text).map_err(|why| Failure::Usage(format!("the key `{given}` {why}")))
}

/// A public key from a file.
pub(crate) fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let said = |why: String| Failure::Usage(format!("the key `{}` {why}", path.display()));
    let text =
        std::fs::read_to_string(path).map_err(|error| said(format!("cannot be read: {error}")))?;
    PublicKey::from_pem(&text).map_err(said)
}
