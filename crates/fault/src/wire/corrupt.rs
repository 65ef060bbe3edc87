//! Bits flip.
//!
//! Attributes:
//! - `rate` (0 to 1): the share of packets in which one random bit is inverted; a packet is a
//!   datagram, or 1,460 bytes of a stream. Default 0.
//!
//! Lengths and order stay. TCP's own checksum does not notice, because the proxy sends the damaged
//! bytes as good ones: this tests what applications and their protocols check.

use super::{Fate, Head, Machine, PACKET, Wire};
use crate::chance::Dice;
use crate::pipe::{Begun, Item};
use crate::settings::settings;
use crate::time::Nanos;
use bytes::{Bytes, BytesMut};

settings! {
    /// The settings of `corrupt`.
    Corrupt {
        /// The share of packets in which a bit flips.
        rate: f64 = 0.0, "";
    }
}

impl Corrupt {
    pub(super) fn machine(&self, _now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        Box::new(Noise { rate: self.rate })
    }
}

#[derive(Debug)]
struct Noise {
    rate: f64,
}

impl Noise {
    /// The bytes with their flips; they are copied only if there is one.
    fn over(&self, data: &Bytes, packet: usize, dice: &mut Dice) -> Option<Bytes> {
        let mut damaged: Option<BytesMut> = None;
        for start in (0..data.len()).step_by(packet) {
            if dice.hits(self.rate) {
                let len = packet.min(data.len() - start);
                let bit = dice.up_to(len as u64 * 8 - 1) as usize;
                let bytes = damaged.get_or_insert_with(|| BytesMut::from(&data[..]));
                bytes[start + bit / 8] ^= 1 << (bit % 8);
            }
        }
        damaged.map(BytesMut::freeze)
    }
}

impl Machine for Noise {
    fn change(&mut self, _now: Nanos, wire: &Wire) -> bool {
        let Wire::Corrupt(new) = wire else {
            return false;
        };
        self.rate = new.rate;
        true
    }

    fn decide(&mut self, head: Head<'_>, dice: &mut Dice) -> Fate {
        if let Item::Data(data) = &mut *head.item {
            let packet = if head.whole {
                data.len().max(1)
            } else {
                PACKET
            };
            if let Some(damaged) = self.over(data, packet, dice) {
                *data = damaged;
            }
        }
        head.pass()
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{bytes, origin, wire};
    use crate::{Begun, FaultId, Item, Nanos, Order, Pipe, Size};

    /// What becomes of 100 packets.
    fn damaged(order: Order, fault: &str, len: usize) -> usize {
        let mut pipe = Pipe::new(order, Size(1 << 20), origin(0));
        pipe.attach(Nanos::ZERO, FaultId(1), 0, &wire(fault), Begun::BeforeOpen);
        let data = bytes(0, len);
        pipe.input(Nanos::ZERO, Item::Data(data.clone()));
        let Some((Nanos::ZERO, Item::Data(out))) = pipe.poll(Nanos::ZERO) else {
            panic!("nothing left at once");
        };
        assert_eq!(out.len(), len);
        let pairs = data.iter().zip(&out);
        pairs.map(|(a, b)| (a ^ b).count_ones() as usize).sum()
    }

    #[test]
    fn one_bit_per_packet_flips() {
        assert_eq!(damaged(Order::Stream, "corrupt rate=1", 100 * 1_460), 100);
        assert_eq!(damaged(Order::Stream, "corrupt rate=1", 1), 1);
        assert_eq!(damaged(Order::Datagram, "corrupt rate=1", 9_000), 1);
        assert_eq!(damaged(Order::Stream, "corrupt", 100 * 1_460), 0);
        // 50 of 100 expected, the standard deviation is 5.
        assert!((25..75).contains(&damaged(Order::Stream, "corrupt rate=0.5", 100 * 1_460)));
        assert_eq!(damaged(Order::Datagram, "corrupt rate=1", 0), 0);
    }
}
