//! Networks that fail: court Wi-Fi, the carrier, mobile access, and what probation and the courts
//! do without their storage: the figures worked out by hand in the scenarios' comments.

use super::*;

/// The first of 64 sessions is due at 3,600 s / 128, and cut 30 s later.
const FIRST_SESSION: i64 = 58_125 * MS;

#[test]
fn court_wifi_loss_in_2019() {
    let run = on_2019("court-wifi-loss", &[]);
    // From 09:00 on, and never back.
    assert_eq!(measured(&run, "bench-rto"), 7 * HOUR - FIRST_SESSION);
    assert_eq!(finding(&run, "bench-rto")["status"], "missed");
    assert_eq!(measured(&run, "wifi-rto"), 20 * MINUTE);
    let radius = list(by_id(list(&run, "services"), "radius"), "served_by");
    assert!(radius.iter().all(|s| s["replica"] == "a"), "{radius:#?}");

    // Without the first fault, the responder alone does it.
    let run = on_2019("court-wifi-loss", &["timeline.first-server=null"]);
    assert_eq!(measured(&run, "bench-rto"), 4 * HOUR - FIRST_SESSION);

    // A check that asks RADIUS calls the first server dead at 23 s and has the second by 53 s.
    let asks = "services.radius.failover.check.probes=service";
    let alone = ["timeline.responder=null", "timeline.controller=null", asks];
    let run = on_2019("court-wifi-loss", &alone);
    let radius = list(by_id(list(&run, "services"), "radius"), "served_by");
    let second = radius.iter().find(|s| s["replica"] == "b");
    let from = second.map(|s| s["from"].clone());
    assert_eq!(from, Some(Value::from("2019-03-12T09:00:53Z")));
    let papers = journey(&run, "judiciary", "bench-papers");
    assert_eq!(served(papers, 5 * HOUR), 1.0);
    assert_eq!(list(papers, "rto_outages").len(), 1);
}

#[test]
fn court_wifi_loss_on_the_redesign() {
    let run = on_resilient("court-wifi-loss", &[]);
    assert_eq!(run["verdict"], "pass");
    // 2,974 sessions have run out when the access points are back.
    let storm = 2_974 * SECOND / 278;
    assert_eq!(measured(&run, "bench-rto") / MS, (20 * MINUTE + storm) / MS);
    assert_eq!(measured(&run, "wifi-rto"), 20 * MINUTE);
    let papers = journey(&run, "judiciary", "bench-papers");
    // The controller for all, then London's access points: 2,974 of 20,000.
    assert_near(served(papers, 7 * HOUR + MINUTE), 1.0 - 0.1487);
    let first = &list(papers, "rto_outages")[0];
    let storm = 20_000 * SECOND / 278;
    let controller = (120 * SECOND + 1_900 * MS + storm) / MS;
    assert_eq!(ns(&first["length"]) / MS, controller);
    for fault in list(&run, "faults") {
        assert_eq!(fault["bit"], true, "{fault:#}");
    }
}

#[test]
fn wan_carrier_loss_on_both_designs() {
    let run = on_2019("wan-carrier-loss", &[]);
    let whole = 3 * HOUR + 1_900 * MS;
    for objective in [
        "juror-rto",
        "hearing-rto",
        "legal-aid-rto",
        "email-rto",
        "wifi-rto",
    ] {
        assert_eq!(measured(&run, objective), whole, "{objective}");
    }
    assert_eq!(measured(&run, "sign-in-rto"), whole - 23 * SECOND);
    assert_eq!(measured(&run, "probation-rto"), 15 * MINUTE);
    let lost = &journey(&run, "court-staff", "record-hearing")["user_hours_lost"];
    assert_near(number(lost), 16_496.0 * 10_801.9 / 3600.0);
    // Tablets never get in again: open at the end, half an hour after the circuits are back.
    assert_eq!(measured(&run, "bench-rto"), 210 * MINUTE);

    let run = on_resilient("wan-carrier-loss", &[]);
    assert_eq!(run["verdict"], "pass");
    assert_eq!(measured(&run, "sign-in-rto"), 0);
    for objective in [
        "juror-rto",
        "hearing-rto",
        "legal-aid-rto",
        "probation-rto",
        "email-rto",
        "wifi-rto",
        "bench-rto",
    ] {
        assert_eq!(measured(&run, objective), 1_900 * MS, "{objective}");
    }
}

#[test]
fn mobile_fallback_saturation_on_both_designs() {
    let run = on_2019("mobile-fallback-saturation", &[]);
    let email = journey(&run, "court-staff", "email");
    assert_eq!(measured(&run, "email-rto"), 45 * MINUTE);
    // Bits per second and head, at three times the usual demand.
    let kib = 2_058.0 + 204.0 + 312.0 + 600.0;
    let head = 3.0 * kib * 1_024.0 * 8.0 / 3_600.0;
    let out: f64 = [(6_720.0, 80.0), (3_600.0, 60.0), (2_052.0, 57.0)]
        .iter()
        .map(|(all, at_a_site)| all * (1.0 - 1_000_000.0 / (at_a_site * head)))
        .sum();
    assert!((out - 4_064.8).abs() < 0.1, "{out}");
    let share = served(email, HOUR);
    assert!((share - (1.0 - out / 16_496.0)).abs() < 1e-6, "{share}");
    // Nobody before mobile access is in service, everybody when demand falls.
    assert_eq!(served(email, 40 * MINUTE + 29 * SECOND), 0.0);
    assert_eq!(served(email, 75 * MINUTE), 1.0);
    let lost = (16_496.0 * 10.5 + out * 34.5) / 60.0;
    assert!((number(&email["user_hours_lost"]) - lost).abs() < 0.1);
    assert_eq!(
        measured(&run, "sign-in-rto"),
        2 * HOUR + 1_900 * MS - 23 * SECOND
    );
    let whole = on_2019(
        "mobile-fallback-saturation",
        &["timeline.busy-mast.left=100%"],
    );
    assert_eq!(measured(&whole, "email-rto"), 10 * MINUTE + 30 * SECOND);

    let run = on_resilient("mobile-fallback-saturation", &[]);
    assert_eq!(run["verdict"], "pass");
    assert_eq!(measured(&run, "email-rto"), 1_900 * MS);
}

#[test]
fn probation_contingency_on_both_designs() {
    let run = on_2019("probation-contingency", &[]);
    assert_eq!(measured(&run, "probation-rto"), 15 * MINUTE);
    let case = journey(&run, "probation-staff", "probation-case");
    assert_near(number(&case["degraded"]), 345.0 / 540.0);
    assert_near(number(&case["user_hours_lost"]), 2_400.0);
    for objective in ["hearing-rto", "legal-aid-rto"] {
        assert_eq!(measured(&run, objective), 6 * HOUR, "{objective}");
    }
    assert_eq!(measured(&run, "sign-in-rto"), 0);
    let no_paper = ["journeys.probation-case.otherwise=null"];
    let run = on_2019("probation-contingency", &no_paper);
    assert_eq!(measured(&run, "probation-rto"), 6 * HOUR);

    let run = on_resilient("probation-contingency", &[]);
    assert_eq!(run["verdict"], "pass");
    assert_eq!(list(&run, "faults")[0]["bit"], true);
    for journey in journeys(&run, |_, _| true) {
        assert_eq!(journey["availability_all_hours"], 1.0, "{journey:#}");
        assert_eq!(journey["degraded"], 0.0);
    }
}
