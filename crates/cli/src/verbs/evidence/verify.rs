//! `assize evidence verify`: whether packs hold, who signed them, and what that shows.

use crate::Console;
use crate::args::Plain;
use crate::evidence::again::{self, Again};
use crate::evidence::facts::Facts;
use crate::evidence::{public_key, read_plan, store};
use crate::exit::{Exit, Failure};
use assize_evidence::pack::{self, Intact, Signed};
use assize_evidence::plan::Registered;
use assize_evidence::register::Register;
use assize_evidence::series::{Series, Shown, series};
use assize_evidence::{Files, PublicKey, Refusal, Role, State};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Check a pack: signatures, digests, chains, and the judge once more.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Packs: folders or zip files; all packs of a plan together.
    #[arg(required = true, value_name = "PACK")]
    packs: Vec<PathBuf>,
    /// A public key that you trust; each one given must have signed each pack, in that role if
    /// one is named (`customer=FILE.pub`).
    #[arg(
        long,
        env = "ASSIZE_KEY",
        value_name = "[ROLE=]FILE.pub",
        value_delimiter = '\n'
    )]
    key: Vec<String>,
    /// The plan that was registered: the packs must be of it.
    #[arg(long, env = "ASSIZE_PLAN_FILE", value_name = "FILE")]
    plan_file: Option<PathBuf>,
    /// Only what the packs say of themselves; the judge is not asked again.
    #[arg(long, env = "ASSIZE_NO_JUDGE", value_parser = crate::args::flag(), num_args = 0)]
    no_judge: bool,
    /// How many threads to use; all processors unless given.
    #[arg(long, env = "ASSIZE_THREADS", value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        value_name = "FORMAT",
        default_value = "table"
    )]
    format: Plain,
}

/// A key that must have signed, in this role if there is one.
struct Trusted<'a> {
    role: Option<Role>,
    path: &'a Path,
    key: PublicKey,
}

impl<'a> Trusted<'a> {
    /// `FILE.pub`, or `ROLE=FILE.pub`.
    fn read(given: &'a str) -> Result<Self, Failure> {
        let named = |role: Role| {
            let path = given.strip_prefix(&role.to_string())?.strip_prefix('=')?;
            Some((role, path))
        };
        let (role, path) = match Role::ALL.into_iter().find_map(named) {
            Some((role, path)) => (Some(role), Path::new(path)),
            None => (None, Path::new(given)),
        };
        Ok(Self {
            role,
            path,
            key: public_key(path)?,
        })
    }
}

/// What was found of a pack.
#[derive(Default)]
struct Checked {
    name: String,
    /// What is wrong.
    refused: Vec<String>,
    /// What is not shown.
    open: Vec<String>,
    /// What is.
    shown: Vec<String>,
    digest: String,
    /// How far the run came, and what each signature says of that.
    run: State,
    signed: Vec<(String, State)>,
    register: Option<(Registered, Register)>,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let keys: Vec<Trusted<'_>> = arguments
        .key
        .iter()
        .map(|given| Trusted::read(given))
        .collect::<Result<_, Failure>>()?;
    let plan = arguments.plan_file.as_deref().map(read_plan).transpose()?;
    let threads = arguments.threads.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    let mut checked = Vec::new();
    for path in &arguments.packs {
        let mut one = Checked {
            name: path.display().to_string(),
            ..Checked::default()
        };
        match store::read(path)? {
            Err(refusal) => one.refused.push(refusal.to_string()),
            Ok(files) => one.check(&files, &keys, (!arguments.no_judge).then_some(threads)),
        }
        checked.push(one);
    }
    let series = together(&checked, plan.as_ref());
    match arguments.format {
        Plain::Table => table(&checked, &series, console)?,
        Plain::Json => {
            let object = json(&checked, &series);
            writeln!(console.out, "{object:#}")?;
        }
    }
    let (exit, why) = verdict(&checked, &series);
    console.say(&why);
    Ok(exit)
}

impl Checked {
    fn check(&mut self, files: &Files, keys: &[Trusted<'_>], judge: Option<usize>) {
        let intact = match pack::check(files) {
            Ok(intact) => intact,
            Err(refusals) => {
                self.refused = refusals.iter().map(Refusal::to_string).collect();
                return;
            }
        };
        self.digest.clone_from(&intact.digest);
        self.shown.push(format!("digest {}", intact.digest));
        self.shown
            .push(format!("{} files are as they were sealed", files.len()));
        self.signatures(&intact, keys);
        match again::facts(files) {
            Err(refusal) => self.refused.push(refusal.to_string()),
            Ok(facts) => {
                self.facts(files, &facts);
                if let Some(threads) = judge {
                    let Again { wrong, open, shown } = again::again(files, &facts, threads);
                    self.refused.extend(wrong.iter().map(Refusal::to_string));
                    self.open.extend(open);
                    self.shown.extend(shown);
                } else {
                    self.open.push("the judge was not asked again".into());
                }
            }
        }
    }

    fn signatures(&mut self, intact: &Intact, keys: &[Trusted<'_>]) {
        for (index, signed) in intact.signed.iter().enumerate() {
            let known = keys.iter().find(|trusted| trusted.key == signed.key);
            let whose = match known {
                Some(trusted) => format!("the key {}", trusted.path.display()),
                None => format!("the key {}, which you did not name", &signed.key.id()[..16]),
            };
            self.shown
                .push(format!("signed as {} by {whose}", signed.role));
            self.signed.push((signed.file.clone(), signed.run));
            let before = &intact.signed[..index];
            let other = |o: &&Signed| o.key == signed.key && o.role != signed.role;
            if let Some(other) = before.iter().find(other) {
                self.open.push(format!(
                    "{} and {} signed with one key, so the second vouches for nothing that the \
                     first does not",
                    other.role, signed.role
                ));
            }
        }
        for trusted in keys {
            let by_it = |signed: &&Signed| signed.key == trusted.key;
            let in_role = |signed: &Signed| trusted.role.is_none_or(|role| signed.role == role);
            let path = trusted.path.display();
            match (intact.signed.iter().find(by_it), trusted.role) {
                (None, _) => self
                    .refused
                    .push(format!("it is not signed by the key {path}")),
                (Some(_), Some(role)) if !intact.signed.iter().filter(by_it).any(in_role) => self
                    .refused
                    .push(format!("the key {path} signed it, and not as {role}")),
                _ => {}
            }
        }
        if keys.is_empty() {
            self.open.push(match intact.signed.as_slice() {
                [] => "nobody has signed it".into(),
                _ => "no --key was given, so nobody you trust vouches for it".into(),
            });
        }
        for stamp in &intact.stamps {
            self.shown.push(format!(
                "time-stamp: it is about {} and claims {}; whose word that is was NOT checked: \
                 `openssl ts -verify` with the authority's certificate must, as in VERIFY.txt",
                stamp.of, stamp.at
            ));
        }
    }

    /// What the pack says was done, and what is to be shown of it.
    fn facts(&mut self, files: &Files, facts: &Facts) {
        self.shown.push(format!("made by: {}", facts.command));
        self.state(facts);
        if let Some(forced) = &facts.forced {
            self.shown
                .push(format!("the run was not carried out: {}", forced.why));
        }
        for ran in &facts.runs {
            let again = ran
                .attempts
                .iter()
                .filter(|attempt| attempt.replaced)
                .count();
            if again > 0 {
                self.shown.push(format!(
                    "{}: {again} runs were not decided and made again",
                    ran.scenario
                ));
            }
        }
        let struck = facts
            .inputs
            .iter()
            .filter(|input| input.sha256.is_none())
            .count();
        if struck > 0 {
            self.shown.push(format!(
                "{struck} of its inputs had secrets, which were struck out"
            ));
        }
        if let Some(after) = facts.bound.as_ref().and_then(|bound| bound.after.as_ref()) {
            self.shown.push(format!("it comes after the pack {after}"));
        }
        if let Some(name) = &facts.record {
            match files.get(name).map(|bytes| crate::drill::parse(bytes)) {
                Some(Ok(drill)) => self.shown.extend(drill.lines()),
                Some(Err(why)) => self.refused.push(format!("`{name}`: {why}")),
                None => self.refused.push(format!("`{name}`: it is missing")),
            }
        }
        if let Err(why) = self.registered(files, facts) {
            self.refused.push(why);
        }
    }

    /// How far the run came.
    fn state(&mut self, facts: &Facts) {
        self.run = facts.state;
        match facts.state {
            State::Complete => {}
            State::Aborted => self.shown.push(
                "the run was ABORTED: it was stopped, left something out, or could not be carried \
                 out; it wrote this pack itself"
                    .into(),
            ),
            State::Killed => self.shown.push(
                "the run was KILLED: what it had recorded by then is here, and nothing else".into(),
            ),
        }
        if facts.packed_later {
            self.shown.push(
                "it was packed after the run, from its folder: what was done to that folder \
                 meanwhile is not shown"
                    .into(),
            );
        }
        for (file, said) in &self.signed {
            if *said != facts.state {
                let why = format!(
                    "`{file}`: it says that the run is {said}, and `run.json` says otherwise"
                );
                self.refused.push(why);
            }
        }
    }

    /// That the pack is the attempt that its register says was begun.
    fn registered(&mut self, files: &Files, facts: &Facts) -> Result<(), String> {
        let bound = facts.bound.as_ref().filter(|bound| !bound.plan.is_empty());
        let Some(bound) = bound else {
            return match files.contains_key("plan.json") || files.contains_key("register.jsonl") {
                true => Err("`plan.json`: the run was not bound to it".into()),
                false => Ok(()),
            };
        };
        let file = |name: &str| files.get(name).ok_or(format!("`{name}`: it is missing"));
        let plan = Registered::from_bytes(file("plan.json")?)
            .map_err(|why| format!("`plan.json`: it {why}"))?;
        let register = Register::read(file("register.jsonl")?)
            .map_err(|why| format!("`register.jsonl`: it {why}"))?;
        let begun = register
            .last_begun()
            .ok_or("`register.jsonl`: no attempt was begun")?;
        let fits = plan.digest() == bound.plan
            && register.plan() == Some(&bound.plan)
            && plan.challenge == bound.challenge
            && begun.attempt == bound.attempt
            && begun.entry == bound.entry
            && begun.seed == facts.seed
            && plan.seed(bound.attempt) == facts.seed
            && plan.verb == facts.verb;
        if !fits {
            return Err(
                "`run.json`: plan, challenge, attempt and seed are not those that were \
                        registered"
                    .into(),
            );
        }
        let ran = facts.runs.iter().map(|ran| (&ran.scenario, &ran.topology));
        let planned = plan
            .scenarios
            .iter()
            .map(|one| (&one.scenario, &one.topology));
        if !ran.eq(planned) {
            return Err("`run.json`: other scenarios were run than registered".into());
        }
        self.shown.push(format!(
            "attempt {} of {} registered, with the challenge `{}`",
            bound.attempt, plan.times, plan.challenge
        ));
        self.register = Some((plan, register));
        Ok(())
    }
}

/// All packs beside their plan.
fn together(checked: &[Checked], plan: Option<&Registered>) -> Series {
    let whole: Vec<&Checked> = checked
        .iter()
        .filter(|one| one.refused.is_empty())
        .collect();
    let Some(plan) = plan.or_else(|| {
        let first = whole.iter().find_map(|one| one.register.as_ref())?;
        Some(&first.0)
    }) else {
        return Series::default();
    };
    let shown: Vec<Shown> = whole
        .iter()
        .map(|one| Shown {
            name: one.name.clone(),
            digest: one.digest.clone(),
            register: one
                .register
                .as_ref()
                .map(|r| r.1.clone())
                .unwrap_or_default(),
            run: one.run,
        })
        .collect();
    series(plan, &shown)
}

fn verdict(checked: &[Checked], series: &Series) -> (Exit, String) {
    let refused: Vec<&Checked> = checked
        .iter()
        .filter(|one| !one.refused.is_empty())
        .collect();
    if let [first, ..] = refused.as_slice() {
        let more = match refused.len() {
            1 => String::new(),
            n => format!(", and {} more", n - 1),
        };
        return (
            Exit::Missed,
            format!("refused: {}: {}{more}", first.name, first.refused[0]),
        );
    }
    if let Some(wrong) = series.wrong.first() {
        return (Exit::Missed, format!("refused: {wrong}"));
    }
    let open = checked
        .iter()
        .flat_map(|one| &one.open)
        .chain(&series.open)
        .next();
    match open {
        Some(why) => (
            Exit::Inconclusive,
            format!("nothing is wrong, but not all is shown: {why}"),
        ),
        None if checked.len() == 1 => (Exit::Pass, of_a_run("it holds", checked[0].run)),
        None => (Exit::Pass, format!("all {} packs hold", checked.len())),
    }
}

/// What is said of a pack, and how far its run came.
fn of_a_run(said: &str, run: State) -> String {
    match run {
        State::Complete => said.to_owned(),
        run => format!("{said}, of a run that was {run}"),
    }
}

fn table(checked: &[Checked], series: &Series, console: &mut Console<'_>) -> Result<(), Failure> {
    for one in checked {
        let word = match (one.refused.as_slice(), one.open.as_slice()) {
            ([_, ..], _) => "REFUSED",
            (_, [_, ..]) => "not all is shown",
            _ => "holds",
        };
        writeln!(console.out, "{}: {}", one.name, of_a_run(word, one.run))?;
        let lines = [
            ("  wrong: ", &one.refused),
            ("  open: ", &one.open),
            ("  ", &one.shown),
        ];
        for (mark, lines) in lines {
            for line in lines {
                writeln!(console.out, "{mark}{line}")?;
            }
        }
    }
    for (mark, lines) in [("wrong: ", &series.wrong), ("open: ", &series.open)] {
        for line in lines {
            writeln!(console.out, "{mark}{line}")?;
        }
    }
    Ok(())
}

fn json(checked: &[Checked], series: &Series) -> Value {
    let packs = checked.iter().map(|one| {
        json!({
            "pack": one.name,
            "digest": one.digest,
            "holds": one.refused.is_empty(),
            // Of a pack that is refused, nothing that it says is repeated as so.
            "run": one.refused.is_empty().then_some(one.run),
            "wrong": one.refused,
            "open": one.open,
            "shown": one.shown,
        })
    });
    let (exit, why) = verdict(checked, series);
    json!({
        "schema": "assize/evidence-check/v1",
        "verdict": match exit {
            Exit::Pass => "holds",
            Exit::Inconclusive => "inconclusive",
            _ => "refused",
        },
        "why": why,
        "packs": packs.collect::<Vec<_>>(),
        "series": {"wrong": series.wrong, "open": series.open},
    })
}
