//! What was read for a scenario: every file, kept as it was, with secrets struck out.
//!
//! The files of a scenario may hold what should be in the environment. It is struck out before
//! anything else sees them: what is judged, predicted and packed is the file without it, and only
//! a run on real sockets gets the file as it stands.

use assize_evidence::redact::{Redactor, is_secret_name};
use assize_evidence::sha256;
use assize_model::Topology;
use assize_model::binding::Realisation;
use assize_model::file::Source;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Input {
    /// What it holds, secrets struck out.
    pub(crate) bytes: Vec<u8>,
    /// SHA-256 of it as it was read; `None` if something was struck out, for a digest would help
    /// to guess it.
    pub(crate) as_read: Option<String>,
}

/// Files by the name by which they were asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Inputs(pub(crate) BTreeMap<PathBuf, Input>);

impl Inputs {
    /// Whether something was struck out of any.
    pub(crate) fn were_struck(&self) -> bool {
        self.0.values().any(|input| input.as_read.is_none())
    }
}

impl Source for Inputs {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let found = self.0.get(path).map(|input| input.bytes.clone());
        found.ok_or_else(|| "it is not among what was read".into())
    }
}

/// Keeps what another source gives.
pub(crate) struct Keeping<'a> {
    from: &'a dyn Source,
    kept: RefCell<BTreeMap<PathBuf, Vec<u8>>>,
}

impl<'a> Keeping<'a> {
    pub(crate) fn new(from: &'a dyn Source) -> Self {
        Self {
            from,
            kept: RefCell::default(),
        }
    }

    /// All that was read, without these secrets.
    pub(crate) fn inputs(self, secrets: &Redactor) -> Inputs {
        let struck = |(path, bytes): (PathBuf, Vec<u8>)| {
            let text = std::str::from_utf8(&bytes).ok();
            let struck = text.map(|text| secrets.text(text));
            let input = match struck {
                Some(struck) if struck.as_bytes() != bytes => Input {
                    bytes: struck.into_owned().into_bytes(),
                    as_read: None,
                },
                _ => Input {
                    as_read: Some(sha256(&bytes)),
                    bytes,
                },
            };
            (path, input)
        };
        Inputs(self.kept.into_inner().into_iter().map(struck).collect())
    }
}

impl Source for Keeping<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        if let Some(bytes) = self.kept.borrow().get(path) {
            return Ok(bytes.clone());
        }
        let bytes = self.from.read(path)?;
        let mut kept = self.kept.borrow_mut();
        kept.insert(path.to_path_buf(), bytes.clone());
        Ok(bytes)
    }
}

/// The secrets that this process knows: values of the variables that services are bound to, and
/// of those whose names say that they are secret.
pub(crate) fn secrets(topology: &Topology) -> Redactor {
    /// Shorter values of variables that nobody bound are more likely words than secrets.
    const SHORTEST: usize = 8;
    let bound: Vec<&str> = topology
        .services
        .iter()
        .filter_map(|service| match &service.realised {
            Realisation::Bound(binding) => Some(binding.dsn.as_ref()?.0.as_str()),
            Realisation::StandIn(_) => None,
        })
        .collect();
    let values: Vec<String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| {
            bound.contains(&name.as_str()) || is_secret_name(name) && value.len() >= SHORTEST
        })
        .map(|(_, value)| value)
        .collect();
    Redactor::new(values.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_model::file::MemorySource;

    #[test]
    fn what_was_read_is_kept_without_its_secrets() {
        let files = MemorySource::new([
            ("a.yaml", "name: x\n"),
            ("b.yaml", "url: http://bob:hunter2@x\n"),
            ("c.yaml", "never: read\n"),
        ]);
        let keeping = Keeping::new(&files);
        for name in ["a.yaml", "b.yaml", "a.yaml"] {
            keeping.read(Path::new(name)).expect("there");
        }
        let inputs = keeping.inputs(&Redactor::default());
        assert!(inputs.were_struck());
        let names: Vec<_> = inputs.0.keys().map(|p| p.display().to_string()).collect();
        assert_eq!(names, ["a.yaml", "b.yaml"]);
        let a = &inputs.0[Path::new("a.yaml")];
        assert_eq!(a.as_read.as_deref(), Some(sha256(b"name: x\n").as_str()));
        let b = &inputs.0[Path::new("b.yaml")];
        assert_eq!(
            (b.as_read.as_ref(), b.bytes.as_slice()),
            (None, b"url: http://REDACTED@x\n".as_slice())
        );
    }
}
