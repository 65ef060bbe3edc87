//! Packs on the disk: a folder, or one zip file. A zip is never unpacked.

use crate::exit::Failure;
use assize_evidence::pack::{self, Intact};
use assize_evidence::sums::SUMS;
use assize_evidence::{Files, MOST_BYTES, MOST_FILES, Refusal, fit_name, zip};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Folders of a pack are not deeper.
const DEEPEST: usize = 32;

/// Whether a pack of that name is one file.
pub(crate) fn is_zip(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}

/// Refuses to write where something is.
pub(crate) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    let empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if path.exists() && (is_zip(path) || !empty()) {
        return Err(Failure::Usage(format!(
            "`{}` is there already\n = help: name another with --evidence: evidence is not written \
             over",
            path.display()
        )));
    }
    Ok(())
}

/// Writes a new pack.
pub(crate) fn write_new(path: &Path, files: &Files) -> Result<(), Failure> {
    refuse_existing(path)?;
    let size: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    if size > MOST_BYTES || files.len() > MOST_FILES {
        return Err(Failure::World(format!(
            "the evidence has {} files with {size} bytes, and a pack holds {MOST_FILES} and 1 GiB",
            files.len()
        )));
    }
    let written = if is_zip(path) {
        parent(path).and_then(|()| put(path, &zip::write(files)))
    } else {
        all(path, files)
    };
    written.map_err(|error| unwritable(path, &error))
}

/// Writes what was added to a pack.
pub(crate) fn add(path: &Path, before: &Files, after: &Files) -> Result<(), Failure> {
    let written = if path.is_dir() {
        let new = after.iter().filter(|(name, _)| !before.contains_key(*name));
        all(path, &new.map(|(n, b)| (n.clone(), b.clone())).collect())
    } else {
        beside(path, &zip::write(after))
    };
    written.map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::World(format!("`{}` cannot be written: {error}", path.display()))
}

/// Writes these files into a folder that may be there; none of them is.
pub(crate) fn put_all(folder: &Path, files: &Files) -> Result<(), Failure> {
    all(folder, files).map_err(|error| unwritable(folder, &error))
}

/// Writes a file in the place of one that is there, which is whole until then.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    beside(path, bytes).map_err(|error| unwritable(path, &error))
}

/// Writes beside a file first, so that nothing is lost half-way.
fn beside(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    put(&beside, bytes).and_then(|()| fs::rename(&beside, path))
}

/// A regular file of a folder, by a name that is fit; `None` if there is none.
pub(crate) fn one(folder: &Path, name: &str) -> std::io::Result<Option<Vec<u8>>> {
    let mut path = folder.to_path_buf();
    for part in name.split('/') {
        path.push(part);
        match fs::symlink_metadata(&path) {
            // Of the entry itself: a link could lead anywhere.
            Ok(kind) if kind.is_symlink() => return Err(std::io::Error::other("it is a link")),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let mut bytes = Vec::new();
    File::open(&path)?
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn all(folder: &Path, files: &Files) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in files {
        let path = folder.join(name);
        parent(&path)?;
        put(&path, bytes)?;
    }
    Ok(())
}

fn parent(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads a pack.
///
/// # Errors
/// That there is none, as a failure; why it is refused, as the inner result.
pub(crate) fn read(path: &Path) -> Result<Result<Files, Refusal>, Failure> {
    let kind = fs::metadata(path).map_err(|error| {
        Failure::Usage(format!("there is no pack `{}`: {error}", path.display()))
    })?;
    let unreadable = |error: std::io::Error| {
        Failure::World(format!("`{}` cannot be read: {error}", path.display()))
    };
    if !kind.is_dir() {
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        let mut limited = file.take(MOST_BYTES + 1);
        limited.read_to_end(&mut bytes).map_err(unreadable)?;
        return Ok(zip::read(&bytes));
    }
    let mut folder = Folder::default();
    match folder.walk(path, "", 0) {
        Ok(()) => Ok(Ok(folder.files)),
        Err(Stopped::Refused(refusal)) => Ok(Err(refusal)),
        Err(Stopped::Unreadable(error)) => Err(unreadable(error)),
    }
}

/// Reads a pack that holds, and what it says of itself.
pub(crate) fn read_whole(path: &Path) -> Result<(Files, Intact), Failure> {
    let refused = |refusal: &Refusal| {
        Failure::Usage(format!(
            "the pack `{}` does not hold: {refusal}",
            path.display()
        ))
    };
    let files = read(path)?.map_err(|refusal| refused(&refusal))?;
    match pack::check(&files) {
        Ok(intact) => Ok((files, intact)),
        Err(refusals) => Err(refused(&refusals[0])),
    }
}

/// Whether a path is a pack, by its name or by what stands in it.
pub(crate) fn is_pack(path: &Path) -> bool {
    if path.is_dir() {
        return path.join(SUMS).is_file();
    }
    let mut first = [0; 4];
    is_zip(path)
        || File::open(path)
            .and_then(|mut file| file.read_exact(&mut first))
            .is_ok_and(|()| zip::begins_as_one(&first))
}

/// Why a folder was not read.
enum Stopped {
    Refused(Refusal),
    Unreadable(std::io::Error),
}

/// What was read of a folder.
#[derive(Default)]
struct Folder {
    files: Files,
    bytes: u64,
}

impl Folder {
    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Stopped> {
        let refused = |name: &str, why: &str| Err(Stopped::Refused(Refusal::of(name, why)));
        if depth > DEEPEST {
            return refused(prefix, "folders of a pack are not so deep");
        }
        for entry in fs::read_dir(folder).map_err(Stopped::Unreadable)? {
            let entry = entry.map_err(Stopped::Unreadable)?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            // Of the entry itself: what a link leads to is no part of the pack.
            let kind = entry.file_type().map_err(Stopped::Unreadable)?;
            if kind.is_symlink() {
                return refused(&name, "it is a link, which could lead anywhere");
            }
            fit_name(&name).map_err(Stopped::Refused)?;
            if kind.is_dir() {
                self.walk(&entry.path(), &format!("{name}/"), depth + 1)?;
            } else if kind.is_file() {
                self.file(&entry.path(), name)?;
            } else {
                return refused(&name, "it is no regular file");
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String) -> Result<(), Stopped> {
        let left = MOST_BYTES - self.bytes;
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(Stopped::Unreadable)?;
        let mut limited = file.take(left + 1);
        limited
            .read_to_end(&mut bytes)
            .map_err(Stopped::Unreadable)?;
        if bytes.len() as u64 > left || self.files.len() >= MOST_FILES {
            let why = format!("it holds more than {MOST_FILES} files or 1 GiB");
            return Err(Stopped::Refused(Refusal::pack(why)));
        }
        self.bytes += bytes.len() as u64;
        self.files.insert(name, bytes);
        Ok(())
    }
}
