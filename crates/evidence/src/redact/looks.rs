//! What looks like a secret, whoever wrote it.
//!
//! A word list and a few shapes, no regular expressions. Where it is in doubt it strikes out.

use super::STRUCK;

/// A name whose last part is one of these has a secret for its value.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "access-key",
    "secret_key",
    "secret-key",
    "private_key",
    "private-key",
    "client_secret",
    "client-secret",
    "credential",
    "credentials",
    "dsn",
    "authorization",
    "pgpassword",
];

/// What follows one of these, up to a space or a quote, is a secret.
const SCHEMES: &[&str] = &["Bearer ", "bearer ", "Basic "];

/// Tokens of well-known makers: a beginning, and how much follows at least.
const TOKENS: &[(&str, usize)] = &[
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("sk_live_", 16),
    ("eyJ", 24),
    ("hvs.", 16),
];

/// The text with all that looks like a secret struck out; `None` if nothing does.
pub(super) fn strike(text: &str) -> Option<String> {
    let mut spans = Vec::new();
    addresses(text, &mut spans);
    named(text, &mut spans);
    schemes(text, &mut spans);
    tokens(text, &mut spans);
    keys(text, &mut spans);
    spans.retain(|(from, to)| from < to && &text[*from..*to] != STRUCK);
    if spans.is_empty() {
        return None;
    }
    spans.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (from, to) in spans {
        if to <= done {
            continue;
        }
        if from >= done {
            out.push_str(&text[done..from]);
            out.push_str(STRUCK);
        }
        done = to;
    }
    out.push_str(&text[done..]);
    Some(out)
}

type Spans = Vec<(usize, usize)>;

/// `scheme://user:password@host`: all before the `@`.
fn addresses(text: &str, spans: &mut Spans) {
    for (at, mark) in text.match_indices("://") {
        let begin = at + mark.len();
        let ends = |c: char| c.is_whitespace() || "/?#\"'<>`,;()[]{}".contains(c);
        let end = text[begin..].find(ends).map_or(text.len(), |n| begin + n);
        if let Some(info) = text[begin..end].rfind('@') {
            spans.push((begin, begin + info));
        }
    }
}

/// `name: value`, `name=value`, `"name": "value"`.
fn named(text: &str, spans: &mut Spans) {
    for (at, mark) in text.match_indices([':', '=']) {
        let before = text[..at].trim_end_matches([' ', '"', '\'', '\\']);
        let begin = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c)))
            .map_or(0, |n| n + 1);
        if is_secret_name(&before[begin..]) {
            spans.extend(value(text, at + mark.len()));
        }
    }
    // Of commands: `--password VALUE`.
    for (at, mark) in text.match_indices("--") {
        let rest = &text[at + mark.len()..];
        let Some((name, _)) = rest.split_once([' ', '=', '"']) else {
            continue;
        };
        if is_secret_name(name) && rest[name.len()..].starts_with(' ') {
            spans.extend(value(text, at + mark.len() + name.len()));
        }
    }
}

/// Whether the last part of a name is one of the words.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|word| {
        name.strip_suffix(word)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '-', '.']))
    })
}

/// The value that begins here, without its quotes; none that opens a list or a block, and none
/// that names a variable.
fn value(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text[at..];
    let line = rest.find('\n').map_or(rest, |n| &rest[..n]);
    let skipped = line.len() - line.trim_start_matches([' ', '\t', '\\']).len();
    let begin = at + skipped;
    let rest = &line[skipped..];
    let first = rest.chars().next()?;
    if "{[|>$&*#,}]".contains(first) {
        return None;
    }
    if first == '"' || first == '\'' {
        // Within JSON the quote that ends it is escaped.
        let ends = |c: char| c == first || c == '\\';
        let length = rest[1..].find(ends).unwrap_or(rest.len() - 1);
        return Some((begin + 1, begin + 1 + length));
    }
    let ends = |c: char| c.is_whitespace() || "\"'<,;&)}]\\".contains(c);
    let length = rest.find(ends).unwrap_or(rest.len());
    if ["null", "true", "false"].contains(&&rest[..length]) {
        return None;
    }
    // `Authorization: Bearer VALUE` is two words.
    if let Some(scheme) = SCHEMES.iter().find(|scheme| rest.starts_with(**scheme)) {
        let length = rest[scheme.len()..]
            .find(ends)
            .unwrap_or(rest.len() - scheme.len());
        return Some((begin + scheme.len(), begin + scheme.len() + length));
    }
    Some((begin, begin + length))
}

fn schemes(text: &str, spans: &mut Spans) {
    for scheme in SCHEMES {
        for (at, mark) in text.match_indices(scheme) {
            let begin = at + mark.len();
            let word = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
            let length = text[begin..]
                .find(|c| !word(c))
                .unwrap_or(text.len() - begin);
            // Shorter ones are words of a sentence.
            if length >= 12 {
                spans.push((begin, begin + length));
            }
        }
    }
}

fn tokens(text: &str, spans: &mut Spans) {
    for (beginning, least) in TOKENS {
        for (at, mark) in text.match_indices(beginning) {
            let within = text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let rest = &text[at + mark.len()..];
            let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
            if !within && length >= *least {
                spans.push((at, at + mark.len() + length));
            }
        }
    }
}

/// Private keys in PEM, from one line to the other.
fn keys(text: &str, spans: &mut Spans) {
    const END: &str = "PRIVATE KEY-----";
    for (at, _) in text.match_indices("-----BEGIN ") {
        let head = text[at..].split('\n').next().unwrap_or_default();
        let Some(begin) = head.find(END).map(|n| at + n + END.len()) else {
            continue;
        };
        let end = text[begin..]
            .find("-----END ")
            .map_or(text.len(), |n| begin + n);
        spans.push((begin, end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_struck_out() {
        for (text, struck) in [
            ("http://bob:pw1@x:80/a", "http://REDACTED@x:80/a"),
            ("db_password: hunter2 # old", "db_password: REDACTED # old"),
            ("password: \"two words\"", "password: \"REDACTED\""),
            (
                "{\"api_key\":\"k1\",\"n\":1}",
                "{\"api_key\":\"REDACTED\",\"n\":1}",
            ),
            (
                "psql --password hunter2 -c x",
                "psql --password REDACTED -c x",
            ),
            ("a?token=t0&b=1", "a?token=REDACTED&b=1"),
            (
                "Authorization: Bearer abc.def-ghi_jkl",
                "Authorization: Bearer REDACTED",
            ),
            ("got Bearer abcdefghijklmnop now", "got Bearer REDACTED now"),
            ("x ghp_0123456789abcdefghij0123 y", "x REDACTED y"),
            (
                "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n",
                "-----BEGIN PRIVATE KEY-----REDACTED-----END PRIVATE KEY-----\n",
            ),
            (
                "{\"why\":\"password=\\\"abc\\\" bad\"}",
                "{\"why\":\"password=\\\"REDACTED\\\" bad\"}",
            ),
        ] {
            assert_eq!(strike(text).as_deref(), Some(struck), "{text}");
            assert_eq!(strike(struck), None, "again: {struck}");
        }
    }

    #[test]
    fn what_does_not_is_left_alone() {
        for text in [
            "dsn: {env: DB_URL}",
            "token: {mode: single}",
            "tokens: 5",
            "secret:\n  mode: single\n",
            "the password was wrong",
            "http://x:80/a@b",
            "Bearer of news",
            "PRIVATE KEY",
            "dsn: $DB_URL",
            "{\"password\":null}",
            "assize://x",
        ] {
            assert_eq!(strike(text), None, "{text}");
        }
    }
}
