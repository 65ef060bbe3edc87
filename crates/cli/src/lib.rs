//! The command line: arguments, exit codes, files from the disk, one file per verb.
//!
//! Decides nothing about a network: it reads files through the model, hands plans to the
//! engine and outcomes to the reports. All output goes through a [`Console`], so that the whole
//! command can be called from a test.
#![forbid(unsafe_code)]

mod args;
mod beside;
mod console;
mod disk;
mod drill;
mod engine;
mod evidence;
mod exit;
mod graph;
mod inputs;
mod journal;
mod original;
mod recorded;
mod reports;
mod scenarios;
mod stored;
mod verbs;

pub use console::Console;
pub use exit::Exit;

use clap::{CommandFactory as _, FromArgMatches as _};
use exit::Failure;
use original::Translated;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};

/// Runs the command of this process: its standard streams, its environment.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> Exit {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
        || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
    let terminal = (stdout.is_terminal(), stderr.is_terminal());
    let mut out = io::BufWriter::new(stdout.lock());
    let mut err = stderr.lock();
    let mut console = Console::new(&mut out, &mut err);
    console.colour = terminal.0 && !plain;
    console.progress_bar = terminal.1;
    console.own_process = true;
    run_with(args, console)
}

/// Runs the command with these arguments (the first is the program's name) on these streams,
/// neither of them a terminal, and returns the exit code.
pub fn run<I, T>(args: I, out: &mut dyn Write, err: &mut dyn Write) -> i32
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    i32::from(run_with(args, Console::new(out, err)).code())
}

/// As [`run`], on any console.
pub fn run_with<I, T>(args: I, mut console: Console<'_>) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args = args.into_iter().map(Into::into).collect();
    match original::translate(args, || std::env::var_os("TOXIPROXY_URL")) {
        Translated::Arguments(args) => run_ours(args, &mut console),
        Translated::Client(args) => match run_ours(args, &mut console) {
            Exit::Pass => Exit::Pass,
            // It knows no other failure.
            _ => Exit::Missed,
        },
        Translated::Version(text) => {
            match writeln!(console.out, "{text}").and_then(|()| console.out.flush()) {
                Ok(()) => Exit::Pass,
                Err(error) => Failure::from(error).report(&mut console),
            }
        }
    }
}

fn run_ours(args: Vec<OsString>, console: &mut Console<'_>) -> Exit {
    let words = args.iter().map(|arg| arg.to_string_lossy().into_owned());
    console.command = words.collect();
    let parsed = args::Cli::command()
        .try_get_matches_from(args)
        .and_then(|matches| args::Cli::from_arg_matches(&matches));
    let result = match parsed {
        Ok(cli) => {
            console.colour = cli.color.decide(console.colour);
            cli.verb.run(console)
        }
        Err(error) => not_parsed(&error, console),
    };
    // What is still buffered counts as output too.
    let flushed = console.out.flush().map_err(Failure::from);
    match result.and_then(|exit| exit::unless_closed(flushed, exit)) {
        Ok(exit) => exit,
        Err(failure) => failure.report(console),
    }
}

/// Help and version are answers; all else is wrong usage.
fn not_parsed(error: &clap::Error, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let text = error.render();
    if error.use_stderr() {
        // Nobody is left to tell if standard error is closed; the exit code still says it.
        let _ = write!(console.err, "{text}");
        return Ok(Exit::BadInput);
    }
    write!(console.out, "{text}")?;
    Ok(Exit::Pass)
}
