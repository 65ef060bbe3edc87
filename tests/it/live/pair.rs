//! PostgreSQL itself, started by the run from the shipped topology: what asynchronous replication
//! loses, that synchronous replication loses nothing, and what a restore brings back.
//!
//! A data source comes from the environment, and a test must not change its own: each of these
//! runs in a process of its own. They need Debian's PostgreSQL and a machine with nothing else to
//! do: `ASSIZE_POSTGRES_TESTS=1 cargo test -p assize-tests live::pair -- --test-threads=1`, a step of
//! `cargo xtask ci --full`; without that variable they pass without looking.

use crate::support::{Folder, binary, free_port, path};
use assize_fault::Nanos;
use assize_live::{Ended, Options, Refused};
use assize_model::Plan;
use assize_model::file::{LoadOptions, Source, load_scenario};
use assize_model::journal::{DecisionKind, ReadBack};
use assize_model::observation::{Logged, Observation, Served};
use std::path::Path;

const DSN: &str = "postgres://assize:hunter2@localhost/assize";

/// Runs one of the tests below that are ignored otherwise, with a data source.
fn inside(test: &str) {
    // Real failover on a machine that is busy with other tests would be a test of the machine.
    if std::env::var_os("ASSIZE_POSTGRES_TESTS").is_none() {
        return;
    }
    let ran = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            &format!("live::pair::{test}"),
            "--ignored",
            "--nocapture",
        ])
        .env("PAIR_DSN", DSN)
        .env("WRONG_DSN", DSN.replace("hunter2", "hunter3"))
        .env("PAIR_FSYNC", "off")
        .output()
        .expect("it starts");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn an_asynchronous_pair_loses_what_its_log_says() {
    inside("asynchronous");
}

#[test]
fn a_synchronous_pair_loses_nothing() {
    inside("synchronous");
}

#[test]
fn a_restore_brings_back_what_was_there_before_the_deletion() {
    inside("deletion");
}

#[test]
fn the_test_in_one_file_gives_its_verdict() {
    inside("one_file");
}

#[test]
fn a_pair_that_fails_over_by_itself_is_followed_and_its_old_primary_found() {
    inside("external");
}

#[test]
fn wrong_credentials_are_refused_and_not_repeated() {
    inside("credentials");
}

struct Disk;

impl Source for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| error.to_string())
    }
}

/// Runs a scenario of the shipped topology, on ports that are free.
fn run(scenario: &str, sets: &[&str]) -> Result<(Ended, Vec<Observation>), Refused> {
    let (a, b, shop) = (free_port().port(), free_port().port(), free_port().port());
    let mut all = vec![
        format!("services.db.addresses={{a: '127.0.0.1:{a}', b: '127.0.0.1:{b}'}}"),
        format!("services.db.commands.start.b=[./node.sh, standby, '{a}']"),
        format!("services.shop.addresses.one=127.0.0.1:{shop}"),
    ];
    all.extend(sets.iter().map(ToString::to_string));
    let load = LoadOptions {
        live: true,
        sets: all,
        ..LoadOptions::default()
    };
    let file = path(&format!(
        "../topologies/postgres-pair/scenarios/{scenario}.yaml"
    ));
    let (topology, scenario, _) =
        load_scenario(&Disk, Path::new(&file), &load).unwrap_or_else(|p| panic!("{p}"));
    let plan = Plan::new(&topology, &scenario, 1);
    let folder = Folder::new(&format!("pair-{a}"));
    let mut options = Options::new(folder.path("").into());
    options.allow_exec = true;
    let mut seen = Vec::new();
    let ended = assize_live::run(&plan, &options, &mut |o| seen.push(o))?;
    // Whatever went wrong in between, the password is in no record.
    let records = serde_json::to_string(&seen).expect("records");
    assert!(!records.contains("hunter"), "{records}");
    Ok((ended, seen))
}

fn read_back(seen: &[Observation]) -> &ReadBack {
    let last = seen.iter().rev().find_map(|o| match o {
        Observation::ReadBack(back) if back.is_final => Some(back),
        _ => None,
    });
    last.unwrap_or_else(|| panic!("nothing was read back: {:?}", notes(seen)))
}

fn notes(seen: &[Observation]) -> Vec<&str> {
    let notes = seen.iter().filter_map(|o| match o {
        Observation::Note { text, .. }
        | Observation::Log {
            what: Logged::State(text),
            ..
        } => Some(text.as_str()),
        Observation::Applied { what, .. } => Some(what.as_str()),
        _ => None,
    });
    notes.collect()
}

const SHORTER: [&str; 5] = [
    "steady_state.for=4s",
    "timeline.cut.at=2s",
    "timeline.cut.until=34s",
    "timeline.dc={id: dc, at: 12s, fault: outage, target: domain/dc-north, for: 20s}",
    "settle=15s",
];

#[test]
#[ignore = "run by an_asynchronous_pair_loses_what_its_log_says"]
fn asynchronous() {
    let (ended, seen) = run("cut-then-loss", &SHORTER).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(ended.left, Vec::<String>::new());
    let back = read_back(&seen);
    let (mut acknowledged, mut promoted) = (Vec::new(), None);
    for o in &seen {
        match *o {
            Observation::Log {
                replica: 0,
                position,
                what: Logged::Acknowledged { .. },
                ..
            } => acknowledged.push(position),
            Observation::Log {
                replica: 1,
                position,
                what: Logged::Promoted,
                ..
            } => promoted = promoted.or(Some(position)),
            _ => {}
        }
    }
    let promoted = promoted.unwrap_or_else(|| panic!("nobody was promoted: {:?}", notes(&seen)));
    let beyond = acknowledged.iter().filter(|at| **at > promoted).count() as u64;
    // The cut lasts 10 s before the loss, at some writes a second. Of those whose row is in the
    // copied log the commit may be missing: one write for each that was under way.
    assert!(back.lost >= 10, "{back:?}, {:?}", notes(&seen));
    assert!(
        back.lost.abs_diff(beyond) <= 3,
        "{back:?}; {beyond} beyond {promoted:x}, {:?}",
        notes(&seen)
    );
}

#[test]
#[ignore = "run by a_synchronous_pair_loses_nothing"]
fn synchronous() {
    let (_, seen) = run("cut-then-loss-sync", &SHORTER).unwrap_or_else(|e| panic!("{e}"));
    let back = read_back(&seen);
    assert_eq!(
        (back.lost, back.corrupted),
        (0, 0),
        "{back:?}, {:?}",
        notes(&seen)
    );
    // 6 s before the cut, and 20 s and more after the takeover, at 10 a second.
    assert!(back.acknowledged > 150, "{back:?}, {:?}", notes(&seen));
    let waits = |note: &&str| note.ends_with("followed by b streaming sync");
    assert!(notes(&seen).iter().any(waits), "{:?}", notes(&seen));
}

/// `assize heartbeat` as a user runs it, as soon as the database is there.
fn beat(port: u16) {
    super::killed::until("the heart beats", || {
        let beats = std::process::Command::new(binary())
            .args([
                "heartbeat",
                "--dsn",
                "env:BEAT_DSN",
                "--every",
                "1s",
                "--times",
                "6",
            ])
            .env(
                "BEAT_DSN",
                DSN.replace("localhost", &format!("127.0.0.1:{port}")),
            )
            .output()
            .expect("it starts");
        // Not there yet: what never worked is no interruption, and ends with 4.
        let said = String::from_utf8_lossy(&beats.stderr).into_owned();
        let code = beats.status.code();
        assert!(code == Some(0) || code == Some(4), "{said}");
        assert!(!said.contains("hunter"), "{said}");
        code == Some(0)
    });
}

#[test]
#[ignore = "run by the_test_in_one_file_gives_its_verdict"]
fn one_file() {
    let (a, b) = (free_port().port(), free_port().port());
    let sets = [
        format!("services.db.replicas={{a: '127.0.0.1:{a}', b: '127.0.0.1:{b}'}}"),
        format!("services.db.commands.start.b=[./node.sh, standby, '{a}']"),
    ];
    let file = path("../topologies/postgres-pair/one-file.yaml");
    let mut arguments = vec!["run", &file, "--allow-exec", "--format", "json"];
    arguments.extend(sets.iter().flat_map(|set| ["--set", set]));
    let ran = crate::support::assize(&arguments).expect(0);
    let findings = ran.json()["findings"].clone();
    for finding in findings.as_array().expect("findings") {
        assert_eq!(finding["status"], "met", "{finding}");
        assert_eq!(finding["tested_on"], "real", "{finding}");
    }
    // A standby that cannot be promoted: the same file, and the right verdict again.
    let fails = "timeline=[{at: 0s, fault: isolate, target: service/db@primary, for: 30s}, \
                 {at: 0s, fault: failed-promotion, target: service/db/b, for: 30s}]";
    arguments.extend(["--set", fails]);
    let ran = crate::support::assize(&arguments).expect(1);
    let findings = ran.json()["findings"].clone();
    let rto = &findings.as_array().expect("findings")[0];
    assert_eq!(rto["status"], "missed", "{rto}");
}

/// The pair's own arbiter, which fences nobody: as the run's command, it promotes the standby when
/// the primary no longer answers. The old primary is back after 15 s, and takes writes.
#[test]
#[ignore = "run by a_pair_that_fails_over_by_itself_is_followed_and_its_old_primary_found"]
fn external() {
    let (a, b) = (free_port().port(), free_port().port());
    let script = |name: &str| path(&format!("../topologies/postgres-pair/{name}.sh"));
    let (node, ready, stop) = (script("node"), script("ready"), script("stop"));
    let text = format!(
        "assize: scenario/v1
topology:
  services:
    db:
      driver: postgres
      replicas: {{a: '127.0.0.1:{a}', b: '127.0.0.1:{b}'}}
      dsn: {{env: PAIR_DSN}}
      failover: external
      commands: {{start: {{a: [{node}, primary], b: [{node}, standby, '{a}']}}, ready: {ready}, stop: {stop}}}
  journeys: {{write: {{ledger: db, rate: 20/s, timeout: 2s}}}}
timeline: [{{id: cut, at: 0s, fault: isolate, target: service/db@primary, for: 15s}}]
objectives: [{{rto: 20s, journey: write}}]
settle: 10s
"
    );
    let arbiter = "export PGPASSWORD=hunter2 PGCONNECT_TIMEOUT=2
ask() { psql -qAtX -h \"$1\" -p \"$2\" -U assize assize -c \"$3\"; }
while ask $ASSIZE_DB_A_HOST $ASSIZE_DB_A_PORT 'select 1'; do sleep 0.5; done
ask 127.0.0.1 PORT 'select pg_promote()'";
    let arbiter = arbiter.replace("127.0.0.1 PORT", &format!("127.0.0.1 {b}"));
    let (_, seen) = super::run("pair-external", &text, |options| {
        options.allow_exec = true;
        options.wrap = Some(assize_live::Wrap {
            argv: vec!["sh".into(), "-c".into(), arbiter],
            env: Vec::new(),
        });
    })
    .unwrap_or_else(|e| panic!("{e}"));
    let promoted = seen.iter().find_map(|o| match o {
        Observation::Decided(d) if d.kind == DecisionKind::Promoted => Some((d.at, &d.subject)),
        _ => None,
    });
    let (at, who) = promoted.unwrap_or_else(|| panic!("no takeover: {:?}", notes(&seen)));
    assert_eq!(who, "service/db/b");
    assert!((Nanos::secs(1)..Nanos::secs(14)).contains(&at), "{at}");
    // The cut was that of the primary, which nobody had named.
    let out = |o: &&Observation| matches!(o, Observation::Sample { at, served: Served::No, .. } if at.0 > 0);
    assert!(seen.iter().filter(out).count() > 10);
    let split = seen.iter().find_map(|o| match o {
        Observation::SplitBrain { from, .. } => Some(*from),
        _ => None,
    });
    // The standby follows its primary beside the proxies: of the cut the pair itself saw nothing.
    let unseen =
        |o: &Observation| matches!(o, Observation::Bypassed { what, .. } if what.contains("`cut`"));
    assert!(seen.iter().any(unseen), "{:?}", notes(&seen));
    let split = split.unwrap_or_else(|| panic!("one writer only: {:?}", notes(&seen)));
    assert!(split > Nanos::secs(14), "{split}");
}

#[test]
#[ignore = "run by a_restore_brings_back_what_was_there_before_the_deletion"]
fn deletion() {
    let port = free_port().port();
    let address = format!("services.db.addresses.a=127.0.0.1:{port}");
    let start = format!("services.db.commands.start.b=[./node.sh, standby, '{port}']");
    let sets = [
        address.as_str(),
        &start,
        "steady_state.for=4s",
        "timeline.gone.at=10s",
        "timeline.back.at=16s",
        "settle=20s",
    ];
    // Built before anything waits for it.
    let _ = binary();
    let beats = std::thread::spawn(move || beat(port));
    let (_, seen) = run("deletion", &sets).unwrap_or_else(|e| panic!("{e}"));
    beats.join().expect("the heartbeat");
    let back = read_back(&seen);
    let good = |o: &Observation| matches!(o, Observation::Restored(r) if r.good);
    assert!(seen.iter().any(good), "{:?}", notes(&seen));
    // The last of six beats, a second apart from when the server was ready, came before the
    // deletion at 10 s and has been restored with it at 16 s.
    let said = notes(&seen).into_iter().find_map(|note| {
        let (_, age) = note.split_once("restored had been written ")?;
        age.split(' ').next()?.parse::<f64>().ok()
    });
    let age = said.unwrap_or_else(|| panic!("no heartbeat: {:?}", notes(&seen)));
    assert!((6.0..25.0).contains(&age), "{age}");
    // Every entry up to the second before the deletion is there again.
    let early = back.losses.iter().find(|l| l.oldest_at.0 < 9_000_000_000);
    assert_eq!(early, None, "{back:?}, {:?}", notes(&seen));
    assert!(back.acknowledged > 30, "{back:?}");
}

#[test]
#[ignore = "run by wrong_credentials_are_refused_and_not_repeated"]
fn credentials() {
    let refused = run("data-centre-loss", &["services.db.dsn.env=WRONG_DSN"]);
    let text = refused.expect_err("it is refused").to_string();
    assert!(text.starts_with("db/a at 127.0.0.1:"), "{text}");
    assert!(text.contains("password authentication failed"), "{text}");
    assert!(!text.contains("hunter"), "{text}");
}
