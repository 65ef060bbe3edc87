//! `assize evidence pack`: a pack of a run that wrote none, from its folder: one that was killed,
//! or was run without `--evidence`.

use crate::Console;
use crate::evidence::facts::{self, FACTS};
use crate::evidence::{self, again, folder, private_key, read_register, store};
use crate::exit::{Exit, Failure};
use crate::verbs::run::VERDICT;
use assize_evidence::register::Register;
use assize_evidence::{Files, State};
use assize_model::observation::Bound;
use std::path::{Path, PathBuf};

/// Make a pack of a run from its folder: also of a run that was killed, which the pack says.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of the run: that of `run --out`, or `PACK.unfinished` beside the pack that was
    /// to be written.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The pack: a new folder, or one zip file.
    #[arg(long, short, env = "ASSIZE_OUT", value_name = "DIR|FILE.zip")]
    out: PathBuf,
    /// Sign the pack with this key, as the supplier; in the environment the key itself may stand.
    #[arg(
        long,
        env = "ASSIZE_SIGN_KEY",
        hide_env_values = true,
        value_name = "FILE"
    )]
    sign_key: Option<String>,
    /// The register of the plan, in which the attempt ends; where it was unless given.
    #[arg(long, env = "ASSIZE_REGISTER", value_name = "FILE")]
    register: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let path = &arguments.run;
    let unusable = |why: &str| Failure::Usage(format!("the run `{}` {why}", path.display()));
    if store::is_pack(path) {
        return Err(unusable("is a pack already"));
    }
    if !folder::is_run(path) {
        return Err(unusable(
            "does not hold what was run\n = help: name the folder of `run --out`, or \
             `PACK.unfinished`; folders of older versions have no `run.json` and cannot be packed",
        ));
    }
    store::refuse_existing(&arguments.out)?;
    let key = arguments.sign_key.as_deref().map(private_key).transpose()?;
    let (mut files, mut facts) = folder::read(path)?;
    let told = again::retold(&files, &facts)
        .map_err(|refusal| unusable(&format!("cannot be judged: {refusal}")))?;
    let (_, suite) = told.suite();
    let (_, why) = facts::state(&facts, &files);
    let told = evidence::told(&suite, facts.state, &why);
    if facts.state != State::Killed {
        let verdict = std::fs::read(path.join(VERDICT)).ok();
        if verdict.as_ref() != told.get(VERDICT) {
            return Err(unusable(
                "has another verdict than its journals give: it was changed, or was run by \
                 another version\n = help: pack it with the version that its `run.json` names",
            ));
        }
    }
    facts.packed_later = true;
    files.extend(told);
    files.insert(FACTS.into(), facts.to_bytes());
    let registered = facts.bound.as_ref().filter(|bound| !bound.plan.is_empty());
    let register = match registered {
        Some(bound) => {
            let place = arguments.register.clone();
            let place = place.or_else(|| facts.register.as_ref().map(PathBuf::from));
            let place = place.unwrap_or_default();
            known(&place, &files, bound)?;
            Some((place, bound.attempt))
        }
        None => None,
    };
    let digest = evidence::write(&arguments.out, files, facts.state, key.as_ref(), console)?;
    if let Some((place, attempt)) = register {
        evidence::end(&place, attempt, &suite, (&digest, facts.state))?;
    }
    Ok(Exit::Pass)
}

/// That the attempt was entered in this register, and has not ended there.
fn known(place: &Path, files: &Files, bound: &Bound) -> Result<(), Failure> {
    let other = |why: &str| {
        Failure::Usage(format!(
            "the register `{}` {why}\n = help: name the one of the run with --register",
            place.display()
        ))
    };
    let now = read_register(place)?;
    let then = files.get("register.jsonl").map_or(&[][..], Vec::as_slice);
    let then = Register::read(then).map_err(|why| other(&format!("of the run {why}")))?;
    if !now.continues(&then) || then.last_begun().map(|b| b.entry).as_ref() != Some(&bound.entry) {
        return Err(other("does not know this run"));
    }
    if now.has_ended(bound.attempt) {
        return Err(other("has the end of this attempt: its pack was made"));
    }
    Ok(())
}
