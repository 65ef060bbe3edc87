//! Toxiproxy's routes: which request is which operation, and what is answered.
//!
//! A route is looked up as the original's router does it: the path must be clean, a name holds
//! no slash, and a known path with another method is 405 with nothing in it.

use super::entry::Snapshot;
use super::error::ApiError;
use super::gojson::quote;
use super::input::{ProxyInput, ToxicInput};
use super::metrics;
use super::registry::{By, Registry};
use super::reply::Reply;
use super::toxic::Kept;
use super::{Settings, VERSION};
use http::Method;

/// What a request of the original's API asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    Reset,
    List,
    Create,
    Populate,
    Show(String),
    Update(String),
    Delete(String),
    Toxics(String),
    AddToxic(String),
    Toxic(String, String),
    UpdateToxic(String, String),
    RemoveToxic(String, String),
    Version,
    Metrics,
}

/// What a path and a method come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Route {
    /// An operation.
    To(Operation),
    /// The path is known, the method is not.
    Method,
    /// The path has this clean form.
    Moved(String),
    /// Neither is known.
    Nowhere,
}

/// Finds the route of a request. The path is decoded; `metrics` says whether there are any.
pub(crate) fn find(method: &Method, path: &str, metrics: bool) -> Route {
    let clean = clean(path);
    if clean != path {
        return Route::Moved(clean);
    }
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let name = |part: &&str| (*part).to_owned();
    let updates = *method == Method::POST || *method == Method::PATCH;
    use Operation as O;
    let found = match parts.as_slice() {
        ["reset"] => (*method == Method::POST).then_some(O::Reset),
        ["populate"] => (*method == Method::POST).then_some(O::Populate),
        ["version"] => (*method == Method::GET).then_some(O::Version),
        ["metrics"] if metrics => Some(O::Metrics),
        ["proxies"] => match *method {
            Method::GET => Some(O::List),
            Method::POST => Some(O::Create),
            _ => None,
        },
        ["proxies", proxy] if !proxy.is_empty() => match *method {
            Method::GET => Some(O::Show(name(proxy))),
            Method::DELETE => Some(O::Delete(name(proxy))),
            _ => updates.then(|| O::Update(name(proxy))),
        },
        ["proxies", proxy, "toxics"] => match *method {
            Method::GET => Some(O::Toxics(name(proxy))),
            Method::POST => Some(O::AddToxic(name(proxy))),
            _ => None,
        },
        ["proxies", proxy, "toxics", toxic] if !toxic.is_empty() => match *method {
            Method::GET => Some(O::Toxic(name(proxy), name(toxic))),
            Method::DELETE => Some(O::RemoveToxic(name(proxy), name(toxic))),
            _ => updates.then(|| O::UpdateToxic(name(proxy), name(toxic))),
        },
        _ => return Route::Nowhere,
    };
    found.map_or(Route::Method, Route::To)
}

/// Carries an operation out. It may block.
pub(crate) fn answer(
    registry: &Registry,
    settings: &Settings,
    operation: &Operation,
    body: &[u8],
) -> Reply {
    use Operation as O;
    let result = match operation {
        O::Reset => registry.reset().map(|()| Reply::empty(204)),
        O::List => Ok(Reply::json(200, list(&registry.list(), Kept::json))),
        O::Create => create(registry, body),
        O::Populate => Ok(populate(registry, body)),
        O::Show(proxy) => registry.show(proxy).map(|p| Reply::json(200, shown(&p))),
        O::Update(proxy) => registry
            .update(proxy, body)
            .map(|p| Reply::json(200, shown(&p))),
        O::Delete(proxy) => registry.delete(proxy).map(|()| Reply::empty(204)),
        O::Toxics(proxy) => registry
            .show(proxy)
            .map(|p| Reply::json(200, toxics(&p, Kept::json))),
        O::AddToxic(proxy) => registry
            .add_toxic(proxy, body)
            .map(|t| Reply::json(200, t.json())),
        O::Toxic(proxy, toxic) => registry
            .toxic(proxy, toxic)
            .map(|t| Reply::json(200, t.json())),
        O::UpdateToxic(proxy, toxic) => registry
            .update_toxic(proxy, toxic, body)
            .map(|t| Reply::json(200, t.json())),
        O::RemoveToxic(proxy, toxic) => registry
            .remove_toxic(proxy, toxic)
            .map(|()| Reply::empty(204)),
        O::Version => Ok(version()),
        O::Metrics => Ok(metrics::reply(registry, settings)),
    };
    result.unwrap_or_else(Reply::from)
}

/// Proxies by name, each with its toxics as the caller wants them.
pub(crate) fn list(proxies: &[Snapshot], toxic: fn(&Kept) -> String) -> String {
    let members = proxies.iter();
    let members = members.map(|p| format!("{}:{}", quote(&p.name), p.json(toxic)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// The toxics of a proxy.
pub(crate) fn toxics(proxy: &Snapshot, toxic: fn(&Kept) -> String) -> String {
    let toxics: Vec<_> = proxy.toxics.iter().map(toxic).collect();
    format!("[{}]", toxics.join(","))
}

/// What was done of a list of proxies, and what stopped it. Go prints a list of nothing as null.
pub(crate) fn populated(
    made: &[Snapshot],
    result: &Result<(), ApiError>,
    toxic: fn(&Kept) -> String,
) -> Reply {
    let proxies: Vec<_> = made.iter().map(|p| p.json(toxic)).collect();
    let proxies = match proxies.as_slice() {
        [] => "null".to_owned(),
        some => format!("[{}]", some.join(",")),
    };
    match result {
        Ok(()) => Reply::json(201, format!(r#"{{"proxies":{proxies}}}"#)),
        Err(error) => {
            let text = format!(r#"{{{},"proxies":{proxies}}}"#, error.members());
            Reply::json(error.status, text)
        }
    }
}

fn shown(proxy: &Snapshot) -> String {
    proxy.json(Kept::json)
}

fn create(registry: &Registry, body: &[u8]) -> Result<Reply, ApiError> {
    let input = ProxyInput::create(body)?;
    let made = registry.create(&input, Vec::new(), By::Api)?;
    Ok(Reply::json(201, shown(&made)))
}

fn populate(registry: &Registry, body: &[u8]) -> Reply {
    let (made, result) = match ProxyInput::list(body) {
        // Toxics in the body are ignored here, as the original does; our own route reads them.
        Ok(inputs) => {
            let inputs: Vec<_> = inputs.into_iter().map(|i| (i, Vec::new())).collect();
            registry.populate(&inputs, By::Api)
        }
        Err(error) => (Vec::new(), Err(error)),
    };
    populated(&made, &result, Kept::json)
}

/// Proxies of a list with the toxics that it names, ready to be made.
pub(crate) fn with_toxics(body: &[u8]) -> Result<Vec<(ProxyInput, Vec<Kept>)>, ApiError> {
    let inputs = ProxyInput::list(body)?;
    let with = |input: ProxyInput| {
        let toxics: Vec<ToxicInput> = input.toxics()?;
        let kept = Kept::all(&toxics, crate::clock::now())?;
        Ok((input, kept))
    };
    inputs.into_iter().map(with).collect()
}

fn version() -> Reply {
    let text = format!("{{\"version\": \"{VERSION}\"}}\n");
    Reply::text(200, "application/json;charset=utf-8", text)
}

/// A path without empty parts, `.` and `..`; a slash at its end is kept.
fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let end = if path.ends_with('/') && !parts.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        find(&method.parse().expect(method), path, false)
    }

    #[test]
    fn every_operation_has_its_method_and_path() {
        use Operation as O;
        let (p, t) = (|| "p".to_owned(), || "t".to_owned());
        for (method, path, operation) in [
            ("GET", "/proxies", O::List),
            ("POST", "/proxies", O::Create),
            ("POST", "/populate", O::Populate),
            ("GET", "/proxies/p", O::Show(p())),
            ("POST", "/proxies/p", O::Update(p())),
            ("PATCH", "/proxies/p", O::Update(p())),
            ("DELETE", "/proxies/p", O::Delete(p())),
            ("GET", "/proxies/p/toxics", O::Toxics(p())),
            ("POST", "/proxies/p/toxics", O::AddToxic(p())),
            ("GET", "/proxies/p/toxics/t", O::Toxic(p(), t())),
            ("POST", "/proxies/p/toxics/t", O::UpdateToxic(p(), t())),
            ("PATCH", "/proxies/p/toxics/t", O::UpdateToxic(p(), t())),
            ("DELETE", "/proxies/p/toxics/t", O::RemoveToxic(p(), t())),
            ("POST", "/reset", O::Reset),
            ("GET", "/version", O::Version),
        ] {
            assert_eq!(route(method, path), Route::To(operation), "{method} {path}");
        }
    }

    #[test]
    fn what_is_no_route_is_nowhere_or_has_another_method() {
        for path in [
            "/",
            "/nothing",
            "/proxies/",
            "/proxies/p/",
            "/proxies/p/x",
            "/metrics",
        ] {
            assert_eq!(route("GET", path), Route::Nowhere, "{path}");
        }
        for (method, path) in [
            ("PUT", "/proxies"),
            ("HEAD", "/version"),
            ("GET", "/reset"),
            ("PATCH", "/proxies/p/toxics"),
        ] {
            assert_eq!(route(method, path), Route::Method, "{method} {path}");
        }
        assert_eq!(
            find(&Method::PUT, "/metrics", true),
            Route::To(Operation::Metrics)
        );
    }

    #[test]
    fn a_path_is_cleaned_first() {
        for (path, clean) in [
            ("//proxies", "/proxies"),
            ("/a/../proxies/./p", "/proxies/p"),
            ("/../..", "/"),
            ("/proxies//", "/proxies/"),
            ("", "/"),
        ] {
            assert_eq!(route("GET", path), Route::Moved(clean.to_owned()), "{path}");
        }
    }
}
