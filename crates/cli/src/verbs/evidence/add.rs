//! `assize evidence sign`, `tsq` and `attach`: what is added to a pack that holds.

use crate::Console;
use crate::evidence::{again, private_key, store};
use crate::exit::{Exit, Failure};
use assize_evidence::{Files, Refusal, Role, pack, tsp};
use std::path::{Path, PathBuf};

/// Add a signature to a pack.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Sign {
    /// The pack: a folder or a zip file.
    pack: PathBuf,
    /// In which role: `supplier` (who ran it), `witness` (who saw it run), `customer` (who has
    /// checked it).
    #[arg(long, env = "ASSIZE_ROLE", value_name = "ROLE", value_parser = role)]
    role: Role,
    /// The private key; in the environment the key itself may stand.
    #[arg(long, env = "ASSIZE_KEY", hide_env_values = true, value_name = "FILE")]
    key: String,
}

/// Write the request for a time-stamp of a pack (or of any file, such as a plan).
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Request {
    /// The pack, or any other file.
    pack: PathBuf,
    /// The file of the request (RFC 3161), for the authority.
    #[arg(long, short, env = "ASSIZE_OUT", value_name = "FILE.tsq")]
    out: PathBuf,
}

/// Add the time-stamp that an authority gave.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Attach {
    /// The pack.
    pack: PathBuf,
    /// The authority's response (RFC 3161).
    #[arg(value_name = "FILE.tsr")]
    response: PathBuf,
}

fn role(text: &str) -> Result<Role, String> {
    let known = Role::ALL.into_iter().find(|role| role.to_string() == text);
    known.ok_or_else(|| "write `supplier`, `witness` or `customer`".into())
}

/// A pack that holds; nothing is added to one that does not.
fn whole(path: &Path) -> Result<Files, Failure> {
    store::read_whole(path).map(|(files, _)| files)
}

fn refused(path: &Path, refusal: &Refusal) -> Failure {
    let path = path.display();
    Failure::Usage(format!("the pack `{path}` does not hold: {refusal}"))
}

pub(super) fn sign(arguments: &Sign, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let key = private_key(&arguments.key)?;
    let before = whole(&arguments.pack)?;
    let mut after = before.clone();
    let facts = again::facts(&before).map_err(|refusal| refused(&arguments.pack, &refusal))?;
    let name = pack::sign(&mut after, arguments.role, facts.state, &key);
    store::add(&arguments.pack, &before, &after)?;
    writeln!(console.out, "{name}")?;
    Ok(Exit::Pass)
}

pub(super) fn request(arguments: &Request, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let path = &arguments.pack;
    let is_pack = path.is_dir() || store::is_zip(path);
    let (what, bytes) = if is_pack {
        let mut files = whole(path)?;
        let name = pack::newest(&files);
        let bytes = files.remove(&name).unwrap_or_default();
        (name, bytes)
    } else {
        (path.display().to_string(), read(path)?)
    };
    let out = &arguments.out;
    std::fs::write(out, tsp::request(&bytes)).map_err(|error| {
        Failure::World(format!("`{}` cannot be written: {error}", out.display()))
    })?;
    console.say(&format!(
        "a request for a time-stamp of {what}: send it to an authority, for example\n  curl \
         --data-binary @{} -H 'Content-Type: application/timestamp-query' -o response.tsr URL",
        out.display()
    ));
    Ok(Exit::Pass)
}

pub(super) fn attach(arguments: &Attach, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let before = whole(&arguments.pack)?;
    let response = read(&arguments.response)?;
    let mut after = before.clone();
    let stamp = pack::stamp(&mut after, &response).map_err(|refusal| {
        let path = arguments.response.display();
        Failure::Usage(format!("`{path}` cannot be added: {}", refusal.why))
    })?;
    if before.contains_key(&stamp.file) {
        return Err(Failure::Usage(
            "that time-stamp is in the pack already".into(),
        ));
    }
    store::add(&arguments.pack, &before, &after)?;
    writeln!(console.out, "{}", stamp.file)?;
    console.say(&format!(
        "it claims that {} was there at {}; `openssl ts -verify` in VERIFY.txt says whose word that is",
        stamp.of, stamp.at
    ));
    Ok(Exit::Pass)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::Usage(format!("`{}` cannot be read: {error}", path.display())))
}
