//! Who may ask: browsers may not, and routes of our own ask for more than the original's.
//!
//! The original's clients have no token, and reach it in containers under any name; so its routes
//! refuse browsers only, as it does. Ours look at `Host` and `Origin` (a page that rebinds its
//! name to 127.0.0.1 is not this machine), and elsewhere than on loopback at a token.

use super::error::ApiError;
use super::reply::Reply;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN, USER_AGENT};
use std::net::IpAddr;

/// What is known of the server that is asked.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// Whether it listens on this machine only.
    pub(crate) loopback: bool,
    /// The host that it was told to listen on.
    pub(crate) host: String,
    /// What requests to our own routes must know, if set.
    pub(crate) token: Option<String>,
}

/// Refuses browsers, in the original's words.
pub(crate) fn browser(headers: &HeaderMap) -> Option<Reply> {
    let is_browser = text(headers, USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/"));
    is_browser.then(|| Reply::plain(403, "User agent not allowed"))
}

impl Guard {
    /// Whether a request to one of our own routes may be answered.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = text(headers, HOST).unwrap_or_default();
        if self.loopback && !self.is_here(host) {
            let text =
                format!("the Host header names `{host}`, and this server is on loopback only");
            return Err(ApiError::new(403, text));
        }
        if let Some(origin) = text(headers, ORIGIN) {
            let same = origin
                .split_once("://")
                .is_some_and(|(_, named)| named == host);
            if !same {
                let text = format!("a page of `{origin}` may not ask this server");
                return Err(ApiError::new(403, text));
            }
        }
        match &self.token {
            None if self.loopback => Ok(()),
            None => Err(ApiError::new(
                403,
                "elsewhere than on loopback these routes need a token: start the server with --token",
            )),
            Some(token) => {
                let given = text(headers, AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer "));
                if given.is_some_and(|given| same(given, token)) {
                    return Ok(());
                }
                let text = "these routes need the token: send `Authorization: Bearer TOKEN`";
                Err(ApiError::new(401, text))
            }
        }
    }

    fn is_here(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            // An IPv6 address without a port has colons too, and ends in a bracket.
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_address = bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        is_address || name.eq_ignore_ascii_case("localhost") || name == self.host
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Compares without telling by the time how much was right.
fn same(given: &str, token: &str) -> bool {
    let pairs = given.bytes().zip(token.bytes());
    given.len() == token.len() && pairs.fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(guard: &Guard, headers: &[(HeaderName, &str)]) -> u16 {
        let value = |text: &str| text.parse().expect("a header");
        let map = headers.iter().map(|(n, v)| (n.clone(), value(v))).collect();
        guard
            .check(&map)
            .map_or_else(|error| error.status, |()| 200)
    }

    fn guard(loopback: bool, token: Option<&str>) -> Guard {
        Guard {
            loopback,
            host: "proxy.test".to_owned(),
            token: token.map(str::to_owned),
        }
    }

    #[test]
    fn on_loopback_the_host_must_be_this_machine() {
        let open = guard(true, None);
        for host in [
            "localhost:8474",
            "127.0.0.1:8474",
            "127.9.9.9",
            "[::1]:8474",
            "[::1]",
            "proxy.test:1",
        ] {
            assert_eq!(status(&open, &[(HOST, host)]), 200, "{host}");
        }
        for host in ["evil.test:8474", "10.0.0.1:8474", "", "localhost.evil.test"] {
            assert_eq!(status(&open, &[(HOST, host)]), 403, "{host}");
        }
    }

    #[test]
    fn a_page_from_elsewhere_is_refused() {
        let open = guard(true, None);
        let from = |origin| status(&open, &[(HOST, "localhost:8474"), (ORIGIN, origin)]);
        assert_eq!(from("http://localhost:8474"), 200);
        for origin in ["http://localhost:3000", "http://evil.test", "null"] {
            assert_eq!(from(origin), 403, "{origin}");
        }
    }

    #[test]
    fn elsewhere_than_on_loopback_a_token_is_needed() {
        let host = (HOST, "10.0.0.1:8474");
        assert_eq!(
            status(&guard(false, None), std::slice::from_ref(&host)),
            403
        );
        for loopback in [false, true] {
            let with = guard(loopback, Some("s3cret"));
            let host = (
                HOST,
                if loopback {
                    "localhost"
                } else {
                    "10.0.0.1:8474"
                },
            );
            assert_eq!(status(&with, std::slice::from_ref(&host)), 401);
            for (given, expected) in [
                ("Bearer s3cret", 200),
                ("Bearer s3creT", 401),
                ("Bearer s3cre", 401),
                ("s3cret", 401),
            ] {
                assert_eq!(
                    status(&with, &[host.clone(), (AUTHORIZATION, given)]),
                    expected,
                    "{given}"
                );
            }
        }
    }
}
