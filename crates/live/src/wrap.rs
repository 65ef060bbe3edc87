//! Wrap mode: the user's own tests or load as traffic beside that of the plan.
//!
//! The command finds each service at `ASSIZE_<SERVICE>_HOST`, `_PORT` and `_URL`: the proxy of the
//! first user group towards the home replica; each replica by `ASSIZE_<SERVICE>_<REPLICA>_URL`. It keeps the run's standard error, and its standard output
//! goes there too, so that a report on standard output stays one.

use crate::guard;
use crate::options::{Refused, Wrap};
use crate::reap;
use assize_model::binding::Realisation;
use assize_model::topology::Service;
use std::net::SocketAddr;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// A command that was started. Dropping it ends it with all that it has started.
#[derive(Debug)]
pub struct Wrapped {
    child: Child,
    group: u32,
}

/// The variables by which a wrapped command finds a service, or one replica of it, through its
/// proxy.
#[must_use]
pub fn variables(
    service: &Service,
    replica: Option<&str>,
    proxy: SocketAddr,
) -> Vec<(String, String)> {
    let name = match replica {
        Some(replica) => format!("{}_{replica}", service.id),
        None => service.id.clone(),
    };
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    let scheme = match &service.realised {
        Realisation::Bound(binding) if binding.driver == "postgres" => "postgres",
        Realisation::Bound(binding) if binding.driver != "http" => "tcp",
        Realisation::Bound(_) | Realisation::StandIn(_) => "http",
    };
    [
        ("HOST", proxy.ip().to_string()),
        ("PORT", proxy.port().to_string()),
        ("URL", format!("{scheme}://{proxy}")),
    ]
    .map(|(what, value)| (format!("ASSIZE_{name}_{what}"), value))
    .into()
}

/// Starts the command with these variables beside its own.
///
/// # Errors
/// It cannot be started.
pub fn start(wrap: &Wrap, variables: &[(String, String)]) -> Result<Wrapped, Refused> {
    let Some((program, arguments)) = wrap.argv.split_first() else {
        return Err(Refused::new("the command after `--` is missing"));
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(
            variables
                .iter()
                .chain(&wrap.env)
                .map(|(name, value)| (name, value)),
        )
        .env(guard::MARK, guard::mark())
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let child = command
        .spawn()
        .map_err(|error| Refused::new(format!("`{program}` cannot be started: {error}")))?;
    let group = child.id().unwrap_or_default();
    guard::watch(group);
    Ok(Wrapped { child, group })
}

impl Wrapped {
    /// Waits for its end: its exit code, or `None` if a signal ended it. May be called again, and
    /// abandoned.
    pub async fn ended(&mut self) -> Option<i32> {
        let status = self.child.wait().await;
        guard::release(self.group);
        status.ok().and_then(|status| status.code())
    }
}

impl Drop for Wrapped {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            reap::signal_all(self.group, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use assize_model::file::{LoadOptions, MemorySource, load_topology};

    #[tokio::test]
    async fn a_command_finds_the_proxies_and_says_how_it_ended() {
        let text = "assize: topology/v1\nservices:\n  juror-db: {driver: postgres, address: 'h:5', dsn: {env: X}}\njourneys: {j: {calls: juror-db}}\n";
        let files = MemorySource::new([("t.yaml", text)]);
        let (t, _) = load_topology(&files, "t.yaml".as_ref(), &LoadOptions::default()).unwrap();
        let variables = variables(&t.services[0], None, SocketAddr::from(([127, 0, 0, 1], 77)));
        let script = |script: &str| Wrap {
            argv: ["sh", "-c", script].map(String::from).into(),
            env: vec![("OWN".into(), "1".into())],
        };
        let test = "test \"$ASSIZE_JUROR_DB_URL $ASSIZE_JUROR_DB_HOST $ASSIZE_JUROR_DB_PORT $OWN\" \
                    = 'postgres://127.0.0.1:77 127.0.0.1 77 1' && exit 7";
        let mut wrapped = start(&script(test), &variables).unwrap();
        assert_eq!(wrapped.ended().await, Some(7));
        assert_eq!(wrapped.ended().await, Some(7));
        let mut killed = start(&script("kill -9 $$"), &[]).unwrap();
        assert_eq!(killed.ended().await, None);
        let nothing = Wrap {
            argv: vec!["./nothing-there".into()],
            env: Vec::new(),
        };
        assert!(start(&nothing, &[]).is_err());
    }
}
