//! The requests behind each command of `assize ctl`, and what can come back instead of success.

use super::{Command, ToxicArgs, ToxicCommand, say};
use crate::Console;
use crate::args::Plain;
use assize_fault::Wire;
use assize_proxy::client::{Client, ClientError, segment};
use serde_json::{Map, Value, json};
use std::io;

/// Why a command did not succeed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server, or we before asking it, refused what was asked.
    Refused(String),
    /// The server could not do it, or is not there.
    World(String),
    /// What was to be said could not be written.
    Output(io::Error),
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(text) | Self::World(text) => f.write_str(text),
            Self::Output(error) => error.fmt(f),
        }
    }
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Address(_) => Self::Refused(error.to_string()),
            ClientError::Unreachable { .. } => Self::World(error.to_string()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What a command is carried out with.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) original: bool,
    pub(super) format: Plain,
}

impl Session {
    /// Carries a command out.
    pub(super) fn run(&self, command: &Command, console: &mut Console<'_>) -> Result<(), Trouble> {
        match command {
            Command::List => {
                let proxies = self.ask("GET", "/proxies", None)?;
                self.tell(&proxies, console, say::list, say::original_list)
            }
            Command::Inspect { proxy } => self.inspect(proxy, console),
            Command::Create {
                proxy,
                listen,
                upstream,
            } => {
                let body = json!({"name": proxy, "listen": listen, "upstream": upstream});
                let made = self.ask("POST", "/proxies", Some(&body))?;
                self.done(&made, console, &say::created(&made, self.original))
            }
            Command::Toggle { proxy } => {
                let path = format!("/proxies/{}", segment(proxy));
                let before = self.ask("GET", &path, None)?;
                let body = json!({"enabled": before["enabled"] != true});
                let now = self.ask("POST", &path, Some(&body))?;
                self.done(&now, console, &say::toggled(&now, self.original))
            }
            Command::Delete { proxy } => {
                let path = format!("/proxies/{}", segment(proxy));
                let gone = self.ask("DELETE", &path, None)?;
                self.done(&gone, console, &format!("Deleted proxy {proxy}"))
            }
            Command::Reset => {
                let reset = self.ask("POST", "/reset", None)?;
                self.done(
                    &reset,
                    console,
                    "All proxies are enabled and have no toxics",
                )
            }
            Command::Toxic(command) => self.toxic(command, console),
            Command::Connections { proxy } => {
                let path = format!("/assize/v1/proxies/{}/connections", segment(proxy));
                let list = self.ask("GET", &path, None)?;
                self.tell(&list, console, say::connections, say::connections)
            }
            Command::Cut { proxy, reset } => {
                let how = if *reset { "reset" } else { "close" };
                let name = segment(proxy);
                let path = format!("/assize/v1/proxies/{name}/connections?how={how}");
                let cut = self.ask("DELETE", &path, None)?;
                let text = format!("Cut {} connections of {proxy}", cut["connections"]);
                self.done(&cut, console, &text)
            }
            Command::Listener { proxy, state } => {
                let path = format!("/assize/v1/proxies/{}/listener", segment(proxy));
                let body = json!({"state": state});
                let now = self.ask("PUT", &path, Some(&body))?;
                let text = format!("The listener of {proxy} is {state}");
                self.done(&now, console, &text)
            }
            Command::Events { after, count } => self.events(*after, *count, console),
        }
    }

    /// What the server answers to a request; its error if it refuses.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Trouble> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = self.client.send(method, path, &body)?;
        let value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if (200..300).contains(&answer.status) {
            return Ok(value);
        }
        let said = String::from_utf8_lossy(&answer.body);
        let text = value["error"].as_str().unwrap_or_else(|| said.trim());
        if self.original {
            return Err(Trouble::Refused(format!("HTTP {}: {text}", answer.status)));
        }
        Err(if answer.status < 500 {
            Trouble::Refused(format!("{text}{}", self.hint(text)))
        } else {
            Trouble::World(text.to_owned())
        })
    }

    fn hint(&self, error: &str) -> String {
        if error != "proxy not found" {
            return String::new();
        }
        let listed = self.client.send("GET", "/proxies", "").ok();
        let value = listed.and_then(|a| serde_json::from_slice::<Map<_, _>>(&a.body).ok());
        match value.map(|map| map.keys().cloned().collect::<Vec<_>>()) {
            Some(names) if names.is_empty() => "\n = help: there are no proxies".to_owned(),
            Some(names) => format!("\n = help: there are {}", names.join(", ")),
            None => String::new(),
        }
    }

    fn inspect(&self, proxy: &str, console: &mut Console<'_>) -> Result<(), Trouble> {
        let name = segment(proxy);
        if self.original {
            let shown = self.ask("GET", &format!("/proxies/{name}"), None)?;
            return Ok(say::original_toxics(&shown, console)?);
        }
        // Our own route says more, but is not open everywhere.
        let own = self.ask("GET", &format!("/assize/v1/proxies/{name}"), None);
        let shown = match own {
            Ok(shown) => shown,
            Err(_) => self.ask("GET", &format!("/proxies/{name}"), None)?,
        };
        self.tell(&shown, console, say::inspect, say::inspect)
    }

    fn toxic(&self, command: &ToxicCommand, console: &mut Console<'_>) -> Result<(), Trouble> {
        let path = |proxy: &str| format!("/proxies/{}/toxics", segment(proxy));
        match command {
            ToxicCommand::Add {
                proxy,
                kind,
                name,
                upstream,
                settings,
                ..
            } => {
                let stream = if *upstream { "upstream" } else { "downstream" };
                let mut body = settings.body(self.known(kind)?.as_ref())?;
                body.insert("type".to_owned(), json!(kind));
                body.insert("stream".to_owned(), json!(stream));
                if let Some(name) = name {
                    body.insert("name".to_owned(), json!(name));
                }
                let made = self.ask("POST", &path(proxy), Some(&Value::Object(body)))?;
                let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
                let (name, kind) = (text("name"), text("type"));
                let text = format!("Added {stream} {kind} toxic '{name}' on proxy '{proxy}'");
                self.done(&made, console, &text)
            }
            ToxicCommand::Update {
                proxy,
                name,
                settings,
            } => {
                let path = format!("{}/{}", path(proxy), segment(name));
                let before = self.ask("GET", &path, None)?;
                let kind = before["type"].as_str().unwrap_or_default();
                let body = settings.body(self.known(kind)?.as_ref())?;
                let now = self.ask("POST", &path, Some(&Value::Object(body)))?;
                let text = format!("Updated toxic '{name}' on proxy '{proxy}'");
                self.done(&now, console, &text)
            }
            ToxicCommand::Remove { proxy, name } => {
                let path = format!("{}/{}", path(proxy), segment(name));
                let gone = self.ask("DELETE", &path, None)?;
                let text = format!("Removed toxic '{name}' on proxy '{proxy}'");
                self.done(&gone, console, &text)
            }
        }
    }

    /// The fault of a type, whose attributes are checked before the server is asked: it ignores
    /// unknown ones without a word. Called as the original, so do we.
    fn known(&self, kind: &str) -> Result<Option<Wire>, Trouble> {
        let wire = Wire::named(kind);
        if self.original {
            return Ok(None);
        }
        wire.map(Some).ok_or_else(|| {
            let types = Wire::KINDS.join(", ");
            Trouble::Refused(format!(
                "there is no toxic `{kind}`\n = help: there are {types}"
            ))
        })
    }

    fn events(
        &self,
        after: Option<u64>,
        count: Option<u64>,
        console: &mut Console<'_>,
    ) -> Result<(), Trouble> {
        let path = match after {
            Some(number) => format!("/assize/v1/events?after={number}"),
            None => "/assize/v1/events".to_owned(),
        };
        let mut left = count.unwrap_or(u64::MAX);
        let mut text = String::new();
        let mut written = Ok(());
        let status = self.client.follow(&path, |piece| {
            text.push_str(&String::from_utf8_lossy(piece));
            while let Some(end) = text.find('\n') {
                let line: String = text.drain(..=end).collect();
                let Some(json) = line.trim_end().strip_prefix("data: ") else {
                    continue;
                };
                if left == 0 {
                    return false;
                }
                written = writeln!(console.out, "{json}").and_then(|()| console.out.flush());
                left -= 1;
                if written.is_err() || left == 0 {
                    return false;
                }
            }
            true
        })?;
        written?;
        if status == 200 {
            return Ok(());
        }
        let answer = serde_json::from_str::<Value>(text.trim()).unwrap_or(Value::Null);
        let said = answer["error"].as_str().unwrap_or(text.trim());
        Err(Trouble::Refused(said.to_owned()))
    }

    fn tell(
        &self,
        value: &Value,
        console: &mut Console<'_>,
        ours: fn(&Value, &mut Console<'_>) -> io::Result<()>,
        original: fn(&Value, &mut Console<'_>) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        match (self.original, self.format) {
            (true, _) => original(value, console)?,
            (false, Plain::Table) => ours(value, console)?,
            (false, Plain::Json) => writeln!(console.out, "{value:#}")?,
        }
        Ok(())
    }

    fn done(&self, value: &Value, console: &mut Console<'_>, text: &str) -> Result<(), Trouble> {
        if self.original || self.format == Plain::Table {
            writeln!(console.out, "{text}")?;
        } else {
            writeln!(console.out, "{value:#}")?;
        }
        Ok(())
    }
}

impl ToxicArgs {
    /// What a request says about them. With a fault, its attributes are all there are.
    fn body(&self, wire: Option<&Wire>) -> Result<Map<String, Value>, Trouble> {
        let mut attributes = Map::new();
        for text in &self.attributes {
            let Some((key, value)) = text.split_once('=') else {
                if wire.is_none() {
                    continue;
                }
                let text = format!("`{text}`: an attribute is KEY=VALUE");
                return Err(Trouble::Refused(text));
            };
            if let Some(wire) = wire.filter(|w| w.attributes().iter().all(|a| a.name != key)) {
                let names = wire.attributes().iter().map(|a| a.name);
                let known = names.collect::<Vec<_>>().join(", ");
                let kind = wire.kind();
                let text = format!(
                    "`{kind}` has no attribute `{key}`\n = help: it has {known} \
                     (`assize faults {kind}` tells more)"
                );
                return Err(Trouble::Refused(text));
            }
            attributes.insert(key.to_owned(), number_or_text(value));
        }
        let mut body = Map::new();
        body.insert("attributes".to_owned(), Value::Object(attributes));
        if let Some(toxicity) = self.toxicity {
            body.insert("toxicity".to_owned(), json!(toxicity));
        }
        if let Some(peer) = &self.peer {
            body.insert("peer".to_owned(), json!(peer));
        }
        if let Some(time) = &self.expires_in {
            body.insert("expires_in".to_owned(), json!(time));
        }
        Ok(body)
    }
}

fn number_or_text(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return json!(whole);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => json!(number),
        _ => json!(text),
    }
}

/// What the original says before the reason why a command failed.
pub(super) fn failed(command: &Command) -> String {
    match command {
        Command::List => "Failed to retrieve proxies: ".to_owned(),
        Command::Inspect { proxy } => format!("Failed to retrieve proxy {proxy}: "),
        Command::Create { .. } => "Failed to create proxy: ".to_owned(),
        Command::Toggle { proxy } => format!("Failed to toggle proxy {proxy}: "),
        Command::Delete { .. } => "Failed to delete proxy: ".to_owned(),
        Command::Toxic(ToxicCommand::Add { .. }) => "Failed to add toxic: ".to_owned(),
        Command::Toxic(ToxicCommand::Update { .. }) => "Failed to update toxic: ".to_owned(),
        Command::Toxic(ToxicCommand::Remove { .. }) => "Failed to remove toxic: ".to_owned(),
        _ => String::new(),
    }
}
