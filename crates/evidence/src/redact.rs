//! Secrets are struck out of everything that is written: those that are known by value, and what
//! looks like one.
//!
//! Known by value are data sources and the passwords in them, in each spelling that a file may
//! use. What looks like one: user and password in an address, values of names such as `password`
//! or `token`, bearer tokens, private keys, tokens of well-known makers. What is struck out
//! becomes [`STRUCK`].

use std::borrow::Cow;

mod looks;

/// What stands in the place of a secret.
pub const STRUCK: &str = "REDACTED";

/// Shorter ones would strike out half of a text; they are caught by how they look.
const SHORTEST: usize = 4;

/// Strikes out secrets.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Spellings, the longest first, so that no secret is left over within a longer one.
    known: Vec<String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({})", self.known.len())
    }
}

impl Redactor {
    /// Knows these secrets, and the passwords within them.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known = Vec::new();
        for secret in secrets {
            known.extend(spellings(secret));
            for password in passwords(secret) {
                known.extend(spellings(&password));
            }
        }
        known.retain(|text: &String| text.len() >= SHORTEST && text != STRUCK);
        Self::of(known)
    }

    /// Knows what both know.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::of([self.known.as_slice(), &other.known].concat())
    }

    fn of(mut known: Vec<String>) -> Self {
        known.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        known.dedup();
        Self { known }
    }

    /// A text without secrets; the same text if there are none.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let out = self.known(text);
        match looks::strike(&out) {
            Some(struck) => Cow::Owned(struck),
            None => out,
        }
    }

    /// The same, of secrets that are known by value alone.
    #[must_use]
    pub fn known<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Cow::Borrowed(text);
        for secret in &self.known {
            if out.contains(secret.as_str()) {
                out = Cow::Owned(out.replace(secret.as_str(), STRUCK));
            }
        }
        out
    }

    /// Strikes out within all strings of a JSON value; whether there was anything.
    pub fn json(&self, value: &mut serde_json::Value) -> bool {
        match value {
            serde_json::Value::String(text) => match self.text(text) {
                Cow::Borrowed(_) => false,
                Cow::Owned(struck) => {
                    *text = struck;
                    true
                }
            },
            // All of them, not only up to the first.
            serde_json::Value::Array(list) => {
                let struck: Vec<bool> = list.iter_mut().map(|one| self.json(one)).collect();
                struck.contains(&true)
            }
            serde_json::Value::Object(map) => {
                let struck: Vec<bool> = map.iter_mut().map(|(_, one)| self.json(one)).collect();
                struck.contains(&true)
            }
            _ => false,
        }
    }

    /// A file that was made from what had been struck out of: known secrets are looked for once
    /// more, what only looks like one is not, since it could break the file's form.
    #[must_use]
    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        let struck = match std::str::from_utf8(&bytes).map(|text| self.known(text)) {
            Ok(Cow::Owned(struck)) => Some(struck),
            _ => None,
        };
        struck.map_or(bytes, String::into_bytes)
    }
}

/// Whether the name of a variable says that its value is a secret: `DB_PASSWORD`, `github_token`.
/// `PWD` is none: every shell keeps its folder there.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    name != "PWD" && looks::is_secret_name(name)
}

/// How a secret may be spelt in a file: plain, in JSON, in XML and HTML, in an address.
fn spellings(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let xml = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let quoted = xml.replace('"', "&quot;");
    let apostrophes = [
        quoted.replace('\'', "&#39;"),
        quoted.replace('\'', "&apos;"),
    ];
    let percent: String = secret
        .bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect();
    let mut all = vec![secret.to_owned(), json, xml, quoted, percent];
    all.extend(apostrophes);
    all
}

/// Passwords within a data source: `scheme://user:PASSWORD@…`, `password=PASSWORD`.
fn passwords(secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some((_, rest)) = secret.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        // A password with a slash in it is against the rules, and common.
        for part in [authority, rest] {
            let info = part
                .rsplit_once('@')
                .and_then(|(info, _)| info.split_once(':'));
            if let Some((_, password)) = info {
                found.push(password.to_owned());
                found.push(decoded(password));
            }
        }
    }
    for (at, _) in secret.match_indices("password=") {
        let value = &secret[at + "password=".len()..];
        let value = match value.strip_prefix('\'') {
            Some(quoted) => quoted.split('\'').next().unwrap_or(quoted),
            None => value.split([' ', '&', ';']).next().unwrap_or(value),
        };
        found.push(value.to_owned());
        found.push(decoded(value));
    }
    found
}

/// `%41` as `A`.
fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let two = bytes.as_slice_of_two();
        match (byte, two) {
            (b'%', Some(value)) => {
                out.push(value);
                bytes.nth(1);
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The next two hexadecimal digits as a byte.
trait Two {
    fn as_slice_of_two(&self) -> Option<u8>;
}

impl Two for std::str::Bytes<'_> {
    fn as_slice_of_two(&self) -> Option<u8> {
        let mut ahead = self.clone();
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = digit(ahead.next()?)? * 16 + digit(ahead.next()?)?;
        u8::try_from(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_shell_is_no_secret() {
        assert!(!is_secret_name("PWD"));
        assert!(is_secret_name("DB_PWD") && is_secret_name("password"));
    }

    #[test]
    fn known_secrets_go_in_every_spelling() {
        let dsn = "postgres://app:p%40ss%2Fw0rd@db:5432/x";
        let redactor = Redactor::new([dsn, "Tok\"en<&'9"]);
        for text in [
            dsn,
            "it said p@ss/w0rd",
            "p%40ss%2Fw0rd",
            "<p>Tok&quot;en&lt;&amp;&#39;9</p>",
            r#"{"why":"Tok\"en<&'9"}"#,
            "Tok%22en%3C%26%279",
        ] {
            let struck = redactor.text(text);
            assert!(struck.contains(STRUCK), "{text}: {struck}");
            assert!(
                !struck.contains("w0rd") && !struck.contains("Tok"),
                "{struck}"
            );
        }
        let keyed = Redactor::new(["host=db user=app password='two words' dbname=x"]);
        assert_eq!(keyed.text("said two words."), "said REDACTED.");
        let both = redactor.and(&keyed);
        assert_eq!(both.text("two words, p@ss/w0rd"), "REDACTED, REDACTED");
        // What is too short to be told from text is only struck out where it looks like a secret.
        let short = Redactor::new(["abc"]);
        assert_eq!(short.text("abc"), "abc");
    }

    #[test]
    fn values_are_searched_to_the_bottom() {
        let redactor = Redactor::new(["hunter2!"]);
        let mut value = serde_json::json!({"a": [1, {"b": "x hunter2! y"}], "c": "plain"});
        assert!(redactor.json(&mut value));
        assert_eq!(value["a"][1]["b"], "x REDACTED y");
        assert!(!redactor.json(&mut value));
        assert_eq!(redactor.bytes(vec![0xff, 0xfe]), [0xff, 0xfe]);
    }
}
