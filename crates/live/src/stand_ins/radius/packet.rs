//! RADIUS packets: RFC 2865, with the Message-Authenticator of RFC 3579 in each.
//!
//! What comes from outside is checked here; what cannot be read, or was not made with the secret, is
//! no packet.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};

/// Codes of packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Code {
    Request = 1,
    Accept = 2,
    Reject = 3,
    Challenge = 11,
    Status = 12,
}

pub(super) const USER_NAME: u8 = 1;
const USER_PASSWORD: u8 = 2;
pub(super) const REPLY_MESSAGE: u8 = 18;
pub(super) const STATE: u8 = 24;
const MESSAGE_AUTHENTICATOR: u8 = 80;
const HEAD: usize = 20;

/// A packet as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Packet {
    pub(super) code: Code,
    pub(super) id: u8,
    pub(super) authenticator: [u8; 16],
    attributes: Vec<(u8, Vec<u8>)>,
}

impl Packet {
    /// An attribute as text, or nothing.
    pub(super) fn text(&self, kind: u8) -> String {
        let found = self.attributes.iter().find(|a| a.0 == kind);
        found.map_or_else(String::new, |a| String::from_utf8_lossy(&a.1).into_owned())
    }

    /// The password of a request.
    pub(super) fn password(&self, secret: &[u8]) -> Vec<u8> {
        let hidden = self.attributes.iter().find(|a| a.0 == USER_PASSWORD);
        let mut plain = hidden.map_or_else(Vec::new, |a| {
            crossed(&a.1, &self.authenticator, secret, true)
        });
        while plain.last() == Some(&0) {
            plain.pop();
        }
        plain
    }
}

/// A request with these attributes, and a password if there is one.
pub(super) fn request(
    code: Code,
    id: u8,
    authenticator: [u8; 16],
    attributes: &[(u8, Vec<u8>)],
    password: Option<&[u8]>,
    secret: &[u8],
) -> Vec<u8> {
    let mut all = attributes.to_vec();
    if let Some(password) = password {
        let mut padded = password.to_vec();
        padded.resize(padded.len().next_multiple_of(16).clamp(16, 128), 0);
        all.push((
            USER_PASSWORD,
            crossed(&padded, &authenticator, secret, false),
        ));
    }
    signed(code, id, &authenticator, &all, secret)
}

/// The answer to a request.
pub(super) fn answer(
    code: Code,
    to: &Packet,
    attributes: &[(u8, Vec<u8>)],
    secret: &[u8],
) -> Vec<u8> {
    let mut packet = signed(code, to.id, &to.authenticator, attributes, secret);
    let response = Md5::new()
        .chain_update(&packet)
        .chain_update(secret)
        .finalize();
    packet[4..HEAD].copy_from_slice(&response);
    packet
}

/// Reads a request that was made with the secret.
pub(super) fn read_request(bytes: &[u8], secret: &[u8]) -> Option<Packet> {
    let packet = read(bytes)?;
    let is_request = matches!(packet.code, Code::Request | Code::Status);
    (is_request && is_signed(bytes, &packet.authenticator, secret)).then_some(packet)
}

/// Reads an answer, made with the secret, to the request of this identifier and authenticator.
pub(super) fn read_answer(
    bytes: &[u8],
    id: u8,
    authenticator: &[u8; 16],
    secret: &[u8],
) -> Option<Packet> {
    let packet = read(bytes)?;
    let response = Md5::new()
        .chain_update(&bytes[..4])
        .chain_update(authenticator)
        .chain_update(&bytes[HEAD..])
        .chain_update(secret)
        .finalize();
    let good = packet.id == id
        && response.as_slice() == packet.authenticator
        && is_signed(bytes, authenticator, secret);
    good.then_some(packet)
}

fn read(bytes: &[u8]) -> Option<Packet> {
    let (head, mut rest) = bytes.split_at_checked(HEAD)?;
    if usize::from(u16::from_be_bytes([head[2], head[3]])) != bytes.len() {
        return None;
    }
    let code = [
        Code::Request,
        Code::Accept,
        Code::Reject,
        Code::Challenge,
        Code::Status,
    ];
    let code = code.into_iter().find(|c| *c as u8 == head[0])?;
    let mut attributes = Vec::new();
    while let [kind, length, ..] = rest {
        let (attribute, after) = rest.split_at_checked(usize::from(*length))?;
        attributes.push((*kind, attribute.get(2..)?.to_vec()));
        rest = after;
    }
    rest.is_empty().then_some(Packet {
        code,
        id: head[1],
        authenticator: head[4..HEAD].try_into().ok()?,
        attributes,
    })
}

/// A packet whose Message-Authenticator is computed over it with the request's authenticator.
fn signed(
    code: Code,
    id: u8,
    authenticator: &[u8; 16],
    attributes: &[(u8, Vec<u8>)],
    secret: &[u8],
) -> Vec<u8> {
    let mut packet = vec![code as u8, id, 0, 0];
    packet.extend_from_slice(authenticator);
    packet.extend_from_slice(&[MESSAGE_AUTHENTICATOR, 18]);
    packet.extend_from_slice(&[0; 16]);
    for (kind, value) in attributes {
        let value = &value[..value.len().min(253)];
        packet.extend_from_slice(&[*kind, value.len() as u8 + 2]);
        packet.extend_from_slice(value);
    }
    let length = (packet.len() as u16).to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    let mac = mac(&packet, secret);
    packet[HEAD + 2..HEAD + 18].copy_from_slice(&mac);
    packet
}

/// Whether there is a Message-Authenticator, and it is right.
fn is_signed(bytes: &[u8], authenticator: &[u8; 16], secret: &[u8]) -> bool {
    let mut plain = bytes.to_vec();
    plain[4..HEAD].copy_from_slice(authenticator);
    let mut at = HEAD;
    while at + 2 <= plain.len() {
        let length = usize::from(plain[at + 1]);
        if plain[at] == MESSAGE_AUTHENTICATOR && length == 18 && at + 18 <= plain.len() {
            let stated = plain[at + 2..at + 18].to_vec();
            plain[at + 2..at + 18].fill(0);
            return mac(&plain, secret) == stated;
        }
        at += length.max(2);
    }
    false
}

fn mac(bytes: &[u8], secret: &[u8]) -> Vec<u8> {
    match Hmac::<Md5>::new_from_slice(secret) {
        Ok(mac) => mac.chain_update(bytes).finalize().into_bytes().to_vec(),
        // A key of any length will do, so this is never so; and nothing equals it.
        Err(_) => Vec::new(),
    }
}

/// Hides a password, or finds it again (RFC 2865, 5.2).
fn crossed(bytes: &[u8], authenticator: &[u8; 16], secret: &[u8], hidden: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut before = authenticator.to_vec();
    for block in bytes.chunks(16) {
        let key = Md5::new()
            .chain_update(secret)
            .chain_update(&before)
            .finalize();
        let crossed: Vec<u8> = block.iter().zip(key).map(|(a, b)| a ^ b).collect();
        before = if hidden {
            block.to_vec()
        } else {
            crossed.clone()
        };
        out.extend(crossed);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 2865, 7.1: the password `arctangent` of the user `nemo`, as the standard hides it.
    #[test]
    fn a_password_is_hidden_as_the_standard_says() {
        let authenticator = [
            0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd, 0x83, 0xd5, 0xcb, 0x98, 0xf4,
            0x22, 0x7a,
        ];
        let mut plain = b"arctangent".to_vec();
        plain.resize(16, 0);
        let expected = [
            0x0d, 0xbe, 0x70, 0x8d, 0x93, 0xd4, 0x13, 0xce, 0x31, 0x96, 0xe4, 0x3f, 0x78, 0x2a,
            0x0a, 0xee,
        ];
        assert_eq!(
            crossed(&plain, &authenticator, b"xyzzy5461", false),
            expected
        );
    }

    #[test]
    fn what_was_made_with_another_secret_is_no_packet() {
        let name = vec![(USER_NAME, b"nemo".to_vec())];
        let bytes = request(Code::Request, 7, [3; 16], &name, Some(b"pass"), b"one");
        let read = read_request(&bytes, b"one").expect("ours");
        assert_eq!(
            (read.text(USER_NAME), read.password(b"one")),
            ("nemo".into(), b"pass".to_vec())
        );
        assert_eq!(read_request(&bytes, b"two"), None);
        let said = answer(Code::Accept, &read, &[], b"one");
        assert!(read_answer(&said, 7, &[3; 16], b"one").is_some());
        assert_eq!(read_answer(&said, 8, &[3; 16], b"one"), None);
        assert_eq!(read_answer(&said, 7, &[4; 16], b"one"), None);
        assert_eq!(read_answer(&said, 7, &[3; 16], b"two"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read_request(&bytes, b"one");
            let _ = read_answer(&bytes, 0, &[0; 16], b"one");
        }

        #[test]
        fn a_changed_byte_is_seen(at in 0usize..60, by in 1u8..=255) {
            let name = vec![(USER_NAME, b"nemo".to_vec())];
            let mut bytes = request(Code::Request, 7, [3; 16], &name, Some(b"pass"), b"one");
            let at = at % bytes.len();
            bytes[at] ^= by;
            prop_assert_eq!(read_request(&bytes, b"one"), None);
        }
    }
}
