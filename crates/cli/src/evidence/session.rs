//! From before a run, when it is registered, to after it, when its pack is written.

use super::build::About;
use super::facts::Asked;
use super::{EvidenceArgs, private_key, store};
use crate::Console;
use crate::beside::Beside;
use crate::engine::ScenarioFile;
use crate::exit::Failure;
use assize_evidence::plan::Registered;
use assize_evidence::register::{Begun, Register};
use assize_evidence::{Files, PrivateKey, Role, State, pack};
use assize_model::observation::Bound;
use assize_model::{Plan, judge};
use assize_report::Suite;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Evidence in the making.
#[derive(Debug)]
pub(crate) struct Session {
    path: PathBuf,
    key: Option<PrivateKey>,
    plan: Option<Planned>,
    /// What the first record of each journal says.
    pub(crate) bound: Option<Bound>,
}

/// A registered attempt.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: Registered,
    pub(super) path: PathBuf,
    /// As it was when the attempt was entered.
    pub(super) register: Register,
    begun: Begun,
}

impl Session {
    /// Checks all that is asked for, and enters the attempt in the register; `None` without
    /// `--evidence`. `seed` becomes that of the plan.
    pub(crate) fn begin(
        arguments: &EvidenceArgs,
        verb: &'static str,
        files: &[ScenarioFile],
        seed: &mut u64,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = &arguments.evidence else {
            let stray = [
                ("--plan-file", &arguments.plan_file),
                ("--register", &arguments.register),
                ("--after", &arguments.after),
            ];
            return match stray.iter().find(|(_, given)| given.is_some()) {
                Some((flag, _)) => Err(Failure::Usage(format!(
                    "`{flag}` is part of evidence\n = help: say where with `--evidence DIR`"
                ))),
                None => Ok(None),
            };
        };
        store::refuse_existing(path)?;
        let key = arguments.sign_key.as_deref().map(private_key).transpose()?;
        let after = arguments.after.as_deref().map(digest_of).transpose()?;
        let plan = match &arguments.plan_file {
            Some(file) => {
                let register = arguments.register.clone();
                let register = register.unwrap_or_else(|| file.with_extension("register.jsonl"));
                Some(begin(file, register, verb, files, *seed, after.as_deref())?)
            }
            None => None,
        };
        let mut bound = after.map(|after| Bound {
            after: Some(after),
            ..Bound::default()
        });
        if let Some(planned) = &plan {
            *seed = planned.begun.seed;
            bound = Some(Bound {
                plan: planned.plan.digest(),
                challenge: planned.plan.challenge.clone(),
                attempt: planned.begun.attempt,
                entry: planned.begun.entry.clone(),
                after: bound.and_then(|bound| bound.after),
            });
        }
        Ok(Some(Self {
            path: path.clone(),
            key,
            plan,
            bound,
        }))
    }

    /// What is known of the run before it begins.
    pub(crate) fn about<'a>(
        session: Option<&'a Self>,
        verb: &'static str,
        seed: u64,
        (asked, baseline): (Asked, Option<Vec<u8>>),
        (beside, command): (&'a Beside, &'a [String]),
    ) -> About<'a> {
        About {
            verb,
            command,
            seed,
            asked,
            baseline,
            bound: session.and_then(|session| session.bound.as_ref()),
            planned: session.and_then(|session| session.plan.as_ref()),
            beside,
        }
    }

    /// Writes the pack, and enters the end of the attempt.
    pub(crate) fn finish(
        self,
        suite: &Suite,
        (files, state): (Files, State),
        console: &mut Console<'_>,
    ) -> Result<(), Failure> {
        let digest = write(&self.path, files, state, self.key.as_ref(), console)?;
        match &self.plan {
            Some(planned) => end(
                &planned.path,
                planned.begun.attempt,
                suite,
                (&digest, state),
            ),
            None => Ok(()),
        }
    }
}

/// Seals, signs and writes a pack; gives its digest.
pub(crate) fn write(
    path: &Path,
    files: Files,
    state: State,
    key: Option<&PrivateKey>,
    console: &mut Console<'_>,
) -> Result<String, Failure> {
    let mut files = pack::seal(files);
    let digest = pack::digest(&files);
    if let Some(key) = key {
        pack::sign(&mut files, Role::Supplier, state, key);
    }
    store::write_new(path, &files)?;
    let signed = match key {
        Some(key) => format!("signed by the key {}", &key.public().id()[..16]),
        None => "not signed: `assize evidence sign` does".to_owned(),
    };
    let of = match state {
        State::Complete => String::new(),
        state => format!(" of a run that was {state}"),
    };
    console.say(&format!(
        "evidence{of} in {}: {} files, {signed}\nevidence digest {digest}",
        path.display(),
        files.len()
    ));
    Ok(digest)
}

/// Enters the end of an attempt, with its pack, in a register.
pub(crate) fn end(
    register: &Path,
    attempt: u32,
    suite: &Suite,
    (pack, state): (&str, State),
) -> Result<(), Failure> {
    let mut open = Open::new(register)?;
    let verdict = serde_json::to_value(suite.verdict()).unwrap_or_default();
    let verdict = verdict.as_str().unwrap_or_default();
    open.register
        .end(attempt, verdict, pack, state)
        .map_err(|why| Failure::Usage(format!("the register `{}` {why}", register.display())))?;
    open.write().map(|_| ())
}

/// Reads a register that is there.
pub(crate) fn read_register(path: &Path) -> Result<Register, Failure> {
    let said = |why: String| Failure::Usage(format!("the register `{}` {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| said(format!("cannot be read: {error}")))?;
    Register::read(&bytes).map_err(said)
}

/// The digest of a pack that came before. Whether it holds is for `verify` to say.
fn digest_of(path: &Path) -> Result<String, Failure> {
    store::read_whole(path).map(|(_, intact)| intact.digest)
}

/// Reads a plan.
pub(crate) fn read_plan(path: &Path) -> Result<Registered, Failure> {
    let said = |why: String| Failure::Usage(format!("the plan `{}` {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| said(format!("cannot be read: {error}")))?;
    Registered::from_bytes(&bytes).map_err(said)
}

/// Compares what is to be run with the plan, and enters the attempt.
fn begin(
    file: &Path,
    register: PathBuf,
    verb: &str,
    files: &[ScenarioFile],
    seed: u64,
    after: Option<&str>,
) -> Result<Planned, Failure> {
    let plan = read_plan(file)?;
    let other = |why: String| {
        Failure::Usage(format!(
            "this is not what the plan `{}` registers: {why}\n = help: run exactly what was \
             registered, with the same --set and --bind, or register another plan",
            file.display()
        ))
    };
    if plan.verb != verb {
        return Err(other(format!("it is of `{}`", plan.verb)));
    }
    if seed != 0 {
        return Err(other(
            "its seed follows from the plan, and --seed was given".into(),
        ));
    }
    let planned = plan
        .scenarios
        .iter()
        .map(|s| (&s.scenario, &s.model_digest));
    let digests: Vec<String> = files.iter().map(model_digest).collect();
    let here = files.iter().map(|f| &f.scenario.name).zip(&digests);
    if !planned.clone().eq(here.clone()) {
        let differs = here.zip(planned).find(|(here, planned)| here != planned);
        return Err(other(differs.map_or_else(
            || {
                format!(
                    "it has {} scenarios, and here are {}",
                    plan.scenarios.len(),
                    files.len()
                )
            },
            |(here, planned)| match here.0 == planned.0 {
                true => format!("`{}` was changed since", here.0),
                false => format!("it has `{}` where here is `{}`", planned.0, here.0),
            },
        )));
    }
    let mut open = Open::new(&register)?;
    let begun = open
        .register
        .begin(&plan, &wall(), after)
        .map_err(|why| Failure::Usage(format!("the register `{}` {why}", register.display())))?;
    let register_then = open.write()?;
    Ok(Planned {
        plan,
        path: register,
        register: register_then,
        begun,
    })
}

/// Of what is run, as everything that binds it calls it.
pub(crate) fn model_digest(file: &ScenarioFile) -> String {
    judge::model_digest(&Plan::new(&file.topology, &file.scenario, 0))
}

/// A register that is being added to; nobody else does meanwhile.
struct Open {
    file: File,
    path: PathBuf,
    before: usize,
    register: Register,
}

impl Open {
    fn new(path: &Path) -> Result<Self, Failure> {
        let said = |why: String| Failure::Usage(format!("the register `{}` {why}", path.display()));
        let io = |error: std::io::Error| said(format!("cannot be used: {error}"));
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(io)?;
        file.lock().map_err(io)?;
        let mut bytes = Vec::new();
        file.rewind().map_err(io)?;
        file.read_to_end(&mut bytes).map_err(io)?;
        Ok(Self {
            file,
            path: path.to_path_buf(),
            before: bytes.len(),
            register: Register::read(&bytes).map_err(said)?,
        })
    }

    /// Appends what was entered, and sees that it is on the disk.
    fn write(mut self) -> Result<Register, Failure> {
        let new = self.register.bytes().get(self.before..).unwrap_or_default();
        let written = self.file.write_all(new).and_then(|()| self.file.sync_all());
        written.map_err(|error| {
            let path = self.path.display();
            Failure::World(format!("the register `{path}` cannot be written: {error}"))
        })?;
        Ok(self.register)
    }
}

/// The wall clock, RFC 3339.
#[expect(
    clippy::disallowed_methods,
    reason = "a register says when an attempt was begun"
)]
fn wall() -> String {
    jiff::Timestamp::now().to_string()
}
