//! A network as a plain graph: places and links, without services. Links may be parallel or loop.

use std::collections::BTreeMap;

/// A place.
#[derive(Clone, PartialEq, Debug)]
pub struct Place {
    /// Its name in the file.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Degrees north and east, where known.
    pub position: Option<(f64, f64)>,
}

/// A link between two places, by number.
#[derive(Clone, PartialEq, Debug)]
pub struct Edge {
    /// One end.
    pub a: u32,
    /// The other.
    pub b: u32,
    /// What the file calls it, if anything.
    pub label: Option<String>,
    /// Bits per second, where known.
    pub speed: Option<f64>,
}

/// The graph.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Graph {
    /// What the file calls it.
    pub name: String,
    /// Places.
    pub places: Vec<Place>,
    /// Links.
    pub edges: Vec<Edge>,
    /// What the reader assumed or left out.
    pub warnings: Vec<String>,
}

impl Graph {
    /// Names for all links that tell parallel ones apart.
    #[must_use]
    pub fn edge_names(&self) -> Vec<String> {
        let ends = |e: &Edge| (e.a.min(e.b), e.a.max(e.b));
        let mut beside: BTreeMap<(u32, u32), (u32, u32)> = BTreeMap::new();
        for edge in &self.edges {
            beside.entry(ends(edge)).or_default().0 += 1;
        }
        let label = |place: u32| self.places[place as usize].label.as_str();
        let name = |edge: &Edge| {
            let plain = format!("{} -- {}", label(edge.a), label(edge.b));
            match beside.get_mut(&ends(edge)) {
                Some((all, so_far)) if *all > 1 => {
                    *so_far += 1;
                    format!("{plain} ({so_far})")
                }
                _ => plain,
            }
        };
        self.edges.iter().map(name).collect()
    }

    /// The ends of all links.
    #[must_use]
    pub fn ends(&self) -> Vec<(u32, u32)> {
        self.edges.iter().map(|e| (e.a, e.b)).collect()
    }
}
