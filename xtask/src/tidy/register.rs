//! Files that nobody compiles, and files of a registry that nobody registered.
//!
//! The compiler does not see a file that no `mod` names: a fault written and forgotten would pass
//! every test.

use super::Complaint;
use crate::tree::File;

/// Folders of which each file is one entry of a registry, and where the registry is.
const REGISTRIES: &[(&str, &str)] = &[
    ("crates/model/src/faults", "crates/model/src/faults/mod.rs"),
    (
        "crates/report/src/formats",
        "crates/report/src/formats/mod.rs",
    ),
    ("crates/cli/src/verbs", "crates/cli/src/verbs/mod.rs"),
    ("crates/fault/src/wire", "crates/fault/src/wire/mod.rs"),
];

/// Checks every source file against the module that should name it.
pub(super) fn check(files: &[File]) -> Vec<Complaint> {
    let find = |path: &str| files.iter().find(|file| file.path == path);
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is("rs") && !is_root(file)) {
        let parents = parents(file);
        let Some(parent) = parents.iter().find_map(|path| find(path)) else {
            complaints.push(Complaint::of(
                file,
                format!("belongs to no module: there is no {}", parents.join(" or ")),
            ));
            continue;
        };
        let module = if file.name() == "mod.rs" {
            last(file.folder())
        } else {
            file.stem()
        };
        if !declares(&parent.text, module) {
            complaints.push(Complaint::of(
                file,
                format!(
                    "is never compiled: write `mod {module};` in {}",
                    parent.path
                ),
            ));
        }
    }
    for (folder, registry) in REGISTRIES {
        let Some(registry) = find(registry) else {
            continue;
        };
        for file in files
            .iter()
            .filter(|file| file.folder() == *folder && file.is("rs"))
        {
            if file.path != registry.path && !uses(&registry.text, file.stem()) {
                complaints.push(Complaint::of(
                    file,
                    format!(
                        "is not registered: name `{}` in {}",
                        file.stem(),
                        registry.path
                    ),
                ));
            }
        }
    }
    complaints
}

/// Whether the file is where a crate begins, so that cargo names it and no module does.
fn is_root(file: &File) -> bool {
    matches!(file.name(), "lib.rs" | "main.rs" | "build.rs")
        || ["bin", "examples", "benches"].contains(&last(file.folder()))
}

fn last(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

/// Where the module of a file can be declared.
fn parents(file: &File) -> Vec<String> {
    let folder = if file.name() == "mod.rs" {
        file.folder()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
    } else {
        file.folder()
    };
    ["mod.rs", "lib.rs", "main.rs"]
        .iter()
        .map(|name| format!("{folder}/{name}"))
        .chain([format!("{folder}.rs")])
        .collect()
}

/// Whether the text declares the module.
fn declares(text: &str, module: &str) -> bool {
    let wanted = format!("mod {module};");
    text.lines().any(|line| {
        line.trim_start()
            .strip_suffix(&wanted)
            .is_some_and(|before| {
                before.is_empty() || before.ends_with(' ') && before.starts_with("pub")
            })
    })
}

/// Whether the text uses something of the module beyond declaring it.
fn uses(text: &str, module: &str) -> bool {
    text.lines().any(|line| {
        line.match_indices(module).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + module.len()..].chars().next();
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            !before.is_some_and(is_word) && !after.is_some_and(is_word) && !declares(line, module)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn whats(files: &[File]) -> Vec<String> {
        check(files)
            .into_iter()
            .map(|c| format!("{}: {}", c.place, c.what))
            .collect()
    }

    #[test]
    fn a_file_without_a_mod_line_is_found() {
        let tree = [
            file("crates/a/src/lib.rs", "//! A.\npub mod seen;\nmod deep;\n"),
            file("crates/a/src/seen.rs", "//! Seen.\n"),
            file("crates/a/src/forgotten.rs", "//! Forgotten.\n"),
            file(
                "crates/a/src/deep/mod.rs",
                "//! Deep.\npub(crate) mod leaf;\n",
            ),
            file("crates/a/src/deep/leaf.rs", "//! Leaf.\n"),
            file("crates/a/examples/show.rs", "//! Show.\n"),
        ];
        assert_eq!(
            whats(&tree),
            ["crates/a/src/forgotten.rs: is never compiled: \
              write `mod forgotten;` in crates/a/src/lib.rs"]
        );
    }

    #[test]
    fn a_name_in_a_comment_or_in_a_longer_name_is_no_declaration() {
        assert!(declares("    mod leaf;", "leaf"));
        assert!(declares("pub(in crate::a) mod leaf;", "leaf"));
        assert!(!declares("// mod leaf;", "leaf"));
        assert!(!declares("mod cloverleaf;", "leaf"));
    }

    #[test]
    fn a_fault_without_a_registry_line_is_found() {
        let registry = "//! Faults.\nmod outage;\nmod flap;\nconst ALL: &[F] = &[outage::FAULT];\n";
        let tree = [
            file("crates/model/src/lib.rs", "//! M.\npub mod faults;\n"),
            file("crates/model/src/faults/mod.rs", registry),
            file("crates/model/src/faults/outage.rs", "//! Outage.\n"),
            file("crates/model/src/faults/flap.rs", "//! Flap.\n"),
        ];
        assert_eq!(
            whats(&tree),
            ["crates/model/src/faults/flap.rs: is not registered: \
              name `flap` in crates/model/src/faults/mod.rs"]
        );
    }
}
