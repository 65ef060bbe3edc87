//! Ends processes with all that they have started: their group, their descendants (servers put
//! their workers into groups of their own), and what carries a mark in its environment.
//!
//! Where there is no `/proc` only the groups are ended.

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often it is looked whether they have gone, and how long lies between.
const LOOKS: u32 = 150;
const BETWEEN: Duration = Duration::from_millis(20);

/// Kills process groups, their descendants and what carries `mark`, and waits until they are
/// gone. Returns in words what is left.
pub(crate) fn end(groups: &[u32], mark: Option<&str>) -> Vec<String> {
    let mut known = BTreeSet::new();
    for look in 0..LOOKS {
        let left = alive(groups, mark, &mut known);
        if left.is_empty() && (look > 0 || cfg!(target_os = "linux")) {
            return Vec::new();
        }
        for group in groups {
            signal_group(*group, Signal::KILL);
        }
        for pid in &left {
            if let Some(pid) = pid_of(*pid) {
                // That it has gone meanwhile is what is wanted; what may not be signalled is said.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        pause();
        if !cfg!(target_os = "linux") {
            return Vec::new();
        }
    }
    let left = alive(groups, mark, &mut known);
    left.iter()
        .map(|pid| format!("process {pid} ({}) could not be ended", name(*pid)))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the guard has no runtime, and waits for the system"
)]
fn pause() {
    std::thread::sleep(BETWEEN);
}

/// Sends a signal to a group. That there is none any more is no error.
pub(crate) fn signal_group(group: u32, signal: Signal) {
    if let Some(group) = pid_of(group) {
        let _ = kill_process_group(group, signal);
    }
}

/// Sends a signal to a group and to all descendants of its leader.
pub(crate) fn signal_all(group: u32, signal: Signal) {
    let pids = alive(&[group], None, &mut BTreeSet::new());
    signal_group(group, signal);
    for pid in pids.into_iter().filter_map(pid_of) {
        let _ = kill_process(pid, signal);
    }
}

/// A process that may be signalled: 0 and 1 would mean others than we have started.
fn pid_of(pid: u32) -> Option<Pid> {
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 1)?;
    Pid::from_raw(pid)
}

/// When a process was started, in ticks since the machine was; `None` where that is not known.
pub(crate) fn started(pid: u32) -> Option<u64> {
    stat(pid).map(|s| s.started)
}

struct Stat {
    state: char,
    parent: u32,
    group: u32,
    started: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets; it ends at the last bracket.
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let started = fields.nth(16)?.parse().ok()?;
    Some(Stat {
        state,
        parent,
        group,
        started,
    })
}

fn name(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
    name.map(|n| n.trim().to_string()).unwrap_or_default()
}

/// What is alive of groups, their descendants and what is marked. `known` keeps what was found
/// before: a process whose parent has just died is still a descendant.
fn alive(groups: &[u32], mark: Option<&str>, known: &mut BTreeSet<(u32, u64)>) -> BTreeSet<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return BTreeSet::new();
    };
    let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let all: BTreeMap<u32, Stat> = pids
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .filter(|(_, s)| !matches!(s.state, 'Z' | 'X'))
        .collect();
    let own = std::process::id();
    let mut found: BTreeSet<u32> = all
        .iter()
        .filter(|&(&pid, s)| {
            groups.contains(&s.group)
                || groups.contains(&pid)
                || known.contains(&(pid, s.started))
                || mark.is_some_and(|mark| carries(pid, mark))
        })
        .map(|(&pid, _)| pid)
        .collect();
    loop {
        let more: Vec<u32> = all
            .iter()
            .filter(|(pid, s)| found.contains(&s.parent) && !found.contains(pid))
            .map(|(&pid, _)| pid)
            .collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    found.remove(&own);
    known.extend(
        found
            .iter()
            .filter_map(|pid| Some((*pid, all.get(pid)?.started))),
    );
    found
}

fn carries(pid: u32, mark: &str) -> bool {
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    environment
        .split(|byte| *byte == 0)
        .any(|entry| entry == mark.as_bytes())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    /// A child in a session of its own is a descendant all the same.
    #[test]
    fn descendants_in_other_groups_are_ended() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "setsid sleep 61.5 & setsid sleep 61.5 & wait"])
            .process_group(0);
        let mut child = command.spawn().unwrap();
        let mut known = BTreeSet::new();
        for _ in 0..LOOKS {
            if alive(&[child.id()], None, &mut known).len() == 3 {
                break;
            }
            pause();
        }
        assert_eq!(known.len(), 3);
        assert_eq!(end(&[child.id()], None), Vec::<String>::new());
        child.wait().unwrap();
        assert!(alive(&[], None, &mut known.clone()).is_empty());
    }

    #[test]
    fn nothing_is_found_for_nothing() {
        assert!(alive(&[], None, &mut BTreeSet::new()).is_empty());
        assert_eq!(pid_of(0), None);
        assert_eq!(pid_of(1), None);
    }
}
