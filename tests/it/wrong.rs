//! Files that are wrong: exit code 2, and a message that a person can act on, kept as golden
//! output.

use crate::support::{assize, golden, path};

/// Every file in `tests/wrong/`, by name.
fn files() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path("wrong"))
        .expect("the folder of wrong files")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[test]
fn each_is_refused_with_place_cause_and_remedy() {
    let files = files();
    assert!(files.len() >= 10, "{files:?}");
    for name in files {
        let file = path(&format!("wrong/{name}.yaml"));
        let ran = assize(&["check", &file]).expect(2);
        // Paths are as the caller wrote them, and this caller's differ from place to place.
        let text = ran.out.replace(&path("wrong/"), "");
        assert!(text.contains("error: "), "{name}: {text}");
        assert!(
            text.contains(&format!("{name}.yaml:")),
            "{name} names no place: {text}"
        );
        assert!(text.contains('^'), "{name} has no caret: {text}");
        golden(&format!("wrong/{name}.txt"), &text);
    }
}

#[test]
fn simulate_refuses_them_too_and_prints_nothing_as_a_result() {
    for name in files() {
        let file = path(&format!("wrong/{name}.yaml"));
        let ran = assize(&["simulate", &file]).expect(2);
        assert!(ran.out.is_empty(), "{name}: {}", ran.out);
        assert!(ran.err.contains("error: "), "{name}: {}", ran.err);
    }
}

#[test]
fn problems_are_there_for_programs_as_well() {
    let ran = assize(&[
        "check",
        "--format",
        "json",
        &path("wrong/misspelt-field.yaml"),
    ])
    .expect(2);
    let value = ran.json();
    assert_eq!(value["schema"], "assize/check/v1");
    assert_eq!(value["good"], false);
    let problems = value["files"][0]["problems"].as_array().expect("a list");
    let errors: Vec<u64> = problems
        .iter()
        .filter(|p| p["severity"] == "error")
        .filter_map(|p| p["line"].as_u64())
        .collect();
    assert_eq!(
        errors,
        [8, 10],
        "both misspellings, each at its line: {value:#}"
    );
}

#[test]
fn a_folder_of_them_is_checked_as_a_whole() {
    let ran = assize(&["check", &path("wrong")]).expect(2);
    for name in ["misspelt-field", "wrong-unit", "dependency-loop"] {
        assert!(
            ran.out.contains(&format!("{name}.yaml:")),
            "{name}: {}",
            ran.out
        );
    }
}
