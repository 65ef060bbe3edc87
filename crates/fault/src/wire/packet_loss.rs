//! Packets get lost.
//!
//! Attributes:
//! - `loss_rate` (0 to 1): the share of packets that is lost. Default 0.
//! - `correlation` (0 to 1): how much likelier a loss is after a loss. Default 0.
//! - `p`, `r` (0 to 1): the probability of turning from a good state to a bad one, and back, per
//!   packet (the model of Gilbert and Elliott; netem's `loss gemodel p r 1-h 1-k`). With `p` above
//!   0 this model decides, and `loss_rate` and `correlation` do not. Defaults 0 and 1.
//! - `bad_loss`, `good_loss` (0 to 1): the share lost in the bad state (1 − h) and in the good one
//!   (1 − k). Defaults 1 and 0.
//! - `rto` (ms): the retransmission timeout of a stream. Default 200, the least that Linux waits.
//!
//! On UDP a lost datagram is gone. On a stream no byte is ever lost: TCP sends a lost packet of
//! 1,460 bytes again, after `rto`, and after twice as long for each further time that the same
//! packet is lost; what is behind it waits. A packet lost sixteen times stays away, as a
//! connection at 100 % loss stalls. The proxy does not imitate congestion control.

use super::{Fate, Head, Machine, PACKET, Wire, later, millis};
use crate::chance::Dice;
use crate::pipe::{Begun, Item};
use crate::settings::settings;
use crate::time::Nanos;

settings! {
    /// The settings of `packet_loss`.
    PacketLoss {
        /// The share of packets that is lost.
        loss_rate: f64 = 0.0, "";
        /// How much likelier a loss is after a loss.
        correlation: f64 = 0.0, "";
    }
    beyond {
        /// From the good state to the bad one, per packet.
        p: f64 = 0.0, "";
        /// From the bad state to the good one, per packet.
        r: f64 = 1.0, "";
        /// The share lost in the bad state.
        bad_loss: f64 = 1.0, "";
        /// The share lost in the good state.
        good_loss: f64 = 0.0, "";
        /// The retransmission timeout of a stream, in milliseconds.
        rto: i64 = 200, "ms";
    }
}

/// A packet that is lost so often in a row stays away (Linux gives up after 15 retries).
const GIVE_UP: u32 = 16;

impl PacketLoss {
    pub(super) fn machine(&self, _now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        Box::new(Channel {
            settings: self.clone(),
            is_bad: false,
            ahead: None,
        })
    }
}

#[derive(Debug)]
struct Channel {
    settings: PacketLoss,
    /// Gilbert and Elliott: the bad state. Else: the packet before was lost.
    is_bad: bool,
    /// How often the packet at the head is lost, when that is drawn already.
    ahead: Option<u32>,
}

impl Channel {
    /// Draws whether one packet is lost.
    fn loses(&mut self, dice: &mut Dice) -> bool {
        let s = &self.settings;
        if s.p > 0.0 {
            self.is_bad = if self.is_bad {
                !dice.hits(s.r)
            } else {
                dice.hits(s.p)
            };
            return dice.hits(if self.is_bad { s.bad_loss } else { s.good_loss });
        }
        let more = if self.is_bad { s.correlation } else { 0.0 };
        self.is_bad = dice.hits((s.loss_rate + more).min(1.0));
        self.is_bad
    }

    /// Draws how often one packet of a stream is lost before it gets through.
    fn losses(&mut self, dice: &mut Dice) -> u32 {
        (0..GIVE_UP).take_while(|_| self.loses(dice)).count() as u32
    }

    /// How long so many losses of one packet take: rto × (1 + 2 + 4 + …).
    fn stall(&self, losses: u32) -> Nanos {
        let times = (1_i64 << losses.min(GIVE_UP)) - 1;
        Nanos(
            millis(self.settings.rto)
                .0
                .saturating_mul(times)
                .min(Nanos::LONGEST.0),
        )
    }

    /// A stream: what is before the next lost packet leaves at once, that packet later.
    fn retransmit(&mut self, head: &Head<'_>, dice: &mut Dice) -> Fate {
        let mut sound = 0;
        while sound < head.len() {
            let losses = match self.ahead.take() {
                Some(losses) => losses,
                None => self.losses(dice),
            };
            match (losses, sound) {
                (0, _) => sound += PACKET,
                (GIVE_UP, 0) => return Fate::Stay,
                (losses, 0) => {
                    let at = later(head.arrived, self.stall(losses)).max(head.earliest);
                    return Fate::Leave { at, len: PACKET };
                }
                (losses, len) => {
                    self.ahead = Some(losses);
                    return Fate::Leave {
                        at: head.earliest,
                        len,
                    };
                }
            }
        }
        head.pass()
    }
}

impl Machine for Channel {
    fn change(&mut self, _now: Nanos, wire: &Wire) -> bool {
        let Wire::PacketLoss(new) = wire else {
            return false;
        };
        self.settings = new.clone();
        self.ahead = None;
        true
    }

    fn decide(&mut self, head: Head<'_>, dice: &mut Dice) -> Fate {
        match head.item {
            Item::Data(_) if head.whole => {
                if self.loses(dice) {
                    Fate::Drop { at: head.earliest }
                } else {
                    head.pass()
                }
            }
            Item::Data(_) => self.retransmit(&head, dice),
            Item::End | Item::Close | Item::Reset => head.pass(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{check, pieces};
    use crate::{Begun, FaultId, Item, Nanos, Order, Pipe, Size};

    #[test]
    fn a_stream_waits_for_the_lost_packet_and_loses_nothing() {
        // One packet each at 50 %: all come at once, so delays are multiples of the timeout:
        // 0, 200, 600, 1,400 ms … and never fall.
        let pieces = pieces("packet_loss loss_rate=0.5", &[100; 50]);
        let steps: Vec<i64> = pieces
            .iter()
            .map(|(at, _)| at.0 / 1_000_000 / 200)
            .collect();
        assert!(steps.iter().all(|n| (n + 1).count_ones() == 1), "{steps:?}");
        assert!(steps.is_sorted() && steps[49] >= 7, "{steps:?}");
    }

    #[test]
    fn packets_before_the_lost_one_leave_at_once() {
        let pieces = pieces("packet_loss loss_rate=0.1", &[PACKETS * 1_460]);
        assert_eq!(pieces[0].0, Nanos::ZERO);
        assert!(pieces[0].1 > 0 && pieces[0].1 < PACKETS * 1_460);
        assert_eq!(pieces[0].1 % 1_460, 0);
        assert_eq!(pieces[1].0, Nanos::millis(200));
    }

    const PACKETS: usize = 100;

    #[test]
    fn at_one_hundred_per_cent_it_stalls_until_it_ends() {
        check(
            "attach packet_loss loss_rate=1
             0ms data 10
             10ms end
             3h detach packet_loss",
            "3h data 10
             3h end",
        );
        check(
            "attach packet_loss loss_rate=1
             0ms data 10
             50ms change packet_loss",
            "50ms data 10",
        );
    }

    /// Which of 20,000 datagrams arrive.
    fn arrivals(fault: &str) -> Vec<bool> {
        let mut pipe = Pipe::new(Order::Datagram, Size(1 << 20), crate::trace::origin(0));
        let wire = crate::trace::wire(fault);
        pipe.attach(Nanos::ZERO, FaultId(1), 0, &wire, Begun::BeforeOpen);
        let one = |_| {
            pipe.input(Nanos::ZERO, Item::Data(vec![1].into()));
            pipe.poll(Nanos::ZERO).is_some()
        };
        (0..20_000).map(one).collect()
    }

    fn lost(arrivals: &[bool]) -> f64 {
        arrivals.iter().filter(|arrived| !**arrived).count() as f64 / arrivals.len() as f64
    }

    #[test]
    fn datagrams_are_lost_at_the_rate() {
        // The standard deviation is 0.0028.
        assert!((lost(&arrivals("packet_loss loss_rate=0.2")) - 0.2).abs() < 0.012);
        assert!(lost(&arrivals("packet_loss")).abs() < 1e-9);
        assert!((lost(&arrivals("packet_loss loss_rate=1")) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn correlation_raises_the_loss_after_a_loss() {
        // The share x of losses: x = 0.1 (1 − x) + 0.6 x, so x = 0.2.
        let arrivals = arrivals("packet_loss loss_rate=0.1 correlation=0.5");
        assert!((lost(&arrivals) - 0.2).abs() < 0.02, "{}", lost(&arrivals));
    }

    #[test]
    fn gilbert_and_elliott_lose_in_bursts() {
        // The share of the bad state is p / (p + r) = 0.02 / 0.1 = 0.2, a burst lasts 1 / r = 12.5
        // packets; so 0.02 × 0.8 = 0.016 bursts begin per packet.
        let arrivals = arrivals("packet_loss p=0.02 r=0.08");
        assert!((lost(&arrivals) - 0.2).abs() < 0.04, "{}", lost(&arrivals));
        let bursts = arrivals.windows(2).filter(|w| w[0] && !w[1]).count();
        assert!((240..400).contains(&bursts), "{bursts} of 320 bursts");
    }
}
