//! The picture in the DOT language of Graphviz.

use super::{Graph, LineKind, Shape};
use std::io::{self, Write};

/// Writes it.
pub(crate) fn write(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "graph {} {{",
        quoted(std::slice::from_ref(&graph.name))
    )?;
    writeln!(out, "  rankdir=LR; compound=true; nodesep=0.3; ranksep=1;")?;
    writeln!(
        out,
        "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];"
    )?;
    writeln!(
        out,
        "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#555555\"];"
    )?;
    cluster(graph, None, 1, out)?;
    for line in &graph.lines {
        let style = match line.kind {
            LineKind::Link => "",
            LineKind::Tunnel => ", style=dashed",
            LineKind::Standby => ", style=dotted",
            LineKind::RunsOn => ", color=\"#bbbbbb\"",
            LineKind::Needs => ", dir=forward, color=\"#2266aa\"",
        };
        let label = quoted(&super::short(&line.label));
        writeln!(
            out,
            "  b{} -- b{} [label={label}{style}];",
            line.from, line.to
        )?;
    }
    writeln!(out, "}}")
}

/// What lies in one cluster, or outside all of them.
fn cluster(
    graph: &Graph,
    within: Option<usize>,
    depth: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let indent = 2 * depth;
    for (index, boxed) in graph.boxes_in(within) {
        let style = match boxed.shape {
            Shape::Node => "",
            Shape::Site => ", style=\"rounded,filled\", fillcolor=\"#eef3f8\"",
            Shape::Service => ", shape=ellipse, style=solid",
        };
        writeln!(
            out,
            "{:indent$}b{index} [label={}{style}];",
            "",
            quoted(&boxed.lines())
        )?;
    }
    for (index, inner) in graph.clusters_in(within) {
        writeln!(out, "{:indent$}subgraph cluster_{index} {{", "")?;
        let title = format!("{} ({})", inner.id, inner.kind);
        writeln!(
            out,
            "{:indent$}  label={}; color=\"#999999\"; fontsize=11;",
            "",
            quoted(&[title])
        )?;
        cluster(graph, Some(index), depth + 1, out)?;
        writeln!(out, "{:indent$}}}", "")?;
    }
    Ok(())
}

/// Lines of text as one quoted string.
fn quoted(lines: &[String]) -> String {
    let escaped: Vec<String> = lines
        .iter()
        .map(|line| {
            line.chars()
                .filter(|c| !c.is_control())
                .flat_map(|c| match c {
                    '"' | '\\' => vec!['\\', c],
                    _ => vec![c],
                })
                .collect()
        })
        .collect();
    format!("\"{}\"", escaped.join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        assert_eq!(
            quoted(&["a\"b\\".into(), "c\u{7}".into()]),
            r#""a\"b\\\nc""#
        );
    }
}
