//! The journal file of a live run: one record a line, appended and given to the system as it comes,
//! so that whoever kills the run leaves a true, shorter story.

use assize_model::observation::Observation;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Records written before they are handed to the system, at most.
const BATCH: usize = 1_000;

/// A journal file that is being written, by a thread of its own: a slow disk delays no probe.
pub(crate) struct Writer {
    sender: Option<Sender<Vec<u8>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
    path: PathBuf,
}

impl Writer {
    /// A new file; one that is there is never written over.
    pub(crate) fn create(path: PathBuf) -> Result<Self, String> {
        let said = |error: io::Error| format!("{} cannot be written: {error}", path.display());
        let file = File::create_new(&path).map_err(said)?;
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || write(file, &receiver))
            .map_err(said)?;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
            path,
        })
    }

    /// Appends a record. An error shows at the end.
    pub(crate) fn record(&self, observation: &Observation) {
        // Records are plain data, which JSON can always hold.
        if let (Some(sender), Ok(line)) = (&self.sender, serde_json::to_vec(observation)) {
            let _ = sender.send(line);
        }
    }

    /// Waits until all is written.
    pub(crate) fn close(mut self) -> Result<(), String> {
        self.sender = None;
        let result = match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Err(error))) => Err(error.to_string()),
            Some(Err(_)) => Err("its thread broke off".to_string()),
            Some(Ok(Ok(()))) | None => Ok(()),
        };
        result.map_err(|error| format!("{} is not complete: {error}", self.path.display()))
    }
}

fn write(file: File, records: &Receiver<Vec<u8>>) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    while let Ok(first) = records.recv() {
        for line in std::iter::once(first).chain(records.try_iter().take(BATCH)) {
            file.write_all(&line)?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
    }
    Ok(())
}

/// The file of a whole journal.
pub(crate) fn write_all(observations: &[Observation]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for observation in observations {
        // Records are plain data, which JSON can always hold.
        if let Ok(line) = serde_json::to_vec(observation) {
            bytes.extend(line);
            bytes.push(b'\n');
        }
    }
    bytes
}

/// Reads a journal file: to the last whole record, if it ends in the middle of one.
///
/// # Errors
/// A record before the last that cannot be read, with its line.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Observation>, String> {
    let mut lines = bytes.split(|byte| *byte == b'\n').enumerate().peekable();
    let mut all = Vec::new();
    while let Some((index, line)) = lines.next() {
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(observation) => all.push(observation),
            // Whoever was killed while writing left half a line.
            Err(_) if lines.peek().is_none() => break,
            Err(error) => return Err(format!("line {}: {error}", index + 1)),
        }
    }
    Ok(all)
}
