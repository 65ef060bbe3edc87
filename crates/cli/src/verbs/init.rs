//! `assize init`: a small commented file that passes `check` and `simulate`.

use crate::Console;
use crate::args::Plain;
use crate::exit::{Exit, Failure};
use serde_json::json;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The name of the file in a folder.
const NAME: &str = "first.yaml";

/// What it holds.
pub(crate) const TEXT: &str = include_str!("init.yaml");

/// Write a small commented file to begin with.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A folder, in which `first.yaml` is written, or a file that ends in .yaml or .yml.
    #[arg(default_value = ".", value_name = "DIR|FILE")]
    target: PathBuf,
    /// How to print what was written.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Plain,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let file = file_for(&arguments.target);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| cannot(&file, &error))?;
    }
    // `create_new` refuses, in one step, what exists already.
    let mut handle = fs::File::options()
        .write(true)
        .create_new(true)
        .open(&file)
        .map_err(|error| cannot(&file, &error))?;
    handle
        .write_all(TEXT.as_bytes())
        .map_err(|error| cannot(&file, &error))?;
    let name = file.display();
    match arguments.format {
        Plain::Table => {
            writeln!(
                console.out,
                "{name} is written; next: assize simulate {name}"
            )?;
        }
        Plain::Json => {
            let value = json!({"schema": "assize/init/v1", "written": name.to_string()});
            writeln!(console.out, "{value:#}")?;
        }
    }
    Ok(Exit::Pass)
}

fn file_for(target: &Path) -> PathBuf {
    let named = target
        .extension()
        .is_some_and(|e| e == "yaml" || e == "yml");
    if named && !target.is_dir() {
        target.to_path_buf()
    } else {
        target.join(NAME)
    }
}

fn cannot(file: &Path, error: &io::Error) -> Failure {
    let name = file.display();
    if error.kind() == io::ErrorKind::AlreadyExists {
        Failure::Usage(format!(
            "`{name}` exists already, and is left as it is; give another name"
        ))
    } else {
        Failure::World(format!("`{name}` cannot be written: {error}"))
    }
}
