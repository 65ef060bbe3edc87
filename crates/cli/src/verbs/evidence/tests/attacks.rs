//! Packs as somebody makes them who has the supplier's key and wants to be believed.

use super::*;

fn says(text: &str, what: &str) {
    assert!(text.contains(what), "{what}: {text}");
}

#[test]
fn nothing_lies_in_a_pack_that_its_run_has_not() {
    let folder = Folder::new("extra");
    folder.pack("pack.zip");
    // A page that looks like a verdict.
    let said = forged(&folder, |files| {
        files.insert("summary.html".into(), b"<h1>All clauses met</h1>".to_vec());
    });
    says(&said, "`summary.html`: nothing that was run has it");
    // A second journal, of a better run.
    let said = forged(&folder, |files| {
        let journal = files["journal/loss.jsonl"].clone();
        files.insert("journal/better.jsonl".into(), journal);
    });
    says(&said, "`journal/better.jsonl`: nothing that was run has it");
    // A file beside the scenario that was judged.
    let said = forged(&folder, |files| {
        files.insert("inputs/loss.yaml".into(), SCENARIO.into());
    });
    says(&said, "`inputs/loss.yaml`: nothing that was run has it");
    // The paper that tells how to check it.
    let said = forged(&folder, |files| {
        files.insert("VERIFY.txt".into(), b"    echo this pack holds\n".to_vec());
    });
    says(&said, "`VERIFY.txt`: it is not the one");
}

#[test]
fn one_input_cannot_be_shown_and_another_be_judged() {
    let folder = Folder::new("shown");
    folder.pack("pack.zip");
    let said = forged(&folder, |files| {
        let mut facts: serde_json::Value =
            serde_json::from_slice(&files["run.json"]).expect("JSON");
        let inputs = facts["inputs"].as_array_mut().expect("inputs");
        let mut shown = inputs[0].clone();
        shown["file"] = "inputs/shown.yaml".into();
        shown["sha256"] = serde_json::Value::Null;
        inputs.insert(0, shown);
        let kinder = SCENARIO.replace("rto: 5m", "rto: 1s");
        files.insert("inputs/shown.yaml".into(), kinder.into_bytes());
        files.insert("run.json".into(), format!("{facts:#}\n").into_bytes());
    });
    says(&said, "two inputs stand for one");
}

#[test]
fn files_of_another_pack_do_not_fit() {
    let folder = Folder::new("swapped");
    folder.pack("pack.zip");
    let other = SCENARIO.replace("at: 1m", "at: 2m");
    folder.write("loss.yaml", other.as_bytes());
    folder.pack("other.zip");
    let other = folder.files("other.zip");
    for (name, what) in [
        // An old verdict with a new journal, and the other way round.
        ("verdict.json", "`verdict.json`: it does not follow"),
        ("journal/loss.jsonl", "is of another scenario or topology"),
        ("report.html", "`report.html`: it does not follow"),
        ("junit.xml", "`junit.xml`: it does not follow"),
        ("run.json", "it is not the file that was read"),
    ] {
        let said = forged(&folder, |files| {
            assert_ne!(files[name], other[name], "{name}");
            files.insert(name.into(), other[name].clone());
        });
        says(&said, what);
    }
    // An envelope of another pack says nothing of this one.
    let mut files = folder.files("pack.zip");
    let envelope = "attestations/1-supplier.dsse.json";
    files.insert(envelope.into(), other[envelope].clone());
    folder.write("forged.zip", &zip::write(&files));
    let (exit, out, _) = folder.assize("evidence verify @forged.zip --key @key.pub");
    assert_eq!(exit, 1);
    says(&out, "its bytes are not those that were signed");
}

#[test]
fn a_key_vouches_in_its_own_role_alone() {
    let folder = Folder::new("roles");
    folder.pack("pack.zip");
    let line = "evidence verify @pack.zip --key";
    let path = folder.path("key.pub");
    let (exit, out, _) = folder.assize(&format!("{line} supplier={path}"));
    assert_eq!(exit, 0, "{out}");
    let (exit, out, _) = folder.assize(&format!("{line} customer={path}"));
    assert_eq!(exit, 1);
    says(&out, "signed it, and not as customer");
    // One person with two hats is one person.
    let sign = "evidence sign @pack.zip --role witness --key @key";
    assert_eq!(folder.assize(sign).0, 0);
    let (exit, out, _) = folder.assize(&format!("{line} @key.pub"));
    assert_eq!(exit, 3);
    says(&out, "supplier and witness signed with one key");
    // A role is signed, and cannot be changed by a name.
    let mut files = folder.files("pack.zip");
    for ending in ["dsse.json", "pub"] {
        let file = files.remove(&format!("attestations/2-witness.{ending}"));
        files.insert(
            format!("attestations/2-customer.{ending}"),
            file.expect("there"),
        );
    }
    folder.write("forged.zip", &zip::write(&files));
    let (exit, out, _) = folder.assize("evidence verify @forged.zip --key @key.pub");
    assert_eq!(exit, 1);
    says(&out, "it is signature 2 as witness, and named otherwise");
}

/// By hand, too, nothing lies among the signatures that is none.
#[test]
fn standard_tools_see_what_lies_among_the_signatures() {
    if !have("openssl") {
        return left_out(
            "standard_tools_see_what_lies_among_the_signatures",
            "openssl",
        );
    }
    let folder = Folder::new("among");
    folder.pack("pack");
    for (place, name) in [("attestations", "verdict.html"), ("stamps", "x.pdf")] {
        let name = format!("pack/{place}/{name}");
        std::fs::create_dir_all(folder.path(&format!("pack/{place}"))).expect("a folder");
        folder.write(&name, b"x");
        let (holds, said) = by_hand(&folder, "pack", "key.pub", None);
        assert!(!holds, "{name}: {said}");
        std::fs::remove_file(folder.path(&name)).expect("removed");
    }
    let (holds, said) = by_hand(&folder, "pack", "key.pub", None);
    assert!(holds, "{said}");
    says(&said, "as supplier, of a run that is complete");
}
