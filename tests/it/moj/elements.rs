//! Certificates, clocks and requests that arrive twice: the figures worked out by hand in the
//! scenarios' comments, on both designs.

use super::*;

/// The first of 64 sessions is due at 3,600 s / 128, and cut 30 s later.
const FIRST_SESSION: i64 = 58_125 * MS;

#[test]
fn radius_certificate_expires_on_both_designs() {
    let mended = 20 * MINUTE;
    let run = on_2019("radius-certificate-expires", &[]);
    assert_eq!(finding(&run, "bench-rto")["status"], "missed");
    // Two hours to the end, and still open.
    let whole = 2 * HOUR + mended - FIRST_SESSION;
    assert_eq!(measured(&run, "bench-rto"), whole);

    let run = on_resilient("radius-certificate-expires", &[]);
    assert_eq!(run["verdict"], "pass");
    let papers = journey(&run, "judiciary", "bench-papers");
    assert_near(number(&papers["peak_out"]), 21.0 / 64.0);
    // 21/64 of 20,000 tablets at 278 a second.
    let storm = 20_000 * SECOND * 21 / 64 / 278;
    assert_eq!(measured(&run, "bench-rejoin") / MS, storm / MS);
    let rto = mended - FIRST_SESSION + storm;
    assert_eq!(measured(&run, "bench-rto") / MS, rto / MS);
    assert_eq!(measured(&run, "wifi-rto"), 0);
}

#[test]
fn clock_skew_on_both_designs() {
    let run = on_2019("clock-skew", &[]);
    // Refused at once: tries at 0, 2, 6 and 14 s.
    assert_eq!(measured(&run, "sign-in-rto"), 2 * HOUR - 14 * SECOND);
    assert_eq!(finding(&run, "sign-in-blast")["status"], "missed");
    assert_eq!(measured(&run, "hearing-rto"), 0);
    let within = on_2019("clock-skew", &["timeline.skew.by=4m"]);
    assert_eq!(within["verdict"], "inconclusive");
    assert_eq!(list(&within, "faults")[0]["bit"], false);

    let run = on_resilient("clock-skew", &[]);
    assert_eq!(run["verdict"], "pass");
    assert_eq!(measured(&run, "sign-in-rto"), 0);
    assert_eq!(list(&run, "faults")[0]["bit"], true);
}

#[test]
fn notification_overload_on_both_designs() {
    let run = on_2019("notification-overload", &[]);
    let notices = journey(&run, "platform-testers", "notify-partner");
    // 64 x 60 an hour, twice; four wait, and then one in a hundred finds no room.
    let asked: f64 = 2.0 * 64.0 * 60.0 / 3_600.0;
    let full = 4.0 / (asked - 2.112);
    let lost = (1.0 - 2.112 / asked) * (7_200.0 - full) / 10_800.0;
    let availability = number(&notices["availability"]);
    assert!((availability - (1.0 - lost)).abs() < 1e-6, "{availability}");
    assert!((number(&notices["peak_out"]) - 0.01).abs() < 1e-5);
    assert_eq!(list(&run, "expected")[0]["reproduced"], true);
    assert_eq!(finding(&run, "notices-availability")["status"], "missed");

    let run = on_resilient("notification-overload", &[]);
    assert_eq!(run["verdict"], "pass");
    assert_eq!(list(&run, "faults")[0]["bit"], true);
    assert_eq!(
        journey(&run, "platform-testers", "notify-partner")["availability"],
        1.0
    );
}
