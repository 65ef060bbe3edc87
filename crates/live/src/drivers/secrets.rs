//! What must not be repeated: a data source from the environment, and its password.

use super::postgres;
use tokio_postgres::Config;

/// Texts that are struck out of what others say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(Vec<String>);

/// How much is kept of what others say, in characters.
const MOST: usize = 300;

impl Secrets {
    /// Those of a data source, as it is written and as it is meant.
    pub(super) fn of(source: &str, config: &Config) -> Self {
        let password = postgres::password(config);
        let mut all: Vec<String> = password.into_iter().collect();
        let user = source
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'));
        let written = user.and_then(|(user, _)| user.split_once(':'));
        all.extend(written.map(|(_, password)| password.to_owned()));
        all.push(source.to_owned());
        all.retain(|one| !one.is_empty());
        // Whole ones first: nothing of them is left then.
        all.sort_by_key(|one| std::cmp::Reverse(one.len()));
        Self(all)
    }

    /// Text without them, and not without end.
    pub(super) fn struck(&self, text: &str) -> String {
        let secrets = self.0.iter();
        let text = secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        text.chars().take(MOST).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_struck_out_however_it_is_written() {
        let source = "postgres://u:hunter%402@h/d";
        let secrets = Secrets::of(source, &postgres::config(source).unwrap());
        let said = secrets.struck(&format!("{source}, hunter%402 and hunter@2"));
        assert_eq!(said, "…, … and …");
        let pairs = "host=h user=u password=hunter3";
        let secrets = Secrets::of(pairs, &postgres::config(pairs).unwrap());
        let long = "x".repeat(MOST - 4) + "hunter3";
        assert!(!secrets.struck(&long).contains("hunt"), "cut in two");
        assert_eq!(Secrets::default().struck("as it is"), "as it is");
    }
}
