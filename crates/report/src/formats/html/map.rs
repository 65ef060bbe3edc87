//! The topology as a map: places that are alike in one box, boxes by their distance from users.
//!
//! It shows where things stand, what was broken and what served instead; it measures nothing. Wires
//! with something to say carry a number, which the list below the picture explains.

use super::markup::Html;
use assize_model::picture::{Line, Picture, Place};
use std::collections::{BTreeMap, BTreeSet};

/// Places that have the same neighbours, zone and kind.
pub(super) struct Box {
    /// Indices of the places.
    pub(super) places: Vec<usize>,
    zone: String,
    kind: String,
    column: usize,
    x: f64,
    y: f64,
    height: f64,
}

/// A wire between two boxes, with the links that it stands for.
pub(super) struct Wire {
    from: usize,
    to: usize,
    /// Indices of the links.
    links: Vec<usize>,
    /// Its number, if there is something to say.
    number: Option<usize>,
}

/// A map, laid out.
pub(super) struct Map {
    boxes: Vec<Box>,
    wires: Vec<Wire>,
    height: f64,
    width: f64,
}

const WIDTH: f64 = 1180.0;
const LINE: f64 = 15.0;
const PAD: f64 = 7.0;
const GAP: f64 = 16.0;

impl Map {
    /// Lays out a picture.
    pub(super) fn new(picture: &Picture) -> Self {
        let mut boxes = boxes(picture);
        let of_place =
            |boxes: &[Box], place: usize| boxes.iter().position(|b| b.places.contains(&place));
        let mut wires: Vec<Wire> = Vec::new();
        for (index, link) in picture.links.iter().enumerate() {
            for &near in &link.from {
                let ends = (of_place(&boxes, near), of_place(&boxes, link.to));
                let (Some(from), Some(to)) = ends else {
                    continue;
                };
                let known = wires.iter_mut().find(|w| (w.from, w.to) == (from, to));
                match known {
                    Some(wire) if wire.links.contains(&index) => {}
                    Some(wire) => wire.links.push(index),
                    None => wires.push(Wire {
                        from,
                        to,
                        links: vec![index],
                        number: None,
                    }),
                }
            }
        }
        columns(&mut boxes, &wires, picture);
        let (width, height) = places(&mut boxes, &wires, picture);
        let mut next = 1;
        for wire in &mut wires {
            if wire.links.iter().any(|&l| said(&picture.links[l])) {
                wire.number = Some(next);
                next += 1;
            }
        }
        Self {
            boxes,
            wires,
            height,
            width,
        }
    }

    /// Wires that carry a number, with it.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &Wire)> {
        self.wires
            .iter()
            .filter_map(|wire| Some((wire.number?, wire)))
    }

    /// Draws it. `text` is what stands for the picture where it cannot be seen.
    pub(super) fn draw(&self, picture: &Picture, text: &str, page: &mut Html) {
        let view = format!("0 0 {} {}", self.width, self.height);
        let attrs = [
            ("class", "map"),
            ("viewBox", view.as_str()),
            ("role", "img"),
            ("aria-label", text),
        ];
        page.el("svg", &attrs, |page| {
            for wire in &self.wires {
                self.wire(wire, picture, page);
            }
            for one in &self.boxes {
                draw_box(one, picture, self.box_width(), page);
            }
            let mut taken = Vec::new();
            for wire in &self.wires {
                self.tag(wire, picture, &mut taken, page);
            }
        });
    }

    fn box_width(&self) -> f64 {
        box_width(self.columns())
    }

    fn columns(&self) -> usize {
        self.boxes.iter().map(|b| b.column + 1).max().unwrap_or(1)
    }

    /// Where a wire leaves, bends and arrives.
    fn curve(&self, wire: &Wire) -> [(f64, f64); 4] {
        let (mut a, mut b) = (&self.boxes[wire.from], &self.boxes[wire.to]);
        if a.column > b.column {
            (a, b) = (b, a);
        }
        let width = self.box_width();
        let (ya, yb) = (a.y + a.height / 2.0, b.y + b.height / 2.0);
        let (xa, xb) = (a.x + width, b.x);
        if a.column == b.column {
            let out = xa + 26.0;
            return [(xa, ya), (out, ya), (out, yb), (xa, yb)];
        }
        let bend = (xb - xa).abs() / 2.0;
        [(xa, ya), (xa + bend, ya), (xb - bend, yb), (xb, yb)]
    }

    fn wire(&self, wire: &Wire, picture: &Picture, page: &mut Html) {
        let [a, b, c, d] = self.curve(wire);
        let path = format!(
            "M{:.0} {:.0}C{:.0} {:.0} {:.0} {:.0} {:.0} {:.0}",
            a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1
        );
        let class = format!("wire {}", self.class(wire, picture));
        page.shape("path", &[("class", &class), ("d", &path)]);
    }

    fn class(&self, wire: &Wire, picture: &Picture) -> &'static str {
        let links = || wire.links.iter().map(|&l| &picture.links[l]);
        if links().any(|link| !link.marks.is_empty()) {
            "cut"
        } else if links().any(|link| link.activated.is_some()) {
            "act"
        } else if links().all(|link| link.standby) {
            "sb"
        } else {
            ""
        }
    }

    /// The number of a wire, near its middle and clear of the numbers that are there already.
    fn tag(&self, wire: &Wire, picture: &Picture, taken: &mut Vec<(f64, f64)>, page: &mut Html) {
        let Some(number) = wire.number else { return };
        let [a, b, c, d] = self.curve(wire);
        let at = |t: f64| {
            let s = 1.0 - t;
            let on = |p: [f64; 4]| {
                s * s * s * p[0]
                    + 3.0 * s * s * t * p[1]
                    + 3.0 * s * t * t * p[2]
                    + t * t * t * p[3]
            };
            (on([a.0, b.0, c.0, d.0]), on([a.1, b.1, c.1, d.1]))
        };
        let clear = |point: &(f64, f64)| {
            let mut others = taken.iter();
            others.all(|o| (o.0 - point.0).abs() + (o.1 - point.1).abs() > 28.0)
        };
        let along = [0.5, 0.38, 0.62, 0.28, 0.72, 0.2, 0.8];
        let beside = [0.0, -24.0, 24.0, -48.0, 48.0];
        let tries = beside
            .iter()
            .flat_map(|dy| along.iter().map(move |t| (*t, *dy)));
        let mut points = tries.map(|(t, dy)| {
            let (x, y) = at(t);
            (x, (y + dy).clamp(12.0, self.height - 12.0))
        });
        let (x, y) = points.find(clear).unwrap_or_else(|| at(0.5));
        taken.push((x, y));
        let class = self.class(wire, picture);
        let (sx, sy) = (format!("{x:.0}"), format!("{y:.0}"));
        let tag = format!("tag {class}");
        let circle = [
            ("class", tag.as_str()),
            ("cx", &sx),
            ("cy", &sy),
            ("r", "9"),
        ];
        page.shape("circle", &circle);
        let base = format!("{:.0}", y + 4.0);
        let attrs = [
            ("x", sx.as_str()),
            ("y", &base),
            ("text-anchor", "middle"),
            ("class", if class == "cut" { "hit" } else { "inst" }),
        ];
        page.leaf("text", &attrs, &number.to_string());
    }
}

impl Wire {
    /// The links with something to say.
    pub(super) fn said<'a>(&self, picture: &'a Picture) -> Vec<&'a Line> {
        let links = self.links.iter().map(|&l| &picture.links[l]);
        links.filter(|link| said(link)).collect()
    }
}

fn said(link: &Line) -> bool {
    !link.marks.is_empty() || link.activated.is_some()
}

/// Places with the same neighbours, zone and kind stand in one box, in the order of the file.
fn boxes(picture: &Picture) -> Vec<Box> {
    let mut links: Vec<BTreeSet<(usize, bool)>> = vec![BTreeSet::new(); picture.places.len()];
    for link in &picture.links {
        for &near in &link.from {
            links[near].insert((link.to, true));
            links[link.to].insert((near, false));
        }
    }
    type Alike = (String, String, Vec<(usize, bool)>);
    let mut known: BTreeMap<Alike, usize> = BTreeMap::new();
    let mut boxes: Vec<Box> = Vec::new();
    for (index, place) in picture.places.iter().enumerate() {
        let around: Vec<(usize, bool)> = links[index].iter().copied().collect();
        let key = (place.zone.clone(), place.kind.clone(), around);
        let at = *known.entry(key).or_insert_with(|| {
            boxes.push(Box {
                places: Vec::new(),
                zone: place.zone.clone(),
                kind: place.kind.clone(),
                column: 0,
                x: 0.0,
                y: 0.0,
                height: 0.0,
            });
            boxes.len() - 1
        });
        boxes[at].places.push(index);
    }
    boxes
}

/// The column of each box: how many wires it is away from those where users sit.
fn columns(boxes: &mut [Box], wires: &[Wire], picture: &Picture) {
    let has_users = |b: &Box| b.places.iter().any(|&p| picture.places[p].users > 0);
    let mut column: Vec<Option<usize>> = boxes.iter().map(|b| has_users(b).then_some(0)).collect();
    if column.iter().all(Option::is_none)
        && let Some(first) = column.first_mut()
    {
        *first = Some(0);
    }
    for distance in 0..boxes.len() {
        let mut next = Vec::new();
        for wire in wires {
            let ends = (column[wire.from], column[wire.to]);
            match ends {
                (Some(d), None) if d == distance => next.push(wire.to),
                (None, Some(d)) if d == distance => next.push(wire.from),
                _ => {}
            }
        }
        if next.is_empty() {
            break;
        }
        for one in next {
            column[one].get_or_insert(distance + 1);
        }
    }
    for (one, column) in boxes.iter_mut().zip(column) {
        // What no wire reaches stands beside what users sit at.
        one.column = column.unwrap_or(1);
    }
}

fn box_width(columns: usize) -> f64 {
    let gaps = 76.0 * (columns.max(2) - 1) as f64;
    ((WIDTH - 40.0 - gaps) / columns.max(2) as f64).min(230.0)
}

/// Puts the boxes of each column below each other, near to what they are wired to.
fn places(boxes: &mut [Box], wires: &[Wire], picture: &Picture) -> (f64, f64) {
    let columns = boxes.iter().map(|b| b.column + 1).max().unwrap_or(1);
    let width = box_width(columns);
    for one in boxes.iter_mut() {
        let lines: usize = one
            .places
            .iter()
            .map(|&p| lines(&picture.places[p], width).len())
            .sum();
        one.height = LINE * (lines + title(one, width).len()) as f64 + 2.0 * PAD;
    }
    for column in 0..columns {
        let mut members: Vec<usize> = (0..boxes.len())
            .filter(|&b| boxes[b].column == column)
            .collect();
        let middle = |b: usize| {
            let near = wires.iter().filter_map(|w| match (w.from == b, w.to == b) {
                (true, _) if boxes[w.to].column < column => Some(w.to),
                (_, true) if boxes[w.from].column < column => Some(w.from),
                _ => None,
            });
            let ys: Vec<f64> = near.map(|n| boxes[n].y + boxes[n].height / 2.0).collect();
            ys.iter().sum::<f64>() / ys.len().max(1) as f64
        };
        let mut keyed: Vec<(f64, usize)> = members.iter().map(|&b| (middle(b), b)).collect();
        keyed.sort_by(|a, b| {
            let zones = boxes[a.1].zone.cmp(&boxes[b.1].zone);
            a.0.total_cmp(&b.0).then(zones).then(a.1.cmp(&b.1))
        });
        members = keyed.into_iter().map(|(_, b)| b).collect();
        let mut y = 8.0;
        for member in members {
            let one = &mut boxes[member];
            one.x = 6.0 + (width + 76.0) * column as f64;
            one.y = y;
            y += one.height + GAP;
        }
    }
    let bottom = |b: &Box| b.y + b.height;
    let height = boxes.iter().map(bottom).fold(0.0, f64::max) + 8.0;
    // Each column is centred, so that wires are short.
    for column in 0..columns {
        let own = || (0..boxes.len()).filter(|&b| boxes[b].column == column);
        let low = own().map(|b| bottom(&boxes[b])).fold(0.0, f64::max);
        let shift = (height - 8.0 - low) / 2.0;
        let own: Vec<usize> = own().collect();
        for b in own {
            boxes[b].y += shift;
        }
    }
    let right = boxes.iter().map(|b| b.x + width).fold(0.0, f64::max);
    (right + 34.0, height)
}

/// The lines that a place takes, with their classes.
fn lines(place: &Place, width: f64) -> Vec<(String, &'static str)> {
    let most = letters(width);
    let name = if place.count > 1 {
        format!("{} × {}", crate::words::count(place.count.into()), place.id)
    } else {
        place.id.clone()
    };
    let mut lines = Vec::new();
    let mut add = |text: String, class: &'static str| {
        let wrapped = crate::text::wrap(&text, most).into_iter();
        lines.extend(wrapped.map(|line| (line, class)));
    };
    let whole = place.marks.iter().any(|mark| mark.part.is_empty());
    match (place.marks.is_empty(), whole) {
        (true, _) => add(name, ""),
        (false, true) => add(format!("✕ {name}: failed"), "hit"),
        (false, false) => {
            add(name, "");
            let mut parts: Vec<&str> = place.marks.iter().map(|m| m.part.as_str()).collect();
            parts.sort_unstable();
            parts.dedup();
            add(format!("✕ {}: failed", parts.join(", ")), "hit");
        }
    }
    if !place.instead.is_empty() {
        add(format!("✓ instead: {}", place.instead.join(", ")), "inst");
    }
    lines
}

/// What the places of a box are, and where.
fn title(one: &Box, width: f64) -> Vec<String> {
    let text = match one.zone.as_str() {
        "" => one.kind.clone(),
        zone => format!("{} in {zone}", one.kind),
    };
    crate::text::wrap(&text, letters(width))
}

/// So many letters fit into a line of a box.
fn letters(width: f64) -> usize {
    ((width - 2.0 * PAD) / 7.4) as usize
}

fn draw_box(one: &Box, picture: &Picture, width: f64, page: &mut Html) {
    let places = || one.places.iter().map(|&p| &picture.places[p]);
    let class = if places().any(|p| !p.marks.is_empty()) {
        "box hitbox"
    } else if places().any(|p| !p.instead.is_empty()) {
        "box instbox"
    } else {
        "box"
    };
    let text = |value: f64| format!("{value:.0}");
    let attrs = [
        ("class", class),
        ("x", &text(one.x)),
        ("y", &text(one.y)),
        ("width", &text(width)),
        ("height", &text(one.height)),
        ("rx", "5"),
    ];
    page.shape("rect", &attrs);
    let mut y = one.y + PAD + 11.0;
    let x = text(one.x + PAD);
    let mut line = |content: &str, class: &str| {
        let attrs = [("x", x.as_str()), ("y", &text(y)), ("class", class)];
        page.leaf("text", &attrs, content);
        y += LINE;
    };
    for content in title(one, width) {
        line(&content, "small");
    }
    for place in places() {
        for (content, class) in lines(place, width) {
            line(&content, class);
        }
    }
}
