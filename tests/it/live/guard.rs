//! The guard of a killed run, as a process: what was started is gone, whoever it runs as.

use crate::support::binary;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

fn sleeping(wrapper: &[&str]) -> Child {
    let argv: Vec<&str> = wrapper.iter().chain(&["sleep", "90"]).copied().collect();
    let mut command = Command::new(argv[0]);
    command.args(&argv[1..]).process_group(0);
    command.spawn().expect("a process")
}

#[test]
fn a_closed_pipe_ends_what_was_started_also_as_another_user() {
    let mut guard = Command::new(binary())
        .arg("guard")
        .stdin(Stdio::piped())
        .spawn()
        .expect("the guard");
    let mut children = vec![
        sleeping(&[]),
        sleeping(&["sh", "-c", "setsid \"$@\" & wait", "sh"]),
    ];
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    if root {
        children.push(sleeping(&[
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ]));
    }
    let mut pipe = guard.stdin.take().expect("its input");
    for child in &children {
        writeln!(pipe, "watch {}", child.id()).expect("it listens");
    }
    // The same as the run being killed: the system closes what it held.
    drop(pipe);
    assert_eq!(guard.wait().expect("its end").code(), Some(0));
    for child in &mut children {
        let ended = child.try_wait().expect("a state");
        assert!(ended.is_some_and(|status| !status.success()), "{ended:?}");
    }
}
