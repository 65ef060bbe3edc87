//! The value of a variable that a service is bound to, planted wherever somebody might write it:
//! no byte that a run writes has it.

use super::refused::{HELLO, answering};
use crate::support::{Folder, binary};
use std::path::Path;

const DSN: &str = "postgres://user:hunter%402secret@127.0.0.1/d";
/// As it is in the variable, and as the server gets it.
const PASSWORDS: [&str; 2] = ["hunter%402secret", "hunter@2secret"];

/// Every file below, zip files as what is in them, by name.
fn written(folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            written(&path, all);
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        let name = path.display().to_string();
        if path.extension().is_some_and(|e| e == "zip") {
            let files = assize_evidence::zip::read(&bytes).expect("a zip file");
            all.extend(files.into_iter().map(|(n, b)| (format!("{name}/{n}"), b)));
        }
        all.push((name, bytes));
    }
}

#[test]
fn no_byte_that_is_written_has_a_bound_secret() {
    let folder = Folder::new("secrets");
    let [encoded, plain] = PASSWORDS;
    let file = folder.write(
        "s.yaml",
        &format!(
            "assize: scenario/v1
# It used to be {plain}.
topology:
  name: s
  services: {{web: {{driver: http, address: '127.0.0.1:{}', dsn: {{env: SECRET_DSN}}}}}}
  journeys: {{look: {{http: GET /, to: web, rate: 10/s, timeout: 2s}}}}
steady_state: {{for: 1s}}
timeline: [{{id: out, at: 1s, fault: outage, target: service/web, for: 2s}}]
objectives: [{{rto: 10s, journey: look}}]
tags: ['{encoded}']
settle: 1s
",
            answering(HELLO)
        ),
    );
    let record = format!("assize: record/v1\nkind: failover\nlead: A. Lead {plain}\n");
    let record = folder.write("drill.yaml", &record);
    let results = folder.path("results");
    std::fs::create_dir(&results).expect("a folder");
    let place = |name: &str| format!("{results}/{name}");
    let mut reports = Vec::new();
    for format in ["html", "junit", "markdown", "json", "table"] {
        reports.extend(["--report".to_owned(), format!("{format}={}", place(format))]);
    }
    let ran = std::process::Command::new(binary())
        .args(["run", &file, "--record", &record, "--set"])
        .arg(format!("tags=['{plain}']"))
        .args(["--out", &place("out"), "--evidence", &place("p.zip")])
        .args(reports)
        // The caller's own command may print what it likes; what is kept of it may not.
        .args(["--", "sh", "-c", "exit 0", DSN])
        .env("SECRET_DSN", DSN)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    let mut all = vec![("what it said".to_owned(), said.into_bytes())];
    written(Path::new(&results), &mut all);
    let journal = |(name, _): &&(String, Vec<u8>)| name.ends_with("journal/s.jsonl");
    assert!(
        all.iter().any(|one| journal(&one)),
        "no pack was looked into"
    );
    for (name, bytes) in &all {
        for secret in PASSWORDS {
            let there = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!there, "{secret} in {name}");
        }
    }
    // That it was struck out, and not merely never written.
    let struck = |end: &str| {
        let found = all.iter().find(|(name, _)| name.ends_with(end));
        let (name, bytes) = found.unwrap_or_else(|| panic!("no {end}"));
        let text = String::from_utf8_lossy(bytes);
        assert!(text.contains("REDACTED"), "{name}: {text}");
    };
    for end in ["p.zip/run.json", "s.yaml", "record.yaml", "out/run.json"] {
        struck(end);
    }
}
