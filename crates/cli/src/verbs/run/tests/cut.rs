//! Runs that were killed or stopped: told of and packed all the same, and never called complete.

use super::evidence::{packed, verify};
use super::*;
use crate::evidence::store;
use assize_evidence::{Files, PrivateKey, Role, State, pack, zip};

/// What a command of `assize` says and exits with; `@NAME` is a file of the folder.
fn assize(folder: &Folder, line: &str) -> (i32, String) {
    let words = line.split(' ').map(|word| match word.strip_prefix('@') {
        Some(name) => folder.file(name),
        None => word.to_owned(),
    });
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args: Vec<String> = std::iter::once("assize".to_owned()).chain(words).collect();
    let exit = crate::run(args, &mut out, &mut err);
    let said = [out, err].concat();
    (exit, String::from_utf8(said).expect("text"))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        match entry.file_type().expect("a kind").is_dir() {
            true => copy(&entry.path(), &to),
            false => std::fs::copy(entry.path(), to).map(|_| ()).expect("copied"),
        }
    }
}

/// Keeps what the disk holds in the middle of a run, as somebody finds it who has killed it.
fn photographed(
    plan: &Plan<'_>,
    name: &str,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    let place = format!("assize-run-verb-{}-{name}", std::process::id());
    let place = std::env::temp_dir().join(place);
    let journal = place.join("pack.zip.unfinished/loss.journal.jsonl");
    let simulated = assize_sim::simulate(plan);
    let (mut count, mut taken) = (0, false);
    observe(plan, &simulated, Nanos::ZERO, &mut |observation| {
        sink(observation);
        count += 1;
        if count < 3_000 || taken {
            return;
        }
        taken = true;
        let lines = || std::fs::read(&journal).map_or(0, |b| b.split(|c| *c == b'\n').count());
        while lines() < count {
            std::thread::yield_now();
        }
        let then = place.with_extension("then");
        copy(&place, &then);
        std::fs::rename(then, place.join("then")).expect("kept");
    });
    assert!(taken, "only {count} records");
    Ok(ended(simulated.end, Ending::Finished))
}

fn photographed_plain(
    plan: &Plan<'_>,
    _: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    photographed(plan, "killed-plain", sink)
}

fn photographed_registered(
    plan: &Plan<'_>,
    _: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    photographed(plan, "killed-registered", sink)
}

/// Half a line, as whoever is killed while writing leaves it.
fn torn(journal: &Path) {
    let mut bytes = std::fs::read(journal).expect("a journal");
    bytes.extend(b"{\"is\":\"sam");
    std::fs::write(journal, bytes).expect("a torn journal");
}

#[test]
fn a_killed_run_is_told_and_packed_from_its_folder() {
    let folder = Folder::new("killed-plain");
    packed(&folder, photographed_plain, &folder.file("pack.zip"), &[]);
    let unfinished = Path::new(&folder.file("pack.zip.unfinished")).exists();
    assert!(!unfinished, "what was packed is not kept twice");
    // From here on all is as it was when the run was killed; even its scenario has gone since.
    let run = folder.file("then/pack.zip.unfinished");
    torn(&Path::new(&run).join("loss.journal.jsonl"));
    std::fs::remove_file(folder.file("loss.yaml")).expect("removed");
    for format in ["table", "json", "junit", "markdown", "html"] {
        let (exit, said) = assize(&folder, &format!("report {run} --format {format}"));
        assert_eq!(exit, 3, "{format}: {said}");
        assert!(said.contains("killed"), "{format}: {said}");
    }
    let (exit, said) = assize(
        &folder,
        &format!("evidence pack {run} --out @late.zip --sign-key @key"),
    );
    assert_eq!(exit, 0, "{said}");
    let (exit, said) = verify(&folder, &folder.file("late.zip"));
    assert_eq!(exit, 0, "{said}");
    for line in [
        "late.zip: holds, of a run that was killed\n",
        "the run was KILLED: what it had recorded by then is here",
        "it was packed after the run, from its folder",
        "verdict.json follows from the journal",
        "it holds, of a run that was killed\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let late = store::read(Path::new(&folder.file("late.zip")))
        .expect("there")
        .expect("a pack");
    for (file, text) in [
        ("verdict.json", "\"ended\": \"killed\""),
        ("run.json", "\"state\": \"killed\""),
        ("VERIFY.txt", "The run in this pack was KILLED"),
    ] {
        let packed = String::from_utf8_lossy(&late[file]);
        assert!(packed.contains(text), "{file}: {packed}");
    }
    let (_, said) = assize(&folder, "evidence verify @late.zip --format json");
    assert!(said.contains("\"run\": \"killed\""), "{said}");
    // Nor does a second run begin where the first lies unpacked.
    copy(
        Path::new(&run),
        Path::new(&folder.file("other.zip.unfinished")),
    );
    std::fs::write(folder.file("loss.yaml"), SCENARIO).expect("a file");
    let (exit, _, _) = ran(
        as_predicted,
        &[
            &folder.file("loss.yaml"),
            "--evidence",
            &folder.file("other.zip"),
        ],
    );
    let why = format!("{exit:?}");
    assert!(
        why.contains("was killed before it wrote this pack"),
        "{why}"
    );
}

/// What `verify` says of a pack that is changed, sealed and signed anew by who has the key.
fn forged(folder: &Folder, whole: &Files, state: State, change: impl FnOnce(&mut Files)) -> String {
    let mut files = whole.clone();
    files.retain(|name, _| !name.starts_with("attestations/") && name != "SHA256SUMS");
    change(&mut files);
    let mut files = pack::seal(files);
    let key = PrivateKey::new(&[3; 32]);
    pack::sign(&mut files, Role::Supplier, state, &key);
    std::fs::write(folder.file("forged.zip"), zip::write(&files)).expect("a file");
    let (exit, said) = verify(folder, &folder.file("forged.zip"));
    assert_eq!(exit, 1, "{said}");
    said
}

/// Whoever says of a killed run that it came to its end is refused.
#[test]
fn a_killed_run_cannot_be_called_complete() {
    let folder = Folder::new("called");
    let out = folder.file("out");
    packed(
        &folder,
        interrupted,
        &folder.file("pack.zip"),
        &["--out", &out],
    );
    let files = store::read(Path::new(&folder.file("pack.zip")))
        .expect("there")
        .expect("a pack");
    let said = forged(&folder, &files, State::Complete, |_| {});
    assert!(
        said.contains("it says that the run is complete, and `run.json` says otherwise"),
        "{said}"
    );
    let said = forged(&folder, &files, State::Complete, |files| {
        let facts = String::from_utf8_lossy(&files["run.json"])
            .replace("\"state\": \"aborted\"", "\"state\": \"complete\"");
        files.insert("run.json".into(), facts.into_bytes());
    });
    assert!(said.contains("by its journals it is aborted"), "{said}");
    let said = forged(&folder, &files, State::Aborted, |files| {
        let text = String::from_utf8_lossy(&files["VERIFY.txt"]).replace("ABORTED", "a success");
        files.insert("VERIFY.txt".into(), text.into_bytes());
    });
    assert!(
        said.contains("it is not the one that packs of such runs have"),
        "{said}"
    );
}

#[test]
fn a_killed_attempt_is_packed_and_closes_its_entry() {
    let folder = Folder::new("killed-registered");
    let plan = "evidence plan @loss.yaml --out @plan.json --times 1 --challenge 4711";
    assert_eq!(assize(&folder, plan).0, 0);
    let plan = folder.file("plan.json");
    let pack = folder.file("pack.zip");
    packed(
        &folder,
        photographed_registered,
        &pack,
        &["--plan-file", &plan],
    );
    // As it was when the run was killed.
    let register = "plan.register.jsonl";
    std::fs::copy(
        folder.file("then/plan.register.jsonl"),
        folder.file(register),
    )
    .expect("copied");
    std::fs::remove_file(&pack).expect("removed");
    let run = folder.file("then/pack.zip.unfinished");
    let make = format!("evidence pack {run} --sign-key @key --out");
    // Another attempt is made meanwhile; the killed one is none of the runs that were registered.
    packed(
        &folder,
        as_predicted,
        &folder.file("2.zip"),
        &["--plan-file", &plan],
    );
    let (exit, said) = assize(&folder, &format!("{make} @1.zip --register @key"));
    assert_eq!(exit, 2, "{said}");
    let (exit, said) = assize(&folder, &format!("{make} @1.zip"));
    assert_eq!(exit, 0, "{said}");
    let text = std::fs::read_to_string(folder.file(register)).expect("a register");
    assert!(
        text.ends_with(&format!(
            "\"run\":\"killed\",\"before\":{}",
            text.rsplit_once("\"before\":").expect("an entry").1
        )),
        "{text}"
    );
    // Once.
    let (exit, said) = assize(&folder, &format!("{make} @again.zip"));
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("has the end of this attempt"), "{said}");
    let both = format!("evidence verify @1.zip @2.zip --key @key.pub --plan-file {plan}");
    let (exit, said) = assize(&folder, &both);
    assert_eq!(exit, 3, "{said}");
    assert!(said.contains("attempt 1 was killed: "), "{said}");
    // What was killed cannot be passed over.
    let (exit, said) = assize(
        &folder,
        &format!("evidence verify @2.zip --key @key.pub --plan-file {plan}"),
    );
    assert_eq!(exit, 3, "{said}");
    assert!(
        said.contains("attempt 1 was begun and broken off"),
        "{said}"
    );
}

/// Packs that a run writes itself when it is stopped say so, and hold.
#[test]
fn what_was_stopped_is_packed_and_says_so() {
    let short = [
        "--set",
        "timeline=[]",
        "--set",
        "steady_state.for=0s",
        "--set",
        "end=1s",
    ];
    let over = [&["--budget", "8s"], short.as_slice()].concat();
    let cases: [(&str, Engine, &[&str], &str); 5] = [
        (
            "interrupted",
            interrupted,
            &[],
            "interrupted: every fault was lifted",
        ),
        ("aborted", aborted, &[], "it was aborted"),
        (
            "left-out",
            as_predicted,
            &["--budget", "5s"],
            "of the budget of 5s",
        ),
        ("over-budget", endless, &over, "was spent before its end"),
        ("refused", refused, &[], "port 5432 is taken"),
    ];
    for (name, engine, more, why) in cases {
        let folder = Folder::new(&format!("stopped-{name}"));
        let pack = folder.file("pack.zip");
        let files = packed(&folder, engine, &pack, more);
        let (exit, said) = verify(&folder, &pack);
        assert_eq!(exit, 0, "{name}: {said}");
        assert!(
            said.ends_with("it holds, of a run that was aborted\n"),
            "{name}: {said}"
        );
        let text = String::from_utf8_lossy(&files["VERIFY.txt"]);
        assert!(
            text.contains("The run in this pack was ABORTED"),
            "{name}: {text}"
        );
        assert!(text.contains(why), "{name}: {text}");
        // And every report of the pack says so too.
        for format in ["table", "json", "junit", "markdown", "html"] {
            let (_, said) = assize(&folder, &format!("report {pack} --format {format}"));
            let words = ["interrupted", "aborted", "budget", "port 5432"];
            assert!(
                words.iter().any(|w| said.contains(w)),
                "{name}, {format}: {said}"
            );
        }
    }
}

fn aborted(
    plan: &Plan<'_>,
    _: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    observe(plan, &assize_sim::simulate(plan), Nanos::ZERO, sink);
    Ok(ended(Nanos::secs(40), Ending::Aborted))
}

/// One reader for all verbs: a verdict, a folder, a pack as folder and as file, a killed run.
#[test]
fn whatever_takes_a_run_takes_each_kind_of_it() {
    let folder = Folder::new("kinds");
    let (out, unpacked) = (folder.file("out"), folder.file("unpacked"));
    packed(&folder, late, &folder.file("pack.zip"), &["--out", &out]);
    copy(Path::new(&out), Path::new(&folder.file("cut")));
    std::fs::remove_file(folder.file("cut/verdict.json")).expect("removed");
    let files = store::read(Path::new(&folder.file("pack.zip")))
        .expect("there")
        .expect("a pack");
    store::put_all(Path::new(&unpacked), &files).expect("unpacked");
    std::fs::write(folder.file("topology.yaml"), "assize: topology/v1\nname: pair\nservices: {db: {replicas: {a: {}}}}\njourneys: {save: {calls: [db]}}\n").expect("a file");
    let runs = [
        "@out/verdict.json",
        "@out",
        "@pack.zip",
        "@unpacked",
        "@cut",
    ];
    for line in [
        "report RUN --format json",
        "compliance RUN --format json",
        "compare @out RUN --format json",
        "analyse @topology.yaml --coverage RUN --format json",
    ] {
        let said = runs.map(|run| {
            let (exit, said) = assize(&folder, &line.replace("RUN", run));
            // A verdict is no run that could be judged again.
            let alone = run.ends_with("json") && line.starts_with("report");
            assert_eq!(exit == 2, alone, "{line} {run}: {said}");
            let paths = said.replace(&folder.file(run.trim_start_matches('@')), "RUN");
            (!alone).then_some(paths)
        });
        for one in &said[2..] {
            assert_eq!(one, &said[1], "{line}");
        }
    }
    // A pack that was touched is no run.
    std::fs::write(folder.file("unpacked/verdict.json"), "{}").expect("written");
    for line in [
        "report",
        "compliance",
        "compare @out",
        "analyse @topology.yaml --coverage",
    ] {
        let (exit, said) = assize(&folder, &format!("{line} @unpacked"));
        assert_eq!(exit, 2, "{line}: {said}");
        assert!(
            said.contains("`verdict.json`: its bytes are not those"),
            "{line}: {said}"
        );
    }
}

/// A miss that is called undecided and made again, or one run that is told as two.
#[test]
fn the_best_of_many_cannot_be_chosen_within_a_pack() {
    let folder = Folder::new("best");
    let slow = [
        "--repeat",
        "2",
        "--set",
        "objectives=[{id: back, rto: 40s, journey: save}]",
    ];
    let whole = packed(&folder, late, &folder.file("pack.zip"), &slow);
    let (exit, said) = verify(&folder, &folder.file("pack.zip"));
    assert_eq!(exit, 0, "{said}");
    let edit = |files: &mut Files, from: &str, to: &str| {
        let text = String::from_utf8_lossy(&files["run.json"]).into_owned();
        assert!(text.contains(from), "{from}: {text}");
        files.insert("run.json".into(), text.replacen(from, to, 1).into_bytes());
    };
    let said = forged(&folder, &whole, State::Complete, |files| {
        edit(files, "\"replaced\": false", "\"replaced\": true")
    });
    assert!(
        said.contains("it was decided: only what could not be is made again"),
        "{said}"
    );
    let said = forged(&folder, &whole, State::Complete, |files| {
        let first = files["journal/loss.jsonl"].clone();
        files.insert("journal/loss.2.jsonl".into(), first);
    });
    assert!(said.contains("one run is told as two"), "{said}");
    let said = forged(&folder, &whole, State::Complete, |files| {
        files.remove("journal/loss.2.jsonl");
        files.remove("journal/loss.2.chain");
        edit(files, "journal/loss.2.jsonl", "journal/loss.jsonl");
    });
    assert!(said.contains("two runs are told from it"), "{said}");
}
