//! NetBox, as JSON: an object with the lists `devices`, `cables`, `circuits` and `power_feeds`,
//! each as the REST API gives them (its `results` may stand around a list).
//!
//! Sites, racks, power feeds and providers become domains. Circuits join devices where their
//! terminations name them.

use super::{Inventory, Names, plain};
use serde_json::Value;

pub(super) fn read(text: &str) -> Result<Inventory, String> {
    let doc: Value = serde_json::from_str(text).map_err(|e| format!("it is no JSON: {e}"))?;
    let list = |name: &str| {
        let found = doc.get(name).map(|v| v.get("results").unwrap_or(v));
        found.and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let devices = list("devices");
    if devices.is_empty() {
        return Err("it has no `devices`".to_owned());
    }
    let mut out = Inventory::named("netbox");
    let feeds = list("power_feeds");
    let mut names = Names::default();
    for device in &devices {
        let Some(name) = device.get("name").and_then(Value::as_str) else {
            out.drop("a device without a name".to_owned());
            continue;
        };
        let mut domains = Vec::new();
        for (field, kind) in [("site", "site"), ("rack", "rack")] {
            if let Some(title) = name_of(device.get(field)) {
                domains.push(domain(&mut out, &title, kind));
            }
        }
        let rack = name_of(device.get("rack"));
        for feed in feeds
            .iter()
            .filter(|f| rack.is_some() && name_of(f.get("rack")) == rack)
        {
            if let Some(title) = feed.get("name").and_then(Value::as_str) {
                domains.push(domain(&mut out, title, "power"));
            }
        }
        let role = ["role", "device_role"]
            .iter()
            .find_map(|r| device.get(*r)?.get("slug")?.as_str());
        let id = names.of(name);
        out.add(
            "nodes",
            &id,
            format!(
                "{{kind: {}, transit: true, in: [{}]}}",
                plain(role.unwrap_or("router")),
                domains.join(", ")
            ),
        );
    }
    let mut links = Names::default();
    for cable in list("cables") {
        let end = |side: &str| device_in(cable.get(side)?.get(0)?.get("object")?);
        join(
            &mut out,
            &mut names,
            &mut links,
            ("cable", None),
            (end("a_terminations"), end("b_terminations")),
        );
    }
    for circuit in list("circuits") {
        let title = circuit
            .get("cid")
            .and_then(Value::as_str)
            .unwrap_or("circuit");
        let provider = name_of(circuit.get("provider")).map(|p| domain(&mut out, &p, "supplier"));
        let end = |side: &str| device_in(circuit.get(side)?);
        join(
            &mut out,
            &mut names,
            &mut links,
            (title, provider),
            (end("termination_a"), end("termination_z")),
        );
    }
    Ok(out)
}

fn name_of(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let name = value
        .get("name")
        .or(value.get("display"))
        .and_then(Value::as_str);
    name.or(value.as_str()).map(str::to_owned)
}

/// The device of a termination.
fn device_in(value: &Value) -> Option<String> {
    name_of(value.get("device"))
}

fn domain(out: &mut Inventory, title: &str, kind: &str) -> String {
    let id = plain(title);
    out.add("domains", &id, format!("{{kind: {kind}}}"));
    id
}

fn join(
    out: &mut Inventory,
    names: &mut Names,
    links: &mut Names,
    (title, provider): (&str, Option<String>),
    ends: (Option<String>, Option<String>),
) {
    let (Some(a), Some(b)) = ends else {
        out.drop(format!("{title}: its ends name no two devices"));
        return;
    };
    let (a, b) = (names.of(&a), names.of(&b));
    if a == b || !out.has("nodes", &a) || !out.has("nodes", &b) {
        out.drop(format!(
            "{title} between {a} and {b}: one device, or one that is not in the list"
        ));
        return;
    }
    let within = provider.map_or(String::new(), |p| format!(", in: [{p}]"));
    let mut number = 1;
    let mut id = links.of(&format!("{title} {a} {b}"));
    while out.has("links", &id) {
        number += 1;
        id = links.of(&format!("{title} {a} {b} {number}"));
    }
    out.add("links", &id, format!("{{between: [{a}, {b}]{within}}}"));
}
