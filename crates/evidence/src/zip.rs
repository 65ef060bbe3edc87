//! A pack as one zip file, in exactly one way: files stored one after the other in order of name,
//! with one fixed time, without extra fields.
//!
//! Files are stored, not compressed: a compressor's output changes with its version, and a pack
//! must be checked years later byte for byte. So nothing can swell either. What is read is written
//! again and compared: a zip that differs in any byte is refused.

use crate::files::{Files, MOST_BYTES, MOST_FILES, Refusal, fit_name};

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const LOCAL_SIZE: usize = 30;
const CENTRAL_SIZE: usize = 46;
const END_SIZE: usize = 22;
/// 1980-01-01, the first day that the format can say.
const DAY: u16 = 0x21;
/// A regular file that all may read, as Unix says it.
const MODE: u32 = 0o100_644 << 16;
/// What it takes to unpack: stored files, by a Unix of version 2.0.
const MADE_BY: u16 = 0x0314;

/// Whether a file that begins with these bytes is a zip file with something in it.
#[must_use]
pub fn begins_as_one(first: &[u8; 4]) -> bool {
    u32::from_le_bytes(*first) == LOCAL
}

/// Writes a pack.
#[must_use]
pub fn write(files: &Files) -> Vec<u8> {
    let size: usize = files.iter().map(|(n, b)| n.len() * 2 + b.len() + 80).sum();
    let mut out = Vec::with_capacity(size + END_SIZE);
    let mut central = Vec::new();
    for (name, bytes) in files {
        let at = size_of(out.len());
        let common = common(name, bytes);
        out.extend(LOCAL.to_le_bytes());
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(bytes);
        central.extend(CENTRAL.to_le_bytes());
        central.extend(MADE_BY.to_le_bytes());
        central.extend(&common);
        central.extend([0; 2 + 2 + 2]);
        central.extend(MODE.to_le_bytes());
        central.extend(at.to_le_bytes());
        central.extend(name.as_bytes());
    }
    let (at, length) = (size_of(out.len()), size_of(central.len()));
    let count = u16::try_from(files.len()).unwrap_or(u16::MAX);
    out.extend(central);
    out.extend(END.to_le_bytes());
    out.extend([0; 4]);
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0; 2]);
    out
}

/// What the header before a file and its entry in the directory share.
fn common(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(26);
    out.extend(20_u16.to_le_bytes());
    // No flags, stored, midnight.
    out.extend([0; 2 + 2 + 2]);
    out.extend(DAY.to_le_bytes());
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(size_of(bytes.len()).to_le_bytes());
    out.extend(size_of(bytes.len()).to_le_bytes());
    out.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend([0; 2]);
    out
}

/// Sizes are bounded far below what four bytes hold, by those who collect files.
fn size_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Reads a pack. Nothing is written to the disk, and no more memory is taken than the file has.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Files, Refusal> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Refusal::pack("it is larger than 1 GiB"));
    }
    let (count, mut at, end) = directory(bytes)?;
    let mut files = Files::new();
    for _ in 0..count {
        let entry = Entry::read(bytes, at)?;
        at = entry.next;
        let content = entry.check(bytes, end)?;
        if files.insert(entry.name.clone(), content.to_vec()).is_some() {
            return Err(Refusal::of(&entry.name, "it is there twice"));
        }
    }
    let again = write(&files);
    if again != bytes {
        let same = again.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        return Err(Refusal::pack(format!(
            "the archive is not written as packs are: byte {same} differs"
        )));
    }
    Ok(files)
}

/// Number of entries, where they begin, and where they end.
fn directory(bytes: &[u8]) -> Result<(usize, usize, usize), Refusal> {
    let Some(end) = bytes.len().checked_sub(END_SIZE) else {
        return Err(Refusal::pack("it is cut short: no zip file is so small"));
    };
    if u32_at(bytes, end) != Some(END) {
        return Err(Refusal::pack(
            "it is cut short, or no zip file: it does not end as one, or bytes were added",
        ));
    }
    let count = usize::from(u16_at(bytes, end + 10).unwrap_or(0));
    if count > MOST_FILES {
        return Err(Refusal::pack(format!(
            "it has {count} files, {MOST_FILES} at most"
        )));
    }
    let at = u32_at(bytes, end + 16).unwrap_or(u32::MAX) as usize;
    if at > end {
        return Err(Refusal::pack("its directory lies outside the file"));
    }
    Ok((count, at, end))
}

/// An entry of the directory.
struct Entry {
    name: String,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    mode: u32,
    at: usize,
    next: usize,
}

impl Entry {
    fn read(bytes: &[u8], at: usize) -> Result<Self, Refusal> {
        let damaged = || Refusal::pack("its directory is damaged, or was cut short");
        if u32_at(bytes, at) != Some(CENTRAL) {
            return Err(damaged());
        }
        let short = |offset| u16_at(bytes, at + offset).ok_or_else(damaged);
        let long = |offset| u32_at(bytes, at + offset).ok_or_else(damaged);
        let begin = at + CENTRAL_SIZE;
        let end = begin + usize::from(short(28)?);
        let name = bytes.get(begin..end).ok_or_else(damaged)?;
        let name = std::str::from_utf8(name)
            .map_err(|_| Refusal::pack("a name in it is no text"))?
            .to_owned();
        Ok(Self {
            name,
            method: short(10)?,
            crc: long(16)?,
            packed: u64::from(long(20)?),
            size: u64::from(long(24)?),
            mode: long(38)? >> 16,
            at: long(42)? as usize,
            next: end + usize::from(short(30)?) + usize::from(short(32)?),
        })
    }

    /// The content of the file, if nothing speaks against it.
    fn check<'a>(&self, bytes: &'a [u8], end: usize) -> Result<&'a [u8], Refusal> {
        let no = |why: String| Err(Refusal::of(&self.name, why));
        if self.mode & 0o170_000 == 0o120_000 {
            return no("it is a link, which could lead anywhere".into());
        }
        fit_name(&self.name)?;
        if self.method != 0 || self.packed != self.size {
            return no(format!(
                "it is compressed (method {}, {} bytes that become {}): files of a pack are \
                 stored, so that nothing can swell",
                self.method, self.packed, self.size
            ));
        }
        let length = usize::try_from(self.size).unwrap_or(usize::MAX);
        let begin = self.at.saturating_add(LOCAL_SIZE + self.name.len());
        let last = begin.saturating_add(length);
        match bytes.get(begin..last) {
            Some(content) if last <= end && crc32(content) != self.crc => {
                no("its bytes were changed: they do not give the checksum".into())
            }
            Some(content) if last <= end => Ok(content),
            _ => no("it is cut short: its bytes lie outside the file".into()),
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(two.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

/// The checksum that zip files carry; the digests of a pack are what protects it.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |crc: u32, byte| {
        TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8)
    })
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ if value & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        [("a.txt", "one"), ("b/c.txt", "two"), ("empty", "")]
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    /// A zip with one file of this name; all else as it should be.
    fn named(name: &str) -> Vec<u8> {
        write(&Files::from([(name.to_owned(), b"x".to_vec())]))
    }

    fn why(bytes: &[u8]) -> String {
        read(bytes).expect_err("refused").to_string()
    }

    /// Writes over the place at which `mark` stands last, `after` bytes later.
    fn patched(mut bytes: Vec<u8>, mark: u32, after: usize, with: &[u8]) -> Vec<u8> {
        let mark = mark.to_le_bytes();
        let at = bytes.windows(4).rposition(|w| w == mark).expect("there") + after;
        bytes[at..at + with.len()].copy_from_slice(with);
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&write(&files())), Ok(files()));
        assert_eq!(read(&write(&Files::new())), Ok(Files::new()));
        // The check value of the CRC's definition.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn what_could_harm_is_refused_with_its_reason() {
        assert!(why(&named("../x")).contains("leads out of the pack"));
        assert!(why(&named("/etc/x")).contains("absolute"));
        let link = patched(
            named("x"),
            CENTRAL,
            38,
            &(0o120_777_u32 << 16).to_le_bytes(),
        );
        assert!(why(&link).contains("it is a link"), "{}", why(&link));
        let deflated = patched(named("x"), CENTRAL, 10, &8_u16.to_le_bytes());
        assert!(why(&deflated).contains("compressed"), "{}", why(&deflated));
        let bomb = patched(named("x"), CENTRAL, 24, &u32::MAX.to_le_bytes());
        assert!(why(&bomb).contains("1 bytes that become 4294967295"));
        let huge = patched(bomb, CENTRAL, 20, &u32::MAX.to_le_bytes());
        assert!(why(&huge).contains("outside the file"), "{}", why(&huge));
        let many = patched(named("x"), END, 10, &u16::MAX.to_le_bytes());
        assert!(why(&many).contains("10000 at most"), "{}", why(&many));
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused() {
        let mut two = write(&Files::from([
            ("a".to_owned(), b"x".to_vec()),
            ("b".to_owned(), b"x".to_vec()),
        ]));
        for index in 0..two.len() {
            if two[index] == b'b' && two[index - 1] == 0 {
                two[index] = b'a';
            }
        }
        assert!(
            why(&two).contains("`a`: it is there twice"),
            "{}",
            why(&two)
        );
    }

    #[test]
    fn every_truncation_and_addition_is_refused() {
        let whole = write(&files());
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(why(&longer).contains("bytes were added"));
        let mut before = vec![0];
        before.extend(&whole);
        assert!(read(&before).is_err());
    }

    #[test]
    fn every_changed_byte_that_is_no_content_is_refused() {
        let whole = write(&files());
        for index in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[index] ^= 1 << bit;
                // A change that zip files permit is a change of content or of a name.
                if let Ok(read) = read(&changed) {
                    assert_ne!(read, files(), "byte {index}, bit {bit}");
                }
            }
        }
    }
}
