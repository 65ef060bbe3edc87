//! The README's first scenario is what the program reads, and its output what it prints.

use crate::support::{Folder, assize, path};

/// The content of the README's code blocks in a language, in order.
pub(crate) fn blocks(language: &str) -> Vec<String> {
    let text = std::fs::read_to_string(path("../README.md")).expect("the README");
    let fence = format!("```{language}\n");
    let mut rest = text.as_str();
    let mut blocks = Vec::new();
    while let Some(at) = rest.find(&fence) {
        let block = &rest[at + fence.len()..];
        let end = block.find("```").expect("a closing fence");
        blocks.push(block[..end].to_owned());
        rest = &block[end..];
    }
    blocks
}

#[test]
fn the_first_scenario_prints_what_the_readme_shows() {
    let (scenarios, outputs) = (blocks("yaml"), blocks("text"));
    let folder = Folder::new("readme");
    let file = folder.write("first.yaml", &scenarios[0]);
    let ran = assize(&["simulate", &file]).expect(1);
    assert!(ran.out.contains(&outputs[0]), "{}", ran.out);
}

#[test]
fn the_variation_gives_what_the_readme_says() {
    let folder = Folder::new("readme-set");
    let file = folder.write("first.yaml", &blocks("yaml")[0]);
    let commands = blocks("sh").concat();
    let set = commands
        .split("--set ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("the variation");
    let ran = assize(&["simulate", &file, "--set", set]).expect(0);
    let readme = std::fs::read_to_string(path("../README.md")).expect("the README");
    let (printed, said) = ("44.565s", "44.565 s");
    assert!(ran.out.contains(printed), "{}", ran.out);
    assert!(readme.contains(said), "{said}");
}
