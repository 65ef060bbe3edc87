//! Commands that do what a driver does not do by itself, and the driver `exec`, which does nothing
//! by itself: each verb is a program of the user's.
//!
//! The contract, variables and exit codes, is in `docs/BINDINGS.md`.

use super::secrets::Secrets;
use crate::context::Context;
use crate::guard;
use crate::ledger;
use crate::replica::{BackupReport, Entry, Held, Trouble};
use assize_model::binding::Binding;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// How much of a command's output is read.
const MAX_OUTPUT: u64 = 64 << 20;

/// The commands of one replica.
#[derive(Debug)]
pub(super) struct Commands {
    argv: BTreeMap<String, Vec<String>>,
    folder: PathBuf,
    env: Vec<(String, String)>,
    /// What must not be repeated from a command's output.
    secrets: Secrets,
}

/// What a command printed.
pub(super) type Printed = String;

impl Commands {
    /// Those that a binding states for this replica.
    pub(super) fn new(binding: &Binding, context: &Context, secrets: Secrets) -> Self {
        let index = usize::from(context.replica);
        let address = binding.addresses.get(index).cloned().unwrap_or_default();
        let (host, port) = split(&address);
        let service = context.spec();
        let replica = service.replicas.get(index).map_or("", |r| &r.id);
        let filled = |argv: &[String]| -> Vec<String> {
            let fill = |word: &String| {
                word.replace("{replica}", replica)
                    .replace("{host}", &host)
                    .replace("{port}", &port)
            };
            argv.iter().map(fill).collect()
        };
        let mut argv = BTreeMap::new();
        // What is said of one replica goes before what is said of all.
        for own in [false, true] {
            let of = |replica: Option<u16>| match replica {
                None => !own,
                Some(replica) => own && replica == context.replica,
            };
            for command in binding.commands.iter().filter(|c| of(c.replica)) {
                argv.insert(command.verb.clone(), filled(&command.argv));
            }
        }
        let env = [
            ("ASSIZE_SERVICE", service.id.clone()),
            ("ASSIZE_REPLICA", replica.to_string()),
            ("ASSIZE_UPSTREAM_HOST", host),
            ("ASSIZE_UPSTREAM_PORT", port),
            (
                "ASSIZE_FOLDER",
                absolute(&context.folder).display().to_string(),
            ),
            (guard::MARK, guard::mark()),
        ];
        Self {
            argv,
            folder: binding.folder.clone(),
            env: env.map(|(name, value)| (name.to_string(), value)).into(),
            secrets,
        }
    }

    /// Whether there is a command for this.
    pub(super) fn has(&self, verb: &str) -> bool {
        self.argv.contains_key(verb)
    }

    /// A command for `verb`, ready to be started in a process group of its own.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn command(&self, verb: &str) -> Result<Command, Trouble> {
        let argv = self.argv.get(verb);
        let argv = argv.ok_or_else(|| unsupported(verb))?;
        self.prepared(argv, &self.folder)
    }

    fn prepared(&self, argv: &[String], folder: &Path) -> Result<Command, Trouble> {
        let (program, arguments) = argv.split_first().ok_or_else(|| unsupported("nothing"))?;
        let folder = absolute(folder);
        // A program beside the file is meant from there, not from where the run was started.
        let beside = program.contains('/').then(|| folder.join(program));
        let mut command = Command::new(beside.unwrap_or_else(|| program.into()));
        command
            .args(arguments)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        Ok(command)
    }

    /// Runs the command for `verb` to its end.
    ///
    /// # Errors
    /// There is none, or it says that it did not succeed.
    pub(super) async fn run(&self, verb: &str, env: &[(&str, String)]) -> Result<Printed, Trouble> {
        let mut command = self.command(verb)?;
        command.envs(env.iter().map(|(name, value)| (name, value)));
        self.finished(verb, command).await
    }

    /// Runs a journey's own command.
    ///
    /// # Errors
    /// It says that it did not succeed.
    pub(super) async fn run_request(
        &self,
        argv: &[String],
        folder: &Path,
        env: &[(&str, String)],
    ) -> Result<Printed, Trouble> {
        let mut command = self.prepared(argv, folder)?;
        command.envs(env.iter().map(|(name, value)| (name, value)));
        self.finished("exec", command).await
    }

    async fn finished(&self, verb: &str, mut command: Command) -> Result<Printed, Trouble> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            let program = command
                .as_std()
                .get_program()
                .to_string_lossy()
                .into_owned();
            Trouble::Harness(format!("`{verb}`: {program} cannot be started: {error}"))
        })?;
        // Whoever abandons the command ends all that it has started, not only its first process.
        let _group = child.id().map(Group);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let read_out = async {
            if let Some(stream) = stdout {
                let _ = stream.take(MAX_OUTPUT).read_to_end(&mut out).await;
            }
        };
        let read_err = async {
            if let Some(stream) = stderr {
                let _ = stream.take(MAX_OUTPUT).read_to_end(&mut err).await;
            }
        };
        let ((), (), status) = tokio::join!(read_out, read_err, child.wait());
        let status = status.map_err(|error| Trouble::Harness(format!("`{verb}`: {error}")))?;
        let text = String::from_utf8_lossy(&err);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        let said = self.redacted(last.unwrap_or("it said nothing on standard error"));
        match status.code() {
            Some(0) => Ok(String::from_utf8_lossy(&out).into_owned()),
            Some(69) => Err(Trouble::Refused(format!("`{verb}`: {said}"))),
            Some(75) => Err(Trouble::Silent(format!("`{verb}`: {said}"))),
            Some(code) => Err(Trouble::Answered(format!(
                "`{verb}` ended with {code}: {said}"
            ))),
            None => Err(Trouble::Answered(format!(
                "`{verb}` was ended by a signal: {said}"
            ))),
        }
    }

    /// Text of others without secrets, and not without end.
    pub(super) fn redacted(&self, text: &str) -> String {
        self.secrets.struck(text)
    }
}

/// A process group that ends with this value.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        crate::reap::signal_group(self.0, rustix::process::Signal::KILL);
    }
}

fn unsupported(verb: &str) -> Trouble {
    Trouble::Unsupported(format!("there is no command `{verb}`"))
}

/// A path from the root: commands have other working directories than the run.
fn absolute(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Host and port of an address; the host without the brackets of IPv6.
pub(super) fn split(address: &str) -> (String, String) {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (host.to_string(), port.to_string())
}

/// The variables of the address to use.
pub(super) fn via_env(via: SocketAddr) -> [(&'static str, String); 2] {
    [
        ("ASSIZE_HOST", via.ip().to_string()),
        ("ASSIZE_PORT", via.port().to_string()),
    ]
}

/// The variables of a ledger entry.
pub(super) fn entry_env(entry: &Entry) -> [(&'static str, String); 4] {
    [
        ("ASSIZE_WRITER", entry.writer.to_string()),
        ("ASSIZE_SEQUENCE", entry.sequence.to_string()),
        ("ASSIZE_HASH", entry.hash.clone()),
        (
            "ASSIZE_CONTENT",
            ledger::content(entry.writer, entry.sequence),
        ),
    ]
}

/// What `held` printed.
///
/// # Errors
/// The line that is no entry.
pub(super) fn held(printed: &str) -> Result<Vec<Held>, Trouble> {
    let entry = |line: &str| {
        let mut words = line.splitn(4, ' ');
        let entry = Entry {
            writer: words.next()?.parse().ok()?,
            sequence: words.next()?.parse().ok()?,
            hash: words.next()?.to_string(),
        };
        let content_hash = ledger::hash(words.next()?.as_bytes());
        Some(Held {
            entry,
            content_hash,
        })
    };
    let lines = printed.lines().filter(|line| !line.trim().is_empty());
    lines
        .enumerate()
        .map(|(i, line)| {
            entry(line).ok_or_else(|| {
                let what = format!(
                    "line {} of `held` is no `WRITER SEQUENCE HASH CONTENT`",
                    i + 1
                );
                Trouble::Answered(what)
            })
        })
        .collect()
}

/// What `backup` or `restore` printed.
pub(super) fn report(printed: &str) -> BackupReport {
    let mut report = BackupReport::default();
    for line in printed.lines() {
        let Some((word, value)) = line.trim().split_once(' ') else {
            continue;
        };
        let phase = ["find", "fetch", "load", "verify"]
            .into_iter()
            .find(|p| *p == word);
        match (word, phase) {
            ("bytes", _) => report.bytes = value.parse().unwrap_or(report.bytes),
            ("entries", _) => report.entries = value.parse().unwrap_or(report.entries),
            (_, Some(phase)) => {
                let length = value
                    .parse()
                    .ok()
                    .and_then(|s| Duration::try_from_secs_f64(s).ok());
                report.phases.extend(length.map(|length| (phase, length)));
            }
            _ => {}
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_commands_print_is_read() {
        let entry = ledger::entry(3, 9);
        let text = format!(
            "3 9 {} {}\n\n3 9 {0} damaged\n",
            entry.hash,
            ledger::content(3, 9)
        );
        let held = held(&text).unwrap();
        assert_eq!(held[0].content_hash, entry.hash);
        assert_ne!(held[1].content_hash, entry.hash);
        assert!(super::held("3 9\n").is_err());
        let report = report("bytes 12\nfetch 0.5\nnonsense\nload -1\nentries 7\n");
        assert_eq!((report.bytes, report.entries), (12, 7));
        assert_eq!(report.phases, [("fetch", Duration::from_millis(500))]);
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(split("[::1]:80"), ("::1".into(), "80".into()));
        assert_eq!(
            split("db.example:5432"),
            ("db.example".into(), "5432".into())
        );
    }
}
