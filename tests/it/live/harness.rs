//! What makes a run prove nothing is caught and named: a fault that nothing met, traffic that went
//! round the proxies, no steady state, a runner that stood still, a service that somebody else
//! stopped.

#![expect(
    clippy::disallowed_methods,
    reason = "servers and runs are stopped from outside, at times of the wall"
)]

use super::canaries::{Measured, judged};
use super::run;
use crate::worked::{finding, time};
use assize_fault::Nanos;
use assize_model::finding::{Outcome, Status, VerdictKind};
use assize_model::observation::Observation;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

/// One service that users ask, and one that nobody does.
const LONELY: &str = "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, core: {kind: router}, aside: {kind: router}}
  links: {wan: {between: [site, core], latency: 1ms}, spur: {between: [aside, core], latency: 1ms}}
  services: {app: {replicas: {a: {at: core}}}, spare: {replicas: {a: {at: aside}}}}
  populations: {staff: {at: {site: 64}, makes: {look: 1/h}}}
  journeys: {look: {calls: [app], timeout: 4s}}
steady_state: {for: 20s}
timeline: [{id: unmet, at: 5s, for: 10s, fault: outage, target: service/spare}]
objectives: [{id: back, rto: 30s, journey: look}]
settle: 5s
live: {phases: 2}
";

fn outcome(name: &str, text: &str) -> Measured {
    let (_, seen) = run(name, text, |_| {}).unwrap_or_else(|e| panic!("{e}"));
    judged(text, &seen)
}

/// The one finding of a run that decides nothing, and why it does not.
#[track_caller]
fn undecided(out: &Outcome) -> &str {
    let back = finding(out, "back");
    assert_eq!(back.status, Status::Inconclusive, "{}", back.reason);
    assert_eq!(out.verdict, VerdictKind::Inconclusive);
    &back.reason
}

#[test]
fn a_fault_that_nothing_meets_proves_nothing() {
    let out = outcome("harness-unmet", LONELY).measured;
    assert!(!out.faults[0].bit, "{}", out.faults[0].evidence);
    let why = undecided(&out);
    assert!(why.contains("bit") || why.contains("met"), "{why}");
}

#[test]
fn a_steady_state_that_never_holds_is_not_laid_to_the_fault() {
    // An answer takes 10 s, and nobody waits longer than 4 s.
    let slow = LONELY
        .replace("app: {replicas", "app: {service_time: 10s, replicas")
        .replace("service/spare", "service/app");
    let out = outcome("harness-unsteady", &slow).measured;
    let why = undecided(&out);
    assert!(why.contains("steady state did not hold"), "{why}");
    assert!(why.contains("not broken by us"), "{why}");
}

/// A server that says nothing: whoever connects has been served.
fn listening() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

fn real(port: u16, journey: &str, timeline: &str) -> String {
    format!(
        "
assize: scenario/v1
topology:
  nodes: {{site: {{kind: site}}, core: {{kind: router}}}}
  links: {{wan: {{between: [site, core], latency: 1ms}}}}
  services: {{shop: {{driver: tcp, replicas: {{a: {{at: core, address: '127.0.0.1:{port}'}}}}}}}}
  populations: {{staff: {{at: {{site: 64}}, makes: {{order: 1/h}}}}}}
  journeys: {{order: {{{journey}, timeout: 1s}}}}
steady_state: {{for: 2s}}
timeline: [{timeline}]
objectives: [{{id: back, rto: 30s, journey: order}}]
settle: 2s
live: {{phases: 2}}
"
    )
}

#[test]
fn traffic_that_goes_round_the_proxy_is_noticed() {
    let (_open, port) = listening();
    // A command that asks nobody, and least of all the proxy that it is told of.
    let text = real(
        port,
        "calls: [shop], exec: ['true']",
        "{id: dark, at: 1s, for: 6s, fault: outage, target: node/core}",
    );
    let ran = run("harness-round", &text, |options| options.allow_exec = true);
    let (_, seen) = ran.unwrap_or_else(|e| panic!("{e}"));
    let found = seen.iter().any(|o| matches!(o, Observation::Bypassed { what, .. } if what.contains("answered while it was cut")));
    assert!(found, "nobody noticed");
    let out = judged(&text, &seen).measured;
    let why = undecided(&out);
    assert!(why.contains("shop was bypassed"), "{why}");
}

#[test]
fn a_service_that_somebody_else_stops_shows_in_the_samples() {
    let (listener, port) = listening();
    let text = real(
        port,
        "calls: [shop]",
        "{id: slow, at: 1s, for: 8s, fault: degrade, latency: 1ms, target: link/wan}",
    );
    let stopped = std::thread::spawn(move || {
        // From the first connection on, so that however long the preparation takes it is after it.
        let mut clients = vec![listener.accept().expect("a client").0];
        listener.set_nonblocking(true).expect("a socket");
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_secs(7) {
            clients.extend(listener.accept().map(|client| client.0));
            std::thread::sleep(Duration::from_millis(2));
        }
        drop((clients, listener));
    });
    let (_, seen) = run("harness-stopped", &text, |_| {}).unwrap_or_else(|e| panic!("{e}"));
    stopped.join().expect("it stopped");
    let both = judged(&text, &seen);
    let back = finding(&both.measured, "back");
    assert!(time(back.measured) > Nanos::secs(1), "{}", back.reason);
    assert_eq!(time(finding(&both.predicted, "back").measured), Nanos::ZERO);
    let difference = back.details.iter().find(|d| d.name == "difference");
    let difference = difference.expect("it is named");
    assert!(
        difference.text.contains("longer than predicted"),
        "{difference:?}"
    );
}

#[test]
fn a_runner_that_stands_still_decides_nothing() {
    let folder = crate::support::Folder::new("harness-still");
    let file = folder.path("still.yaml");
    // At pace 1, so that four seconds of the wall are four of the outage.
    let text = LONELY
        .replace("service/spare", "service/app")
        .replace("phases: 2", "phases: 2, pace: 1")
        .replace("steady_state: {for: 20s}", "steady_state: {for: 2s}");
    std::fs::write(&file, text).expect("a file");
    let mut child = Command::new(crate::support::binary())
        .args(["run", &file, "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // It says when the fault begins; then it is stopped, as by a machine that has other work.
    let mut said = child.stderr.take().expect("its progress");
    let (begun, mut byte) = (std::time::Instant::now(), [0]);
    let mut text = String::new();
    while !text.contains("unmet begins") && begun.elapsed() < Duration::from_secs(60) {
        match said.read(&mut byte) {
            Ok(1) => text.push(char::from(byte[0])),
            _ => break,
        }
    }
    let signal = |name: &str| {
        let sent = Command::new("kill")
            .args([name, &child.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|s| s.success()), "{name}");
    };
    signal("-STOP");
    std::thread::sleep(Duration::from_secs(4));
    signal("-CONT");
    let rest = std::thread::spawn(move || {
        let mut rest = String::new();
        let _ = said.read_to_string(&mut rest);
    });
    let output = child.wait_with_output().expect("its end");
    rest.join().expect("its progress");
    assert_eq!(output.status.code(), Some(3), "{text}");
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a verdict");
    let why = verdict["findings"][0]["reason"].as_str().expect("a reason");
    assert!(why.contains("runner"), "{why}");
}
