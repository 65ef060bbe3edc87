//! The picture in the Mermaid language, which many sites render from Markdown.

use super::{Graph, LineKind, Shape};
use std::io::{self, Write};

/// Writes it.
pub(crate) fn write(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    cluster(graph, None, 1, out)?;
    for line in &graph.lines {
        let label = text(&super::short(&line.label));
        let (bare, open, close) = match line.kind {
            LineKind::Link => ("---", "-- ", " ---"),
            LineKind::Tunnel | LineKind::Standby => ("-.-", "-. ", " .-"),
            LineKind::RunsOn => ("---", "-- ", " ---"),
            LineKind::Needs => ("-->", "-- ", " -->"),
        };
        if line.label.is_empty() {
            writeln!(out, "  b{} {bare} b{}", line.from, line.to)?;
        } else {
            writeln!(out, "  b{} {open}{label}{close} b{}", line.from, line.to)?;
        }
    }
    Ok(())
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
        let label = text(&boxed.lines());
        let shaped = match boxed.shape {
            Shape::Node => format!("[{label}]"),
            Shape::Site => format!("([{label}])"),
            Shape::Service => format!("(({label}))"),
        };
        writeln!(out, "{:indent$}b{index}{shaped}", "")?;
    }
    for (index, inner) in graph.clusters_in(within) {
        let title = text(&[format!("{} ({})", inner.id, inner.kind)]);
        writeln!(out, "{:indent$}subgraph c{index}[{title}]", "")?;
        cluster(graph, Some(index), depth + 1, out)?;
        writeln!(out, "{:indent$}end", "")?;
    }
    Ok(())
}

/// Lines of text as one quoted string, in which nothing is markup.
fn text(lines: &[String]) -> String {
    let escaped: Vec<String> = lines
        .iter()
        .map(|line| {
            let mut out = String::new();
            for c in line.chars().filter(|c| !c.is_control()) {
                match c {
                    '"' => out.push_str("#quot;"),
                    '<' => out.push_str("#lt;"),
                    '>' => out.push_str("#gt;"),
                    '#' => out.push_str("#35;"),
                    '&' => out.push_str("#amp;"),
                    '`' => out.push_str("#96;"),
                    _ => out.push(c),
                }
            }
            out
        })
        .collect();
    format!("\"{}\"", escaped.join("<br/>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(
            text(&["a\"<b>".into(), "#1".into()]),
            "\"a#quot;#lt;b#gt;<br/>#35;1\""
        );
    }
}
