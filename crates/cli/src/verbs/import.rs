//! `assize import`: the base of a topology from an inventory that others keep.

use crate::Console;
use crate::disk;
use crate::exit::{Exit, Failure};
use assize_analysis::import::FORMATS;
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;

/// Make the base of a topology from an inventory that others keep. It is generated: what it
/// lacks belongs into a file that includes it. What was guessed stands under `assumed`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The inventory. A table (`csv`) has the columns site, class, users, circuits, carrier and
    /// data_centre.
    file: PathBuf,
    /// Its format.
    #[arg(long, env = "ASSIZE_FROM", value_name = "FORMAT", value_parser = formats())]
    from: String,
    /// Compare with this base instead of printing one, and exit with 1 if the inventory moved.
    #[arg(long, env = "ASSIZE_CHECK", value_name = "BASE")]
    check: Option<PathBuf>,
}

fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(FORMATS.iter().map(|f| f.0))
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let text = disk::foreign(&arguments.file)?;
    let cannot = |why: String| Failure::Usage(format!("{}: {why}", arguments.file.display()));
    let format = FORMATS.iter().find(|f| f.0 == arguments.from);
    let (_, read) = format.ok_or_else(|| cannot("no such format".to_owned()))?;
    let inventory = read(&text).map_err(cannot)?;
    for dropped in &inventory.dropped {
        console.say(&format!("left out: {dropped}"));
    }
    let base = inventory.yaml();
    let Some(check) = &arguments.check else {
        write!(console.out, "{base}")?;
        return Ok(Exit::Pass);
    };
    let have = disk::foreign(check)?;
    let (old, new): (Vec<&str>, Vec<&str>) = (have.lines().collect(), base.lines().collect());
    if old == new {
        return Ok(Exit::Pass);
    }
    for line in old.iter().filter(|l| !new.contains(l)) {
        writeln!(console.out, "-{line}")?;
    }
    for line in new.iter().filter(|l| !old.contains(l)) {
        writeln!(console.out, "+{line}")?;
    }
    Ok(Exit::Missed)
}
