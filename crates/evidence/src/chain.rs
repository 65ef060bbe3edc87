//! A hash chain over the records of a journal: each link covers its record and the link before,
//! so that none can be dropped, added or moved without changing all that follow.
//!
//! Line n of a chain is SHA-256 of line n−1 (64 zeros before the first), a line feed, record n and
//! a line feed. The file has one link a line, beside a journal of one record a line.

use crate::digest::sha256_of;
use crate::files::Refusal;

/// What stands before the first link.
pub const BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The link after `before` for this record.
#[must_use]
pub fn link(before: &str, record: &[u8]) -> String {
    sha256_of(&[before.as_bytes(), b"\n", record, b"\n"])
}

/// Records of a journal, without their line feeds.
pub fn records(journal: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = journal.strip_suffix(b"\n").unwrap_or(journal);
    let some = !journal.is_empty();
    lines.split(|byte| *byte == b'\n').filter(move |_| some)
}

/// The chain of a journal.
#[must_use]
pub fn chain(journal: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut before = BEFORE.to_owned();
    for record in records(journal) {
        before = link(&before, record);
        out.extend(before.as_bytes());
        out.push(b'\n');
    }
    out
}

/// The last link of a chain, and how many links it has.
#[must_use]
pub fn head(chain: &[u8]) -> (&str, usize) {
    let last = records(chain).last().unwrap_or_default();
    let last = std::str::from_utf8(last).unwrap_or_default();
    (
        if last.is_empty() { BEFORE } else { last },
        records(chain).count(),
    )
}

/// Checks a journal against its chain.
///
/// # Errors
/// The first record that does not follow.
pub fn check(name: &str, journal: &[u8], links: &[u8]) -> Result<(), Refusal> {
    let mut before = BEFORE.to_owned();
    let mut links = records(links);
    let mut count = 0;
    for record in records(journal) {
        count += 1;
        before = link(&before, record);
        match links.next() {
            Some(link) if link == before.as_bytes() => {}
            Some(_) => {
                return Err(Refusal::of(
                    name,
                    format!(
                        "record {count} does not follow in the hash chain: it was changed, or a \
                         record was dropped or added here"
                    ),
                ));
            }
            None => {
                let why = format!("record {count} is not in the hash chain: it was added");
                return Err(Refusal::of(name, why));
            }
        }
    }
    match links.count() {
        0 => Ok(()),
        more => Err(Refusal::of(
            name,
            format!("it ends after record {count}, and the hash chain has {more} more"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOURNAL: &[u8] = b"{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n";

    #[test]
    fn links_are_what_sha256sum_prints() {
        let first = sha256_of(&[BEFORE.as_bytes(), b"\n{\"a\":1}\n"]);
        let chain = chain(JOURNAL);
        let lines: Vec<_> = records(&chain).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], first.as_bytes());
        assert_eq!(head(&chain).1, 3);
        assert_eq!(head(&chain).0.as_bytes(), lines[2]);
        assert_eq!(head(b""), (BEFORE, 0));
        assert_eq!(check("j", JOURNAL, &chain), Ok(()));
    }

    #[test]
    fn what_is_dropped_added_changed_or_moved_is_named() {
        let chain = chain(JOURNAL);
        for (journal, why) in [
            ("{\"a\":1}\n{\"c\":3}\n", "record 2 does not follow"),
            (
                "{\"a\":1}\n{\"b\":2}\n",
                "ends after record 2, and the hash chain has 1 more",
            ),
            (
                "{\"b\":2}\n{\"a\":1}\n{\"c\":3}\n",
                "record 1 does not follow",
            ),
            (
                "{\"a\":1}\n{\"b\":2}\n{\"c\":4}\n",
                "record 3 does not follow",
            ),
            (
                "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n{}\n",
                "record 4 is not in the hash chain",
            ),
        ] {
            let refusal = check("j", journal.as_bytes(), &chain).expect_err(why);
            assert!(refusal.why.contains(why), "{refusal}");
        }
    }
}
