//! Reports in files, beside what is printed: `--report html=out.html --report junit=out.xml`.

use crate::exit::Failure;
use assize_report::{Format, Style, Suite};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// A format and the file that gets it.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    format: &'static Format,
    path: PathBuf,
}

/// `FORMAT=FILE`.
pub(crate) fn parse(text: &str) -> Result<Report, String> {
    let names = || {
        let names: Vec<&str> = assize_report::formats::REGISTRY
            .iter()
            .map(|format| format.name)
            .collect();
        assize_report::words::list(&names)
    };
    let Some((name, path)) = text.split_once('=') else {
        return Err(format!(
            "write FORMAT=FILE, such as `html=report.html`; formats are {}",
            names()
        ));
    };
    let format = assize_report::format(name)
        .ok_or_else(|| format!("there is no format `{name}`; there are {}", names()))?;
    if path.is_empty() {
        return Err(format!("name a file: `{name}=FILE`"));
    }
    Ok(Report {
        format,
        path: path.into(),
    })
}

/// Refuses what could not be written, before anything is run for it.
pub(crate) fn prepare(reports: &[Report]) -> Result<(), Failure> {
    for (index, report) in reports.iter().enumerate() {
        let path = &report.path;
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let why = if path.is_dir() {
            "is a folder\n = help: name a file in it"
        } else if !folder.is_dir() {
            "lies in a folder that is not there\n = help: make the folder first"
        } else if reports[..index].iter().any(|other| other.path == *path) {
            "is named for two reports\n = help: give each a file of its own"
        } else {
            continue;
        };
        return Err(Failure::Usage(format!(
            "--report: `{}` {why}",
            path.display()
        )));
    }
    Ok(())
}

/// Writes all of them; a file that is there is written over.
pub(crate) fn write(reports: &[Report], suite: &Suite, verbose: bool) -> Result<(), Failure> {
    let style = Style {
        verbose,
        ..Style::default()
    };
    for report in reports {
        let write = || {
            let mut file = BufWriter::new(File::create(&report.path)?);
            (report.format.write)(suite, &style, &mut file)?;
            file.flush()
        };
        write().map_err(|error: io::Error| {
            let path = report.path.display();
            Failure::World(format!("the report `{path}` cannot be written: {error}"))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_format_and_a_file() {
        let report = parse("junit=a=b.xml").expect("a report");
        assert_eq!(report.format.name, "junit");
        assert_eq!(report.path, Path::new("a=b.xml"));
        for (text, why) in [
            ("junit", "write FORMAT=FILE"),
            ("junit=", "name a file"),
            (
                "pdf=a.pdf",
                "there is no format `pdf`; there are table, json",
            ),
        ] {
            let said = parse(text).expect_err("no report");
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_said_first() {
        let folder = std::env::temp_dir();
        for (path, why) in [
            (folder.clone(), "is a folder"),
            (folder.join("no/such/folder/a.xml"), "is not there"),
        ] {
            let report = parse(&format!("junit={}", path.display())).expect("a report");
            let said = format!("{:?}", prepare(&[report]).expect_err("refused"));
            assert!(said.contains(why), "{said}");
        }
        let twice = || parse("junit=a.xml").expect("a report");
        let said = format!("{:?}", prepare(&[twice(), twice()]).expect_err("refused"));
        assert!(said.contains("two reports"), "{said}");
    }
}
