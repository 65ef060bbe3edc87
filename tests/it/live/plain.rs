//! Not our fixtures: two plain HTTP servers and a script that anyone could write.

use super::run;
use assize_live::Wrap;
use assize_model::observation::{Ending, Observation, Served};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// Takes orders until the test is over; answers 201 to a good one.
pub(super) fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

fn answer(stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = n.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let status = match first.as_str().split(' ').next() {
        Some("GET") => "200 OK",
        _ if body.starts_with(b"{\"id\": ") => "201 Created",
        _ => "400 Bad Request",
    };
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    (&stream).write_all(text.as_bytes()).ok()
}

fn file(a: u16, b: u16) -> String {
    format!(
        "assize: scenario/v1
topology:
  services:
    web:
      mode: active-standby
      driver: http
      replicas: {{a: '127.0.0.1:{a}', b: '127.0.0.1:{b}'}}
      health: /health
      failover: {{check: {{every: 1s, timeout: 1s, fall: 2, phase: 0s}}}}
  journeys:
    order: {{http: POST /orders, to: web, body: '{{\"id\": \"{{id}}\"}}', expect: 201, rate: 20/s, timeout: 1s}}
steady_state: {{for: 2s}}
timeline: [{{id: out, at: 3s, fault: outage, target: service/web/a, for: 8s}}]
objectives: [{{rto: 10s, journey: order}}]
settle: 3s
"
    )
}

#[test]
fn two_plain_servers_fail_over_and_a_script_sees_it() {
    let text = file(server(), server());
    // Asks each server until one has failed and the other has not: that is the fault, seen from
    // outside.
    let script = r#"
for i in $(seq 200); do
  a=$(python3 -c "import urllib.request as u; u.urlopen('$ASSIZE_WEB_A_URL/health', timeout=1)" 2>/dev/null && echo up || echo down)
  b=$(python3 -c "import urllib.request as u; u.urlopen('$ASSIZE_WEB_B_URL/health', timeout=1)" 2>/dev/null && echo up || echo down)
  [ "$a$b" = downup ] && exit 0
done
exit 5"#;
    let (ended, seen) = run("live-plain", &text, |options| {
        options.wrap = Some(Wrap {
            argv: ["sh", "-c", script].map(String::from).into(),
            env: Vec::new(),
        });
    })
    .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(ended.why, Ending::Finished);
    let served = |range: std::ops::Range<i64>| {
        let inside =
            move |at: i64| (range.start * 1_000_000_000..range.end * 1_000_000_000).contains(&at);
        let samples = seen.iter().filter_map(move |o| match o {
            Observation::Sample { at, served, .. } if inside(at.0) => Some(*served == Served::Yes),
            _ => None,
        });
        let all: Vec<bool> = samples.collect();
        (all.iter().filter(|s| **s).count(), all.len())
    };
    // Before the fault all is well; while the checks find it, nobody is served; then the other is.
    let (good, all) = served(-1..2);
    let why = seen.iter().find_map(|o| match o {
        Observation::Sample { why, .. } if !why.is_empty() => Some(why),
        _ => None,
    });
    assert!(all > 20 && good == all, "{good} of {all}, {why:?}");
    let (good, all) = served(9..11);
    assert!(all > 10 && good == all, "{good} of {all}");
    assert!(seen.iter().any(|o| matches!(
        o,
        Observation::Sample {
            served: Served::No,
            ..
        }
    )));
    let code = seen.iter().find_map(|o| match o {
        Observation::Command { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(code, Some(Some(0)), "what the script saw");
    assert!(
        seen.iter()
            .all(|o| !matches!(o, Observation::TestedOn { real: false, .. }))
    );
}

#[test]
fn what_cannot_be_bound_is_refused_before_anything_is_broken() {
    let port = server();
    let nobody = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port();
    let good = file(port, port);
    let refused = |text: &str, pace: Option<u32>| {
        run("live-refused", text, |options| options.pace = pace)
            .expect_err("it is refused")
            .to_string()
    };
    let not_there = refused(&file(port, nobody), None);
    assert!(
        not_there.starts_with(&format!("web/b at 127.0.0.1:{nobody}: refused")),
        "{not_there}"
    );
    let too_fast = refused(&good, Some(60));
    assert!(
        too_fast.contains("pace 60") && too_fast.contains("real"),
        "{too_fast}"
    );
    let commands = good.replace("health:", "commands: {start: [sleep, 9]}\n      health:");
    let not_allowed = refused(&commands, None);
    assert!(not_allowed.contains("--allow-exec"), "{not_allowed}");
}
