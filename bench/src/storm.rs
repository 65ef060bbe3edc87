//! A scenario full of events: many services, each of which fails over and back again and again,
//! each at its own times, with users who notice.
//!
//! What is measured is a mix as the product has it: faults that begin and end, checks that
//! change their mind, promotions, names that spread, leases that run out, shares that change.

use std::fmt::Write as _;

/// How many services there are.
pub(crate) const SERVICES: u64 = 100;

/// The scenario, topology inline.
pub(crate) fn text() -> String {
    let mut text = String::from("assize: scenario/v1\ntopology:\n  services:\n");
    for i in 0..SERVICES {
        let _ = writeln!(text, "    s{i}:\n      mode: active-standby");
        let _ = writeln!(
            text,
            "      replicas: {{a: {{role: primary}}, b: {{role: standby}}}}"
        );
        let _ = writeln!(
            text,
            "      failover: {{check: {{every: 2s, timeout: 1s, fall: 3, rise: 2}}, promote: 5s, \
             redirect: {{dns_ttl: 10s}}, failback: {{after: 30s}}}}"
        );
    }
    text.push_str("  journeys:\n");
    for i in 0..SERVICES {
        let _ = writeln!(text, "    j{i}: {{calls: [s{i}], timeout: 5s}}");
    }
    text.push_str("timeline:\n");
    for i in 0..SERVICES {
        // Times that no two services share: they neither begin together nor last equally long.
        let _ = writeln!(
            text,
            "  - {{id: f{i}, at: {}ms, fault: flap, target: service/s{i}/a, down: {}ms, up: {}ms, for: 1h}}",
            60_000 + 137 * i,
            20_000 + 11 * i,
            60_000 + 13 * i,
        );
    }
    text.push_str("objectives:\n  - {rto: 1h, journey: j0}\nsettle: 10m\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_full_of_events() {
        let loaded = crate::engine::load_text(&text()).expect("the scenario is in order");
        // An hour of flaps of about 81 s is more than 40 each, with 64 cohorts of clients each way.
        assert!(loaded.run().events > 40 * 2 * 64 * SERVICES);
    }
}
