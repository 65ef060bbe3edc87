//! A system that fails over by itself sees a cut only where what its replicas say passes the
//! proxies.

use crate::support::{Folder, assize, free_port};
use std::net::TcpListener;

/// A member of a cluster: serves, and calls whom it is told to, at once or through the files that
/// the run keeps for it.
const MEMBER: &str = r#"
import os, socket, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Member(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

def address(whom):
    if ":" in whom and not whom.startswith("file:"):
        return whom
    with open(os.environ["ASSIZE_FOLDER"] + "/peers/" + whom.removeprefix("file:")) as file:
        return file.read().strip()

def call():
    while True:
        time.sleep(0.2)
        for whom in sys.argv[2:]:
            try:
                host, port = address(whom).rsplit(":", 1)
                socket.create_connection((host, int(port)), 1).close()
            except OSError:
                pass

threading.Thread(target=call, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Member).serve_forever()
"#;

/// Isolates one of two members, of which `a` calls `whom`; the exit code, and the reason of the
/// finding.
fn isolated(name: &str, peers: &str, whom: &str) -> (i32, String) {
    let folder = Folder::new(name);
    let member = folder.write("member.py", MEMBER);
    let (a, b) = (free_port().port(), free_port().port());
    let file = folder.write(
        "s.yaml",
        &format!(
            "assize: scenario/v1
topology:
  services:
    web:
      driver: http
      mode: active-standby
      replicas: {{a: '127.0.0.1:{a}', b: '127.0.0.1:{b}'}}
      failover: external
      peers: [{peers}]
      commands: {{start: [python3, {member}, '{{port}}', {}]}}
  journeys: {{order: {{http: GET /, to: web, rate: 10/s, timeout: 2s}}}}
steady_state: {{for: 2s}}
timeline: [{{id: cut, at: 1s, fault: isolate, target: service/web/a, for: 2s}}]
objectives: [{{rto: 30s, journey: order}}]
settle: 2s
",
            whom.replace("DIRECT", &format!("'127.0.0.1:{b}'"))
        ),
    );
    let ran = assize(&["run", "--allow-exec", "--format", "json", &file]);
    let reason = ran.json()["findings"][0]["reason"].to_string();
    (ran.code, reason)
}

#[test]
fn a_cut_that_a_cluster_cannot_have_seen_decides_nothing() {
    let (code, reason) = isolated("unseen-direct", "", "DIRECT");
    assert!(
        code == 3 && reason.contains("say to each other never passed") && reason.contains("`cut`"),
        "{code}: {reason}"
    );
}

#[test]
fn a_cluster_that_finds_its_replicas_through_the_run_sees_the_cut() {
    // Either member has the file of the other; its own is not there, and calling it fails.
    let (code, reason) = isolated("unseen-through", "", "'file:a', 'file:b'");
    assert_eq!(code, 0, "{reason}");
}

#[test]
fn who_has_a_control_plane_of_its_own_must_reach_it_through_the_run() {
    let control = TcpListener::bind("127.0.0.1:0").expect("a port");
    let own = control.local_addr().expect("an address");
    let peers = format!("'{own}'");
    let (code, reason) = isolated("unseen-peers", &peers, &format!("'file:b', '{own}'"));
    assert!(
        code == 3 && reason.contains("say to its `peers` never passed"),
        "{code}: {reason}"
    );
    let (code, reason) = isolated("seen-peers", &peers, &format!("'file:{own}'"));
    assert_eq!(code, 0, "{reason}");
}
