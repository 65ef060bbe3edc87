//! The ledger's entries: what they hold, and how damage to them is seen.
//!
//! Stand-ins and drivers store `content` with `hash`; whoever reads back computes the hash of
//! what is stored. What is missing or doubled is counted elsewhere.

use crate::replica::Entry;
use sha2::{Digest as _, Sha256};

/// The content of an entry: a function of writer and sequence, 64 characters long.
#[must_use]
pub fn content(writer: u64, sequence: u64) -> String {
    format!("entry {sequence:020} of writer {writer:020} in a ledger.")
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn hash(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An entry as it is written.
#[must_use]
pub fn entry(writer: u64, sequence: u64) -> Entry {
    Entry {
        writer,
        sequence,
        hash: hash(content(writer, sequence).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_differ_and_a_changed_byte_is_seen() {
        assert_eq!(content(u64::MAX, 7).len(), content(0, u64::MAX).len());
        assert_ne!(entry(1, 2).hash, entry(2, 1).hash);
        assert_ne!(hash(b"a"), hash(b"b"));
        assert_eq!(
            hash(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
