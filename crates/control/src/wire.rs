//! From the condition of a flow to what a proxy does to it: what its listener does with new
//! connections, and the wire faults of each direction. Everything is scaled by the pace: delays
//! are divided by it, rates multiplied.
//!
//! A proxy cannot lose a segment of a stream, so loss is a delay there, and on datagrams a loss.
//! What does not pass is held on a stream, as a sender would send it again, and lost on
//! datagrams.

use crate::fabric::{Condition, Line};
use assize_fault::wire::bandwidth::{Bandwidth, Sharing};
use assize_fault::wire::latency::Latency;
use assize_fault::wire::packet_loss::PacketLoss;
use assize_fault::wire::reset_peer::ResetPeer;
use assize_fault::{Direction, Nanos, Order, Ppb, SharedShaper, Wire};
use assize_model::faults::How;
use std::collections::BTreeMap;

/// What the listener of a flow does with new clients.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Door {
    /// It lets them in.
    #[default]
    Open,
    /// It refuses them; open connections are reset.
    Refuse,
    /// It does not answer; open connections hang.
    BlackHole,
}

/// All that a proxy does to one flow.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct FlowFaults {
    /// Its listener.
    pub door: Door,
    /// Its wire faults, in the order in which bytes meet them, by name.
    pub faults: Vec<FlowFault>,
}

impl FlowFaults {
    /// Nothing passes, and whoever connects meets it so.
    #[must_use]
    pub fn stopped(how: How, order: Order) -> Self {
        let mut list = Making::new(order, Scale { pace: 1, thin: 1 });
        // A refused stream is closed; nobody tells the sender of a datagram.
        if how == How::BlackHole || order == Order::Datagram {
            list.nothing_passes(Direction::Upstream);
            list.nothing_passes(Direction::Downstream);
        }
        list.done(match how {
            How::Refuse => Door::Refuse,
            How::BlackHole => Door::BlackHole,
        })
    }

    /// Whether something does not pass, in one direction at least.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.door != Door::Open || self.faults.iter().any(|f| f.name.starts_with(STOP))
    }
}

/// The name of the fault that lets nothing pass, before its direction.
const STOP: &str = "stop";

/// One wire fault of a flow.
#[derive(Clone, PartialEq, Debug)]
pub struct FlowFault {
    /// Unlike that of any other fault of the flow in either direction; the same for the same
    /// thing at another time, so that settings can be changed in place.
    pub name: String,
    /// Which direction it acts on.
    pub direction: Direction,
    /// The share of connections that it touches.
    pub share: Ppb,
    /// What it does.
    pub wire: Wire,
}

/// The lines that flows share: one for each circuit and direction. Clones share them too.
#[derive(Clone, Debug, Default)]
pub struct Lines(BTreeMap<(usize, Direction), SharedShaper>);

impl Lines {
    fn of(&mut self, circuit: usize, direction: Direction) -> SharedShaper {
        self.0.entry((circuit, direction)).or_default().clone()
    }
}

/// The least time after which Linux sends a segment again (RFC 6298 says one second).
const RETRANSMITS: Nanos = Nanos::millis(200);

/// How model figures become those of the wall.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scale {
    /// Model seconds per wall second; at least 1.
    pub pace: u32,
    /// Bytes are divided by this, and bandwidths with them; at least 1.
    pub thin: u32,
}

/// What a proxy does to a flow in this condition. `order` tells streams from datagrams.
#[must_use]
pub fn faults(condition: &Condition, order: Order, scale: Scale, lines: &mut Lines) -> FlowFaults {
    if condition.stop.is_some() && condition.how == How::Refuse {
        return FlowFaults::stopped(How::Refuse, order);
    }
    let mut list = Making::new(order, scale);
    for (direction, passes) in [
        (Direction::Upstream, condition.out),
        (Direction::Downstream, condition.back),
    ] {
        if passes {
            list.worse(condition, direction, lines);
        } else {
            list.nothing_passes(direction);
        }
    }
    // Who cannot send does not get in. Who only gets no answer is heard.
    list.done(if condition.out {
        Door::Open
    } else {
        Door::BlackHole
    })
}

struct Making {
    pace: i64,
    thin: u128,
    order: Order,
    list: Vec<FlowFault>,
}

impl Making {
    fn new(order: Order, scale: Scale) -> Self {
        Self {
            pace: i64::from(scale.pace.max(1)),
            thin: u128::from(scale.thin.max(1)),
            order,
            list: Vec::new(),
        }
    }

    fn done(self, door: Door) -> FlowFaults {
        FlowFaults {
            door,
            faults: self.list,
        }
    }

    fn add(&mut self, name: &str, direction: Direction, wire: Wire) {
        self.list.push(FlowFault {
            name: format!("{name}-{}", direction.name()),
            direction,
            share: Ppb::ONE,
            wire,
        });
    }

    fn nothing_passes(&mut self, direction: Direction) {
        let wire = match self.order {
            Order::Stream => Wire::Bandwidth(Bandwidth {
                rate: 0,
                shared: Sharing::No,
            }),
            Order::Datagram => Wire::PacketLoss(PacketLoss {
                loss_rate: 1.0,
                ..PacketLoss::default()
            }),
        };
        self.add(STOP, direction, wire);
    }

    fn worse(&mut self, condition: &Condition, direction: Direction, lines: &mut Lines) {
        let quality = &condition.quality;
        if quality.passes != Ppb::ONE {
            // As for a sender: not before the answer could have come.
            let rto = (quality.latency + quality.jitter) * 2 + RETRANSMITS;
            let wire = Wire::PacketLoss(PacketLoss {
                loss_rate: quality.passes.complement().as_f64(),
                rto: (rto.0 / self.pace / 1_000_000).max(1),
                ..PacketLoss::default()
            });
            self.add("loss", direction, wire);
        }
        if quality.latency > Nanos::ZERO || quality.jitter > Nanos::ZERO {
            let (latency, latency_us) = self.split(quality.latency);
            let (jitter, jitter_us) = self.split(quality.jitter);
            let wire = Wire::Latency(Latency {
                latency,
                latency_us,
                jitter,
                jitter_us,
                ..Latency::default()
            });
            self.add("latency", direction, wire);
        }
        self.narrow(condition, direction, lines);
        // Once per connection is enough, and it is the client who is to see it.
        if quality.correct != Ppb::ONE && direction == Direction::Downstream {
            self.add("error", direction, Wire::ResetPeer(ResetPeer::default()));
            if let Some(last) = self.list.last_mut() {
                last.share = quality.correct.complement();
            }
        }
    }

    /// Each site of a class has a circuit of its own, and a request the whole of it. Other lines
    /// are shared by all who send over them.
    fn narrow(&mut self, condition: &Condition, direction: Direction, lines: &mut Lines) {
        let shared = |line: &&Line| line.sites == 1;
        let mut least = None;
        for line in condition.lines.iter().filter(shared) {
            let wire = Wire::Bandwidth(Bandwidth {
                rate: self.rate(line.bandwidth),
                shared: Sharing::Yes(lines.of(line.circuit, direction)),
            });
            self.add(&format!("line-{}", line.circuit), direction, wire);
            least = least.into_iter().chain([line.bandwidth]).min();
        }
        let own = condition.quality.bandwidth;
        if let Some(own) = own.filter(|own| least.is_none_or(|least| *own < least)) {
            let wire = Wire::Bandwidth(Bandwidth {
                rate: self.rate(own),
                shared: Sharing::No,
            });
            self.add("rate", direction, wire);
        }
    }

    /// Milliseconds and microseconds on the wall, to the nearest.
    fn split(&self, model: Nanos) -> (i64, i64) {
        let us = (model.0 / self.pace + 500) / 1_000;
        (us / 1_000, us % 1_000)
    }

    /// Thousands of bytes per second on the wall; a rate that is not zero stays one.
    fn rate(&self, bandwidth: assize_fault::Bandwidth) -> i64 {
        let bits = u128::from(bandwidth.0) * self.pace.unsigned_abs() as u128;
        let rate = i64::try_from(bits / self.thin / 8_000).unwrap_or(i64::MAX);
        if bandwidth.0 == 0 { 0 } else { rate.max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::{Quality, Stop};
    use assize_fault::Bandwidth as Rate;

    fn condition(quality: Quality) -> Condition {
        Condition {
            stop: None,
            how: How::BlackHole,
            out: true,
            back: true,
            quality,
            lines: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn stopped(how: How, out: bool, back: bool) -> Condition {
        Condition {
            stop: Some(Stop::Cut(0)),
            how,
            out,
            back,
            ..condition(Quality::PERFECT)
        }
    }

    /// Names with kinds and settings, in words.
    fn told(flow: &FlowFaults) -> Vec<String> {
        let of = |f: &FlowFault| {
            let values = f.wire.values().into_iter();
            let values: Vec<String> = values.map(|(name, v)| format!("{name}={v:?}")).collect();
            format!("{} {} {}", f.name, f.wire.kind(), values.join(" "))
        };
        flow.faults.iter().map(of).collect()
    }

    fn plain(pace: u32) -> Scale {
        Scale { pace, thin: 1 }
    }

    fn stream(condition: &Condition, pace: u32) -> FlowFaults {
        faults(condition, Order::Stream, plain(pace), &mut Lines::default())
    }

    #[test]
    fn nothing_is_done_to_a_perfect_way() {
        let flow = stream(&condition(Quality::PERFECT), 20);
        assert_eq!((flow.door, flow.faults.len()), (Door::Open, 0));
    }

    #[test]
    fn thinned_bytes_take_as_long_over_thinned_lines() {
        let slow = condition(Quality {
            bandwidth: Some(Rate(8_000_000)),
            ..Quality::PERFECT
        });
        let scale = Scale { pace: 4, thin: 8 };
        let flow = faults(&slow, Order::Stream, scale, &mut Lines::default());
        // 1,000 kB/s, four times as fast, an eighth of the bytes.
        assert_eq!(told(&flow)[0], "rate-upstream bandwidth rate=Int(500)");
    }

    #[test]
    fn delays_are_divided_by_the_pace_and_rates_multiplied() {
        let worse = Quality {
            latency: Nanos::millis(45),
            jitter: Nanos::millis(10),
            passes: Ppb(900_000_000),
            bandwidth: Some(Rate(1_000_000)),
            ..Quality::PERFECT
        };
        let flow = stream(&condition(worse), 20);
        let up: Vec<String> = told(&flow).into_iter().take(3).collect();
        assert_eq!(
            up,
            [
                "loss-upstream packet_loss loss_rate=Float(0.1) correlation=Float(0.0) rto=Int(15)",
                "latency-upstream latency latency=Int(2) jitter=Int(0) latency_us=Int(250) jitter_us=Int(500)",
                "rate-upstream bandwidth rate=Int(2500)",
            ]
        );
        assert_eq!(flow.faults.len(), 6);
        let names: std::collections::BTreeSet<_> = flow.faults.iter().map(|f| &f.name).collect();
        assert_eq!(names.len(), 6);
    }

    #[test]
    fn what_is_stopped_is_held_on_a_stream_and_lost_on_datagrams() {
        let dark = stopped(How::BlackHole, false, false);
        let flow = stream(&dark, 1);
        assert_eq!(flow.door, Door::BlackHole);
        assert!(flow.faults.iter().all(|f| f.wire.kind() == "bandwidth"));
        let flow = faults(&dark, Order::Datagram, plain(1), &mut Lines::default());
        assert!(flow.faults.iter().all(|f| f.wire.kind() == "packet_loss"));
        assert_eq!(flow.faults.len(), 2);
        let flow = stream(&stopped(How::Refuse, false, false), 1);
        assert_eq!((flow.door, flow.faults.len()), (Door::Refuse, 0));
        let flow = FlowFaults::stopped(How::Refuse, Order::Datagram);
        assert_eq!((flow.faults.len(), flow.is_stopped()), (2, true));
    }

    #[test]
    fn one_way_only_that_way_is_stopped() {
        let unheard = stream(&stopped(How::BlackHole, false, true), 1);
        assert_eq!(unheard.door, Door::BlackHole);
        let unanswered = stream(&stopped(How::BlackHole, true, false), 1);
        assert_eq!(unanswered.door, Door::Open);
        let only = |flow: &FlowFaults, direction| {
            flow.faults.len() == 1 && flow.faults[0].direction == direction
        };
        assert!(only(&unheard, Direction::Upstream));
        assert!(only(&unanswered, Direction::Downstream));
        assert!(unanswered.is_stopped());
    }

    #[test]
    fn flows_over_one_circuit_share_its_line_and_sites_do_not() {
        let line = |circuit, sites| Line {
            circuit,
            bandwidth: Rate(8_000_000),
            sites,
        };
        let narrow = Quality {
            bandwidth: Some(Rate(8_000_000)),
            ..Quality::PERFECT
        };
        let mut lines = Lines::default();
        let mut over = |circuit, sites| {
            let mut condition = condition(narrow);
            condition.lines.push(line(circuit, sites));
            faults(&condition, Order::Stream, plain(1), &mut lines)
        };
        let (a, b, other) = (over(7, 1), over(7, 1), over(8, 1));
        // Equal settings mean the same line.
        assert_eq!(a, b);
        assert_eq!(a.faults.len(), 2);
        assert!(
            a.faults[0].wire != a.faults[1].wire,
            "each direction has its own"
        );
        assert!(a.faults[0].wire != other.faults[0].wire);
        let sites = over(9, 4);
        assert_eq!(told(&sites)[0], "rate-upstream bandwidth rate=Int(1000)");
    }

    #[test]
    fn errors_touch_a_share_of_connections_once() {
        let flow = stream(
            &condition(Quality {
                correct: Ppb(750_000_000),
                ..Quality::PERFECT
            }),
            5,
        );
        assert_eq!(flow.faults.len(), 1);
        let error = &flow.faults[0];
        assert_eq!(
            (error.share, error.wire.kind()),
            (Ppb(250_000_000), "reset_peer")
        );
    }
}
