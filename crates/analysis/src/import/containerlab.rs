//! A containerlab topology: nodes and the links between their interfaces.

use super::{Inventory, Names, plain};
use serde_json::Value;

pub(super) fn read(text: &str) -> Result<Inventory, String> {
    let doc = assize_model::file::plain("the file", text.as_bytes()).map_err(|p| p.to_string())?;
    let topology = doc.get("topology").ok_or("it has no `topology`")?;
    let mut out = Inventory::named(doc.get("name").and_then(Value::as_str).unwrap_or("lab"));
    let mut names = Names::default();
    let nodes = topology
        .get("nodes")
        .and_then(Value::as_object)
        .ok_or("it has no `topology.nodes`")?;
    for (name, node) in nodes {
        let id = names.of(name);
        let kind = node.get("kind").and_then(Value::as_str).unwrap_or("router");
        out.add(
            "nodes",
            &id,
            format!("{{kind: {}, transit: true}}", plain(kind)),
        );
    }
    let none = Vec::new();
    for link in topology
        .get("links")
        .and_then(Value::as_array)
        .unwrap_or(&none)
    {
        let ends = link
            .get("endpoints")
            .and_then(Value::as_array)
            .unwrap_or(&none);
        let ends: Vec<&str> = ends.iter().filter_map(Value::as_str).collect();
        let node = |end: &str| {
            end.split(':')
                .next()
                .filter(|n| nodes.contains_key(*n))
                .map(str::to_owned)
        };
        match ends.as_slice() {
            [a, b] => match (node(a), node(b)) {
                (Some(x), Some(y)) if x != y => {
                    let (x, y) = (names.of(&x), names.of(&y));
                    out.add(
                        "links",
                        &plain(&format!("{a} {b}")),
                        format!("{{between: [{x}, {y}]}}"),
                    );
                }
                _ => out.drop(format!(
                    "the link {a} to {b}: it ends at no node of the laboratory, or at one twice"
                )),
            },
            _ => out.drop(format!("a link without two endpoints: {link}")),
        }
    }
    Ok(out)
}
