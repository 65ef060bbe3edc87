//! A network in GraphML: places become routers, coordinates become propagation delay.

use super::{Inventory, Names};
use crate::graph::Place;
use crate::graphml;

/// Kilometres per millisecond in fibre: two thirds of the speed of light.
const SPEED: f64 = 200.0;
/// The mean radius of the earth, in kilometres.
const RADIUS: f64 = 6371.0;

pub(super) fn read(text: &str) -> Result<Inventory, String> {
    let graph = graphml::read(text).map_err(|e| e.to_string())?;
    let mut out = Inventory::named(&graph.name);
    let mut names = Names::default();
    let ids: Vec<String> = graph.places.iter().map(|p| names.of(&p.label)).collect();
    for id in &ids {
        out.add("nodes", id, "{kind: router}".to_owned());
    }
    let mut links = Names::default();
    for (edge, title) in graph.edges.iter().zip(graph.edge_names()) {
        let (a, b) = (&ids[edge.a as usize], &ids[edge.b as usize]);
        if a == b {
            out.drop(format!(
                "the link `{title}`, which leads back to where it begins"
            ));
            continue;
        }
        let name = links.of(&title);
        let mut value = format!("{{between: [{a}, {b}]");
        let delay = delay(
            &graph.places[edge.a as usize],
            &graph.places[edge.b as usize],
        );
        if let Some(micros) = delay {
            value.push_str(&format!(", latency: {micros}us"));
            out.assume(
                &format!("links.{name}.latency"),
                "the great circle at 200 km per millisecond",
            );
        }
        if let Some(speed) = edge.speed.filter(|s| *s >= 1.0 && *s < 1e15) {
            value.push_str(&format!(", bandwidth: {}bit/s", speed as u64));
        }
        value.push('}');
        out.add("links", &name, value);
    }
    Ok(out)
}

/// Microseconds along the great circle (haversine).
fn delay(a: &Place, b: &Place) -> Option<u64> {
    let ((la, oa), (lb, ob)) = (a.position?, b.position?);
    let half = |x: f64| {
        let s = libm::sin(x.to_radians() / 2.0);
        s * s
    };
    let cos = |x: f64| libm::cos(x.to_radians());
    let h = half(lb - la) + cos(la) * cos(lb) * half(ob - oa);
    let distance = 2.0 * RADIUS * libm::asin(h.clamp(0.0, 1.0).sqrt());
    Some((distance / SPEED * 1000.0) as u64)
}
