//! Evidence of runs: every attempt is packed, and the judge comes to the same from the pack alone.

use super::*;
use crate::evidence::store;
use assize_evidence::Files;

/// As predicted, and the engine says what nobody should read.
fn talkative(
    plan: &Plan<'_>,
    options: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    let at = Nanos::ZERO;
    let text = "could not log in: password=hunter2secret, postgres://app:swordfish9@db/x".into();
    sink(Observation::Note { at, text });
    as_predicted(plan, options, sink)
}

pub(super) fn verify(folder: &Folder, pack: &str) -> (i32, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let key = folder.file("key.pub");
    let args = ["assize", "evidence", "verify", pack, "--key", &key];
    let exit = crate::run(args, &mut out, &mut err);
    let said = [out, err].concat();
    (exit, String::from_utf8(said).expect("text"))
}

pub(super) fn packed(folder: &Folder, engine: Engine, pack: &str, more: &[&str]) -> Files {
    let key = assize_evidence::PrivateKey::new(&[3; 32]);
    std::fs::write(folder.file("key"), key.to_pem()).expect("a file");
    std::fs::write(folder.file("key.pub"), key.public().to_pem()).expect("a file");
    let (scenario, key) = (folder.file("loss.yaml"), folder.file("key"));
    let line = [&scenario, "--evidence", pack, "--sign-key", &key];
    let (exit, _, said) = ran(engine, &[&line[..], more].concat());
    assert!(exit.is_ok(), "{exit:?}: {said}");
    store::read(Path::new(pack))
        .expect("there")
        .expect("a pack")
}

#[test]
fn a_run_is_judged_to_the_same_from_its_pack() {
    let folder = Folder::new("evidence");
    let pack = folder.file("pack.zip");
    let files = packed(&folder, as_predicted, &pack, &["--repeat", "2"]);
    for name in ["journal/loss.jsonl", "journal/loss.2.jsonl", "junit.xml"] {
        assert!(files.contains_key(name), "{name}");
    }
    let (exit, said) = verify(&folder, &pack);
    assert_eq!(exit, 0, "{said}");
    assert!(
        said.contains("verdict.json follows from the journal"),
        "{said}"
    );
    // With what the caller asks for beyond the file's targets.
    let out = folder.file("out");
    let (exit, _, _) = ran(as_predicted, &[&folder.file("loss.yaml"), "--out", &out]);
    assert_eq!(exit.expect("an exit"), Exit::Pass);
    let pack = folder.file("late.zip");
    packed(
        &folder,
        late,
        &pack,
        &["--baseline", &out, "--require", "real"],
    );
    let (exit, said) = verify(&folder, &pack);
    assert_eq!(exit, 0, "{said}");
}

#[test]
fn what_was_not_carried_out_is_packed_too() {
    for (name, engine) in [("broken-off", interrupted as Engine), ("refused", refused)] {
        let folder = Folder::new(name);
        // A folder, with the slash that shells complete.
        let pack = folder.file("pack/");
        packed(&folder, engine, &pack, &[]);
        let (exit, said) = verify(&folder, &pack);
        assert_eq!(exit, 0, "{said}");
    }
}

#[test]
fn what_engines_say_is_written_without_secrets() {
    let folder = Folder::new("talkative");
    let (pack, out) = (folder.file("pack"), folder.file("out"));
    let mut files = packed(&folder, talkative, &pack, &["--out", &out]);
    for name in ["loss.journal.jsonl", "verdict.json"] {
        let bytes = std::fs::read(Path::new(&out).join(name)).expect("a file");
        files.insert(format!("out/{name}"), bytes);
    }
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        for secret in ["hunter2secret", "swordfish9"] {
            assert!(!text.contains(secret), "{secret} in {name}");
        }
    }
    let journal = String::from_utf8_lossy(&files["journal/loss.jsonl"]);
    assert!(journal.contains("password=REDACTED, postgres://REDACTED@db/x"));
    let (exit, said) = verify(&folder, &pack);
    assert_eq!(exit, 0, "{said}");
}
