//! The guard: a process of our own that outlives a killed run and ends what the run had started.
//!
//! It is this program again, under a verb that no help shows, reading one end of a pipe. The run
//! holds the other end and writes which process groups it has started and reaped; when the pipe
//! closes, however the run ended, the guard ends what is left. The guard runs as the same user as
//! the run: of children that changed their user it ends those that this user may signal (as root
//! all of them), and says which it could not.

use crate::reap;
use std::io::{BufRead, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The environment variable by which children of a run are known, whatever group they are in.
pub(crate) const MARK: &str = "ASSIZE_CHILD_OF";

/// The pipe to the guard of this process, and the guard.
static GUARD: OnceLock<Mutex<Option<(ChildStdin, Child)>>> = OnceLock::new();

/// Starts the guard of this process: this program again, with this verb, which calls [`guard`].
/// Call it before the first run; without it children are ended by the run alone.
///
/// # Errors
/// The guard cannot be started.
pub fn install(verb: &str) -> std::io::Result<()> {
    let slot = GUARD.get_or_init(|| Mutex::new(None));
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.is_some() {
        return Ok(());
    }
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    // A Ctrl-C on the terminal is for the run; the guard still has to see it end.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        writeln!(pipe, "mark {}", mark())?;
        *slot = Some((pipe, child));
    }
    Ok(())
}

/// Says that a process group is to be ended if this process ends before it says otherwise.
pub(crate) fn watch(group: u32) {
    say(&format!("watch {group}"));
}

/// Says that a process group has ended.
pub(crate) fn release(group: u32) {
    say(&format!("release {group}"));
}

/// The guard has said nothing back, and cannot: if it is gone, the run still ends its children.
fn say(line: &str) {
    let Some(slot) = GUARD.get() else { return };
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((pipe, _)) = slot.as_mut() {
        let _ = writeln!(pipe, "{line}");
    }
}

/// What children of this process carry in [`MARK`]: differs for each process that ever ran.
pub(crate) fn mark() -> String {
    let pid = std::process::id();
    format!("{pid}-{}", reap::started(pid).unwrap_or_default())
}

/// What the guard does: reads until the pipe closes, then ends what is left. Returns in words
/// what it could not end.
pub fn guard(input: impl BufRead) -> Vec<String> {
    let mut groups: Vec<u32> = Vec::new();
    let mut mark = String::new();
    // A line that is no text ends it like the end of the pipe does.
    for line in input.lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("mark", text)) => mark = text.to_string(),
            Some(("watch", group)) => groups.extend(group.parse::<u32>().ok()),
            Some(("release", group)) => groups.retain(|g| Ok(*g) != group.parse()),
            _ => {}
        }
    }
    let mark = (!mark.is_empty()).then(|| format!("{MARK}={mark}"));
    reap::end(&groups, mark.as_deref())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_guard_ends_what_was_not_reaped_and_nothing_else() {
        let start = |marked: bool| {
            let mut command = Command::new("sleep");
            command.arg("60");
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            if marked {
                command.env(MARK, "test-1");
            }
            command.spawn().unwrap()
        };
        let (mut watched, mut released, mut marked) = (start(false), start(false), start(true));
        let told = format!(
            "mark test-1\nwatch {}\nnonsense\nwatch {}\nrelease {1}\n",
            watched.id(),
            released.id()
        );
        assert_eq!(guard(told.as_bytes()), Vec::<String>::new());
        assert!(!watched.wait().unwrap().success());
        assert!(!marked.wait().unwrap().success());
        assert!(released.try_wait().unwrap().is_none(), "it was released");
        released.kill().unwrap();
        released.wait().unwrap();
    }
}
