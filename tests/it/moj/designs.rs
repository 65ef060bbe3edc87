//! The two designs compared: what each part of the redesign earns, and who grades them.

use super::*;

/// Each part of the redesign is there for a reason: without it, a scenario fails.
#[test]
fn every_part_of_the_redesign_earns_its_place() {
    for (part, scenario, objective) in [
        ("links.hub-s", "january-2019", "sign-in-rto"),
        ("links.hub-s", "data-centre-loss", "sign-in-rto"),
        (
            "services.directory.replicas.south",
            "data-centre-loss",
            "sign-in-rto",
        ),
        (
            "services.juror-db.state.backups.second",
            "juror-db-corruption",
            "juror-rpo",
        ),
        ("services.dhcp.replicas.b", "dhcp-silent", "sign-in-rto"),
    ] {
        let without = format!("{part}=null");
        let ran = run(scenario, Some(RESILIENT), &[&without], true).expect(1);
        let run = ran.json();
        assert_eq!(run["verdict"], "fail");
        assert_eq!(
            finding(&run, objective)["status"],
            "missed",
            "{scenario} without {part}"
        );
    }
    // What is missing then is what 2019 had not.
    let no_second = on_resilient("dhcp-silent", &["services.dhcp.replicas.b=null"]);
    assert_eq!(
        measured(&no_second, "hearing-rto"),
        6_000 * SECOND - FIRST_LEASE
    );
    let no_vault = on_resilient(
        "juror-db-corruption",
        &["services.juror-db.state.backups.second=null"],
    );
    let rpo = measured(&no_vault, "juror-rpo");
    assert!(15 * HOUR < rpo && rpo <= 15 * HOUR + 10 * MINUTE, "{rpo}");
}

#[test]
fn the_suite_fails_as_in_2019_and_passes_on_the_redesign() {
    let old = run("", None, &[], false).expect(1);
    let missed = run("", None, &[], true).json();
    let missed: usize = list(&missed, "runs")
        .iter()
        .map(|r| {
            let findings = list(r, "findings").iter();
            findings.filter(|f| f["status"] == "missed").count()
        })
        .sum();
    assert_eq!(
        old.last_line(),
        format!("moj-2019 misses {missed} targets, as it did in January 2019")
    );
    let new = run("", Some(RESILIENT), &[], false).expect(0);
    assert!(
        new.last_line().starts_with("moj-resilient meets"),
        "{}",
        new.last_line()
    );
    // The exception is shown, with who accepts it.
    assert!(new.last_line().contains("1 miss is accepted"));
    assert!(new.out.contains("service owner of CJSM"), "{}", new.out);
    assert_eq!(run("", None, &[], true).json()["verdict"], "fail");
    let new = run("", Some(RESILIENT), &[], true).json();
    assert_eq!(new["verdict"], "pass");
    assert_eq!(list(&new, "runs").len(), 6);
}

/// No design grades itself: what is judged, who judges and what they do stand in the base, and
/// scenarios only name objectives.
#[test]
fn objectives_populations_and_journeys_stand_in_the_base_only() {
    let read = |name: &str| std::fs::read_to_string(moj(name)).expect("a file");
    let sections = ["objectives:", "populations:", "journeys:"];
    let has = |text: &str, section: &str| text.lines().any(|l| l.starts_with(section));
    let base = read("base.yaml");
    for section in sections {
        assert!(has(&base, section), "{section}");
        for design in ["moj-2019.yaml", RESILIENT] {
            assert!(!has(&read(design), section), "{design} has {section}");
        }
    }
    let includes = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|l| l.starts_with("include"));
        lines.map(str::to_owned).collect()
    };
    for design in ["moj-2019.yaml", RESILIENT] {
        assert_eq!(includes(&read(design)), ["include: base.yaml"], "{design}");
    }
    for scenario in list(&on_suite(), "runs") {
        let name = scenario["scenario"].as_str().unwrap_or("");
        let text = read(&format!("scenarios/{name}.yaml"));
        assert!(text.contains("\ntopology: ../moj-2019.yaml\n"), "{name}");
        let objectives = text
            .lines()
            .skip_while(|l| *l != "objectives:")
            .skip(1)
            .take_while(|l| l.starts_with("  - "));
        for line in objectives {
            assert!(!line.contains([':', '{']), "{name}: {line}");
        }
    }
}

fn on_suite() -> Value {
    run("", None, &[], true).json()
}
