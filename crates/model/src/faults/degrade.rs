//! The target stays in service and gets worse.
//!
//! Targets: nodes, their parts, links, services, replicas, domains, groups.
//!
//! Parameters, at least one of them:
//! - `latency`: added one-way delay (a duration). Default 0s.
//! - `jitter`: added variation, half its width (a duration); it counts in full against a timeout.
//!   Default 0s.
//! - `loss`: added share of packets lost (a share). On a TCP path it shows as the delay of sending
//!   again, on UDP as loss. Default 0%.
//! - `bandwidth`: what is left of the bandwidth (bits per second). Default: all of it.
//! - `errors`: share of the requests that end in an error (a share). Default 0%.
//!
//! Bites when a request, a check or a shipment of data passes the target while it is on.
//!
//! Stands for: a congested circuit, a failing transceiver, a service that answers slowly before it
//! stops answering.

use super::{Degrade, Effect, On, Params, WORSE};
use crate::file::cx::Fields;
use assize_fault::{Nanos, Ppb};

pub(super) const TARGETS: &[On] = WORSE;

pub(super) fn read(f: &Fields<'_>, params: &mut Params) {
    let degrade = Degrade {
        latency: f.duration_or("latency", Nanos::ZERO),
        jitter: f.duration_or("jitter", Nanos::ZERO),
        loss: f.share("loss").unwrap_or(Ppb::ZERO),
        bandwidth: f.bandwidth("bandwidth"),
        errors: f.share("errors").unwrap_or(Ppb::ZERO),
    };
    let stated = ["latency", "jitter", "loss", "bandwidth", "errors"];
    // One that is written but cannot be read has been reported.
    let unread = f.cx.failed() && stated.iter().any(|key| f.has_key(key));
    if degrade == Degrade::default() && !unread {
        let what = "this degrades nothing";
        f.cx.error(
            f.at,
            what,
            "add `latency`, `jitter`, `loss`, `bandwidth` or `errors`",
        );
    }
    params.effects.push(Effect::Degrade(degrade));
}
