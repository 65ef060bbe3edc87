//! A pack as one zip file, in exactly one way: files one after the other in order of name, each
//! compressed if that makes it smaller, with one fixed time, without extra fields.
//!
//! What is read is written again and compared: a zip that differs in any byte is refused, also
//! where a decompressor would take no notice. A compressor's output changes with its version, so
//! its version is pinned, and a test knows what it gives. What files say that they become is
//! bounded before anything is decompressed. Packs of older versions store their files, and are
//! read too.

use crate::files::{Files, MOST_BYTES, MOST_FILES, Refusal, fit_name};
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use std::borrow::Cow;

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
/// What it takes to unpack: version 2.0, by a Unix.
const MADE_BY: u16 = 0x0314;

/// Whether a file that begins with these bytes is a zip file with something in it.
#[must_use]
pub fn begins_as_one(first: &[u8; 4]) -> bool {
    u32::from_le_bytes(*first) == LOCAL
}

/// How files stand in a zip.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// How hard the compressor tries: most of what can be gained, in a third of the time of all of it.
const LEVEL: u8 = 3;
/// A file becomes at most so many times as large as it stands in a zip; what could be smaller is
/// stored.
const MOST_SWELLING: u64 = 250;

/// Writes a pack.
#[must_use]
pub fn write(files: &Files) -> Vec<u8> {
    write_as(files, packed)
}

/// The bytes of a file as they stand in a zip, and how.
fn packed(bytes: &[u8]) -> (u16, Cow<'_, [u8]>) {
    let small = compress_to_vec(bytes, LEVEL);
    match fits(small.len() as u64, bytes.len() as u64) {
        true => (DEFLATED, small.into()),
        false => stored(bytes),
    }
}

fn stored(bytes: &[u8]) -> (u16, Cow<'_, [u8]>) {
    (STORED, bytes.into())
}

/// How a file is made to stand in a zip: the method, and its bytes then.
type Packer = for<'a> fn(&'a [u8]) -> (u16, Cow<'a, [u8]>);

/// Whether a file of this size may stand compressed to that.
const fn fits(packed: u64, size: u64) -> bool {
    packed < size && size <= packed.saturating_mul(MOST_SWELLING)
}

fn write_as(files: &Files, pack: Packer) -> Vec<u8> {
    let mut out = Vec::new();
    let mut central = Vec::new();
    for (name, bytes) in files {
        let at = size_of(out.len());
        let (method, packed) = pack(bytes);
        let common = common(name, bytes, (method, packed.len()));
        out.extend(LOCAL.to_le_bytes());
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(&*packed);
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
fn common(name: &str, bytes: &[u8], (method, packed): (u16, usize)) -> Vec<u8> {
    let mut out = Vec::with_capacity(26);
    out.extend(20_u16.to_le_bytes());
    // No flags; midnight.
    out.extend([0; 2]);
    out.extend(method.to_le_bytes());
    out.extend([0; 2]);
    out.extend(DAY.to_le_bytes());
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(size_of(packed).to_le_bytes());
    out.extend(size_of(bytes.len()).to_le_bytes());
    out.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend([0; 2]);
    out
}

/// Sizes are bounded far below what four bytes hold, by those who collect files.
fn size_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Reads a pack. Nothing is written to the disk, and no more memory is taken than a pack may hold.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Files, Refusal> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Refusal::pack("it is larger than 1 GiB"));
    }
    let (count, mut at, end) = directory(bytes)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let entry = Entry::read(bytes, at)?;
        at = entry.next;
        entries.push(entry);
    }
    let size: u64 = entries.iter().map(|entry| entry.size).sum();
    if size > MOST_BYTES {
        return Err(Refusal::pack(format!(
            "its files would become {size} bytes, more than 1 GiB"
        )));
    }
    let mut files = Files::new();
    for entry in &entries {
        let content = entry.content(bytes, end)?;
        if files.insert(entry.name.clone(), content).is_some() {
            return Err(Refusal::of(&entry.name, "it is there twice"));
        }
    }
    let older = entries.iter().all(|entry| entry.method == STORED);
    let again = write_as(&files, if older { stored } else { packed });
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
    fn content(&self, bytes: &[u8], end: usize) -> Result<Vec<u8>, Refusal> {
        let no = |why: String| Err(Refusal::of(&self.name, why));
        if self.mode & 0o170_000 == 0o120_000 {
            return no("it is a link, which could lead anywhere".into());
        }
        fit_name(&self.name)?;
        let (packed, size) = (self.packed, self.size);
        let may = match self.method {
            STORED => packed == size,
            DEFLATED => fits(packed, size),
            other => {
                return no(format!(
                    "it is packed by method {other}, which packs do not use"
                ));
            }
        };
        if !may {
            return no(format!(
                "{packed} bytes that become {size} are not as packs have them: nothing in a pack \
                 swells more than {MOST_SWELLING} times"
            ));
        }
        let Ok(length) = usize::try_from(packed) else {
            return no("it is larger than the file".into());
        };
        let begin = self.at.saturating_add(LOCAL_SIZE + self.name.len());
        let last = begin.saturating_add(length);
        let Some(packed) = bytes.get(begin..last).filter(|_| last <= end) else {
            return no("it is cut short: its bytes lie outside the file".into());
        };
        let content = match self.method {
            STORED => Some(packed.to_vec()),
            _ => inflated(packed, size),
        };
        match content {
            Some(content) if crc32(&content) == self.crc => Ok(content),
            Some(_) => no("its bytes were changed: they do not give the checksum".into()),
            None => no(format!(
                "its bytes were changed: they do not become {size} bytes"
            )),
        }
    }
}

/// What becomes of a compressed file, if it is so many bytes; never more of them.
fn inflated(packed: &[u8], size: u64) -> Option<Vec<u8>> {
    let size = usize::try_from(size).ok()?;
    let content = decompress_to_vec_with_limit(packed, size).ok()?;
    (content.len() == size).then_some(content)
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
mod tests;
