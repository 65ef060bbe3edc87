//! The files of a pack.

use super::facts::{Asked, AttemptFacts, FACTS, Facts, ForcedFacts, InputFacts, RanFacts, SCHEMA};
use super::machine;
use super::session::Session;
use crate::engine::ScenarioFile;
use crate::inputs::Inputs;
use assize_evidence::redact::{Redactor, is_secret_name};
use assize_evidence::{Files, name_for};
use assize_model::binding::{Binding, Realisation};
use assize_report::{Style, Suite};
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

/// The record of the drill.
pub(crate) const RECORD: &str = "record.yaml";

/// What was analysed beforehand.
pub(crate) const ANALYSIS: &str = "analysis.json";

/// How to check a pack without this program.
const VERIFY: &str = include_str!("VERIFY.txt");

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

/// All files but those that seal them.
pub(super) fn files(
    session: &Session,
    suite: &Suite,
    ran: &[Ran<'_>],
    seed: u64,
    (asked, baseline): (Asked, Option<Vec<u8>>),
    command: &[String],
) -> Files {
    let mut files = reports(suite);
    if let Some(baseline) = baseline {
        files.insert(BASELINE.into(), baseline);
    }
    files.insert("VERIFY.txt".into(), VERIFY.into());
    let papers = [
        (RECORD, session.beside.record()),
        (ANALYSIS, session.beside.analysis()),
    ];
    for (name, paper) in papers {
        files.extend(paper.map(|bytes| (name.to_owned(), bytes.to_vec())));
    }
    if let Some(planned) = &session.plan {
        files.insert("plan.json".into(), planned.plan.to_bytes());
        files.insert("register.jsonl".into(), planned.register.bytes().to_vec());
    }
    let secrets = ran
        .iter()
        .fold(Redactor::default(), |all, one| all.and(&one.file.secrets));
    let inputs = inputs(ran, &session.beside.inputs, &mut files);
    let runs = ran.iter().map(|one| of_run(one, &mut files)).collect();
    let live = session.verb == "run";
    let facts = Facts {
        schema: SCHEMA.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        verb: session.verb.into(),
        command: secrets.text(&quoted(command)).into_owned(),
        environment: environment(&secrets),
        seed,
        asked,
        bound: session.bound.clone(),
        runs,
        forced: suite.forced.as_ref().map(|forced| ForcedFacts {
            why: forced.why.clone(),
        }),
        inputs,
        bindings: ran.iter().flat_map(|one| bindings(one.file)).collect(),
        clock: match live {
            true => machine::clock(),
            false => machine::virtual_clock(),
        },
        machine: machine::machine(),
        record: session.beside.record().map(|_| RECORD.into()),
    };
    files.insert(FACTS.into(), facts.to_bytes());
    // Once more over all: what is known by value is nowhere.
    files
        .into_iter()
        .map(|(name, bytes)| (name, secrets.bytes(bytes)))
        .collect()
}

/// The verdict in every format that a pack has.
pub(super) fn reports(suite: &Suite) -> Files {
    let write = |(file, format): &(&str, &str)| {
        let format = assize_report::format(format)?;
        let mut bytes = Vec::new();
        // Memory takes everything.
        (format.write)(suite, &Style::default(), &mut bytes).ok()?;
        Some(((*file).to_owned(), bytes))
    };
    REPORTS.iter().filter_map(write).collect()
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
fn journal_name(scenario: &str, number: usize, files: &Files) -> String {
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
