//! Time-stamps after RFC 3161: the request, and as much of the answer as says what it is about.
//!
//! Whether the authority's own signature holds is for `openssl ts -verify` and the authority's
//! certificate to say; nothing here claims that.

use crate::digest::{hex, raw};

/// `{ version 1, messageImprint { sha256, … 32 bytes } }`, up to the digest.
const BEFORE: [u8; 24] = [
    0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
/// `certReq TRUE`: the authority's certificate comes with its answer.
const AFTER: [u8; 3] = [0x01, 0x01, 0xff];
/// id-signedData.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// id-ct-TSTInfo.
const TST_INFO: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04,
];
/// id-sha256.
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// A request for a time-stamp of these bytes. Without a nonce: the digest is of something signed,
/// and an old answer about it is only an earlier one.
#[must_use]
pub fn request(bytes: &[u8]) -> Vec<u8> {
    [&BEFORE[..], &raw(&[bytes]), &AFTER].concat()
}

/// What an answer says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// SHA-256 of what it is about, in hexadecimal.
    pub digest: String,
    /// The time that it claims, UTC: `20261128123456Z`, or with a fraction of a second.
    pub at: String,
}

/// Reads an answer (`TimeStampResp`).
///
/// # Errors
/// Why it is none, or what the authority refused.
pub fn response(bytes: &[u8]) -> Result<Token, String> {
    read(bytes).ok_or("it is no time-stamp response (RFC 3161, SHA-256, in DER)")?
}

fn read(bytes: &[u8]) -> Option<Result<Token, String>> {
    let mut outer = Der(bytes);
    let mut response = Der(outer.take(0x30)?);
    outer.end()?;
    let status = Der(response.take(0x30)?).take(0x02)?;
    // 0: granted; 1: granted with modifications.
    if !matches!(status, [0 | 1]) {
        return Some(Err("the authority did not grant it".into()));
    }
    let mut content = Der(response.take(0x30)?);
    response.end()?;
    (content.take(0x06)? == SIGNED_DATA).then_some(())?;
    let mut signed = Der(Der(content.take(0xa0)?).take(0x30)?);
    signed.take(0x02)?;
    signed.take(0x31)?;
    let mut encapsulated = Der(signed.take(0x30)?);
    (encapsulated.take(0x06)? == TST_INFO).then_some(())?;
    let mut info = Der(Der(Der(encapsulated.take(0xa0)?).take(0x04)?).take(0x30)?);
    info.take(0x02)?;
    info.take(0x06)?;
    let mut imprint = Der(info.take(0x30)?);
    (Der(imprint.take(0x30)?).take(0x06)? == SHA256).then_some(())?;
    let digest: &[u8; 32] = imprint.take(0x04)?.try_into().ok()?;
    info.take(0x02)?;
    let at = std::str::from_utf8(info.take(0x18)?).ok()?;
    let plain = |b: u8| b.is_ascii_digit() || b == b'.' || b == b'Z';
    at.bytes().all(plain).then_some(())?;
    Some(Ok(Token {
        digest: hex(digest),
        at: at.to_owned(),
    }))
}

/// Values of DER, one after the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&[found, first], mut rest) = self.0.split_first_chunk()?;
        (found == tag).then_some(())?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let bytes = usize::from(first & 0x7f);
            // No value of a pack needs more than four bytes of length.
            (1..=4).contains(&bytes).then_some(())?;
            let (long, after) = rest.split_at_checked(bytes)?;
            length = long.iter().fold(0, |sum, b| sum << 8 | usize::from(*b));
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some(content)
    }

    /// That nothing follows.
    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        let length = u8::try_from(body.len()).expect("short");
        let mut out = vec![tag];
        if length >= 0x80 {
            out.push(0x81);
        }
        out.push(length);
        out.extend(body);
        out
    }

    /// An answer without the authority's signature, which is not read here.
    pub(crate) fn answer(status: u8, of: &[u8]) -> Vec<u8> {
        let imprint = der(
            0x30,
            &[
                &der(0x30, &[&der(0x06, &[SHA256])]),
                &der(0x04, &[&raw(&[of])]),
            ],
        );
        let info = der(
            0x30,
            &[
                &der(0x02, &[&[1]]),
                &der(0x06, &[&[0x2a]]),
                &imprint,
                &der(0x02, &[&[9]]),
                &der(0x18, &[b"20261128123456Z"]),
            ],
        );
        let content = der(0xa0, &[&der(0x04, &[&info])]);
        let signed = der(
            0x30,
            &[
                &der(0x02, &[&[3]]),
                &der(0x31, &[]),
                &der(0x30, &[&der(0x06, &[TST_INFO]), &content]),
            ],
        );
        let token = der(0x30, &[&der(0x06, &[SIGNED_DATA]), &der(0xa0, &[&signed])]);
        der(0x30, &[&der(0x30, &[&der(0x02, &[&[status]])]), &token])
    }

    #[test]
    fn an_answer_says_what_it_is_about() {
        let token = response(&answer(0, b"abc")).expect("a token");
        assert_eq!(token.digest, crate::digest::sha256(b"abc"));
        assert_eq!(token.at, "20261128123456Z");
        assert!(response(&answer(2, b"abc")).is_err_and(|why| why.contains("did not grant")));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let whole = answer(0, b"abc");
        for length in 0..whole.len() {
            assert!(response(&whole[..length]).is_err(), "{length}");
        }
        let longer = [whole.as_slice(), &[0]].concat();
        assert!(response(&longer).is_err());
        assert!(response(&request(b"abc")).is_err());
    }

    #[test]
    fn a_request_has_its_stated_length() {
        let request = request(b"abc");
        let mut outer = Der(&request);
        assert!(outer.take(0x30).is_some() && outer.end().is_some());
    }
}
