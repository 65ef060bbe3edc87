//! A few figures from end to end: file, engine, judge and report agree on them.

use crate::support::{Folder, assize};

/// A fault on some of the sites is an outage at the strict default level, and none at a level
/// below the share that is still served.
#[test]
fn part_of_the_sites_is_an_outage_only_at_the_strict_level() {
    let folder = Folder::new("level");
    let file = |level: &str| {
        folder.write(
            "sites.yaml",
            &format!(
                "assize: scenario/v1\n\
                 topology:\n\
                 \x20 nodes: {{court: {{kind: site, count: 84}}, core: {{kind: switch}}}}\n\
                 \x20 links: {{wan: {{between: [court, core]}}}}\n\
                 \x20 services: {{app: {{replicas: {{a: {{at: core}}}}}}}}\n\
                 \x20 populations: {{staff: {{at: {{court: 8400}}, makes: {{work: 1/h}}}}}}\n\
                 \x20 journeys: {{work: {{calls: [app]}}}}\n\
                 timeline: [{{id: x, at: 0s, fault: outage, target: node/court, of: {{count: 10}}, for: 4h}}]\n\
                 objectives: [{{rto: 15m, journey: work{level}}}]\n\
                 settle: 1h\n"
            ),
        )
    };
    let strict = assize(&["simulate", &file(""), "--format", "json"])
        .expect(1)
        .json();
    assert_eq!(
        strict["findings"][0]["measured"]["ns"],
        4 * 3_600_000_000_000_i64
    );
    // 10 of 84 sites with 100 users each.
    let share = strict["populations"][0]["journeys"][0]["peak_out"]
        .as_f64()
        .unwrap_or(0.0);
    assert!((share - 10.0 / 84.0).abs() < 1e-9, "{share}");
    let lenient = assize(&["simulate", &file(", level: 85%"), "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(lenient["findings"][0]["measured"]["ns"], 0);
}
