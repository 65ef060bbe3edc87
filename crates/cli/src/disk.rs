//! Files from the disk, and finding them in folders.
//!
//! What a file names is read only from folders that the caller named; a link that leads out of
//! them is not followed.

use crate::exit::Failure;
use assize_model::file::{Kind, Source};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// One byte more than the largest file that is read, so that the reader sees it is too large.
const MOST: u64 = (16 << 20) + 1;

/// Folders deeper than this are not searched.
const DEEPEST: usize = 32;

/// Reads from the folders of the files that were named on the command line, and from the
/// folders above those (a scenario's topology often lies there), and from nowhere else.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    roots: Vec<PathBuf>,
}

impl Disk {
    /// For files that a person named.
    pub(crate) fn for_files<'a>(files: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut disk = Self::default();
        for file in files {
            // The folder as written, and the folder that the file is really in, for a person may
            // name a link.
            let folder = file.parent().map(|p| {
                if p == Path::new("") {
                    Path::new(".")
                } else {
                    p
                }
            });
            let written = folder.and_then(|p| p.canonicalize().ok());
            let real = file
                .canonicalize()
                .ok()
                .and_then(|p| p.parent().map(Path::to_path_buf));
            for folder in written.into_iter().chain(real) {
                // The folder above counts too, unless that were the whole disk.
                let above = folder.parent().filter(|above| above.parent().is_some());
                disk.roots.extend(above.map(Path::to_path_buf));
                disk.roots.push(folder);
            }
        }
        disk
    }
}

impl Source for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let real = path.canonicalize().map_err(|error| plainly(&error))?;
        if !self.roots.iter().any(|root| real.starts_with(root)) {
            return Err("it lies outside the folders of the files that were named".into());
        }
        let kind = fs::metadata(&real).map_err(|error| plainly(&error))?;
        if kind.is_dir() {
            return Err("it is a folder".into());
        }
        if !kind.is_file() {
            return Err("it is not a regular file".into());
        }
        let mut bytes = Vec::new();
        fs::File::open(&real)
            .and_then(|file| file.take(MOST).read_to_end(&mut bytes))
            .map_err(|error| plainly(&error))?;
        Ok(bytes)
    }
}

/// The largest file of another format that is read.
const MOST_FOREIGN: u64 = 1 << 30;

/// A file of another format, which a person named: nothing else is read for it.
pub(crate) fn foreign(path: &Path) -> Result<String, Failure> {
    let cannot = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
    let file = fs::File::open(path).map_err(|error| cannot(plainly(&error)))?;
    let mut bytes = Vec::new();
    file.take(MOST_FOREIGN + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot(plainly(&error)))?;
    if bytes.len() as u64 > MOST_FOREIGN {
        return Err(cannot("it is larger than 1 GiB".into()));
    }
    String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8 text".into()))
}

/// What the system says, without its numbers.
fn plainly(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// A file that was named, or found in a folder that was.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Where.
    pub(crate) path: PathBuf,
    /// What its `assize:` line says; `None` if it has none that is known.
    pub(crate) kind: Option<Kind>,
    /// Whether it was named itself.
    pub(crate) named: bool,
}

/// The named files, and every Assize file in the named folders, sorted, each once.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let mut found: Vec<Found> = Vec::new();
    for path in paths {
        if !path.exists() {
            return Err(Failure::Usage(format!(
                "there is no file or folder `{}`",
                path.display()
            )));
        }
        if path.is_dir() {
            let mut files = Vec::new();
            walk(path, 0, &mut files)?;
            files.sort();
            found.extend(files.into_iter().filter_map(|path| {
                let kind = kind(&path)?;
                Some(Found {
                    path,
                    kind: Some(kind),
                    named: false,
                })
            }));
        } else {
            found.push(Found {
                path: path.clone(),
                kind: kind(path),
                named: true,
            });
        }
    }
    let mut unique: Vec<Found> = Vec::new();
    for file in found {
        if !unique.iter().any(|f| f.path == file.path) {
            unique.push(file);
        }
    }
    Ok(unique)
}

/// What the file's `assize:` line says.
pub(crate) fn kind(path: &Path) -> Option<Kind> {
    let bytes = Disk::for_files([path]).read(path).ok()?;
    assize_model::file::kind_of(&bytes)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth > DEEPEST {
        return Ok(());
    }
    let unreadable = |error: std::io::Error| {
        Failure::World(format!(
            "the folder `{}` cannot be read: {error}",
            folder.display()
        ))
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // The kind of the entry itself: a link to a folder could lead round in a circle.
        let kind = entry.file_type().map_err(unreadable)?;
        let path = entry.path();
        if kind.is_dir() {
            // What an earlier run has read lies in its folder, and is not to be run again.
            if !crate::evidence::folder::is_run(&path) {
                walk(&path, depth + 1, files)?;
            }
        } else if path
            .extension()
            .is_some_and(|e| e == "yaml" || e == "yml" || e == "json")
        {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("assize-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("a/b")).expect("a folder");
        folder
    }

    #[test]
    fn folders_are_searched_in_order_and_other_files_left_alone() {
        let folder = folder("find");
        let scenario = "assize: scenario/v1\n";
        for (name, text) in [
            ("z.yaml", scenario),
            ("a/b/deep.yml", scenario),
            ("a/values.yaml", "replicas: 3\n"),
            ("notes.txt", scenario),
            // What an earlier run has read.
            ("results/run.json", "{}"),
            ("results/inputs/z.yaml", scenario),
        ] {
            fs::create_dir_all(folder.join("results/inputs")).expect("a folder");
            fs::write(folder.join(name), text).expect("a file");
        }
        let found = find(std::slice::from_ref(&folder)).expect("found");
        let names: Vec<_> = found.iter().map(|f| f.path.clone()).collect();
        assert_eq!(names, [folder.join("a/b/deep.yml"), folder.join("z.yaml")]);
        let _ = fs::remove_dir_all(&folder);
    }

    #[test]
    fn nothing_outside_is_read_not_even_through_a_link() {
        let folder = folder("outside");
        let (inner, secret) = (folder.join("a/b/file.yaml"), folder.join("secret.yaml"));
        fs::write(&inner, "x").expect("a file");
        fs::write(&secret, "y").expect("a file");
        let disk = Disk::for_files([inner.as_path()]);
        assert_eq!(disk.read(&inner), Ok(b"x".to_vec()));
        assert!(disk.read(&secret).is_err());
        #[cfg(unix)]
        {
            let link = folder.join("a/b/link.yaml");
            std::os::unix::fs::symlink(&secret, &link).expect("a link");
            assert!(disk.read(&link).is_err());
        }
        let _ = fs::remove_dir_all(&folder);
    }
}
