//! What a poller and a timer know of a connection or a listener: where it is, and which of those
//! that were there one after the other it is, so that news of one that is gone is not taken for
//! news of its successor.

/// What a token names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Client,
    Server,
    Listener,
}

/// A named thing: its kind, its place and its generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) place: usize,
    pub(super) generation: u32,
}

/// Bits of the kind and of the place; the rest is the generation.
const KIND: u32 = 2;
const PLACE: u32 = 30;

/// More connections or proxies than this cannot be told apart.
pub(crate) const PLACES: usize = 1 << PLACE;

impl Token {
    /// As the poller keeps it.
    pub(super) const fn pack(self) -> u64 {
        let kind = match self.kind {
            Kind::Client => 0,
            Kind::Server => 1,
            Kind::Listener => 2,
        };
        kind | (self.place as u64) << KIND | (self.generation as u64) << (KIND + PLACE)
    }

    /// Of what the poller gave back.
    pub(super) const fn unpack(bits: u64) -> Self {
        Self {
            kind: match bits & 3 {
                0 => Kind::Client,
                1 => Kind::Server,
                _ => Kind::Listener,
            },
            place: (bits >> KIND) as usize & (PLACES - 1),
            generation: (bits >> (KIND + PLACE)) as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_went() {
        for kind in [Kind::Client, Kind::Server, Kind::Listener] {
            for place in [0, 1, 77_777, PLACES - 1] {
                for generation in [0, 1, u32::MAX] {
                    let token = Token {
                        kind,
                        place,
                        generation,
                    };
                    assert_eq!(Token::unpack(token.pack()), token);
                }
            }
        }
    }
}
