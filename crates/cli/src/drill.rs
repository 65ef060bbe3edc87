//! The record of a drill, from the disk.

use crate::disk::Disk;
use crate::exit::Failure;
use assize_evidence::redact::Redactor;
use assize_model::drill::Drill;
use assize_model::file::{MemorySource, Source as _, load_record};
use std::path::Path;

/// The bytes of a record that holds; what looks like a secret is struck out.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let disk = Disk::for_files([path]);
    load_record(&disk, path)?;
    let bytes = disk.read(path).map_err(|why| {
        Failure::Usage(format!(
            "the record `{}` cannot be read: {why}",
            path.display()
        ))
    })?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(Redactor::default().text(&text).into_owned().into_bytes())
}

/// A record that was packed.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn parse(bytes: &[u8]) -> Result<Drill, String> {
    let mut source = MemorySource::default();
    source.insert("record.yaml", bytes.to_vec());
    let read = load_record(&source, Path::new("record.yaml"));
    read.map(|(drill, _)| drill)
        .map_err(|problems| problems.to_string())
}
