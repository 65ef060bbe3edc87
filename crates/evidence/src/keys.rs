//! Ed25519 keys in the files that openssl reads and writes: PKCS#8 and SPKI, in PEM.

use crate::digest::{hex, sha256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::fmt;

/// What stands before the 32 bytes of a private key: RFC 8410, version 1, without attributes.
const PRIVATE: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// What stands before the 32 bytes of a public key.
const PUBLIC: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A private key. It is never printed, and wiped from memory when it is dropped.
pub struct PrivateKey(SigningKey);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl PrivateKey {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(random: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(random))
    }

    /// Reads what [`to_pem`](Self::to_pem) and `openssl genpkey -algorithm ed25519` write.
    ///
    /// # Errors
    /// Why it is no such key, as the rest of a sentence; nothing of the text is in it.
    pub fn from_pem(text: &str) -> Result<Self, String> {
        if text.contains("BEGIN ENCRYPTED") {
            return Err("is encrypted: decrypt it with `openssl pkey` first".into());
        }
        let der = unarmoured(text, "PRIVATE KEY").ok_or(
            "is no private key in PEM (`BEGIN PRIVATE KEY`): `assize evidence keygen` makes one",
        )?;
        let seed = der
            .strip_prefix(&PRIVATE)
            .and_then(|seed| <&[u8; 32]>::try_from(seed).ok())
            .ok_or("is no Ed25519 key in PKCS#8")?;
        Ok(Self::new(seed))
    }

    /// PKCS#8 in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        armoured("PRIVATE KEY", &[&PRIVATE[..], &self.0.to_bytes()].concat())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads SPKI in PEM.
    ///
    /// # Errors
    /// Why it is no such key, as the rest of a sentence.
    pub fn from_pem(text: &str) -> Result<Self, String> {
        if text.contains("PRIVATE KEY") {
            return Err("is a private key, which belongs to its owner alone: give the .pub".into());
        }
        let der =
            unarmoured(text, "PUBLIC KEY").ok_or("is no public key in PEM (`BEGIN PUBLIC KEY`)")?;
        let point = der
            .strip_prefix(&PUBLIC)
            .and_then(|point| <&[u8; 32]>::try_from(point).ok())
            .ok_or("is no Ed25519 key")?;
        let key = VerifyingKey::from_bytes(point).map_err(|_| "is no point of the curve")?;
        if key.is_weak() {
            return Err("is a weak key, with which many texts can be signed at once".into());
        }
        Ok(Self(key))
    }

    /// SPKI in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        armoured("PUBLIC KEY", &[&PUBLIC[..], self.0.as_bytes()].concat())
    }

    /// The name of the key, as securesystemslib derives it: SHA-256 of its canonical JSON.
    #[must_use]
    pub fn id(&self) -> String {
        let public = hex(self.0.as_bytes());
        sha256(
            format!(
                r#"{{"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"}}"#
            )
            .as_bytes(),
        )
    }

    /// Whether it is this key's signature of that message; in one form only.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }
}

fn armoured(label: &str, der: &[u8]) -> String {
    // Keys of this kind fit one line of 64 characters.
    let body = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// The bytes between two lines; what stands before them, such as a comment, is passed over.
fn unarmoured(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8410, 10.3, as openssl reads it.
    const RFC_8410: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const RFC_8410_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn keys_are_those_of_the_standard() {
        let key = PrivateKey::from_pem(RFC_8410).expect("a key");
        assert_eq!(key.to_pem(), RFC_8410);
        assert_eq!(key.public().to_pem(), RFC_8410_PUBLIC);
        let public = PublicKey::from_pem(RFC_8410_PUBLIC).expect("a key");
        let signature = key.sign(b"message");
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"massage", &signature));
        assert_eq!(format!("{key:?}"), "PrivateKey");
    }

    #[test]
    fn what_is_no_key_says_why_and_shows_nothing_of_it() {
        let why = |text: &str| PrivateKey::from_pem(text).expect_err("no key");
        assert!(why("hunter2").contains("no private key in PEM"));
        assert!(!why("hunter2").contains("hunter2"));
        assert!(why("-----BEGIN ENCRYPTED PRIVATE KEY-----").contains("encrypted"));
        let why = |text: &str| PublicKey::from_pem(text).expect_err("no key");
        assert!(why(RFC_8410).contains("private key"));
        assert!(why("x").contains("no public key"));
        // The neutral element is a point, with which anything can be "signed".
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let weak = armoured("PUBLIC KEY", &[&PUBLIC[..], &neutral].concat());
        assert!(why(&weak).contains("weak"), "{}", why(&weak));
    }
}
