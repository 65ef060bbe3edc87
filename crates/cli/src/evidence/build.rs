//! The files of a pack, and those of them that a run keeps from before it begins.

use super::facts::{
    self, Asked, AttemptFacts, FACTS, Facts, ForcedFacts, InputFacts, RanFacts, SCHEMA,
};
use super::machine;
use super::session::Planned;
use crate::beside::Beside;
use crate::engine::ScenarioFile;
use crate::inputs::Inputs;
use assize_evidence::redact::{Redactor, is_secret_name};
use assize_evidence::{Files, State, name_for};
use assize_model::binding::{Binding, Realisation};
use assize_model::observation::Bound;
use assize_report::{Forced, Style, Suite};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Files in every pack whose format there is.
pub(super) const REPORTS: [(&str, &str); 3] = [
    ("verdict.json", "json"),
    ("report.html", "html"),
    ("junit.xml", "junit"),
];

/// The verdict that figures were compared with.
pub(crate) const BASELINE: &str = "baseline.json";
/// What was registered before, and where.
pub(super) const PLAN: &str = "plan.json";
pub(super) const REGISTER: &str = "register.jsonl";

/// The record of the drill.
pub(crate) const RECORD: &str = "record.yaml";

/// What was analysed beforehand.
pub(crate) const ANALYSIS: &str = "analysis.json";

/// How to check a pack without this program.
pub(super) const VERIFY: &str = "VERIFY.txt";
const VERIFY_TEXT: &str = include_str!("VERIFY.txt");
/// Where `VERIFY.txt` says how far the run came.
const HOW_FAR: &str = "@HOW FAR@\n";

/// What is known of a run before it begins.
#[derive(Debug)]
pub(crate) struct About<'a> {
    pub(crate) verb: &'static str,
    /// The command as it was given.
    pub(crate) command: &'a [String],
    pub(crate) seed: u64,
    pub(crate) asked: Asked,
    /// The verdict to compare with.
    pub(crate) baseline: Option<Vec<u8>>,
    /// What the first record of each journal says.
    pub(crate) bound: Option<&'a Bound>,
    pub(super) planned: Option<&'a Planned>,
    /// What stands beside the findings.
    pub(crate) beside: &'a Beside,
}

/// A scenario that was run.
pub(crate) struct Ran<'a> {
    pub(crate) file: &'a ScenarioFile,
    /// Name of its files.
    pub(crate) name: String,
    pub(crate) attempts: Vec<Attempt>,
    /// Why it was not run at all.
    pub(crate) left_out: Option<String>,
    /// Why it was stopped before its end.
    pub(crate) cut_off: Option<String>,
}

/// A scenario run once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    /// Its journal, a record a line.
    pub(crate) journal: Option<Vec<u8>>,
    /// It could not be decided, and the next was made in its place.
    pub(crate) replaced: bool,
    /// Why it could not be carried out.
    pub(crate) reason: Option<String>,
    /// What a reader should know that the journal does not say.
    pub(crate) remarks: Vec<String>,
}

/// All files but those that seal them, and how far the run came.
pub(crate) fn files(about: &About<'_>, suite: &Suite, ran: &[Ran<'_>]) -> (Files, State) {
    let secrets = secrets(ran);
    let (mut files, mut facts) = kept(about, ran, suite.forced.as_ref());
    let (state, why) = facts::state(&facts, &files);
    facts.state = state;
    files.insert(FACTS.into(), secrets.bytes(facts.to_bytes()));
    let told = told(suite, state, &why).into_iter();
    files.extend(told.map(|(name, bytes)| (name, secrets.bytes(bytes))));
    (files, state)
}

/// What a run keeps from before it begins, so that it can be told of and packed if it is killed;
/// which is what it says until it says otherwise.
pub(crate) fn beforehand(about: &About<'_>, ran: &[Ran<'_>]) -> Files {
    let (mut files, mut facts) = kept(about, ran, None);
    facts.state = State::Killed;
    files.insert(FACTS.into(), secrets(ran).bytes(facts.to_bytes()));
    files
}

/// What was asked, read and recorded.
fn kept(about: &About<'_>, ran: &[Ran<'_>], forced: Option<&Forced>) -> (Files, Facts) {
    let mut files = Files::new();
    if let Some(baseline) = &about.baseline {
        files.insert(BASELINE.into(), baseline.clone());
    }
    let papers = [
        (RECORD, about.beside.record()),
        (ANALYSIS, about.beside.analysis()),
    ];
    for (name, paper) in papers {
        files.extend(paper.map(|bytes| (name.to_owned(), bytes.to_vec())));
    }
    if let Some(planned) = about.planned {
        files.insert(PLAN.into(), planned.plan.to_bytes());
        files.insert(REGISTER.into(), planned.register.bytes().to_vec());
    }
    let secrets = secrets(ran);
    let inputs = inputs(ran, &about.beside.inputs, &mut files);
    let runs = ran.iter().map(|one| of_run(one, &mut files)).collect();
    let live = about.verb == "run";
    let facts = Facts {
        schema: SCHEMA.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        verb: about.verb.into(),
        command: secrets.text(&quoted(about.command)).into_owned(),
        environment: environment(&secrets),
        seed: about.seed,
        state: State::Complete,
        packed_later: false,
        asked: about.asked.clone(),
        bound: about.bound.cloned(),
        register: about.planned.map(|p| p.path.display().to_string()),
        runs,
        forced: forced.map(|forced| ForcedFacts {
            why: forced.why.clone(),
        }),
        inputs,
        bindings: ran.iter().flat_map(|one| bindings(one.file)).collect(),
        clock: match live {
            true => machine::clock(),
            false => machine::virtual_clock(),
        },
        machine: machine::machine(),
        record: about.beside.record().map(|_| RECORD.into()),
    };
    // Once more over all: what is known by value is nowhere.
    let files = files.into_iter();
    let files = files.map(|(name, bytes)| (name, secrets.bytes(bytes)));
    (files.collect(), facts)
}

fn secrets(ran: &[Ran<'_>]) -> Redactor {
    ran.iter()
        .fold(Redactor::default(), |all, one| all.and(&one.file.secrets))
}

/// What tells of a run: the verdict in every format that a pack has, and how to check the pack.
pub(crate) fn told(suite: &Suite, state: State, why: &[String]) -> Files {
    let write = |(file, format): &(&str, &str)| {
        let format = assize_report::format(format)?;
        let mut bytes = Vec::new();
        // Memory takes everything.
        (format.write)(suite, &Style::default(), &mut bytes).ok()?;
        Some(((*file).to_owned(), bytes))
    };
    let verify = VERIFY_TEXT.replace(HOW_FAR, &how_far(state, why));
    let verify = (VERIFY.to_owned(), verify.into_bytes());
    REPORTS.iter().filter_map(write).chain([verify]).collect()
}

/// A paragraph, of a run that did not come to its end.
fn how_far(state: State, why: &[String]) -> String {
    let what = match state {
        State::Complete => return String::new(),
        State::Aborted => {
            "ABORTED: it was stopped, left something out, or could not be carried out"
        }
        State::Killed => "KILLED: it was ended before it could say how it ends",
    };
    let mut text = format!(
        "The run in this pack was {what}.\nWhat stands here is what was recorded by then.\n"
    );
    for line in why {
        // One line each, whatever a reason has in it.
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.push_str(&format!("- {line}\n"));
    }
    text.push('\n');
    text
}

fn inputs(ran: &[Ran<'_>], beside: &Inputs, files: &mut Files) -> Vec<InputFacts> {
    let mut all: BTreeMap<_, _> = beside.0.iter().collect();
    for one in ran {
        all.extend(&one.file.inputs.0);
    }
    let of_one = |(path, input): (&std::path::PathBuf, &crate::inputs::Input)| {
        let path = path.display().to_string();
        let file = name_for("inputs", &path, files);
        files.insert(file.clone(), input.bytes.clone());
        InputFacts {
            path,
            file,
            sha256: input.as_read.clone(),
        }
    };
    all.into_iter().map(of_one).collect()
}

fn of_run(one: &Ran<'_>, files: &mut Files) -> RanFacts {
    let attempts = one.attempts.iter().enumerate().map(|(index, attempt)| {
        let journal = attempt.journal.as_ref().map(|bytes| {
            let name = journal_name(&one.name, index + 1, files);
            files.insert(name.clone(), bytes.clone());
            name
        });
        AttemptFacts {
            journal,
            replaced: attempt.replaced,
            reason: attempt.reason.clone(),
            remarks: attempt.remarks.clone(),
        }
    });
    RanFacts {
        path: one.file.path.display().to_string(),
        scenario: one.file.scenario.name.clone(),
        topology: one.file.topology.name.clone(),
        attempts: attempts.collect(),
        left_out: one.left_out.clone(),
        cut_off: one.cut_off.clone(),
    }
}

/// A name that nothing has: `journal/NAME.jsonl`, from the second run on `journal/NAME.2.jsonl`.
pub(super) fn journal_name(scenario: &str, number: usize, files: &Files) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let mut stem: String = scenario.chars().take(100).map(plain).collect();
    if number > 1 {
        stem.push_str(&format!(".{number}"));
    }
    loop {
        let name = format!("journal/{stem}.jsonl");
        if !files.contains_key(&name) {
            return name;
        }
        stem.push('_');
    }
}

/// Words as a shell would take them.
fn quoted(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    let quote = |word: &String| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Variables that stand for flags, but for keys.
fn environment(secrets: &Redactor) -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| {
            let key = ["ASSIZE_SIGN_KEY", "ASSIZE_KEY"].contains(&name.as_str());
            name.starts_with("ASSIZE_") && !key && !is_secret_name(name)
        })
        .map(|(name, value)| (name, secrets.text(&value).into_owned()))
        .collect()
}

/// What stands behind the services of a scenario that are bound; commands without secrets, for
/// the file was read without them.
fn bindings(file: &ScenarioFile) -> Vec<Value> {
    let scenario = &file.scenario.name;
    let of_one = |name: &str, binding: &Binding| {
        let commands = binding.commands.iter().map(|command| {
            json!({"verb": command.verb, "replica": command.replica, "argv": command.argv})
        });
        json!({
            "scenario": scenario,
            "service": name,
            "driver": binding.driver,
            "addresses": binding.addresses,
            "peers": binding.peers,
            "dsn_from_variable": binding.dsn.as_ref().map(|variable| &variable.0),
            "health": binding.health,
            "commands": commands.collect::<Vec<_>>(),
        })
    };
    let services = file.topology.services.iter();
    services
        .filter_map(|service| match &service.realised {
            Realisation::Bound(binding) => Some(of_one(&service.id, binding)),
            Realisation::StandIn(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_written_as_a_shell_takes_it() {
        let words = ["assize", "run", "a b.yaml", "--set", "x='1'", ""].map(String::from);
        assert_eq!(
            quoted(&words),
            "assize run 'a b.yaml' --set 'x='\\''1'\\''' ''"
        );
    }
}
