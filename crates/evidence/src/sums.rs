//! `SHA256SUMS`: the digest of every file of a pack, as `sha256sum -c` reads it.

use crate::digest::{is_sha256, sha256};
use crate::files::{Files, Refusal, fit_name};
use std::collections::BTreeMap;

/// Name of the file.
pub const SUMS: &str = "SHA256SUMS";

/// The digests of all these files.
#[must_use]
pub fn write(files: &Files) -> Vec<u8> {
    let line = |(name, bytes): (&String, &Vec<u8>)| format!("{}  {name}\n", sha256(bytes));
    files.iter().map(line).collect::<String>().into_bytes()
}

/// Reads the digests, by name.
///
/// # Errors
/// A line that [`write()`] would not have written, or would have written elsewhere.
pub fn read(bytes: &[u8]) -> Result<BTreeMap<String, String>, Refusal> {
    let bad = |line: usize| Refusal::of(SUMS, format!("line {line} is not as packs have it"));
    let text = std::str::from_utf8(bytes).map_err(|_| bad(1))?;
    let mut all = BTreeMap::new();
    let mut last = "";
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let bad = || bad(index + 1);
        let line = line.strip_suffix('\n').ok_or_else(bad)?;
        let (digest, name) = line.split_once("  ").ok_or_else(bad)?;
        if !is_sha256(digest) || name <= last {
            return Err(bad());
        }
        fit_name(name)?;
        last = name;
        all.insert(name.to_owned(), digest.to_owned());
    }
    Ok(all)
}

/// Compares every listed file with its digest.
#[must_use]
pub fn check(files: &Files, listed: &BTreeMap<String, String>) -> Vec<Refusal> {
    let wrong = |(name, digest): (&String, &String)| match files.get(name) {
        None => Some(Refusal::of(name, "it is listed, and not there")),
        Some(bytes) if sha256(bytes) != *digest => Some(Refusal::of(
            name,
            "its bytes are not those that were listed: it was changed or swapped",
        )),
        Some(_) => None,
    };
    listed.iter().filter_map(wrong).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_holds() {
        let mut files = Files::from([
            ("a".to_owned(), b"1".to_vec()),
            ("b/c".to_owned(), b"2".to_vec()),
        ]);
        let sums = write(&files);
        let listed = read(&sums).expect("read");
        assert_eq!(check(&files, &listed), []);
        files.insert("a".into(), b"2".to_vec());
        files.remove("b/c");
        let wrong: Vec<_> = check(&files, &listed)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            wrong,
            [
                "`a`: its bytes are not those that were listed: it was changed or swapped",
                "`b/c`: it is listed, and not there",
            ]
        );
    }

    #[test]
    fn lists_have_one_spelling() {
        let digest = sha256(b"");
        for text in [
            format!("{digest} a\n"),
            format!("{digest}  a"),
            format!("{digest}  b\n{digest}  a\n"),
            format!("{digest}  a\n{digest}  a\n"),
            format!("{}  a\n", digest.to_uppercase()),
            format!("{digest}  ../a\n"),
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
