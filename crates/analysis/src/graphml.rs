//! Reads GraphML (Brandes et al., 2002) in the dialect of the Internet Topology Zoo: labels,
//! speeds, coordinates. Hyperedges are refused; what is nested or directed is said.

use crate::graph::{Edge, Graph, Place};
use indexmap::IndexMap;
use roxmltree::{Document, Node};

/// Why a file cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The XML is broken.
    #[error("it is not well-formed XML: {0}")]
    Xml(String),
    /// Another document.
    #[error("it has no `graph`: its root is `{0}`")]
    NoGraph(String),
    /// At a line of the file.
    #[error("line {line}: {what}")]
    At {
        /// The line.
        line: u32,
        /// What is wrong.
        what: String,
    },
}

/// Reads the first graph of a file.
pub fn read(text: &str) -> Result<Graph, Error> {
    let options = roxmltree::ParsingOptions {
        nodes_limit: 50_000_000,
        ..roxmltree::ParsingOptions::default()
    };
    let document =
        Document::parse_with_options(text, options).map_err(|e| Error::Xml(e.to_string()))?;
    let root = document.root_element();
    let found = root.children().find(|n| n.tag_name().name() == "graph");
    let graph = found.ok_or_else(|| Error::NoGraph(root.tag_name().name().to_owned()))?;
    let keys = Keys::of(root);
    let mut out = Graph {
        name: keys
            .text(graph, "Network")
            .or(graph.attribute("id"))
            .unwrap_or("network")
            .to_owned(),
        ..Graph::default()
    };
    let mut places: IndexMap<&str, u32> = IndexMap::new();
    for node in graph
        .descendants()
        .filter(|n| n.tag_name().name() == "node")
    {
        let id = attribute(node, "id")?;
        if places.insert(id, out.places.len() as u32).is_some() {
            return Err(at(node, format!("node `{id}` is there twice")));
        }
        let coordinate = |name| {
            keys.text(node, name)
                .and_then(|v| v.parse::<f64>().ok())
                .filter(|v: &f64| v.is_finite())
        };
        out.places.push(Place {
            id: id.to_owned(),
            label: keys
                .text(node, "label")
                .filter(|l| !l.is_empty())
                .unwrap_or(id)
                .to_owned(),
            position: coordinate("Latitude").zip(coordinate("Longitude")),
        });
    }
    unique_labels(&mut out);
    let mut directed = graph.attribute("edgedefault") == Some("directed");
    for node in graph.descendants().filter(Node::is_element) {
        match node.tag_name().name() {
            "hyperedge" => {
                return Err(at(
                    node,
                    "hyperedges are not read: write one edge for each pair that they join".into(),
                ));
            }
            "edge" => {}
            _ => continue,
        }
        directed |= node.attribute("directed") == Some("true");
        let end = |name| {
            let id = attribute(node, name)?;
            places.get(id).copied().ok_or_else(|| {
                at(
                    node,
                    format!("the edge ends at node `{id}`, which is not there"),
                )
            })
        };
        let (a, b) = (end("source")?, end("target")?);
        out.edges.push(Edge {
            a,
            b,
            label: keys.text(node, "LinkLabel").map(str::to_owned),
            speed: keys.text(node, "LinkSpeedRaw").and_then(|v| v.parse().ok()),
        });
    }
    note(&mut out, directed);
    Ok(out)
}

fn note(out: &mut Graph, directed: bool) {
    let loops = out.edges.iter().filter(|e| e.a == e.b).count();
    if directed {
        out.warnings
            .push("the edges are directed: each is taken as one link for both directions".into());
    }
    if loops > 0 {
        out.warnings.push(format!(
            "{loops} links lead back to where they begin: their failure separates nothing"
        ));
    }
    if out.edges.is_empty() {
        out.warnings.push("there are no links".into());
    }
}

/// Several places may have one label; their names are then added.
fn unique_labels(out: &mut Graph) {
    let mut seen: IndexMap<String, u32> = IndexMap::new();
    for place in &out.places {
        *seen.entry(place.label.clone()).or_default() += 1;
    }
    for place in &mut out.places {
        if seen[&place.label] > 1 && place.label != place.id {
            place.label = format!("{} #{}", place.label, place.id);
        }
    }
}

/// What the keys of `data` mean, by element.
struct Keys<'a>(IndexMap<&'a str, &'a str>);

impl<'a> Keys<'a> {
    fn of(root: Node<'a, '_>) -> Self {
        let keys = root.children().filter(|n| n.tag_name().name() == "key");
        Self(
            keys.filter_map(|k| Some((k.attribute("id")?, k.attribute("attr.name")?)))
                .collect(),
        )
    }

    fn text(&self, node: Node<'a, '_>, name: &str) -> Option<&'a str> {
        let mut data = node.children().filter(|n| n.tag_name().name() == "data");
        let found = data.find(|d| d.attribute("key").and_then(|k| self.0.get(k)) == Some(&name))?;
        Some(found.text().unwrap_or_default().trim())
    }
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Result<&'a str, Error> {
    node.attribute(name).ok_or_else(|| {
        at(
            node,
            format!("`{}` has no `{name}`", node.tag_name().name()),
        )
    })
}

fn at(node: Node<'_, '_>, what: String) -> Error {
    Error::At {
        line: node.document().text_pos_at(node.range().start).row,
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "<graphml><key id='k' for='node' attr.name='label'/><graph edgedefault='undirected'>";

    fn one(body: &str) -> Result<Graph, Error> {
        read(&format!("{HEAD}{body}</graph></graphml>"))
    }

    #[test]
    fn labels_name_places_and_are_made_unique() {
        let graph = one("<node id='0'><data key='k'>A</data></node><node id='1'><data key='k'>A</data></node>\
            <node id='2'/><edge source='0' target='2'/><edge source='2' target='0'/><edge source='1' target='1'/>").expect("a graph");
        let labels: Vec<&str> = graph.places.iter().map(|p| p.label.as_str()).collect();
        assert_eq!(labels, ["A #0", "A #1", "2"]);
        assert_eq!(graph.edge_names()[1], "2 -- A #0 (2)");
        assert_eq!(graph.warnings.len(), 1);
    }

    #[test]
    fn what_is_not_there_is_said_with_its_line() {
        let error = one("<node id='0'/>\n<edge source='0' target='9'/>").expect_err("no node 9");
        assert_eq!(
            error.to_string(),
            "line 2: the edge ends at node `9`, which is not there"
        );
        assert!(one("<hyperedge/>").is_err());
        assert!(read("<a/>").is_err());
        assert!(read("<graphml>").is_err());
    }
}
