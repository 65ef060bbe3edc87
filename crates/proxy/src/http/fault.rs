//! Faults of HTTP exchanges: which requests they meet, and what they do to them.

use assize_fault::{Direction, FaultId, Origin};
use http::{Method, StatusCode, request::Parts};
use std::time::Duration;

/// A fault on the requests that pass an HTTP proxy.
#[derive(Clone, PartialEq, Debug)]
pub struct HttpFault {
    /// Its name, unlike that of any other fault of the proxy.
    pub name: String,
    /// Which requests it meets; all of them unless narrowed.
    pub meets: Match,
    /// What it does to them.
    pub act: Act,
}

impl HttpFault {
    /// A fault that meets every request.
    pub fn new(name: impl Into<String>, act: Act) -> Self {
        Self {
            name: name.into(),
            meets: Match::default(),
            act,
        }
    }

    /// The same fault for these requests only.
    #[must_use]
    pub fn on(mut self, meets: Match) -> Self {
        self.meets = meets;
        self
    }
}

/// What a fault does to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// The proxy answers with this status and text; the upstream never sees the request.
    Status(StatusCode, String),
    /// The connection is reset; the upstream never sees the request.
    Abort,
    /// The request goes on later, to the faults behind this one and to the upstream. Exact to a
    /// millisecond or two.
    Delay(Duration),
}

/// Requests, by what they say. What is none narrows nothing.
#[derive(Clone, PartialEq, Debug)]
pub struct Match {
    /// The method.
    pub method: Option<Method>,
    /// The path, without the query; `*` stands for anything, also across slashes.
    pub path: Option<String>,
    /// A header that there is, and if a value is given, what it is (`*` as in the path).
    pub header: Option<(String, Option<String>)>,
    /// The share of the requests that match, from 0 to 1, drawn for each.
    pub share: f64,
    /// Only the first so many of the requests that match and are drawn.
    pub first: Option<u64>,
}

impl Default for Match {
    fn default() -> Self {
        Self {
            method: None,
            path: None,
            header: None,
            share: 1.0,
            first: None,
        }
    }
}

impl Match {
    /// Whether the words of the request match.
    fn describes(&self, request: &Parts) -> bool {
        self.method.as_ref().is_none_or(|m| *m == request.method)
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| glob(pattern.as_bytes(), request.uri.path().as_bytes()))
            && self.header.as_ref().is_none_or(|(name, value)| {
                let mut all = request.headers.get_all(name.as_str()).iter();
                all.any(|found| {
                    value
                        .as_ref()
                        .is_none_or(|pattern| glob(pattern.as_bytes(), found.as_bytes()))
                })
            })
    }
}

/// A fault and what it has met.
#[derive(Clone, Debug)]
pub(super) struct Attached {
    pub fault: HttpFault,
    pub id: FaultId,
    /// Requests that it met.
    pub hits: u64,
}

impl Attached {
    /// Whether it meets this request, the so-manyth of the proxy; if so, that counts.
    pub(super) fn meets(&mut self, request: &Parts, seed: u64, number: u64) -> bool {
        let draws = Origin {
            seed,
            connection: number,
            direction: Direction::Upstream,
        };
        let meets = &self.fault.meets;
        let hit = meets.first.is_none_or(|most| self.hits < most)
            && meets.describes(request)
            && draws.is_touched(self.id, meets.share);
        self.hits += u64::from(hit);
        hit
    }
}

/// Whether a pattern with `*` describes the whole text, in a time that is at most their product.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and how far it has reached.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), star) {
            (Some(b'*'), _) => {
                star = Some((p + 1, t));
                p += 1;
            }
            (Some(byte), _) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            (_, Some((behind, reached))) => {
                p = behind;
                t = reached + 1;
                star = Some((behind, t));
            }
            (_, None) => return false,
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(method: &str, uri: &str, header: (&str, &str)) -> Parts {
        let request = Request::builder().method(method).uri(uri);
        let request = request.header(header.0, header.1).body(());
        request.expect("a request").into_parts().0
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, matches) in [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a*", "/ab/c", true),
            ("*/c", "/ab/c", true),
            ("/*b*d", "/abcd", true),
            ("/*b*d", "/abc", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(
                glob(pattern.as_bytes(), text.as_bytes()),
                matches,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn every_condition_narrows() {
        let request = parts("POST", "/v1/pay?x=1", ("X-Tenant", "court-7"));
        let all = Match {
            method: Some(Method::POST),
            path: Some("/v1/*".into()),
            header: Some(("x-tenant".into(), Some("court-*".into()))),
            ..Match::default()
        };
        assert!(all.describes(&request));
        let others = [
            Match {
                method: Some(Method::GET),
                ..all.clone()
            },
            Match {
                path: Some("/v1".into()),
                ..all.clone()
            },
            Match {
                header: Some(("x-tenant".into(), Some("prison".into()))),
                ..all.clone()
            },
            Match {
                header: Some(("x-other".into(), None)),
                ..all
            },
        ];
        assert!(others.iter().all(|other| !other.describes(&request)));
    }

    #[test]
    fn a_share_is_drawn_and_the_first_are_counted() {
        let request = parts("GET", "/", ("a", "b"));
        let attached = |meets| Attached {
            fault: HttpFault::new("f", Act::Abort).on(meets),
            id: FaultId::named("p", "f"),
            hits: 0,
        };
        let hits = |mut fault: Attached| -> Vec<u64> {
            (0..1_000)
                .filter(|n| fault.meets(&request, 1, *n))
                .collect()
        };
        // 250 expected; the standard deviation is 14.
        let quarter = hits(attached(Match {
            share: 0.25,
            ..Match::default()
        }));
        assert!((190..310).contains(&quarter.len()), "{}", quarter.len());
        let first = Match {
            share: 0.25,
            first: Some(3),
            ..Match::default()
        };
        assert_eq!(hits(attached(first)), quarter[..3]);
    }
}
