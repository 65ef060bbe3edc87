//! Bad bindings: a clear error, the right exit code, and nothing broken.

use crate::support::{Folder, Ran, assize, binary};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// Answers every connection with these bytes once something has come, and closes it.
pub(super) fn answering(bytes: &'static [u8]) -> u16 {
    let (listener, port) = listener();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut some = [0; 512];
            let _ = stream.read(&mut some);
            let _ = stream.write_all(bytes);
        }
    });
    port
}

/// Takes connections and never says anything.
fn silent() -> u16 {
    let (listener, port) = listener();
    std::thread::spawn(move || {
        let _kept: Vec<TcpStream> = listener.incoming().flatten().collect();
    });
    port
}

pub(super) const HELLO: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A scenario whose service is bound like this.
fn refused(name: &str, binding: &str, options: &[&str]) -> Ran {
    let folder = Folder::new(name);
    let text = format!(
        "assize: scenario/v1
topology:
  services: {{db: {{{binding}}}}}
  journeys: {{use: {{calls: db, rate: 10/s, timeout: 2s}}}}
timeline: [{{id: out, at: 0s, fault: outage, target: service/db, for: 5s}}]
objectives: [{{rto: 10s, journey: use}}]
"
    );
    let file = folder.write("s.yaml", &text);
    let out = folder.path("out");
    let arguments: Vec<&str> = ["run", &file, "--out", &out]
        .iter()
        .chain(options)
        .copied()
        .collect();
    let ran = assize(&arguments);
    // Whatever was refused, no fault was ever on.
    let journal = std::fs::read_to_string(format!("{out}/s.journal.jsonl")).unwrap_or_default();
    assert!(!journal.contains("\"is\":\"fault\""), "{journal}");
    ran
}

fn says(ran: &Ran, what: &[&str]) {
    let all = format!("{}{}", ran.out, ran.err);
    for what in what {
        assert!(all.contains(what), "{what}: {all}");
    }
}

#[test]
fn a_service_that_is_not_there_is_named_with_its_place() {
    let folder = Folder::new("refused-unknown");
    let scenario = folder.write(
        "s.yaml",
        "assize: scenario/v1\ntopology: {services: {db: {}}, journeys: {use: {calls: db}}}\n\
         objectives: [{rto: 10s, journey: use}]\nend: 10s\n",
    );
    let bindings = "assize: bindings/v1\nservices:\n  database: {driver: http, address: 'h:1'}\n";
    let bindings = folder.write("b.yaml", bindings);
    let ran = assize(&["run", &scenario, "--bind", &bindings]).expect(2);
    says(&ran, &["b.yaml:3", "database", "db"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let port = answering(HELLO);
    let binding =
        format!("driver: http, address: '127.0.0.1:{port}', commands: {{start: [sleep, '90']}}");
    let ran = refused("refused-port", &binding, &["--allow-exec"]).expect(4);
    says(&ran, &[&format!("127.0.0.1:{port} is in use already")]);
}

#[test]
fn a_server_that_ends_or_is_silent_is_not_ready() {
    let (free, port) = listener();
    drop(free);
    let binding = format!(
        "driver: http, address: '127.0.0.1:{port}', \
         commands: {{start: [sh, -c, 'echo no such disk; exit 3']}}"
    );
    let ran = refused("refused-ended", &binding, &["--allow-exec"]).expect(4);
    says(&ran, &["db/", "ended before it was ready", "no such disk"]);
    let binding = format!("driver: http, address: '127.0.0.1:{}'", silent());
    let ran = refused("refused-silent", &binding, &[]).expect(4);
    says(&ran, &["db/", "not ready within 10 s"]);
}

#[test]
fn commands_and_paces_are_refused_before_anything_is_started() {
    let binding = format!("driver: http, address: '127.0.0.1:{}'", answering(HELLO));
    let ran = refused("refused-pace", &binding, &["--pace", "60"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    says(&ran, &["pace 60", "`db` is a real service"]);
    let started = format!("{binding}, commands: {{start: [sleep, '90']}}");
    let ran = refused("refused-exec", &started, &[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    says(&ran, &["--allow-exec"]);
    let unset = "driver: postgres, address: '127.0.0.1:1', dsn: {env: ASSIZE_TEST_NOT_SET}";
    let ran = refused("refused-env", unset, &[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    says(&ran, &["ASSIZE_TEST_NOT_SET is not set"]);
}

/// In a process of its own: the data source comes from its environment.
#[test]
fn a_data_source_is_in_no_message_whoever_repeats_it() {
    let (free, port) = listener();
    drop(free);
    let folder = Folder::new("refused-secret");
    let text = format!(
        "assize: scenario/v1
topology:
  services:
    db:
      driver: postgres
      address: '127.0.0.1:{port}'
      dsn: {{env: SECRET_DSN}}
      commands: {{start: [sh, -c, 'echo connecting to $SECRET_DSN; exit 3']}}
  journeys: {{use: {{ledger: db, rate: 10/s, timeout: 2s}}}}
timeline: [{{id: out, at: 0s, fault: outage, target: service/db, for: 5s}}]
objectives: [{{rto: 10s, journey: use}}]
"
    );
    let file = folder.write("s.yaml", &text);
    let out = folder.path("out");
    let ran = std::process::Command::new(binary())
        .args([
            "run",
            &file,
            "--allow-exec",
            "--format",
            "json",
            "--out",
            &out,
        ])
        .env("SECRET_DSN", "postgres://u:hunter%402@h/d")
        .output()
        .expect("it starts");
    let mut said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert_eq!(ran.status.code(), Some(4), "{said}");
    assert!(said.contains("it said: connecting to …"), "{said}");
    for entry in std::fs::read_dir(&out).expect("a folder").flatten() {
        said += &std::fs::read_to_string(entry.path()).unwrap_or_default();
    }
    assert!(!said.contains("hunter"), "{said}");
}
