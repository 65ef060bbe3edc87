//! From one state of a wire to another, on a proxy.

use assize_control::wire::{Door, FlowFault, FlowFaults};
use assize_fault::{Direction, Ppb, Wire};
use assize_proxy::{Change, Cut, Listening, Proxy, Toxic, UdpProxy};

/// Puts it on a proxy for streams, open connections included.
pub(super) fn on_tcp(
    proxy: &Proxy,
    old: &FlowFaults,
    new: &FlowFaults,
) -> Result<(), assize_proxy::Error> {
    if old.door != new.door {
        proxy.listener(match new.door {
            Door::Open => Listening::Open,
            Door::Refuse => Listening::Refuse,
            Door::BlackHole => Listening::Blackhole,
        })?;
    }
    let work = Work::between(old, new);
    if !work.is_empty() {
        proxy.rework(&work.gone, &work.changed, &work.new)?;
    }
    if new.door == Door::Refuse && old.door != Door::Refuse {
        proxy.cut(Cut::Reset)?;
    }
    Ok(())
}

/// A datagram meets a closed door in its pipe: nobody tells its sender.
pub(super) fn on_udp(
    proxy: &UdpProxy,
    old: &FlowFaults,
    new: &FlowFaults,
) -> Result<(), assize_proxy::Error> {
    let work = Work::between(&behind_door(old), &behind_door(new));
    work.gone.iter().try_for_each(|name| proxy.detach(name))?;
    for (name, change) in work.changed {
        proxy.change(&name, change)?;
    }
    work.new
        .into_iter()
        .try_for_each(|toxic| proxy.attach(toxic))
}

fn behind_door(on: &FlowFaults) -> FlowFaults {
    let mut on = on.clone();
    if on.door != Door::Open
        && let Some(wire) = Wire::named("timeout")
    {
        on.faults.push(FlowFault {
            name: "door".into(),
            direction: Direction::Upstream,
            share: Ppb::ONE,
            wire,
        });
    }
    on
}

/// A fault as a proxy knows it.
pub(super) fn toxic(fault: &FlowFault) -> Toxic {
    let mut toxic = Toxic::new(&fault.name, fault.direction, fault.wire.clone());
    toxic.toxicity = fault.share.as_f64();
    toxic
}

/// What is to be done to get from one state of a wire to another. Settings change in place where
/// a fault of the same name goes on.
#[derive(Default)]
struct Work {
    gone: Vec<String>,
    changed: Vec<(String, Change)>,
    new: Vec<Toxic>,
}

impl Work {
    fn between(old: &FlowFaults, new: &FlowFaults) -> Self {
        let same = |a: &FlowFault, b: &FlowFault| {
            a.name == b.name && a.direction == b.direction && a.wire.kind() == b.wire.kind()
        };
        let mut work = Self::default();
        for gone in &old.faults {
            if !new.faults.iter().any(|n| same(n, gone)) {
                work.gone.push(gone.name.clone());
            }
        }
        for fault in &new.faults {
            match old.faults.iter().find(|o| same(o, fault)) {
                Some(old) if old == fault => {}
                Some(_) => work.changed.push((
                    fault.name.clone(),
                    Change {
                        wire: Some(fault.wire.clone()),
                        toxicity: Some(fault.share.as_f64()),
                        peer: None,
                    },
                )),
                None => work.new.push(toxic(fault)),
            }
        }
        work
    }

    fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.changed.is_empty() && self.new.is_empty()
    }
}
