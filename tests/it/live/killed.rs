//! Runs that are ended from outside, as processes: what they had started is gone, faults are
//! lifted where somebody is left to lift them, and the journal can be judged.

use crate::support::{Folder, binary, free_port};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Far longer than anything takes, so that a failure is one and no hang.
const PATIENCE: Duration = Duration::from_secs(60);

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Waits until something is so.
#[expect(clippy::disallowed_methods, reason = "waiting has a limit")]
#[track_caller]
pub(super) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A run with two servers of its own, which is in the middle of its fault.
struct Running {
    child: Child,
    ports: [u16; 2],
    scenario: String,
    journal: PathBuf,
    folder: Folder,
}

/// Python as nobody, if this test may do that and that user may run it.
fn as_another_user() -> Option<String> {
    let user = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let found = ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        let mut tried = Command::new(user[0]);
        tried
            .args(&user[1..])
            .args([python, "-c", ""])
            .stderr(Stdio::null());
        tried.status().is_ok_and(|status| status.success())
    });
    found.map(|python| format!("{}, {python}", user.join(", ")))
}

/// One of the servers is started as another user, where the test may do that.
fn running(name: &str) -> Running {
    let folder = Folder::new(name);
    let ports = [free_port().port(), free_port().port()];
    let server = "-m, http.server, --bind, 127.0.0.1, '{port}'";
    // Without root and `setpriv` both are this user's.
    let other = as_another_user().unwrap_or_else(|| "python3".into());
    let text = format!(
        "assize: scenario/v1
topology:
  services:
    web:
      driver: http
      replicas: {{a: '127.0.0.1:{}', b: '127.0.0.1:{}'}}
      failover: {{check: {{every: 1s, timeout: 1s, fall: 2}}}}
      commands: {{start: {{a: [python3, {server}], b: [{other}, {server}]}}}}
  journeys: {{look: {{http: GET /, to: web, rate: 10/s, timeout: 2s}}}}
steady_state: {{for: 2s}}
timeline: [{{id: out, at: 1s, fault: outage, how: blackhole, target: service/web/a, for: 5m}}]
objectives: [{{rto: 10s, journey: look}}]
settle: 2s
",
        ports[0], ports[1]
    );
    let scenario = folder.write("s.yaml", &text);
    let out = folder.path("out");
    let evidence = folder.path("pack.zip");
    let child = Command::new(binary())
        .args(["run", &scenario, "--allow-exec", "--out", &out])
        .args(["--evidence", &evidence])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let journal = PathBuf::from(out).join("s.journal.jsonl");
    let mut run = Running {
        child,
        ports,
        scenario,
        journal,
        folder,
    };
    until("the fault began", || {
        if let Ok(Some(status)) = run.child.try_wait() {
            panic!("it ended ({status}): {}", run.said());
        }
        run.records().contains("\"is\":\"fault\"")
    });
    run
}

impl Running {
    fn records(&self) -> String {
        std::fs::read_to_string(&self.journal).unwrap_or_default()
    }

    fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        kill.args([signal, &self.child.id().to_string()]);
        assert!(kill.status().expect("kill").success());
    }

    /// Ends when all that holds its streams has: nobody outlives it.
    fn ended(&mut self) -> Output {
        let stdout = self.child.stdout.take();
        let stderr = self.child.stderr.take();
        let status = self.child.wait().expect("its end");
        let read = |stream: Option<Box<dyn std::io::Read>>| {
            let mut bytes = Vec::new();
            let _ = stream.map(|mut s| s.read_to_end(&mut bytes));
            bytes
        };
        Output {
            status,
            stdout: read(stdout.map(|s| Box::new(s) as _)),
            stderr: read(stderr.map(|s| Box::new(s) as _)),
        }
    }

    fn said(&mut self) -> String {
        let output = self.ended();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&output.stdout) + &text(&output.stderr)
    }

    /// Processes that the run has started, or that carry its mark.
    fn children(&self) -> Vec<String> {
        let mark = format!("ASSIZE_CHILD_OF={}-", self.child.id());
        let processes = std::fs::read_dir("/proc").expect("processes").flatten();
        let own = processes.filter(|process| {
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            let mut entries = environment.split(|byte| *byte == 0);
            entries.any(|entry| entry.starts_with(mark.as_bytes()))
        });
        own.map(|process| process.path().display().to_string())
            .collect()
    }
}

#[test]
fn a_killed_run_leaves_no_process_no_listener_and_a_journal() {
    let mut run = running("killed");
    assert!(run.ports.into_iter().all(listens));
    assert!(run.children().len() >= 2, "{:?}", run.children());
    run.signal("-KILL");
    run.child.wait().expect("its end");
    until("the children ended", || run.children().is_empty());
    until("nobody listens", || !run.ports.into_iter().any(listens));
    assert!(!run.records().contains("\"is\":\"ended\""));
    let journal = run.journal.display().to_string();
    let judged = crate::support::assize(&["judge", &run.scenario, &journal]).expect(3);
    assert!(judged.out.contains("INCONCLUSIVE"), "{}", judged.out);
    // Half a record at its end is what a kill may leave.
    let mut text = run.records();
    text.truncate(text.len() - 5);
    std::fs::write(&run.journal, text).expect("the journal");
    crate::support::assize(&["judge", &run.scenario, &journal]).expect(3);
    // From its folder alone it is told of, and packed.
    let out = run
        .journal
        .parent()
        .expect("a folder")
        .display()
        .to_string();
    let told = crate::support::assize(&["report", &out, "--format", "markdown"]).expect(3);
    assert!(told.out.contains("killed"), "{}", told.out);
    let pack = run.folder.path("late.zip");
    crate::support::assize(&["evidence", "pack", &out, "--out", &pack]).expect(0);
    let checked = crate::support::assize(&["evidence", "verify", &pack]).expect(3);
    let says = "not all is shown, of a run that was killed";
    assert!(checked.out.contains(says), "{}", checked.out);
}

#[test]
fn ctrl_c_lifts_every_fault_reports_and_exits_with_4() {
    let mut run = running("interrupted");
    run.signal("-INT");
    let output = run.ended();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(4), "{out}");
    // What was measured by then stands there, and why the run exits as it does.
    assert!(out.contains("look-rto"), "{out}");
    assert!(
        out.lines()
            .last()
            .is_some_and(|l| l.contains("interrupted")),
        "{out}"
    );
    let records = run.records();
    let last = records.lines().last().unwrap_or_default();
    assert!(
        last.contains("\"why\":\"interrupted\"") && last.contains("\"left\":[]"),
        "{last}"
    );
    let off = |line: &&str| line.contains("\"is\":\"fault\"") && line.contains("\"on\":false");
    assert_eq!(records.lines().filter(off).count(), 1);
    assert_eq!(run.children(), Vec::<String>::new());
    assert!(!run.ports.into_iter().any(listens));
    // It wrote its pack itself.
    let pack = run.folder.path("pack.zip");
    let checked = crate::support::assize(&["evidence", "verify", &pack]).expect(3);
    let says = "not all is shown, of a run that was aborted";
    assert!(checked.out.contains(says), "{}", checked.out);
}
