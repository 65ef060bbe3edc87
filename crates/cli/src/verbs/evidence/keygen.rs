//! `assize evidence keygen`: a pair of keys for signing, in files that openssl reads.

use crate::Console;
use crate::exit::{Exit, Failure};
use assize_evidence::PrivateKey;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Make a pair of keys: NAME, which stays with you, and NAME.pub.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file of the private key (PKCS#8); the public one (SPKI) is NAME.pub.
    #[arg(long, env = "ASSIZE_OUT", value_name = "NAME")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let mut public = arguments.out.as_os_str().to_owned();
    public.push(".pub");
    let public = PathBuf::from(public);
    for path in [&arguments.out, &public] {
        if path.exists() {
            return Err(Failure::Usage(format!(
                "`{}` is there already\n = help: a key is never written over: name another",
                path.display()
            )));
        }
    }
    let mut random = [0; 32];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::World(format!("the system gives no random numbers: {error}")))?;
    let key = PrivateKey::new(&random);
    write(&arguments.out, 0o600, &key.to_pem())?;
    write(&public, 0o644, &key.public().to_pem())?;
    console.say(&format!(
        "{} signs and stays with you; {} is for those who check",
        arguments.out.display(),
        public.display()
    ));
    writeln!(console.out, "{}", key.public().id())?;
    Ok(Exit::Pass)
}

fn write(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written
        .map_err(|error| Failure::World(format!("`{}` cannot be written: {error}", path.display())))
}
