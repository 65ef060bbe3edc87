//! A fault tree as services: an event is one that may fail, a gate one that needs others.
//!
//! `or` needs all of its arguments, `and` any of them, `atleast k` one of every k.

use super::{Inventory, Names};
use crate::opsa;
use crate::structure::{Gate, Ref};

/// Combinations of an `atleast` that are written out.
const MOST: u128 = 1000;

pub(super) fn read(text: &str) -> Result<Inventory, String> {
    let tree = opsa::read(text, None).map_err(|e| e.to_string())?;
    let mut out = Inventory::named(&tree.name);
    let mut names = Names::default();
    let mut made: Vec<String> = Vec::new();
    for index in 0..=tree.top.0 {
        let gate = tree.structure.gate(Ref(index));
        let of = |list: &[Ref]| {
            list.iter()
                .map(|r| made[r.0 as usize].clone())
                .collect::<Vec<String>>()
        };
        let (name, needs) = match gate {
            Gate::Event(event) => (names.of(&tree.events[*event as usize].0), String::new()),
            Gate::Constant(_) => (names.of(&format!("constant {index}")), String::new()),
            Gate::Or(list) => (
                names.of(&format!("gate {index}")),
                format!("all_of: [{}]", of(list).join(", ")),
            ),
            Gate::And(list) => (
                names.of(&format!("gate {index}")),
                format!("any_of: [[{}]]", of(list).join(", ")),
            ),
            Gate::AtLeast(k, list) => {
                let k = *k as usize;
                if crate::connected::choose(list.len() as u128, k) > MOST {
                    return Err(format!(
                        "an `atleast` of {} arguments is too many to write out: analyse the file itself",
                        list.len()
                    ));
                }
                let mut choices = Vec::new();
                subsets(&of(list), k, &mut Vec::new(), &mut choices);
                (
                    names.of(&format!("gate {index}")),
                    format!("any_of: [{}]", choices.join(", ")),
                )
            }
        };
        let needs = if needs.is_empty() {
            needs
        } else {
            format!(", needs: {{{needs}}}")
        };
        out.add(
            "services",
            &name,
            format!("{{mode: single, replicas: {{a: {{}}}}{needs}}}"),
        );
        if let Gate::Event(event) = gate
            && let Some(p) = tree.events[*event as usize].1
        {
            out.add(
                "reliability",
                &format!("service/{name}/a"),
                format!("{{probability: {:.7}%}}", p * 100.0),
            );
        }
        made.push(name);
    }
    let top = made.last().cloned().unwrap_or_default();
    out.add("journeys", "top", format!("{{calls: [{top}]}}"));
    out.drop(
        "the nodes and links under the services are generated, and never fail in the tree"
            .to_owned(),
    );
    Ok(out)
}

fn subsets(list: &[String], k: usize, chosen: &mut Vec<String>, out: &mut Vec<String>) {
    if k == 0 {
        out.push(format!("[{}]", chosen.join(", ")));
        return;
    }
    for (i, item) in list.iter().enumerate() {
        chosen.push(item.clone());
        subsets(&list[i + 1..], k - 1, chosen, out);
        chosen.pop();
    }
}
