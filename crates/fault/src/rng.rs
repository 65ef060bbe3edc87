//! Random streams keyed by what they are for, never by the order in which they are drawn.
//!
//! ChaCha8 as specified by D. J. Bernstein, "ChaCha, a variant of Salsa20" (2008), through
//! `rand_chacha`; the key is FNV-1a (64 bit) over the seed and the names, in four lanes.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers for one purpose, such as the phase of one check.
#[derive(Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream for `seed` and the names of what it decides (element, client, fault).
    #[must_use]
    pub fn new(seed: u64, names: &[&str]) -> Self {
        let mut key = [0u8; 32];
        for (lane, chunk) in key.chunks_exact_mut(8).enumerate() {
            let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ (lane as u64);
            let mut eat = |byte: u8| {
                hash ^= u64::from(byte);
                hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
            };
            seed.to_le_bytes().into_iter().for_each(&mut eat);
            for name in names {
                name.bytes().for_each(&mut eat);
                eat(0xff);
            }
            chunk.copy_from_slice(&hash.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 up to and excluding 1, in steps of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from 0 up to and excluding `bound`, without bias. `bound` is positive.
    pub fn below(&mut self, bound: u64) -> u64 {
        debug_assert!(bound > 0, "an empty range has no number");
        // Rejection: numbers above the last whole multiple would favour small results.
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let x = self.0.next_u64();
            if x < limit {
                return x % bound;
            }
        }
    }
}

/// The permutation π of 0..64 that belongs to a name: cohort k has phase (π(k) + ½)/64.
#[must_use]
pub fn permutation64(seed: u64, name: &str) -> [u8; 64] {
    let mut stream = Stream::new(seed, &["permutation", name]);
    let mut p: [u8; 64] = core::array::from_fn(|i| i as u8);
    for i in (1..64).rev() {
        p.swap(i, stream.below(i as u64 + 1) as usize);
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_is_one_and_depends_on_its_name() {
        let p = permutation64(7, "dhcp");
        let mut sorted = p;
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(i, &x)| i == usize::from(x)));
        assert_eq!(p, permutation64(7, "dhcp"));
        assert_ne!(p, permutation64(7, "dns"));
        assert_ne!(p, permutation64(8, "dhcp"));
    }
}
