//! The timers of a topology: checks, timeouts, TTLs, leases, promotion, detection, convergence.
//! Latencies are none. They bound how fast a live run may pass, and a live plan may make the
//! shortest ones longer.

use crate::topology::Topology;
use assize_fault::Nanos;

/// Calls back for every timer with what it is, in file order. Zero and [`Nanos::NEVER`] are none.
pub fn each(topology: &mut Topology, visit: &mut dyn FnMut(String, &mut Nanos)) {
    let mut visit = |name: String, timer: &mut Nanos| {
        if *timer > Nanos::ZERO && !timer.is_never() {
            visit(name, timer);
        }
    };
    for link in &mut topology.links {
        visit(format!("link `{}`: `detect`", link.id), &mut link.detect);
        visit(
            format!("link `{}`: `converge`", link.id),
            &mut link.converge,
        );
    }
    for node in topology.nodes.iter_mut().filter(|n| n.replicas.len() > 1) {
        let name = format!("node `{}`: `switch_over`", node.id);
        visit(name, &mut node.switch_over);
    }
    let services: Vec<String> = topology.services.iter().map(|s| s.id.clone()).collect();
    for access in &mut topology.access {
        visit(
            format!("access `{}`: `after`", access.id),
            &mut access.after,
        );
        for need in &mut access.needs {
            let of = &services[need.service.index()];
            let what = format!("access `{}`: need of `{of}`", access.id);
            if let Some(cache) = &mut need.cache {
                visit(format!("{what}: `renew`"), &mut cache.renew);
                visit(format!("{what}: `expire`"), &mut cache.expire);
            }
        }
    }
    for service in &mut topology.services {
        let redundant = service.replicas.len() > 1;
        let Some(failover) = service.failover.as_mut().filter(|f| !f.external) else {
            continue;
        };
        let name = |what: &str| format!("service `{}`: `{what}`", service.id);
        if redundant {
            visit(name("check.every"), &mut failover.check.every);
            visit(name("check.timeout"), &mut failover.check.timeout);
            visit(name("promote"), &mut failover.promote);
        }
        visit(name("dns_ttl"), &mut failover.dns_ttl);
    }
    for journey in &mut topology.journeys {
        let name = |what: &str| format!("journey `{}`: `{what}`", journey.id);
        visit(name("timeout"), &mut journey.timeout);
        visit(name("retry.each"), &mut journey.retry.each);
    }
}

/// Makes every timer at least so long.
pub(crate) fn raise(topology: &mut Topology, least: Nanos) {
    each(topology, &mut |_, timer| *timer = (*timer).max(least));
}
