//! Numbers of requests, in the form in which the original writes them: twenty characters, the
//! time first, so that they sort.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The next one.
pub(crate) fn next() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static BEGUN: OnceLock<u64> = OnceLock::new();
    let begun = *BEGUN.get_or_init(seconds);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // 32 bits of time, 32 of the process, 32 of the count, and 4 to fill the last digit.
    let process = u128::from(std::process::id());
    let bits = (u128::from(begun & 0xffff_ffff) << 64 | process << 32 | u128::from(count)) << 4;
    let digit = |place: u32| char::from(DIGITS[(bits >> (place * 5)) as usize & 31]);
    (0..20).rev().map(digit).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "it makes numbers of two runs differ; nothing is computed from it"
)]
fn seconds() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_and_have_the_form_of_the_original() {
        let (one, two) = (next(), next());
        assert!(one < two, "{one} {two}");
        assert_eq!(one.len(), 20);
        assert!(one.bytes().all(|byte| DIGITS.contains(&byte)), "{one}");
    }
}
