//! A DSSE envelope: a payload and an Ed25519 signature of it, as one line of JSON.
//!
//! See <https://github.com/secure-systems-lab/dsse>, version 1. One signature an envelope: what a
//! further person signs is another statement, for it names that person's role and covers the
//! signatures before.

use crate::files::Refusal;
use crate::keys::{PrivateKey, PublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// What the payload is.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An envelope.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// [`PAYLOAD_TYPE`].
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: [Signature; 1],
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// What is signed: the type and the payload, each with its length.
#[must_use]
pub fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "DSSEv1 {} {PAYLOAD_TYPE} {} ",
        PAYLOAD_TYPE.len(),
        payload.len()
    )
    .into_bytes();
    out.extend(payload);
    out
}

impl Envelope {
    /// Signs a payload.
    #[must_use]
    pub fn sign(payload: &[u8], key: &PrivateKey) -> Self {
        let sig = key.sign(&pre_authentication_encoding(payload));
        Self {
            payload_type: PAYLOAD_TYPE.into(),
            payload: STANDARD.encode(payload),
            signatures: [Signature {
                keyid: key.public().id(),
                sig: STANDARD.encode(sig),
            }],
        }
    }

    /// One line of JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Text and nothing else, which JSON can always hold.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// Reads what [`to_bytes`](Self::to_bytes) writes, and no other spelling of it.
    ///
    /// # Errors
    /// Why not.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        let envelope: Self = serde_json::from_slice(bytes)
            .map_err(|_| Refusal::of(name, "it is no DSSE envelope with one signature"))?;
        if envelope.to_bytes() != bytes {
            return Err(Refusal::of(name, "it is not written as packs have it"));
        }
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(Refusal::of(name, "its payload is no in-toto statement"));
        }
        Ok(envelope)
    }

    /// The payload, if this key has signed it.
    ///
    /// # Errors
    /// That it has not.
    pub fn verified(&self, name: &str, key: &PublicKey) -> Result<Vec<u8>, Refusal> {
        let [Signature { keyid, sig }] = &self.signatures;
        if *keyid != key.id() {
            return Err(Refusal::of(name, "it names another key than signed it"));
        }
        let payload = STANDARD.decode(&self.payload);
        let payload = payload.map_err(|_| Refusal::of(name, "its payload is no base64"))?;
        let sig = STANDARD.decode(sig).ok();
        let sig = sig.and_then(|sig| <[u8; 64]>::try_from(sig).ok());
        match sig {
            Some(sig) if key.verifies(&pre_authentication_encoding(&payload), &sig) => Ok(payload),
            _ => Err(Refusal::of(name, "its signature is not that of the key")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_protocol() {
        let encoded = pre_authentication_encoding(b"hello");
        assert_eq!(encoded, b"DSSEv1 28 application/vnd.in-toto+json 5 hello");
    }

    #[test]
    fn every_changed_byte_is_seen() {
        let key = PrivateKey::new(&[7; 32]);
        let bytes = Envelope::sign(b"hello", &key).to_bytes();
        let open = |bytes: &[u8]| Envelope::from_bytes("e", bytes)?.verified("e", &key.public());
        assert_eq!(open(&bytes), Ok(b"hello".to_vec()));
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[index] ^= 1 << bit;
                assert!(open(&changed).is_err(), "byte {index}, bit {bit}");
            }
        }
        let other = PrivateKey::new(&[8; 32]).public();
        let envelope = Envelope::from_bytes("e", &bytes).expect("read");
        assert!(envelope.verified("e", &other).is_err());
    }
}
