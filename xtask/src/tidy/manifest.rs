//! Rules about the manifests: one place for versions, lints and licence.

use super::Complaint;
use crate::tree::File;

/// Keys that every crate takes from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

/// Checks the manifest of every crate.
pub(super) fn check(files: &[File]) -> Vec<Complaint> {
    files
        .iter()
        .filter(|file| file.name() == "Cargo.toml" && file.text.contains("[package]"))
        .flat_map(one)
        .collect()
}

fn one(file: &File) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    if !lines
        .windows(2)
        .any(|pair| pair == ["[lints]", "workspace = true"])
    {
        complaints.push(Complaint::of(
            file,
            "the workspace's lints do not hold: write `[lints]` and `workspace = true`",
        ));
    }
    for key in INHERITED {
        let wanted = format!("{key}.workspace = true");
        if !lines.contains(&wanted.as_str()) {
            complaints.push(Complaint::of(file, format!("write `{wanted}`")));
        }
    }
    let mut section = "";
    for (number, line) in lines.iter().enumerate() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]") && has_own_version(line) {
            complaints.push(Complaint::at(
                file,
                number,
                "a version of its own: state it once in the workspace's manifest",
            ));
        }
    }
    complaints
}

fn has_own_version(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else {
        return false;
    };
    let key = key.trim();
    !key.starts_with('#')
        && !key.ends_with(".path")
        && (value.trim().starts_with('"') || value.contains("version"))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\n\
        edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
        publish.workspace = true\n\n[lints]\nworkspace = true\n\n[dependencies]\n\
        serde.workspace = true\nassize = { path = \"../cli\" }\nassize-b.path = \"../b\"\n";

    fn count(text: &str) -> usize {
        check(&[file("crates/a/Cargo.toml", text)]).len()
    }

    #[test]
    fn a_crate_that_takes_all_from_the_workspace_is_good() {
        assert_eq!(count(GOOD), 0);
    }

    #[test]
    fn each_rule_is_found_when_broken() {
        assert_eq!(count(&GOOD.replace("[lints]\nworkspace = true\n", "")), 1);
        assert_eq!(count(&GOOD.replace("license.workspace = true\n", "")), 1);
        assert_eq!(
            count(&GOOD.replace("serde.workspace = true", "serde = \"1\"")),
            1
        );
        let table = GOOD.replace("serde.workspace = true", "serde = { version = \"1\" }");
        assert_eq!(count(&table), 1);
        assert_eq!(
            count(&GOOD.replace("serde.workspace = true", "serde.version = \"1\"")),
            1
        );
    }
}
