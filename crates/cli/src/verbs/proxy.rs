//! `assize proxy`: the server that takes the place of `toxiproxy-server`.
//!
//! Arguments, the configuration file and what is said at the start; the server itself is in
//! `assize-proxy`.

use crate::Console;
use crate::args::Plain;
use crate::exit::{Exit, Failure};
use assize_proxy::EngineOptions;
use assize_proxy::api::{ApiError, Server, Settings};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Run proxies through which faults are injected, behind the API of Toxiproxy.
///
/// Every client of Toxiproxy works against it, and its own command line too: called as
/// `toxiproxy-server` (a link to this binary) it is started by that program's flags. Routes of
/// our own are under /assize/v1. Ends with exit code 0 on SIGINT and SIGTERM.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the API listens. Anything but loopback is your consent that others reach it.
    #[arg(
        long,
        env = "ASSIZE_HOST",
        default_value = "localhost",
        value_name = "HOST"
    )]
    host: String,
    /// The port of the API; 0 lets the system choose.
    #[arg(long, env = "ASSIZE_PORT", default_value_t = 8474, value_name = "PORT")]
    port: u16,
    /// A JSON file with proxies to begin with, as `POST /populate` takes them; each may have
    /// `toxics` too.
    #[arg(long, env = "ASSIZE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The seed of everything random: which connections a toxicity below 1 touches, jitter.
    #[arg(long, env = "ASSIZE_SEED", default_value = "0", value_parser = seed,
          allow_negative_numbers = true, value_name = "N")]
    seed: u64,
    /// Show the bytes that proxies moved in /metrics.
    #[arg(long, env = "ASSIZE_PROXY_METRICS", value_parser = crate::args::flag(),
          num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL")]
    proxy_metrics: bool,
    /// Show figures of the process in /metrics.
    #[arg(long, env = "ASSIZE_RUNTIME_METRICS", value_parser = crate::args::flag(),
          num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL")]
    runtime_metrics: bool,
    /// What requests to routes under /assize/v1 must know. Without one they are answered on
    /// loopback only.
    #[arg(
        long,
        env = "ASSIZE_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    token: Option<String>,
    /// Look again for up to 50 µs before going to sleep: half the delay of a small exchange for
    /// half as much processor time again. Has no effect on one core.
    #[arg(long, env = "ASSIZE_SPIN", value_parser = crate::args::flag(),
          num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_name = "BOOL")]
    spin: bool,
    /// Start although the configuration cannot be used, as `toxiproxy-server` does.
    #[arg(long, env = "ASSIZE_LENIENT", value_parser = crate::args::flag(), num_args = 0)]
    lenient: bool,
    /// How to print where it listens.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Plain,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let server = Server::bind(Settings {
        host: arguments.host.clone(),
        port: arguments.port,
        seed: arguments.seed,
        proxy_metrics: arguments.proxy_metrics,
        runtime_metrics: arguments.runtime_metrics,
        token: arguments.token.clone().filter(|token| !token.is_empty()),
        engine: EngineOptions {
            spin: arguments.spin,
            ..EngineOptions::default()
        },
    });
    let world = |error: ApiError| Failure::World(error.to_string());
    let mut server = server.map_err(world)?;
    // Before the first request is answered: who asks whether it is up finds its proxies.
    if let Some(file) = &arguments.config {
        match populate(&server, file) {
            Ok(count) => console.say(&format!("{count} proxies from {}", file.display())),
            Err(Failure::Usage(text) | Failure::World(text)) if arguments.lenient => {
                console.say(&format!("error: {text}; going on without"));
            }
            Err(failure) => return Err(failure),
        }
    }
    warn(arguments, &server, console);
    server.serve().map_err(world)?;
    let url = format!("http://{}", server.address());
    let ready = || {
        match arguments.format {
            Plain::Table => writeln!(console.out, "listening on {url}")?,
            Plain::Json => {
                let line = json!({"schema": "assize/proxy/v1", "url": url});
                writeln!(console.out, "{line}")?;
            }
        }
        console.out.flush()
    };
    server.until_signal(ready)?;
    console.say("stopping");
    server.stop();
    Ok(Exit::Pass)
}

/// Says what may surprise whoever started it.
fn warn(arguments: &Arguments, server: &Server, console: &mut Console<'_>) {
    if !server.address().ip().is_loopback() && arguments.token.is_none() {
        console.say(
            "warning: whoever reaches this address can use the API; \
             routes under /assize/v1 are refused without --token",
        );
    }
    let limits = server.limits();
    if limits.hard_limit_binds {
        console.say(&format!(
            "warning: the hard limit of {} open files allows {} connections at once",
            limits.files, limits.connections
        ));
    }
}

fn populate(server: &Server, file: &Path) -> Result<usize, Failure> {
    let place = file.display();
    let json = std::fs::read(file)
        .map_err(|error| Failure::Usage(format!("{place} cannot be read: {error}")))?;
    server.populate(&json).map_err(|error| {
        let text = format!("{place}: {error}");
        if error.status < 500 {
            Failure::Usage(text)
        } else {
            Failure::World(text)
        }
    })
}

/// A seed; a negative one, which Go's `int64` allows, is as good as any.
fn seed(text: &str) -> Result<u64, String> {
    let wrong = "a seed is a whole number of at most 64 bits";
    text.parse::<u64>()
        .or_else(|_| text.parse::<i64>().map(i64::cast_unsigned))
        .map_err(|_| wrong.to_owned())
}
