//! Drivers: the user's own systems, one file each.
//!
//! A driver is a protocol. Beside it a binding may name commands for what the protocol does not
//! do, and one that starts the replica; both are the same for every driver.

mod bound;
mod companion;
mod exec;
mod http;
mod postgres;
mod process;
mod protocol;
mod secrets;
mod tcp;

use crate::context::Context;
use crate::guard;
use crate::ledger;
use crate::options::Refused;
use crate::replica::{Replica, Trouble};
use assize_fault::Nanos;
use assize_model::binding::{Binding, Request};
use bound::Bound;
use exec::Commands;
use process::Process;
use protocol::Protocol;
pub(crate) use secrets::Secrets;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::timeout;

pub(crate) use postgres::config as data_source;

/// How long a replica that is there may take to answer for the first time.
const ANSWERS: Duration = Duration::from_secs(10);
/// What journeys may ask of a driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asks {
    Http,
    Sql,
    Ledger,
}
/// The registry: name, and what journeys may ask of it by itself.
const REGISTRY: [(&str, &[Asks]); 5] = [
    ("tcp", &[]),
    ("http", &[Asks::Http]),
    ("postgres", &[Asks::Sql, Asks::Ledger]),
    ("exec", &[]),
    ("process", &[]),
];

/// Binds one replica of a real service, starts it if its binding says how, and finds it ready.
///
/// # Errors
/// What journeys ask is not in the driver's power, commands are not allowed, a port is in use, the
/// server is not there or not ready, or the credentials are wrong.
pub async fn start(binding: &Binding, context: Context) -> Result<Arc<dyn Replica>, Refused> {
    let name = context.name();
    allowed(binding, &context)?;
    let (config, secrets) = source(binding, &name)?.unzip();
    let secrets = secrets.unwrap_or_default();
    let index = usize::from(context.replica);
    let Some(upstream) = binding.addresses.get(index).cloned() else {
        return Err(Refused::new(format!("{name} has no address")));
    };
    let commands = Arc::new(Commands::new(binding, &context, secrets.clone()));
    let protocol: Box<dyn Protocol> = match (binding.driver.as_str(), config) {
        ("http", _) => Box::new(http::Http::new(upstream.clone(), binding.health.clone())),
        ("postgres", Some(config)) => {
            let run = run_name(&context);
            Box::new(postgres::Postgres::new(config, secrets, run))
        }
        ("tcp" | "exec" | "process", _) => Box::new(tcp::Tcp),
        (driver, _) => {
            return Err(Refused::new(format!(
                "{name}: there is no driver `{driver}`"
            )));
        }
    };
    let process = commands.has("start").then(|| {
        let output = context.folder.join("output");
        Process::new(commands.clone(), upstream.clone(), output)
    });
    let bound = Bound {
        name: name.clone(),
        upstream,
        protocol,
        commands,
        process,
        keeps_state: context.spec().state.is_some(),
        promotion_fails: false.into(),
        check_lies: false.into(),
        damaged_at: Mutex::new(None),
        companion: Mutex::new(None),
        notes: Mutex::new(Vec::new()),
    };
    match begun(&bound, &context).await {
        Ok(()) => Ok(companion::accompanied(bound, &context)),
        Err(trouble) => {
            bound.stop().await;
            Err(Refused::new(format!(
                "{name} at {}: {trouble}",
                bound.upstream
            )))
        }
    }
}

/// Starts what is to be started, and waits for the first answer.
async fn begun(bound: &Bound, context: &Context) -> Result<(), Trouble> {
    if let Some(process) = &bound.process {
        process.start().await?;
    }
    let depends = &context.spec().depends;
    // Whom it depends on it learns only when all have started.
    let alone = depends.all_of.is_empty() && depends.any_of.is_empty();
    let ready = async {
        let own = bound.own().await?;
        if bound.process.is_some() && !alone {
            return tcp::connects(own).await;
        }
        bound.protocol.ready(own).await
    };
    let silent = || Trouble::Silent(format!("not ready within {} s", ANSWERS.as_secs()));
    timeout(ANSWERS, ready)
        .await
        .unwrap_or_else(|_| Err(silent()))
}

/// Whether commands may run, and whether what journeys ask can be done.
fn allowed(binding: &Binding, context: &Context) -> Result<(), Refused> {
    let name = context.name();
    if !binding.commands.is_empty() && !context.allow_exec {
        let verbs: Vec<&str> = binding.commands.iter().map(|c| c.verb.as_str()).collect();
        return Err(Refused::new(format!(
            "{name}: the file starts commands ({}), and that was not allowed: say `--allow-exec`",
            verbs.join(", ")
        )));
    }
    let can = REGISTRY
        .iter()
        .find(|(driver, _)| *driver == binding.driver);
    let can = can.map_or([].as_slice(), |(_, asks)| asks);
    let writes = binding.commands.iter().any(|c| c.verb == "write");
    for journey in &context.topology.journeys {
        let (to, asks, help) = match &journey.request {
            Some(Request::Http { to, .. }) => (to, Asks::Http, "bind it by `driver: http`"),
            Some(Request::Sql { to, .. }) => (to, Asks::Sql, "bind it by `driver: postgres`"),
            Some(Request::Ledger { to }) if !writes => (
                to,
                Asks::Ledger,
                "bind it by `driver: postgres`, or name commands `write` and `held`",
            ),
            _ => continue,
        };
        if *to == context.service && !can.contains(&asks) {
            return Err(Refused::new(format!(
                "{name}: journey `{}` asks what the driver `{}` does not do: {help}",
                journey.id, binding.driver
            )));
        }
    }
    Ok(())
}

/// The data source that a binding names, from the environment.
///
/// # Errors
/// The variable is not set, or holds none.
pub(crate) fn source(
    binding: &Binding,
    name: &str,
) -> Result<Option<(tokio_postgres::Config, Secrets)>, Refused> {
    let Some(variable) = &binding.dsn else {
        return Ok(None);
    };
    let value = std::env::var(&variable.0).map_err(|_| {
        Refused::new(format!(
            "{name}: the environment variable {} is not set",
            variable.0
        ))
    })?;
    let config = postgres::config(&value);
    let config = config.map_err(|why| Refused::new(format!("{name}: {}: {why}", variable.0)))?;
    let secrets = Secrets::of(&value, &config);
    Ok(Some((config, secrets)))
}

/// What tells the entries of this run from those of others, the same for all replicas.
fn run_name(context: &Context) -> String {
    let start = context.clock.instant(Nanos::ZERO);
    let text = format!("{} {start:?} {}", guard::mark(), context.service.index());
    ledger::hash(text.as_bytes())[..16].to_string()
}

#[cfg(test)]
mod tests;
