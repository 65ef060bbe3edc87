//! The two designs compared: what each part of the redesign earns, and who grades them.

use super::*;

/// What to change, as in the head of `moj-resilient.yaml`, and what fails then: scenario and
/// objective.
const PARTS: [(&str, &str); 23] = [
    ("links.hub-s=null", "january-2019 sign-in-rto"),
    ("links.hub-s=null", "data-centre-loss sign-in-rto"),
    (
        "links.hub-s.over=[court-wan,office-wan,probation-wan]",
        "wan-carrier-loss sign-in-rto",
    ),
    (
        "links.wifi-tunnel-2.over=court-wan",
        "wan-carrier-loss bench-rto",
    ),
    (
        "links.office-lte.standby.when=step",
        "supplier-atos office-email-rto",
    ),
    (
        "access.wifi-local.standby.when=step",
        "supplier-atos case-file-availability",
    ),
    (
        "services.directory.replicas.south=null",
        "data-centre-loss sign-in-rto",
    ),
    (
        "services.kerberos.replicas.south=null",
        "clock-skew sign-in-rto",
    ),
    (
        "services.xhibit.needs=storage-north",
        "probation-contingency hearing-rto",
    ),
    (
        "services.juror-db.replicas.south=null",
        "lying-health-check juror-rto",
    ),
    (
        "services.juror-db.state.backups.second=null",
        "juror-db-corruption juror-rpo",
    ),
    (
        "services.juror-db.state.backups.second=null",
        "backup-in-the-same-building juror-restore",
    ),
    (
        "services.juror-db.failover.rejoin=as-primary",
        "failback-onto-stale-primary juror-rpo",
    ),
    (
        "services.ocsp.replicas.south=null",
        "court-wifi-loss bench-rto",
    ),
    (
        "services.radius.replicas.b=null",
        "court-wifi-loss bench-rto",
    ),
    (
        "services.radius.failover.check.probes=host",
        "court-wifi-loss bench-rto",
    ),
    ("services.radius.queue=null", "radius-storm bench-rejoin"),
    (
        "services.radius.queue=null",
        "radius-certificate-expires bench-rejoin",
    ),
    ("services.dhcp.replicas.b=null", "dhcp-silent sign-in-rto"),
    (
        "services.dhcp.failover.check.probes=host",
        "dhcp-silent sign-in-rto",
    ),
    (
        "services.upstream-names.replicas.own=null",
        "dns-forwarders-2021 names-rto",
    ),
    (
        "services.platform-sign-in.replicas.second=null",
        "sign-in-outage-2022 platform-rto",
    ),
    (
        "services.notifications.capacity=2.112/s",
        "notification-overload notices-availability",
    ),
];

/// Each part of the redesign is there for a reason: without it, a scenario fails.
#[test]
fn every_part_of_the_redesign_earns_its_place() {
    for (change, missed) in PARTS {
        let (scenario, objective) = missed.split_once(' ').expect("two words");
        let ran = run(scenario, Some(RESILIENT), &[change], true).expect(1);
        let run = ran.json();
        assert_eq!(run["verdict"], "fail");
        assert_eq!(
            finding(&run, objective)["status"],
            "missed",
            "{scenario} with {change}"
        );
    }
    // The design says so of each, and of no other.
    let text = std::fs::read_to_string(moj(RESILIENT)).expect("the design");
    let head = text.lines().filter_map(|l| l.strip_prefix("#   "));
    let mut said: Vec<&str> = head.filter_map(|l| l.split("  ").next()).collect();
    let mut tried: Vec<&str> = PARTS.iter().map(|p| p.0).collect();
    said.sort_unstable();
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(said, tried);
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
    let suite = run("", None, &[], true).json();
    assert_eq!(suite["verdict"], "fail");
    let missed = |topology: &str| count(&suite, |r, f| r["topology"] == topology && is_missed(f));
    assert_eq!(
        old.last_line(),
        format!(
            "moj-2019 misses {} targets, as it did in January 2019; \
             moj-2022 misses {} targets, as it did in March 2022",
            missed("moj-2019"),
            missed("moj-2022")
        )
    );
    let new = run("", Some(RESILIENT), &[], false).expect(0);
    assert!(
        new.last_line().starts_with("moj-resilient meets"),
        "{}",
        new.last_line()
    );
    let suite = run("", Some(RESILIENT), &[], true).json();
    assert_eq!(suite["verdict"], "pass");
    // The exceptions are shown, with who accepts them and why.
    let accepted = count(&suite, |_, f| is_missed(f));
    let words = format!("{accepted} misses are accepted");
    assert!(new.last_line().contains(&words), "{}", new.last_line());
    assert!(new.out.contains("service owner of CJSM"), "{}", new.out);
    let all = list(&suite, "runs");
    assert_eq!(all.len(), scenarios().len());
    // Only where a whole supplier is gone, or another's platform fails, does it fall short.
    let short: Vec<&str> = all
        .iter()
        .filter(|r| list(r, "findings").iter().any(is_missed))
        .filter_map(|r| r["scenario"].as_str())
        .collect();
    assert_eq!(
        short,
        ["january-2019", "supplier-atos", "supplier-microsoft"]
    );
}

fn is_missed(finding: &Value) -> bool {
    finding["status"] == "missed"
}

/// Findings of a suite.
fn count(suite: &Value, which: impl Fn(&Value, &Value) -> bool) -> usize {
    let runs = list(suite, "runs").iter();
    runs.map(|r| {
        let findings = list(r, "findings").iter();
        findings.filter(|f| which(r, f)).count()
    })
    .sum()
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
        let mut topologies = ["2019", "2019-herd", "2022"].into_iter();
        assert!(
            topologies.any(|y| text.contains(&format!("\ntopology: ../moj-{y}.yaml\n"))),
            "{name}"
        );
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

/// The README's catalogue has each scenario in one line of five columns, and no other.
#[test]
fn the_catalogue_lists_every_scenario() {
    let readme = std::fs::read_to_string(moj("README.md")).expect("the README");
    let lines = readme.lines().filter_map(|l| l.strip_prefix("| `"));
    let lines = lines.filter(|l| l.matches(" | ").count() == 4);
    let mut listed: Vec<&str> = lines.filter_map(|l| l.split('`').next()).collect();
    listed.sort_unstable();
    assert_eq!(listed, scenarios());
}

fn on_suite() -> Value {
    run("", None, &[], true).json()
}
