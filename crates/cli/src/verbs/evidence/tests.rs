//! Packs from end to end: made, checked, tampered with, signed, stamped, registered.

use crate::evidence::store;
use assize_evidence::{Files, PrivateKey, Role, State, pack, sums, zip};
use std::path::{Path, PathBuf};
use std::process::Command;

mod attacks;

const SCENARIO: &str = "\
assize: scenario/v1
topology:
  services:
    db:
      mode: active-standby
      replicas: {a: {role: primary}, b: {role: standby}}
      failover: {check: {every: 2s, timeout: 1s, fall: 3}, promote: 30s}
      state: {replication: {mode: async, every: 5s}}
  journeys:
    write: {calls: [db], timeout: 10s}
timeline: [{id: out, at: 1m, fault: outage, target: service/db/a}]
objectives: [{rto: 5m, journey: write}]
settle: 5m
";

/// A folder of a test's own, removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = format!("assize-evidence-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("loss.yaml"), SCENARIO).expect("a file");
        let folder = Self(folder);
        let key = PrivateKey::new(&[1; 32]);
        folder.write("key", key.to_pem().as_bytes());
        folder.write("key.pub", key.public().to_pem().as_bytes());
        let other = PrivateKey::new(&[2; 32]);
        folder.write("other", other.to_pem().as_bytes());
        folder.write("other.pub", other.public().to_pem().as_bytes());
        folder
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.join(name), bytes).expect("a file");
    }

    /// Exit code, what it printed, what it said. `@NAME` is a file of this folder.
    fn assize(&self, line: &str) -> (i32, String, String) {
        let words = line.split(' ').map(|word| match word.strip_prefix('@') {
            Some(name) => self.path(name),
            None => word.replace("%20", " "),
        });
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args: Vec<String> = std::iter::once("assize".to_owned()).chain(words).collect();
        let exit = crate::run(args, &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (exit, text(out), text(err))
    }

    fn pack(&self, name: &str) {
        let line = format!("simulate @loss.yaml --evidence @{name} --sign-key @key");
        let (exit, _, said) = self.assize(&line);
        assert_eq!(exit, 0, "{said}");
    }

    fn files(&self, name: &str) -> Files {
        let read = store::read(Path::new(&self.path(name))).expect("there");
        read.expect("a pack")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_pack_is_made_and_holds() {
    let folder = Folder::new("holds");
    for name in ["pack.zip", "pack"] {
        folder.pack(name);
        let (exit, out, said) = folder.assize(&format!("evidence verify @{name} --key @key.pub"));
        assert_eq!((exit, said.as_str()), (0, "it holds\n"), "{out}");
        for line in [
            "signed as supplier by the key",
            "loss.jsonl: simulated again, it is the same to the byte",
            "verdict.json follows from the journal",
        ] {
            assert!(out.contains(line), "{line}:\n{out}");
        }
    }
    // It is told again as it was, from the pack alone, in every format.
    for format in ["table", "json", "junit", "markdown", "html"] {
        let (_, told, _) = folder.assize(&format!("simulate @loss.yaml --format {format}"));
        for name in ["pack.zip", "pack"] {
            let (exit, again, said) = folder.assize(&format!("report @{name} --format {format}"));
            assert_eq!(exit, 0, "{said}");
            assert!(told == again, "{name}, {format}");
        }
    }
    let files = folder.files("pack.zip");
    for name in [
        "verdict.json",
        "run.json",
        "VERIFY.txt",
        "SHA256SUMS",
        "junit.xml",
    ] {
        assert!(files.contains_key(name), "{name}");
    }
    let input = files
        .keys()
        .find(|name| name.starts_with("inputs/"))
        .expect("an input");
    assert_eq!(files[input], SCENARIO.as_bytes());
    // Evidence is not written over, and the same command gives the same bytes.
    let first = std::fs::read(folder.path("pack.zip")).expect("a file");
    let line = "simulate @loss.yaml --evidence @pack.zip --sign-key @key";
    let (exit, _, said) = folder.assize(line);
    assert_eq!(exit, 2);
    assert!(said.contains("is there already"), "{said}");
    std::fs::remove_file(folder.path("pack.zip")).expect("removed");
    folder.pack("pack.zip");
    assert!(std::fs::read(folder.path("pack.zip")).expect("a file") == first);
}

#[test]
fn what_nobody_vouches_for_is_not_shown() {
    let folder = Folder::new("vouch");
    folder.pack("pack.zip");
    let (exit, _, said) = folder.assize("evidence verify @pack.zip");
    assert_eq!(exit, 3);
    assert!(said.contains("nobody you trust vouches for it"), "{said}");
    let (exit, _, said) = folder.assize("evidence verify @pack.zip --key @other.pub");
    assert_eq!(exit, 1);
    assert!(said.contains("is not signed by the key"), "{said}");
    let (exit, _, said) = folder.assize("evidence verify @pack.zip --key @other");
    assert_eq!(exit, 2);
    assert!(said.contains("is a private key"), "{said}");
    // A second signature.
    let (exit, out, said) = folder.assize("evidence sign @pack.zip --role witness --key @other");
    assert_eq!(
        (exit, out.as_str()),
        (0, "attestations/2-witness.dsse.json\n"),
        "{said}"
    );
    let line = "evidence verify @pack.zip --key @other.pub --key @key.pub";
    let (exit, out, _) = folder.assize(line);
    assert_eq!(exit, 0);
    assert!(out.contains("signed as witness by the key"), "{out}");
    let (exit, _, said) = folder.assize("evidence sign @pack.zip --role boss --key @other");
    assert_eq!(exit, 2);
    assert!(
        said.contains("`supplier`, `witness` or `customer`"),
        "{said}"
    );
}

/// Takes a pack apart, changes it, seals and signs it anew, and says what `verify` says of it.
fn forged(folder: &Folder, change: impl FnOnce(&mut Files)) -> String {
    let mut files = folder.files("pack.zip");
    files.retain(|name, _| !name.starts_with("attestations/") && name != sums::SUMS);
    change(&mut files);
    let mut files = pack::seal(files);
    pack::sign(
        &mut files,
        Role::Supplier,
        State::Complete,
        &PrivateKey::new(&[1; 32]),
    );
    folder.write("forged.zip", &zip::write(&files));
    let (exit, out, said) = folder.assize("evidence verify @forged.zip --key @key.pub");
    assert_eq!(exit, 1, "{out}{said}");
    out + &said
}

/// A supplier who alters what was found has the key: seals and signs alone do not stop him.
#[test]
fn findings_that_do_not_follow_are_refused_whoever_signed_them() {
    let folder = Folder::new("forged");
    folder.pack("pack.zip");
    let replace = |files: &mut Files, name: &str, from: &str, to: &str| {
        let text = String::from_utf8(files[name].clone()).expect("text");
        assert!(text.contains(from), "{from}: {text}");
        files.insert(name.into(), text.replacen(from, to, 1).into_bytes());
    };
    let said = forged(&folder, |files| {
        replace(files, "verdict.json", "\"met\"", "\"missed\"")
    });
    assert!(
        said.contains("`verdict.json`: it does not follow from the journal"),
        "{said}"
    );
    let said = forged(&folder, |files| {
        replace(
            files,
            "journal/loss.jsonl",
            "\"bite\":[",
            "\"bite\":null,\"x\":[",
        )
    });
    assert!(said.contains("loss.jsonl"), "{said}");
    let said = forged(&folder, |files| {
        let name = "journal/loss.jsonl";
        let text = String::from_utf8(files[name].clone()).expect("text");
        let fewer: Vec<&str> = text
            .lines()
            .filter(|line| !line.contains("\"decided\""))
            .collect();
        assert!(fewer.len() < text.lines().count());
        files.insert(name.into(), format!("{}\n", fewer.join("\n")).into_bytes());
    });
    assert!(said.contains("refused"), "{said}");
    let said = forged(&folder, |files| {
        replace(files, "run.json", "\"seed\": 0", "\"seed\": 1")
    });
    assert!(said.contains("another seed"), "{said}");
    let input = folder.files("pack.zip");
    let input = input
        .keys()
        .find(|name| name.starts_with("inputs/"))
        .expect("an input");
    let said = forged(&folder, |files| replace(files, input, "rto: 5m", "rto: 9m"));
    assert!(said.contains("not the file that was read"), "{said}");
}

#[test]
fn what_is_no_pack_is_refused_with_its_reason() {
    let folder = Folder::new("broken");
    folder.pack("pack.zip");
    folder.pack("pack");
    let whole = std::fs::read(folder.path("pack.zip")).expect("a file");
    folder.write("short.zip", &whole[..whole.len() / 2]);
    let (exit, _, said) = folder.assize("evidence verify @short.zip --key @key.pub");
    assert_eq!(exit, 1);
    assert!(said.contains("it is cut short"), "{said}");
    folder.write("pack/extra.txt", b"x");
    let (exit, _, said) = folder.assize("evidence verify @pack --key @key.pub");
    assert_eq!(exit, 1);
    assert!(said.contains("`extra.txt`: it is in no list"), "{said}");
    std::fs::remove_file(folder.path("pack/extra.txt")).expect("removed");
    #[cfg(unix)]
    {
        let link = folder.path("pack/link.txt");
        std::os::unix::fs::symlink("/etc/passwd", link).expect("a link");
        let (exit, _, said) = folder.assize("evidence verify @pack --key @key.pub");
        assert_eq!(exit, 1);
        assert!(said.contains("`link.txt`: it is a link"), "{said}");
    }
    let (exit, _, said) = folder.assize("evidence verify @nothing.zip");
    assert_eq!(exit, 2);
    assert!(said.contains("there is no pack"), "{said}");
}

#[test]
fn a_plan_binds_runs_and_a_gap_is_seen() {
    let folder = Folder::new("plan");
    let challenge =
        "evidence plan @loss.yaml --out @plan.json --times 2 --for simulate --challenge 4711";
    let (exit, out, said) = folder.assize(challenge);
    assert_eq!(exit, 0, "{said}");
    assert_eq!(out.trim().len(), 64);
    let line = |name: &str| {
        format!("simulate @loss.yaml --evidence @{name} --sign-key @key --plan-file @plan.json")
    };
    let copy = |from: &str, to: &str| std::fs::copy(folder.path(from), folder.path(to)).map(|_| ());
    assert_eq!(folder.assize(&line("1.zip")).0, 0);
    copy("plan.register.jsonl", "plan.kept").expect("copied");
    assert_eq!(folder.assize(&line("2.zip")).0, 0);
    let (exit, _, said) = folder.assize(&line("3.zip"));
    assert_eq!(exit, 2);
    assert!(
        said.contains("has 2 of 2 registered runs already"),
        "{said}"
    );
    let verify = |packs: &str| {
        folder.assize(&format!(
            "evidence verify {packs} --key @key.pub --plan-file @plan.json"
        ))
    };
    let (exit, out, said) = verify("@1.zip @2.zip");
    assert_eq!((exit, said.as_str()), (0, "all 2 packs hold\n"), "{out}");
    assert!(
        out.contains("attempt 2 of 2 registered, with the challenge `4711`"),
        "{out}"
    );
    // A gap.
    let (exit, _, said) = verify("@2.zip");
    assert_eq!(exit, 1);
    assert!(said.contains("there is a gap: attempt 1"), "{said}");
    // Not all of them.
    let (exit, _, said) = verify("@1.zip");
    assert_eq!(exit, 3);
    assert!(
        said.contains("1 of 2 registered runs were made so far"),
        "{said}"
    );
    // A second run as attempt 2, from a copy of the register.
    copy("plan.kept", "plan.register.jsonl").expect("copied");
    assert_eq!(folder.assize(&line("again.zip")).0, 0);
    let (exit, _, said) = verify("@1.zip @2.zip @again.zip");
    assert_eq!(exit, 1);
    assert!(
        said.contains("a run was made that the other does not register"),
        "{said}"
    );
    // A run without a plan, and one of something else.
    folder.pack("free.zip");
    let (exit, _, said) = verify("@free.zip");
    assert_eq!(exit, 1);
    assert!(said.contains("it is of another plan, or of none"), "{said}");
    let other = line("x.zip") + " --set objectives=[{rto:%2010m,journey:%20write}]";
    let (exit, _, said) = folder.assize(&other);
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("`loss` was changed since"), "{said}");
    let (exit, _, said) = folder.assize(&(line("x.zip") + " --seed 5"));
    assert_eq!(exit, 2);
    assert!(said.contains("its seed follows from the plan"), "{said}");
}

#[test]
fn packs_chain_and_the_record_of_a_drill_is_packed_and_shown() {
    let folder = Folder::new("record");
    folder.pack("1.zip");
    let record = "assize: record/v1\nkind: failover\nlead: A. Lead\nobservers: [B]\nchange: CHG1\n";
    folder.write("drill.yaml", record.as_bytes());
    let line =
        "simulate @loss.yaml --evidence @2.zip --sign-key @key --after @1.zip --record @drill.yaml";
    assert_eq!(folder.assize(line).0, 0);
    let (exit, out, said) = folder.assize("evidence verify @2.zip --key @key.pub");
    assert_eq!(exit, 0, "{said}");
    let before = pack::digest(&folder.files("1.zip"));
    assert!(
        out.contains(&format!("it comes after the pack {before}")),
        "{out}"
    );
    assert!(out.contains("failover test, led by A. Lead"), "{out}");
    let first = String::from_utf8(folder.files("2.zip")["journal/loss.jsonl"].clone());
    assert!(
        first
            .expect("text")
            .lines()
            .next()
            .expect("a line")
            .contains(&before)
    );
    folder.write("drill.yaml", b"assize: record/v1\nkind: failover\n");
    let (exit, _, said) =
        folder.assize("simulate @loss.yaml --evidence @3.zip --record @drill.yaml");
    assert_eq!(exit, 2);
    assert!(said.contains("`lead` is missing"), "{said}");
}

#[test]
fn a_contract_and_an_analysis_are_packed_and_reported_again() {
    let folder = Folder::new("beside");
    let contract = "assize: contract/v1\nsupplier: [acme]\nlevels:\n  write: {target: 99.9%, credit: shortfall}\n";
    folder.write("contract.yaml", contract.as_bytes());
    let (exit, out, said) = folder.assize("analyse @loss.yaml --format json");
    assert_eq!(exit, 0, "{said}");
    folder.write("analysis.json", out.as_bytes());
    let line = "simulate @loss.yaml --contract @contract.yaml --analysis @analysis.json \
                --evidence @1.zip --sign-key @key";
    let (exit, out, said) = folder.assize(line);
    assert_eq!(exit, 0, "{said}");
    assert!(out.contains("The contract"), "{out}");
    let files = folder.files("1.zip");
    let page = String::from_utf8_lossy(&files["report.html"]);
    assert!(page.contains("id=\"contract\"") && page.contains("id=\"analysis\""));
    assert!(files.contains_key("analysis.json"));
    let (exit, _, said) = folder.assize("evidence verify @1.zip --key @key.pub");
    assert_eq!(exit, 0, "{said}");
    // Of another topology it is refused before anything is run.
    let other = String::from_utf8_lossy(&files["analysis.json"])
        .replace("\"name\": \"", "\"name\": \"not-");
    folder.write("other.json", other.as_bytes());
    let (exit, _, said) = folder.assize("simulate @loss.yaml --analysis @other.json");
    assert_eq!(exit, 2, "{said}");
    assert!(said.contains("analyse the topology that is run"), "{said}");
}

#[test]
fn planted_secrets_are_nowhere_in_a_pack() {
    let folder = Folder::new("secrets");
    let planted = SCENARIO.replace(
        "settle: 5m",
        "settle: 5m\ntags: ['http://bob:hunter2secret@host/']\n\
         # password: swordfish9\n",
    );
    folder.write("loss.yaml", planted.as_bytes());
    let line = "simulate @loss.yaml --evidence @pack --sign-key @key --set timeline.out.for=2m";
    assert_eq!(folder.assize(line).0, 0);
    for (name, bytes) in &folder.files("pack") {
        let text = String::from_utf8_lossy(bytes);
        for secret in ["hunter2secret", "swordfish9", "BEGIN PRIVATE"] {
            assert!(!text.contains(secret), "{secret} in {name}");
        }
    }
    let (exit, out, said) = folder.assize("evidence verify @pack --key @key.pub");
    assert_eq!(exit, 0, "{said}");
    assert!(
        out.contains("1 of its inputs had secrets, which were struck out"),
        "{out}"
    );
}

/// Whether a program is here; tests that need it are left out by name otherwise.
fn have(program: &str) -> bool {
    Command::new(program).arg("version").output().is_ok()
}

#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn left_out(test: &str, what: &str) {
    eprintln!("{test} is left out: {what} is not here");
}

/// The script that stands in `VERIFY.txt`, run on an unpacked pack.
fn by_hand(folder: &Folder, pack: &str, signer: &str, tsa: Option<&str>) -> (bool, String) {
    let text = std::fs::read_to_string(folder.path(&format!("{pack}/VERIFY.txt"))).expect("a file");
    let script: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &script.join("\n")])
        .current_dir(folder.path(pack));
    shell.env("SIGNER", folder.path(signer)).env_remove("TSA");
    if let Some(tsa) = tsa {
        shell.env("TSA", folder.path(tsa));
    }
    let output = shell.output().expect("a shell");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn standard_tools_alone_check_a_pack() {
    if !have("openssl") {
        return left_out("standard_tools_alone_check_a_pack", "openssl");
    }
    let folder = Folder::new("tools");
    folder.pack("pack");
    let (holds, said) = by_hand(&folder, "pack", "key.pub", None);
    assert!(holds && said.ends_with("this pack holds\n"), "{said}");
    assert!(said.contains("signed by that key, as supplier"), "{said}");
    let (holds, said) = by_hand(&folder, "pack", "other.pub", None);
    assert!(
        !holds && said.contains("no signature by that key"),
        "{said}"
    );
    folder.write("pack/extra.txt", b"x");
    assert!(!by_hand(&folder, "pack", "key.pub", None).0);
    std::fs::remove_file(folder.path("pack/extra.txt")).expect("removed");
    let verdict = std::fs::read(folder.path("pack/verdict.json")).expect("a file");
    folder.write("pack/verdict.json", &[verdict.as_slice(), b" "].concat());
    let (holds, said) = by_hand(&folder, "pack", "key.pub", None);
    assert!(!holds && said.contains("verdict.json: FAILED"), "{said}");
    folder.write("pack/verdict.json", &verdict);
    // The chain says where a record was dropped, even if the sums were made anew.
    let journal = std::fs::read_to_string(folder.path("pack/journal/loss.jsonl")).expect("a file");
    let fewer: Vec<&str> = journal.lines().skip(1).collect();
    folder.write(
        "pack/journal/loss.jsonl",
        format!("{}\n", fewer.join("\n")).as_bytes(),
    );
    assert!(!by_hand(&folder, "pack", "key.pub", None).0);
}

/// An authority made by openssl, whose answer is attached and checked by openssl.
#[test]
fn a_time_stamp_is_asked_for_attached_and_checked() {
    if !have("openssl") {
        return left_out("a_time_stamp_is_asked_for_attached_and_checked", "openssl");
    }
    let folder = Folder::new("tsa");
    let openssl = |args: &str| {
        let words = args.split(' ').map(|word| word.replace("%20", " "));
        let mut command = Command::new("openssl");
        let output = command
            .args(words)
            .current_dir(&folder.0)
            .output()
            .expect("openssl");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args}: {said}");
    };
    let config = "[tsa]\ndefault_tsa = it\n[it]\nserial = serial\nsigner_digest = sha256\n\
                  default_policy = 1.2.3.4\ndigests = sha256\ness_cert_id_chain = no\n\
                  ess_cert_id_alg = sha256\n";
    folder.write("tsa.conf", config.as_bytes());
    folder.write("serial", b"01");
    openssl(
        "req -x509 -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.pem -days 2 -subj /CN=A \
         -addext extendedKeyUsage=critical,timeStamping"
            .replace("         ", "")
            .as_str(),
    );
    folder.pack("pack");
    assert_eq!(folder.assize("evidence tsq @pack --out @ask.tsq").0, 0);
    openssl(
        "ts -reply -config tsa.conf -section it -queryfile ask.tsq -signer tsa.pem -inkey tsa.key \
         -out answer.tsr"
            .replace("         ", "")
            .as_str(),
    );
    let (exit, out, said) = folder.assize("evidence attach @pack @answer.tsr");
    assert_eq!(exit, 0, "{said}");
    assert!(out.starts_with("stamps/"), "{out}");
    assert_eq!(folder.assize("evidence attach @pack @answer.tsr").0, 2);
    let (exit, out, said) = folder.assize("evidence verify @pack --key @key.pub");
    assert_eq!(exit, 0, "{said}");
    assert!(
        out.contains("time-stamp: it is about attestations/1-supplier.dsse.json and claims 20")
            && out.contains("was NOT checked"),
        "{out}"
    );
    let (holds, said) = by_hand(&folder, "pack", "key.pub", Some("tsa.pem"));
    assert!(
        holds && said.contains("1-supplier.dsse.json was there at"),
        "{said}"
    );
    // One of something else is refused.
    folder.write(
        "loss.yaml",
        SCENARIO.replace("settle: 5m", "settle: 6m").as_bytes(),
    );
    folder.pack("third");
    let line = "evidence attach @third @answer.tsr";
    let (exit, _, said) = folder.assize(line);
    assert_eq!(exit, 2);
    assert!(said.contains("a time-stamp of something else"), "{said}");
}

#[test]
fn keys_are_made_for_openssl_and_not_written_over() {
    let folder = Folder::new("keys");
    let (exit, out, said) = folder.assize("evidence keygen --out @mine");
    assert_eq!(exit, 0, "{said}");
    assert_eq!(out.trim().len(), 64);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path("mine"))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let (exit, _, said) = folder.assize("evidence keygen --out @mine");
    assert_eq!(exit, 2);
    assert!(said.contains("never written over"), "{said}");
    let pack = "simulate @loss.yaml --evidence @p.zip --sign-key @mine";
    assert_eq!(folder.assize(pack).0, 0);
    assert_eq!(folder.assize("evidence verify @p.zip --key @mine.pub").0, 0);
    if have("openssl") {
        let mut openssl = Command::new("openssl");
        openssl.args(["pkey", "-pubout", "-in", &folder.path("mine")]);
        let public = openssl.output().expect("openssl").stdout;
        assert_eq!(
            public,
            std::fs::read(folder.path("mine.pub")).expect("a file")
        );
    }
}
