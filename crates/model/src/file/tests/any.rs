//! Any bytes give a topology or problems.

use super::*;

#[test]
fn bombs_and_mountains_are_refused_quickly() {
    let mut many = String::from("assize: topology/v1\nnodes:\n");
    for i in 0..30_000 {
        many += &format!("  n{i}: {{}}\n");
    }
    problem(topology(&many), "at most 20000");
    let wrong = format!(
        "assize: topology/v1\nnodes: {{{}}}\n",
        "n: [], ".to_string()
            + &(0..15_000)
                .map(|i| format!("n{i}: {{kinnd: x}}"))
                .collect::<Vec<_>>()
                .join(", ")
    );
    let problems = topology(&wrong).unwrap_err();
    assert!(problems.0.len() <= 200);
    assert!(problems.to_string().len() < 1 << 20);
    problem(
        topology(&format!(
            "assize: topology/v1\nname: {}",
            "[".repeat(10_000_000)
        )),
        "recursion limit",
    );
    problem(
        topology(&format!(
            "assize: topology/v1\nname: {}",
            "[".repeat(60) + &"]".repeat(60)
        )),
        "nested more than",
    );
    problem(
        topology(&format!(
            "assize: topology/v1\nname: \"{}\"",
            "x".repeat(17 << 20)
        )),
        "at most",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any bytes give a topology or problems.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut source = MemorySource::default();
        source.insert("t.yaml", bytes);
        let options = LoadOptions::default();
        let _ = load_topology(&source, Path::new("t.yaml"), &options);
        let _ = load_scenario(&source, Path::new("t.yaml"), &options);
    }

    /// A good file with a stretch cut out, repeated or replaced.
    #[test]
    fn broken_topologies(at in 0usize..6_000, len in 0usize..60, put in "[a-z0-9:{}\\[\\], \n*&-]{0,12}") {
        let text = broken(FULL, at, len, &put);
        check_problems(topology(&text).map(|_| ()), &text);
    }

    #[test]
    fn broken_scenarios(at in 0usize..2_500, len in 0usize..60, put in "[a-z0-9:{}\\[\\], \n*&-]{0,12}") {
        let text = broken(FULL_SCENARIO, at, len, &put);
        let files = MemorySource::new([("full.yaml", FULL), ("scenarios/s.yaml", &text)]);
        let result = load_scenario(&files, Path::new("scenarios/s.yaml"), &LoadOptions::default());
        check_problems(result.map(|_| ()), &text);
    }

    /// Words of the format in any order, so that readers see values where they expect others.
    #[test]
    fn shuffled_values(picks in proptest::collection::vec((0usize..200, 0usize..200), 1..6)) {
        let words: Vec<&str> = FULL.split_inclusive([' ', ',', '}', ']']).collect();
        let mut words: Vec<String> = words.into_iter().map(str::to_string).collect();
        for (a, b) in picks {
            let (a, b) = (a * words.len() / 200, b * words.len() / 200);
            words.swap(a, b);
        }
        let text = words.concat();
        check_problems(topology(&text).map(|_| ()), &text);
    }

    #[test]
    fn any_selector(text in ".{0,30}") {
        let t = full();
        if let Err(why) = resolve_selector(&t, &text) {
            prop_assert!(!why.is_empty());
        }
    }

    #[test]
    fn any_setting(text in "[a-z.=0-9\\[\\]{}:, -]{0,30}") {
        let _ = with_sets(&[&text]);
    }
}

fn broken(text: &str, at: usize, len: usize, put: &str) -> String {
    let at = at.min(text.len());
    let end = (at + len).min(text.len());
    format!("{}{put}{}", &text[..at], &text[end..])
}

/// Every problem points into the file that it names.
fn check_problems(result: Result<(), Problems>, text: &str) {
    let Err(problems) = result else { return };
    assert!(problems.errors() > 0);
    for p in &problems.0 {
        let lines = text.lines().count() as u32 + 1;
        assert!(p.line <= lines.max(200), "{p}");
        assert!(!p.what.is_empty() && !p.to_string().is_empty());
    }
}
