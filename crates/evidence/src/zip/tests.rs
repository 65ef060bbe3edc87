//! Archives that are what they should be, and those that could harm.

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
    let other = patched(named("x"), CENTRAL, 10, &12_u16.to_le_bytes());
    assert!(why(&other).contains("by method 12"), "{}", why(&other));
    let huge = patched(named("x"), CENTRAL, 24, &u32::MAX.to_le_bytes());
    assert!(why(&huge).contains("more than 1 GiB"), "{}", why(&huge));
    let swells = patched(named("x"), CENTRAL, 24, &(1_u32 << 20).to_le_bytes());
    assert!(why(&swells).contains("1 bytes that become 1048576"));
    let outside = patched(swells, CENTRAL, 20, &(1_u32 << 20).to_le_bytes());
    assert!(why(&outside).contains("outside the file"));
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

/// Journals are text, and most of it is alike.
fn text() -> Vec<u8> {
    let line = |n: u32| format!("{{\"is\":\"sample\",\"at\":{n},\"ok\":true}}\n");
    (0..2_000).map(line).collect::<String>().into_bytes()
}

/// A zip of one file, as somebody else packs it.
fn by_hand(bytes: &[u8], pack: Packer) -> Vec<u8> {
    write_as(&Files::from([("x".to_owned(), bytes.to_vec())]), pack)
}

/// Packs are checked by writing them again, so the compressor must give these bytes for ever,
/// on every machine. A change of its version that changes them is a new version of packs.
#[test]
fn the_compressor_gives_what_it_always_gave() {
    let text = text();
    let (method, packed) = packed(&text);
    assert_eq!((method, packed.len()), (DEFLATED, PINNED.0));
    assert_eq!(crate::sha256(&packed), PINNED.1);
}

#[test]
fn what_gets_smaller_is_compressed_and_what_swells_too_much_is_stored() {
    let noise: Vec<u8> = (0..64_u8)
        .flat_map(|n| crate::digest::raw(&[&[n]]))
        .collect();
    let zeros = vec![0; 1 << 20];
    let files = Files::from([
        ("noise".to_owned(), noise),
        ("text".to_owned(), text()),
        ("zeros".to_owned(), zeros),
    ]);
    let whole = write(&files);
    assert_eq!(read(&whole), Ok(files.clone()));
    assert_eq!(packed(&files["noise"]).0, STORED);
    assert_eq!(packed(&files["text"]).0, DEFLATED);
    assert_eq!(packed(&files["zeros"]).0, STORED);
    // As older versions wrote it.
    assert_eq!(read(&write_as(&files, stored)), Ok(files));
}

#[test]
fn bombs_are_refused_before_they_swell() {
    let deflate = |bytes: &[u8]| (DEFLATED, compress_to_vec(bytes, 9).into());
    // What it says is the truth.
    let bomb = by_hand(&vec![0; 1 << 20], deflate);
    assert!(
        why(&bomb).contains("swells more than 250 times"),
        "{}",
        why(&bomb)
    );
    // It says that it becomes less, or more, than it does.
    for says in [2_000_u32, 200_000] {
        let zeros = by_hand(&vec![0; 1 << 20], deflate);
        let liar = patched(zeros, CENTRAL, 24, &says.to_le_bytes());
        assert!(
            why(&liar).contains(&format!("do not become {says} bytes")),
            "{}",
            why(&liar)
        );
    }
    // Many that are small each.
    let mut many = Files::new();
    for number in 0..5_000 {
        many.insert(format!("{number}"), vec![b'x'; 10]);
    }
    let mut many = write_as(&many, stored);
    for at in 0..many.len() - 46 {
        if many[at..at + 4] == CENTRAL.to_le_bytes() {
            many[at + 24..at + 28].copy_from_slice(&2_000_000_u32.to_le_bytes());
        }
    }
    assert!(
        why(&many).contains("would become 10000000000 bytes"),
        "{}",
        why(&many)
    );
}

/// The same content in other compressed bytes is not the same pack.
#[test]
fn another_spelling_of_the_same_content_is_refused() {
    let harder = by_hand(&text(), |b| (DEFLATED, compress_to_vec(b, 9).into()));
    assert!(why(&harder).contains("is not written as packs are"));
    let padded = by_hand(&text(), |b| {
        let mut packed = compress_to_vec(b, LEVEL);
        packed.push(0);
        (DEFLATED, packed.into())
    });
    assert!(read(&padded).is_err());
    let some = by_hand(&text(), packed);
    for index in 0..some.len() {
        let mut changed = some.clone();
        changed[index] ^= 1 << (index % 8);
        let same = read(&changed).is_ok_and(|files| files["x"] == text());
        assert!(!same, "byte {index}");
    }
}

/// Entries may not share bytes, nor may one lie in another.
#[test]
fn entries_that_overlap_are_refused() {
    let two = Files::from([
        ("a".to_owned(), b"same".to_vec()),
        ("b".to_owned(), b"same".to_vec()),
    ]);
    // Both directory entries lead to the first.
    let whole = write(&two);
    let overlapping = patched(whole, CENTRAL, 42, &0_u32.to_le_bytes());
    assert!(why(&overlapping).contains("is not written as packs are"));
}

/// Length and digest of what [`text`] becomes.
const PINNED: (usize, &str) = (
    5_130,
    "30709b825e86af030cba74be4179e2089733c4cd2abf89fd6db801253e26f3f8",
);
