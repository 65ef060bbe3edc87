//! `assize ctl`: what people do with a running `assize proxy` from a shell.
//!
//! Called as `toxiproxy-cli` it says what that program says (`--original`); the requests are the
//! same. Here are the arguments and the order of things; `say` has the words, `session` the
//! requests.

mod say;
mod session;

use crate::Console;
use crate::args::Plain;
use crate::exit::{Exit, Failure};
use assize_proxy::client::Client;
use clap::Subcommand;
use session::{Session, Trouble};

/// Look at a running `assize proxy`, and change its proxies and toxics.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the API is.
    #[arg(
        long,
        env = "ASSIZE_URL",
        default_value = "http://localhost:8474",
        value_name = "URL"
    )]
    url: String,
    /// What the server was started with as --token.
    #[arg(
        long,
        env = "ASSIZE_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    token: Option<String>,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        global = true,
        value_name = "FORMAT"
    )]
    format: Plain,
    /// Say what `toxiproxy-cli` says, and end as it does.
    #[arg(long, env = "ASSIZE_ORIGINAL", value_parser = crate::args::flag(), num_args = 0,
          hide = true)]
    original: bool,
    #[command(subcommand)]
    command: Command,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
enum Command {
    /// List the proxies.
    #[command(aliases = ["l", "li", "ls"])]
    List,
    /// Show one proxy with its toxics.
    #[command(aliases = ["i", "ins"])]
    Inspect {
        /// The proxy.
        proxy: String,
    },
    /// Make a proxy.
    #[command(aliases = ["c", "new"])]
    Create {
        /// The new proxy.
        proxy: String,
        /// Where it listens; a free port of this machine unless given.
        #[arg(long, short, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
        listen: String,
        /// Where it connects to.
        #[arg(long, short, value_name = "ADDRESS")]
        upstream: String,
    },
    /// Switch a proxy off if it is on, and on if it is off.
    #[command(alias = "tog")]
    Toggle {
        /// The proxy.
        proxy: String,
    },
    /// Stop a proxy and forget it.
    #[command(alias = "d")]
    Delete {
        /// The proxy.
        proxy: String,
    },
    /// Switch all proxies on and remove all toxics.
    Reset,
    /// Add, update or remove a toxic.
    #[command(subcommand, alias = "t")]
    Toxic(ToxicCommand),
    /// List the live connections of a proxy, with the toxics that touched each.
    Connections {
        /// The proxy.
        proxy: String,
    },
    /// End the live connections of a proxy.
    Cut {
        /// The proxy.
        proxy: String,
        /// By a reset instead of in order.
        #[arg(long)]
        reset: bool,
    },
    /// Say what new clients of a proxy meet.
    Listener {
        /// The proxy.
        proxy: String,
        /// `open`, `refuse` (connection refused at once) or `blackhole` (no answer at all).
        #[arg(value_parser = ["open", "refuse", "blackhole"])]
        state: String,
    },
    /// Follow the operations that are applied, as JSON, one per line.
    Events {
        /// Begin after the operation of this number; 0 for all that are kept.
        #[arg(long, value_name = "N")]
        after: Option<u64>,
        /// End after so many.
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
}

/// What can be done with toxics.
#[derive(Debug, Subcommand)]
enum ToxicCommand {
    /// Add a toxic.
    #[command(alias = "a")]
    Add {
        /// The proxy.
        proxy: String,
        /// What it does: `assize faults` lists the types.
        #[arg(long = "type", short = 't', value_name = "TYPE")]
        kind: String,
        /// Its name; TYPE_STREAM unless given.
        #[arg(long, short)]
        name: Option<String>,
        /// Act on what clients send.
        #[arg(long, short, conflicts_with = "downstream")]
        upstream: bool,
        /// Act on what clients receive; so unless said otherwise.
        #[arg(long, short)]
        downstream: bool,
        #[command(flatten)]
        settings: ToxicArgs,
    },
    /// Change a toxic; what is not mentioned stays.
    #[command(alias = "u")]
    Update {
        /// The proxy.
        proxy: String,
        /// The toxic.
        #[arg(long, short)]
        name: String,
        #[command(flatten)]
        settings: ToxicArgs,
    },
    /// Remove a toxic.
    #[command(aliases = ["r", "delete", "d"])]
    Remove {
        /// The proxy.
        proxy: String,
        /// The toxic.
        #[arg(long, short)]
        name: String,
    },
}

/// What a toxic has beside its name.
#[derive(Debug, clap::Args)]
struct ToxicArgs {
    /// The share of connections that it touches, from 0 to 1.
    #[arg(long, value_parser = share, value_name = "SHARE")]
    toxicity: Option<f32>,
    /// A setting, such as `latency=100`; can be given several times.
    #[arg(long = "attribute", short, value_name = "KEY=VALUE")]
    attributes: Vec<String>,
    /// Touch only clients of this address or network, such as `10.0.0.0/8`.
    #[arg(long, value_name = "ADDRESS")]
    peer: Option<String>,
    /// Be gone after this time, such as `30s`; `never` ends a lease.
    #[arg(long, value_name = "DURATION")]
    expires_in: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let result = Client::new(&arguments.url, arguments.token.clone())
        .map_err(Trouble::from)
        .and_then(|client| {
            Session {
                client,
                original: arguments.original,
                format: arguments.format,
            }
            .run(&arguments.command, console)
        });
    match result {
        Ok(()) => Ok(Exit::Pass),
        Err(Trouble::Output(error)) => Err(error.into()),
        Err(trouble) if arguments.original => {
            // Exit code 1 is all that its users know.
            console.say(&format!("{}{trouble}", session::failed(&arguments.command)));
            Ok(Exit::Missed)
        }
        Err(Trouble::Refused(text)) => Err(Failure::Usage(text)),
        Err(trouble) => Err(Failure::World(trouble.to_string())),
    }
}

fn share(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|n| (0.0..=1.0).contains(n));
    number.ok_or_else(|| "toxicity should be a float between 0 and 1".to_owned())
}
