//! Not our fixtures, and as a process: two plain HTTP servers and a script that anyone could write,
//! bound in fifteen lines, on a machine that is busy with something else.
//!
//! A few runs of each kind; `ASSIZE_PLAIN_RUNS=20` makes as many, a step of `cargo xtask ci --full`.

use crate::support::{Folder, binary};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

const SHOP: &str = r#"
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(int(sys.argv[1]))

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
print(server.server_port, flush=True)
server.serve_forever()
"#;

/// Orders until the first server is out, and then from the other.
const SCRIPT: &str = r#"
import os, time, urllib.request

def order(url):
    try:
        urllib.request.urlopen(url + "/orders", data=b"{}", timeout=2)
        return True
    except OSError:
        return False

first, other = os.environ["ASSIZE_WEB_A_URL"], os.environ["ASSIZE_WEB_B_URL"]
end = time.time() + 60
while order(first):
    if time.time() > end:
        raise SystemExit(2)
    time.sleep(0.1)
raise SystemExit(0 if order(other) else 1)
"#;

/// Two checks that fail, a second apart, call the first server down: some 2 s, where 6 are allowed.
fn file(a: u16, b: u16) -> String {
    format!(
        "assize: scenario/v1
topology:
  services:
    web:
      driver: http
      mode: active-standby
      replicas: {{a: 127.0.0.1:{a}, b: 127.0.0.1:{b}}}
      health: /health
      failover: {{check: {{every: 1s, timeout: 1s, fall: 2}}}}
  journeys:
    order: {{http: POST /orders, to: web, body: '{{\"id\": \"{{id}}\"}}', rate: 20/s, timeout: 2s}}
steady_state: {{for: 3s}}
timeline: [{{id: out, at: 2s, fault: outage, target: service/web/a, for: 8s}}]
objectives: [{{rto: 6s, journey: order}}]
settle: 3s
"
    )
}

/// A server that answers orders with this status.
struct Shop {
    child: Child,
    port: u16,
}

impl Shop {
    fn start(folder: &Folder, status: &str) -> Self {
        let program = folder.write("shop.py", SHOP);
        let mut child = Command::new("python3")
            .args([&program, status])
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let port = line.trim().parse().expect("a port");
        Self { child, port }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs something while two threads of this process are busy.
fn on_a_busy_machine<T>(body: impl FnOnce() -> T) -> T {
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::black_box((0..10_000).fold(0u64, |sum, n| sum.wrapping_mul(3) + n));
                }
            });
        }
        let _over = Over(&over);
        body()
    })
}

/// Exit codes of so many runs, with what those said that are not `wanted`.
fn exits(name: &str, standby: &str, wanted: i32, few: usize) -> (Vec<i32>, String) {
    let runs = std::env::var("ASSIZE_PLAIN_RUNS").ok();
    let runs = runs.and_then(|n| n.parse().ok()).unwrap_or(few);
    let folder = Folder::new(name);
    let (a, b) = (Shop::start(&folder, "201"), Shop::start(&folder, standby));
    let scenario = folder.write("s.yaml", &file(a.port, b.port));
    let script = folder.write("script.py", SCRIPT);
    // Built, if it must be, before the load.
    binary();
    on_a_busy_machine(|| {
        let (mut codes, mut said) = (Vec::new(), String::new());
        for _ in 0..runs {
            let (code, text) = once(&scenario, &script);
            if code != wanted {
                said.push_str(&text);
            }
            codes.push(code);
        }
        (codes, said)
    })
}

fn once(scenario: &str, script: &str) -> (i32, String) {
    let ran = Command::new(binary())
        .args(["run", scenario, "--", "python3", script])
        .current_dir(Path::new(scenario).parent().expect("a folder"))
        .output()
        .expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&ran.stdout) + &text(&ran.stderr);
    (ran.status.code().unwrap_or(-1), said)
}

#[test]
fn plain_servers_that_fail_over_never_fail() {
    let (codes, said) = exits("anyone-good", "201", 0, 2);
    let undecided = codes.iter().filter(|code| **code == 3).count();
    let good = codes.iter().filter(|code| **code == 0).count();
    assert!(
        good + undecided == codes.len() && undecided <= 1,
        "{codes:?}\n{said}"
    );
}

#[test]
fn a_standby_that_takes_no_orders_always_fails() {
    let (codes, said) = exits("anyone-bad", "503", 1, 1);
    assert!(codes.iter().all(|code| *code == 1), "{codes:?}\n{said}");
}
