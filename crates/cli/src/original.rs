//! Toxiproxy's own command line: by which name this binary was called, and what its arguments
//! are in ours.
//!
//! Go's flags have one dash where ours have two, and mean the same. What the programs print in
//! their own words is in `verbs::ctl`.

use assize_proxy::api::VERSION;
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What a command line comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Translated {
    /// Our own arguments.
    Arguments(Vec<OsString>),
    /// The same for a program that knows no exit code but 0 and 1.
    Client(Vec<OsString>),
    /// The line that the original prints when asked for its version.
    Version(String),
}

/// Flags of `toxiproxy-cli` that are words, and what they are called here.
const WORDS: &[(&str, &str)] = &[
    ("host", "url"),
    ("listen", "listen"),
    ("upstream", "upstream"),
    ("downstream", "downstream"),
    ("type", "type"),
    ("toxicName", "name"),
    ("toxicity", "toxicity"),
    ("tox", "toxicity"),
    ("attribute", "attribute"),
    ("help", "help"),
];

/// Translates a command line, the first of which is the program's name. `url` is what the
/// environment says about where the API is.
pub(crate) fn translate(args: Vec<OsString>, url: impl Fn() -> Option<OsString>) -> Translated {
    let program = args.first().map(Path::new).and_then(Path::file_stem);
    let program = program.map(OsStr::to_string_lossy).unwrap_or_default();
    // Release files carry the platform in their names: `toxiproxy-cli-linux-amd64`.
    if program.starts_with("toxiproxy-cli") {
        return client(&args, url());
    }
    if program.starts_with("toxiproxy") {
        let mut ours = vec!["assize".into(), "proxy".into(), "--lenient".into()];
        for arg in &args[1..] {
            if is_flag(arg, "version") {
                return Translated::Version(format!("toxiproxy-server version {VERSION}"));
            }
            ours.push(two_dashes(arg));
        }
        return Translated::Arguments(ours);
    }
    if args.get(1).is_some_and(|verb| verb == "proxy") {
        let rest = args[2..].iter().map(|arg| two_dashes(arg));
        return Translated::Arguments(args[..2].iter().cloned().chain(rest).collect());
    }
    Translated::Arguments(args)
}

fn client(args: &[OsString], url: Option<OsString>) -> Translated {
    let mut ours: Vec<OsString> = vec!["assize".into(), "ctl".into(), "--original".into()];
    if let Some(url) = url.filter(|url| !url.is_empty()) {
        ours.extend(["--url".into(), url]);
    }
    let mut before_command = true;
    for arg in &args[1..] {
        let text = arg.to_string_lossy();
        if before_command && (is_flag(arg, "version") || text == "-v") {
            return Translated::Version(format!("toxiproxy-cli version {VERSION}"));
        }
        // Before the command `-h` is the host; after it there is no such flag.
        let text = match text.strip_prefix("-h") {
            Some(rest) if before_command && (rest.is_empty() || rest.starts_with('=')) => {
                format!("-host{rest}").into()
            }
            _ => text,
        };
        before_command &= text.starts_with('-') || ours.last().is_some_and(|last| last == "--url");
        ours.push(word(&text).map_or_else(|| text.to_string().into(), OsString::from));
    }
    Translated::Client(ours)
}

/// One of the words, with one dash or two, as it is called here.
fn word(text: &str) -> Option<String> {
    let flag = text.strip_prefix("--").or(text.strip_prefix('-'))?;
    let (name, value) = flag
        .split_once('=')
        .map_or((flag, None), |(n, v)| (n, Some(v)));
    let (_, ours) = WORDS.iter().find(|(theirs, _)| *theirs == name)?;
    Some(value.map_or_else(|| format!("--{ours}"), |value| format!("--{ours}={value}")))
}

fn is_flag(arg: &OsStr, name: &str) -> bool {
    let text = arg.to_string_lossy();
    let flag = text.trim_start_matches('-');
    text.starts_with('-') && (flag == name || flag == format!("{name}=true"))
}

/// `-name` as `--name`; letters alone are left as they are.
fn two_dashes(arg: &OsStr) -> OsString {
    let text = arg.to_string_lossy();
    let is_word = |rest: &str| {
        let mut letters = rest.chars();
        letters.next().is_some_and(char::is_alphabetic)
            && letters
                .next()
                .is_some_and(|c| c.is_alphabetic() || c == '-')
    };
    match text.strip_prefix('-') {
        Some(rest) if is_word(rest) => format!("--{rest}").into(),
        _ => arg.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(line: &str) -> String {
        let args = line.split(' ').map(OsString::from).collect();
        match translate(args, || None) {
            Translated::Arguments(args) | Translated::Client(args) => {
                let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
                args.join(" ")
            }
            Translated::Version(text) => format!("= {text}"),
        }
    }

    #[test]
    fn the_server_is_started_by_its_own_flags() {
        assert_eq!(
            ours("/usr/bin/toxiproxy-server -host=0.0.0.0 -config /a.json -seed -5 -proxy-metrics"),
            "assize proxy --lenient --host=0.0.0.0 --config /a.json --seed -5 --proxy-metrics"
        );
        assert_eq!(ours("toxiproxy -port 1"), "assize proxy --lenient --port 1");
        assert_eq!(
            ours("toxiproxy-server-linux-amd64 --port=1"),
            "assize proxy --lenient --port=1"
        );
        assert_eq!(
            ours("toxiproxy-server -version"),
            "= toxiproxy-server version 2.12.0"
        );
        assert_eq!(
            ours("assize proxy -host=::1 --port 2"),
            "assize proxy --host=::1 --port 2"
        );
    }

    #[test]
    fn the_client_is_called_by_its_own_flags() {
        let begin = "assize ctl --original";
        assert_eq!(ours("toxiproxy-cli list"), format!("{begin} list"));
        assert_eq!(
            ours("toxiproxy-cli -h http://x:1 create -l a:1 -upstream b:2 redis"),
            format!("{begin} --url http://x:1 create -l a:1 --upstream b:2 redis")
        );
        assert_eq!(
            ours(
                "toxiproxy-cli -host=x toxic add -t latency -toxicName n -tox 0.5 -a latency=1 redis"
            ),
            format!(
                "{begin} --url=x toxic add -t latency --name n --toxicity 0.5 -a latency=1 redis"
            )
        );
        assert_eq!(
            ours("toxiproxy-cli --version"),
            "= toxiproxy-cli version 2.12.0"
        );
        let args = ["toxiproxy-cli", "ls"].map(OsString::from).to_vec();
        let with = translate(args, || Some("http://y:2".into()));
        let expected = ["assize", "ctl", "--original", "--url", "http://y:2", "ls"];
        assert_eq!(
            with,
            Translated::Client(expected.map(OsString::from).to_vec())
        );
    }

    #[test]
    fn other_names_and_verbs_are_left_alone() {
        assert_eq!(ours("assize faults -x -help"), "assize faults -x -help");
    }
}
