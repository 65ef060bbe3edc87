//! A whole pack: sealed, signed, stamped, and checked.
//!
//! Four kinds of files stand in a pack: those of the run, `SHA256SUMS` over them, attestations
//! (`attestations/N-ROLE.dsse.json` with the signer's `.pub` beside it) and time-stamps
//! (`stamps/DIGEST.tsr`, named by their own digest). Every byte of each is covered by something.

use crate::chain;
use crate::digest::sha256;
use crate::dsse::Envelope;
use crate::files::{Files, MOST_BYTES, MOST_FILES, Refusal, fit_together};
use crate::keys::{PrivateKey, PublicKey};
use crate::statement::{Role, State, Statement};
use crate::sums::{self, SUMS};
use crate::tsp;

const ATTESTATIONS: &str = "attestations/";
const STAMPS: &str = "stamps/";
const ENVELOPE: &str = ".dsse.json";
const KEY: &str = ".pub";

/// A signature that is whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// The envelope's file.
    pub file: String,
    /// In which role.
    pub role: Role,
    /// How far it says that the run came.
    pub run: State,
    /// By which key, which anyone may have put there: see whether it is one you trust.
    pub key: PublicKey,
}

/// A time-stamp, as it says itself. Whose it is, `openssl ts -verify` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Its file.
    pub file: String,
    /// The file of the pack that it covers.
    pub of: String,
    /// The time that it claims, UTC, as `20261128123456Z`.
    pub at: String,
}

/// A pack without contradictions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intact {
    /// SHA-256 of its `SHA256SUMS`: the name of the pack.
    pub digest: String,
    /// Signatures, in their order.
    pub signed: Vec<Signed>,
    /// Time-stamps.
    pub stamps: Vec<Stamp>,
}

/// Adds the hash chain of every journal, and `SHA256SUMS` over all.
#[must_use]
pub fn seal(mut files: Files) -> Files {
    for name in journals(&files) {
        let links = chain::chain(&files[&name]);
        files.insert(chain_of(&name), links);
    }
    files.insert(SUMS.into(), sums::write(&files));
    files
}

/// The name of a sealed pack.
#[must_use]
pub fn digest(files: &Files) -> String {
    sha256(files.get(SUMS).map_or(&[], Vec::as_slice))
}

/// Adds a signature of everything that is there, of a run that came so far, and gives the
/// envelope's name.
pub fn sign(files: &mut Files, role: Role, run: State, key: &PrivateKey) -> String {
    let statement = Statement::of(files, role, run);
    let envelope = Envelope::sign(&statement.to_bytes(), key);
    let stem = format!("{ATTESTATIONS}{}-{role}", envelopes(files).len() + 1);
    files.insert(format!("{stem}{KEY}"), key.public().to_pem().into_bytes());
    let name = format!("{stem}{ENVELOPE}");
    files.insert(name.clone(), envelope.to_bytes());
    name
}

/// What a time-stamp should cover: the newest signature, or the sums of what nobody has signed.
#[must_use]
pub fn newest(files: &Files) -> String {
    let last = envelopes(files).pop();
    last.unwrap_or_else(|| SUMS.to_owned())
}

/// Adds a time-stamp authority's answer.
///
/// # Errors
/// That it is no time-stamp of this pack.
pub fn stamp(files: &mut Files, response: &[u8]) -> Result<Stamp, Refusal> {
    let name = format!("{STAMPS}{}.tsr", sha256(response));
    let stamp = read_stamp(files, &name, response)?;
    files.insert(name, response.to_vec());
    Ok(stamp)
}

/// Checks everything that a pack says about itself: digests, chains, signatures, stamps, and
/// that there is nothing else.
///
/// # Errors
/// All that is wrong with it.
pub fn check(files: &Files) -> Result<Intact, Vec<Refusal>> {
    let size: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    if size > MOST_BYTES || files.len() > MOST_FILES {
        return Err(vec![Refusal::pack(format!(
            "it holds more than {MOST_FILES} files or 1 GiB"
        ))]);
    }
    let Some(list) = files.get(SUMS) else {
        return Err(vec![Refusal::pack(format!("it has no `{SUMS}`"))]);
    };
    let listed = sums::read(list).map_err(|refusal| vec![refusal])?;
    let mut wrong = sums::check(files, &listed);
    wrong.extend(fit_together(files.keys()).err());
    // What seals a pack is covered otherwise, and checked as what it is.
    let seals = |name: &&String| {
        *name == SUMS || name.starts_with(ATTESTATIONS) || name.starts_with(STAMPS)
    };
    let sealed = listed.keys().filter(seals);
    wrong.extend(sealed.map(|name| Refusal::of(name, "it has no place in the list of files")));
    wrong.extend(chains(files));
    let (mut signed, mut stamps) = (Vec::new(), Vec::new());
    let envelopes = envelopes(files);
    for name in files.keys().filter(|name| !listed.contains_key(*name)) {
        let known = name == SUMS
            || envelopes.contains(name)
            || name
                .strip_suffix(KEY)
                .is_some_and(|stem| envelopes.contains(&format!("{stem}{ENVELOPE}")));
        if name.starts_with(STAMPS) {
            match read_stamp(files, name, &files[name]) {
                Ok(stamp) => stamps.push(stamp),
                Err(refusal) => wrong.push(refusal),
            }
        } else if !known {
            wrong.push(Refusal::of(name, "it is in no list: it was added"));
        }
    }
    for (index, name) in envelopes.iter().enumerate() {
        match attestation(files, index, name, &listed.keys().collect::<Vec<_>>()) {
            Ok(one) => signed.push(one),
            Err(refusals) => wrong.extend(refusals),
        }
    }
    // What is named by several lists is wrong once.
    let mut once: Vec<Refusal> = Vec::new();
    for refusal in wrong {
        if !once.iter().any(|other| other == &refusal) {
            once.push(refusal);
        }
    }
    if once.is_empty() {
        return Ok(Intact {
            digest: digest(files),
            signed,
            stamps,
        });
    }
    Err(once)
}

/// Checks the signature of an envelope by the key beside it, and all that was signed.
fn attestation(
    files: &Files,
    index: usize,
    name: &str,
    listed: &[&String],
) -> Result<Signed, Vec<Refusal>> {
    let one = |refusal| vec![refusal];
    let stem = name.strip_suffix(ENVELOPE).unwrap_or(name);
    let pem = files.get(&format!("{stem}{KEY}"));
    let pem = pem.and_then(|pem| std::str::from_utf8(pem).ok());
    let key = pem
        .ok_or_else(|| one(Refusal::of(name, "the key beside it is missing")))
        .and_then(|pem| {
            let key = PublicKey::from_pem(pem)
                .map_err(|why| one(Refusal::of(&format!("{stem}{KEY}"), format!("it {why}"))))?;
            if key.to_pem() != pem {
                let why = "it is not written as packs have it";
                return Err(one(Refusal::of(&format!("{stem}{KEY}"), why)));
            }
            Ok(key)
        })?;
    let payload = Envelope::from_bytes(name, &files[name])
        .and_then(|envelope| envelope.verified(name, &key))
        .map_err(one)?;
    let statement = Statement::from_bytes(name, &payload).map_err(one)?;
    let mut wrong = statement.check(files);
    let role = statement.role();
    if name != format!("{ATTESTATIONS}{}-{role}{ENVELOPE}", index + 1) {
        let why = format!(
            "it is signature {} as {role}, and named otherwise",
            index + 1
        );
        wrong.push(Refusal::of(name, why));
    }
    let before = envelopes(files).into_iter().take(index);
    let must = listed.iter().map(|name| (*name).clone());
    for other in must.chain([SUMS.to_owned()]).chain(before) {
        if !statement.covers(&other) {
            wrong.push(Refusal::of(&other, format!("`{name}` does not cover it")));
        }
    }
    if wrong.is_empty() {
        return Ok(Signed {
            file: name.to_owned(),
            role,
            run: statement.run(),
            key,
        });
    }
    Err(wrong)
}

/// Names of the envelopes, in their order.
fn envelopes(files: &Files) -> Vec<String> {
    let number = |name: &str| -> Option<u32> {
        let stem = name.strip_prefix(ATTESTATIONS)?.strip_suffix(ENVELOPE)?;
        stem.split_once('-')?.0.parse().ok()
    };
    let mut all: Vec<(u32, &String)> = files
        .keys()
        .filter_map(|name| Some((number(name)?, name)))
        .collect();
    all.sort_unstable();
    all.into_iter().map(|(_, name)| name.clone()).collect()
}

fn journals(files: &Files) -> Vec<String> {
    let is = |name: &&String| name.starts_with("journal/") && name.ends_with(".jsonl");
    files.keys().filter(is).cloned().collect()
}

fn chain_of(journal: &str) -> String {
    let stem = journal.strip_suffix(".jsonl").unwrap_or(journal);
    format!("{stem}.chain")
}

fn chains(files: &Files) -> Vec<Refusal> {
    let wrong = |name: String| match files.get(&chain_of(&name)) {
        None => Some(Refusal::of(&name, "its hash chain is missing")),
        Some(links) => chain::check(&name, &files[&name], links).err(),
    };
    journals(files).into_iter().filter_map(wrong).collect()
}

/// Reads an answer, and finds what it is about.
fn read_stamp(files: &Files, name: &str, bytes: &[u8]) -> Result<Stamp, Refusal> {
    if name != format!("{STAMPS}{}.tsr", sha256(bytes)) {
        return Err(Refusal::of(name, "its bytes are not those it was named by"));
    }
    let token = tsp::response(bytes).map_err(|why| Refusal::of(name, why))?;
    let mut candidates = envelopes(files);
    candidates.push(SUMS.to_owned());
    let of = candidates
        .into_iter()
        .find(|file| files.get(file).is_some_and(|b| sha256(b) == token.digest));
    match of {
        Some(of) => Ok(Stamp {
            file: name.to_owned(),
            of,
            at: token.at,
        }),
        None => Err(Refusal::of(name, "it is a time-stamp of something else")),
    }
}

#[cfg(test)]
mod tests;
