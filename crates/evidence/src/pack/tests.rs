//! Packs that were tampered with, in every way that the format must notice.

use super::*;
use crate::zip;
use proptest::prelude::*;

fn key(number: u8) -> PrivateKey {
    PrivateKey::new(&[number; 32])
}

fn sealed() -> Files {
    let journal = "{\"is\":\"began\"}\n{\"is\":\"fault\"}\n{\"is\":\"ended\"}\n";
    seal(
        [
            ("verdict.json", "{}\n"),
            ("run.json", "{\"seed\":0}\n"),
            ("inputs/a.yaml", "assize: scenario/v1\n"),
            ("journal/a.jsonl", journal),
        ]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
        .collect(),
    )
}

fn signed() -> Files {
    let mut files = sealed();
    sign(&mut files, Role::Supplier, State::Complete, &key(1));
    sign(&mut files, Role::Witness, State::Complete, &key(2));
    files
}

/// Everything wrong with a pack after this was done to it.
fn wrong(change: impl FnOnce(&mut Files)) -> String {
    let mut files = signed();
    change(&mut files);
    let refusals = check(&files).expect_err("refused");
    refusals.iter().map(|r| format!("{r}\n")).collect()
}

#[test]
fn a_pack_holds_and_says_who_signed_it() {
    let intact = check(&signed()).expect("holds");
    let roles: Vec<_> = intact.signed.iter().map(|s| (s.role, s.key)).collect();
    assert_eq!(
        roles,
        [
            (Role::Supplier, key(1).public()),
            (Role::Witness, key(2).public())
        ]
    );
    assert_eq!(intact.digest, digest(&signed()));
    assert_eq!(check(&sealed()).expect("holds").signed, []);
}

#[test]
fn each_way_of_tampering_is_named() {
    let text = wrong(|f| f.get_mut("verdict.json").expect("there")[0] = b'[');
    assert!(text.contains("`verdict.json`: its bytes are not those that were listed"));
    assert!(text.contains("`verdict.json`: its bytes are not those that were signed"));
    let text = wrong(|f| {
        f.insert("journal/a.jsonl".into(), b"{\"is\":\"began\"}\n".to_vec());
    });
    assert!(text.contains("the hash chain has 2 more"), "{text}");
    let text = wrong(|f| {
        let other = f["verdict.json"].clone();
        f.insert("inputs/a.yaml".into(), other);
    });
    assert!(text.contains("`inputs/a.yaml`: its bytes"), "{text}");
    let text = wrong(|f| {
        f.remove("inputs/a.yaml");
    });
    assert!(text.contains("`inputs/a.yaml`: it is listed, and not there"));
    let text = wrong(|f| {
        f.insert("extra.txt".into(), Vec::new());
    });
    assert!(text.contains("`extra.txt`: it is in no list"), "{text}");
    let text = wrong(|f| {
        f.remove("attestations/1-supplier.dsse.json");
    });
    assert!(text.contains("it was signed, and is not there"), "{text}");
    let text = wrong(|f| {
        f.insert("stamps/x.tsr".into(), Vec::new());
    });
    assert!(text.contains("not those it was named by"), "{text}");
}

/// Whoever alters a pack and seals it again cannot make the old signatures cover it.
#[test]
fn a_pack_that_is_sealed_anew_is_not_signed() {
    let text = wrong(|f| {
        f.insert("verdict.json".into(), b"[]\n".to_vec());
        let core = f
            .iter()
            .filter(|(n, _)| !n.starts_with("attest") && *n != SUMS);
        let core: Files = core.map(|(n, b)| (n.clone(), b.clone())).collect();
        f.insert(SUMS.into(), sums::write(&core));
    });
    assert!(text.contains("`SHA256SUMS`: its bytes are not those that were signed"));
}

/// A file that is listed after the fact is covered by no signature.
#[test]
fn a_signature_covers_every_listed_file() {
    let mut files = sealed();
    let mut fewer = files.clone();
    fewer.remove("run.json");
    sign(&mut fewer, Role::Supplier, State::Complete, &key(1));
    files.extend(fewer);
    let refusals = check(&files).expect_err("refused");
    assert!(refusals.iter().any(|r| r.why.contains("does not cover it")));
}

#[test]
fn a_stamp_must_be_of_the_pack() {
    let mut files = signed();
    let other = tsp::tests::answer(0, b"something else");
    let refusal = stamp(&mut files, &other).expect_err("refused");
    assert!(refusal.why.contains("something else"), "{refusal}");
    let newest = newest(&files);
    assert_eq!(newest, "attestations/2-witness.dsse.json");
    let answer = tsp::tests::answer(0, &files[&newest]);
    let stamped = stamp(&mut files, &answer).expect("a stamp");
    assert_eq!(stamped.of, newest);
    assert_eq!(check(&files).expect("holds").stamps, [stamped]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    /// Any byte of the zip, its own structure included: nothing passes.
    #[test]
    fn any_changed_byte_is_detected(place in any::<prop::sample::Index>(), with in 1..=255_u8) {
        let mut files = signed();
        let answer = tsp::tests::answer(0, &files["attestations/2-witness.dsse.json"]);
        stamp(&mut files, &answer).expect("a stamp");
        let mut bytes = zip::write(&files);
        let place = place.index(bytes.len());
        bytes[place] ^= with;
        let passed = zip::read(&bytes).map_err(|r| vec![r]).and_then(|files| check(&files));
        prop_assert!(passed.is_err(), "byte {place}");
    }
}

/// A pack with one more file, sealed anew.
fn with(name: &str) -> String {
    let mut files = sealed();
    files.remove(SUMS);
    files.insert(name.into(), b"x".to_vec());
    let refusals = check(&seal(files)).expect_err(name);
    refusals.iter().map(|r| format!("{r}\n")).collect()
}

#[test]
fn every_name_is_one_file_on_every_system() {
    for (name, why) in [
        ("Verdict.json", "in capitals alone"),
        ("verdict.json/x", "it is a file, and a folder too"),
        ("INPUTS", "it is a file, and a folder too"),
        ("inputs/b.", "ends in a dot"),
        ("inputs/ver\u{131}fy", "only letters"),
        ("inputs/a\0b", "only letters"),
        ("inputs/..\\x", "only letters"),
        ("stamps/x.tsr", "no place in the list of files"),
        (
            "attestations/9-customer.pub",
            "no place in the list of files",
        ),
    ] {
        let said = with(name);
        assert!(said.contains(why), "{name}: {said}");
    }
}

/// A statement by somebody who has the key and writes it as he likes.
fn stated(change: impl FnOnce(String) -> String) -> String {
    let mut files = sealed();
    let statement = Statement::of(&files, Role::Supplier, State::Complete).to_bytes();
    let text = change(String::from_utf8(statement).expect("text"));
    let envelope = Envelope::sign(text.as_bytes(), &key(1));
    files.insert(
        "attestations/1-supplier.pub".into(),
        key(1).public().to_pem().into_bytes(),
    );
    files.insert(
        "attestations/1-supplier.dsse.json".into(),
        envelope.to_bytes(),
    );
    match check(&files) {
        Ok(_) => String::new(),
        Err(refusals) => refusals.iter().map(|r| format!("{r}\n")).collect(),
    }
}

#[test]
fn a_statement_has_one_spelling_and_names_each_file_once() {
    assert_eq!(stated(|text| text), "");
    let first = |text: &str| {
        let (begin, rest) = text.split_once("[").expect("a list");
        let (subject, _) = rest.split_once("}}").expect("a subject");
        (format!("{begin}["), format!("{subject}}}}},"))
    };
    for (what, said) in [
        (
            "twice",
            stated(|text| {
                let (begin, subject) = first(&text);
                text.replacen(&begin, &format!("{begin}{subject}"), 1)
            }),
        ),
        (
            "twice with another digest",
            stated(|text| {
                let (begin, subject) = first(&text);
                let other = subject.replacen("\"sha256\":\"", "\"sha256\":\"0", 1);
                text.replacen(&begin, &format!("{begin}{other}"), 1)
            }),
        ),
        ("with room", stated(|text| text.replacen(':', ": ", 1))),
        (
            "two roles",
            stated(|text| text.replace("\"role\":", "\"role\":\"witness\",\"role\":")),
        ),
        (
            "another field",
            stated(|text| text.replace("\"role\":", "\"note\":\"met\",\"role\":")),
        ),
    ] {
        assert!(said.contains("what is signed is no"), "{what}: {said}");
    }
}
