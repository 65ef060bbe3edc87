//! Reads fault trees in the Open-PSA Model Exchange Format (Epstein and Rauzy, 2.0d).
//!
//! Coherent trees with constant probabilities. What negates (`not`, `xor`, `iff`, …) is refused,
//! because cut sets and their bounds would mean something else; so is what needs a mission time.

use crate::structure::{Ref, Structure};
use indexmap::IndexMap;
use roxmltree::{Document, Node};

/// A fault tree that was read.
#[derive(Debug)]
pub struct FaultTree {
    /// Its name.
    pub name: String,
    /// Its events: name, and probability where the file gives one.
    pub events: Vec<(String, Option<f64>)>,
    /// When its top fails.
    pub structure: Structure,
    /// The top.
    pub top: Ref,
    /// The name of the top.
    pub top_name: String,
    /// What the reader assumed.
    pub warnings: Vec<String>,
}

/// Why a file cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// The XML is broken.
    #[error("it is not well-formed XML: {0}")]
    Xml(String),
    /// Another document.
    #[error("its root is `{0}`, not `opsa-mef`")]
    NotOpsa(String),
    /// At a line of the file.
    #[error("line {line}: {what}")]
    At {
        /// The line.
        line: u32,
        /// What is wrong, and what to do.
        what: String,
    },
    /// Of the whole.
    #[error("{0}")]
    Whole(String),
}

/// Formulas deeper than this are refused; gates refer to each other by name as deep as they like.
const DEEPEST: usize = 64;

/// An argument or a formula, by name where it refers.
#[derive(Debug)]
enum Formula {
    Named(String, u32),
    Constant(bool),
    And(Vec<Self>),
    Or(Vec<Self>),
    AtLeast(usize, Vec<Self>),
}

#[derive(Default)]
struct Reader {
    name: String,
    gates: IndexMap<String, Formula>,
    events: IndexMap<String, Option<f64>>,
    houses: IndexMap<String, bool>,
    parameters: IndexMap<String, f64>,
}

/// Reads a fault tree; `top` names the gate to analyse, else the one that no other refers to.
pub fn read(text: &str, top: Option<&str>) -> Result<FaultTree, Error> {
    let document = Document::parse(text).map_err(|e| Error::Xml(e.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "opsa-mef" {
        return Err(Error::NotOpsa(root.tag_name().name().to_owned()));
    }
    let mut reader = Reader::default();
    // Parameters and probabilities may stand after what refers to them.
    for node in root
        .descendants()
        .filter(|n| n.has_tag_name("define-parameter"))
    {
        let value = expression(node, &reader.parameters)?;
        let name = name_of(node)?;
        reader.parameters.insert(name, value.unwrap_or(0.0));
    }
    for node in root.descendants().filter(Node::is_element) {
        reader.define(node)?;
    }
    reader.finish(top)
}

impl Reader {
    fn define(&mut self, node: Node<'_, '_>) -> Result<(), Error> {
        match node.tag_name().name() {
            "define-fault-tree" if self.name.is_empty() => self.name = name_of(node)?,
            "define-gate" => {
                let name = name_of(node)?;
                let mut formulas = node.children().filter(|n| n.is_element() && !is_note(n));
                let formula = formulas
                    .next()
                    .ok_or_else(|| at(node, format!("gate `{name}` has no formula")))?;
                if formulas.next().is_some() {
                    return Err(at(
                        node,
                        format!(
                            "gate `{name}` has more than one formula: join them with `and` or `or`"
                        ),
                    ));
                }
                let formula = self.formula(formula, 0)?;
                self.define_once(node, &name)?;
                self.gates.insert(name, formula);
            }
            "define-basic-event" => {
                let name = name_of(node)?;
                let p = expression(node, &self.parameters)?;
                if let Some(p) = p.filter(|p| !(0.0..=1.0).contains(p)) {
                    return Err(at(
                        node,
                        format!(
                            "event `{name}` has the probability {p}, which is not between 0 and 1"
                        ),
                    ));
                }
                self.define_once(node, &name)?;
                self.events.insert(name, p);
            }
            "define-house-event" => {
                let name = name_of(node)?;
                let constant = node.children().find(|n| n.has_tag_name("constant"));
                let value = constant.and_then(|c| c.attribute("value")) == Some("true");
                self.define_once(node, &name)?;
                self.houses.insert(name, value);
            }
            _ => {}
        }
        Ok(())
    }

    fn define_once(&self, node: Node<'_, '_>, name: &str) -> Result<(), Error> {
        let known = self.gates.contains_key(name)
            || self.events.contains_key(name)
            || self.houses.contains_key(name);
        if known {
            return Err(at(node, format!("`{name}` is defined twice")));
        }
        Ok(())
    }

    fn formula(&self, node: Node<'_, '_>, depth: usize) -> Result<Formula, Error> {
        if depth > DEEPEST {
            return Err(at(
                node,
                format!(
                    "formulas are nested deeper than {DEEPEST}: give the inner ones a gate of their own"
                ),
            ));
        }
        let tag = node.tag_name().name();
        let arguments = || -> Result<Vec<Formula>, Error> {
            let children = node.children().filter(|n| n.is_element() && !is_note(n));
            let list: Vec<Formula> = children
                .map(|c| self.formula(c, depth + 1))
                .collect::<Result<_, _>>()?;
            if list.is_empty() {
                return Err(at(node, format!("`{tag}` has no arguments")));
            }
            Ok(list)
        };
        match tag {
            "gate" | "basic-event" | "house-event" | "event" => {
                Ok(Formula::Named(name_of(node)?, line(node)))
            }
            "constant" => Ok(Formula::Constant(node.attribute("value") == Some("true"))),
            "and" => Ok(Formula::And(arguments()?)),
            "or" => Ok(Formula::Or(arguments()?)),
            "atleast" => {
                let min = node.attribute("min").and_then(|m| m.parse().ok());
                let min =
                    min.ok_or_else(|| at(node, "`atleast` needs `min`, a whole number".into()))?;
                Ok(Formula::AtLeast(min, arguments()?))
            }
            "not" | "xor" | "nand" | "nor" | "iff" | "imply" | "cardinality" => Err(at(
                node,
                format!(
                    "`{tag}` negates, and only coherent trees (and, or, atleast) are analysed: minimal cut sets of others are not what they seem; rewrite the gate without it"
                ),
            )),
            other => Err(at(
                node,
                format!(
                    "`{other}` is no formula that is known here (and, or, atleast, gate, basic-event, house-event, constant)"
                ),
            )),
        }
    }

    fn finish(self, top: Option<&str>) -> Result<FaultTree, Error> {
        let mut warnings = Vec::new();
        let top_name = match top {
            Some(name) if self.gates.contains_key(name) => name.to_owned(),
            Some(name) => return Err(Error::Whole(format!("there is no gate `{name}`"))),
            None => self.only_root(&mut warnings)?,
        };
        let mut build = Build {
            reader: &self,
            structure: Structure::new(),
            done: IndexMap::new(),
        };
        let top = build.gate(&top_name)?;
        let structure = build.structure;
        let used = structure.events(top);
        let unknown = used
            .iter()
            .filter_map(|e| self.events.get_index(*e as usize));
        let unknown: Vec<&str> = unknown
            .filter(|e| e.1.is_none())
            .map(|e| e.0.as_str())
            .collect();
        if let Some(first) = unknown.first() {
            warnings.push(format!(
                "{} of {} events have no probability (`{first}` is one): cut sets are exact, and there is no probability of the top",
                unknown.len(),
                used.len()
            ));
        }
        Ok(FaultTree {
            name: self.name,
            events: self.events.into_iter().collect(),
            structure,
            top,
            top_name,
            warnings,
        })
    }

    /// The gate that no other refers to.
    fn only_root(&self, warnings: &mut Vec<String>) -> Result<String, Error> {
        let mut referred = vec![false; self.gates.len()];
        let mut open: Vec<&Formula> = self.gates.values().collect();
        while let Some(formula) = open.pop() {
            match formula {
                Formula::Named(name, _) => {
                    if let Some(index) = self.gates.get_index_of(name) {
                        referred[index] = true;
                    }
                }
                Formula::Constant(_) => {}
                Formula::And(list) | Formula::Or(list) | Formula::AtLeast(_, list) => {
                    open.extend(list)
                }
            }
        }
        let roots: Vec<&String> = self
            .gates
            .keys()
            .enumerate()
            .filter(|(i, _)| !referred[*i])
            .map(|(_, n)| n)
            .collect();
        match roots.as_slice() {
            [] if self.gates.is_empty() => Err(Error::Whole("it defines no gate".into())),
            // Every gate is referred to by another: following any of them goes round.
            [] => Ok(self.gates.keys().next().cloned().unwrap_or_default()),
            [one] => Ok((*one).clone()),
            [first, rest @ ..] => {
                warnings.push(format!(
                    "{} gates are referred to by no other; `{first}` is analysed, the first of them (`--top` names another, such as `{}`)",
                    rest.len() + 1,
                    rest[0]
                ));
                Ok((*first).clone())
            }
        }
    }
}

struct Build<'a> {
    reader: &'a Reader,
    structure: Structure,
    /// Gates that are built; `None`: being built.
    done: IndexMap<&'a str, Option<Ref>>,
}

impl<'a> Build<'a> {
    /// Gates may stand on each other deeper than the stack allows: so a list, not recursion.
    fn gate(&mut self, top: &str) -> Result<Ref, Error> {
        let reader = self.reader;
        let start = reader.gates.get_key_value(top);
        let (name, _) = start.ok_or_else(|| Error::Whole(format!("there is no gate `{top}`")))?;
        let mut open: Vec<(&'a str, bool)> = vec![(name.as_str(), false)];
        while let Some((name, ready)) = open.pop() {
            let formula = &reader.gates[name];
            if ready {
                let made = self.make(formula);
                self.done.insert(name, Some(made));
                continue;
            }
            match self.done.get(name) {
                Some(Some(_)) => continue,
                Some(None) => return Err(self.round(name)),
                None => {}
            }
            self.done.insert(name, None);
            open.push((name, true));
            let mut gates = Vec::new();
            self.referred(formula, &mut gates)?;
            for gate in gates {
                if self.done.get(gate) == Some(&None) {
                    return Err(self.round(gate));
                }
                open.push((gate, false));
            }
        }
        Ok(self.done[top].unwrap_or(Ref(0)))
    }

    fn round(&self, name: &str) -> Error {
        let under_way = self.done.iter().filter(|d| d.1.is_none()).map(|d| *d.0);
        let through: Vec<&str> = under_way.skip_while(|n| *n != name).take(8).collect();
        Error::Whole(format!(
            "gate `{name}` stands on itself, through {}",
            through.join(", ")
        ))
    }

    /// The gates that a formula refers to.
    fn referred(&self, formula: &'a Formula, into: &mut Vec<&'a str>) -> Result<(), Error> {
        match formula {
            Formula::Named(name, line) => {
                if self.reader.gates.contains_key(name) {
                    into.push(name);
                } else if !self.reader.events.contains_key(name)
                    && !self.reader.houses.contains_key(name)
                {
                    return Err(Error::At {
                        line: *line,
                        what: format!("`{name}` is defined nowhere"),
                    });
                }
                Ok(())
            }
            Formula::Constant(_) => Ok(()),
            Formula::And(list) | Formula::Or(list) | Formula::AtLeast(_, list) => {
                list.iter().try_for_each(|f| self.referred(f, into))
            }
        }
    }

    fn make(&mut self, formula: &Formula) -> Ref {
        match formula {
            Formula::Named(name, _) => {
                if let Some(Some(gate)) = self.done.get(name.as_str()) {
                    return *gate;
                }
                if let Some(value) = self.reader.houses.get(name) {
                    return self.structure.constant(*value);
                }
                let index = self.reader.events.get_index_of(name).unwrap_or_default();
                self.structure.event(index as u32)
            }
            Formula::Constant(value) => self.structure.constant(*value),
            Formula::And(list) => {
                let list: Vec<Ref> = list.iter().map(|f| self.make(f)).collect();
                self.structure.and(list)
            }
            Formula::Or(list) => {
                let list: Vec<Ref> = list.iter().map(|f| self.make(f)).collect();
                self.structure.or(list)
            }
            Formula::AtLeast(k, list) => {
                let list: Vec<Ref> = list.iter().map(|f| self.make(f)).collect();
                self.structure.at_least(*k, list)
            }
        }
    }
}

/// A constant expression; `None` where there is none.
fn expression(
    node: Node<'_, '_>,
    parameters: &IndexMap<String, f64>,
) -> Result<Option<f64>, Error> {
    let Some(value) = node.children().find(|n| n.is_element() && !is_note(n)) else {
        return Ok(None);
    };
    let tag = value.tag_name().name();
    let given = value
        .attribute("value")
        .and_then(|v| v.parse::<f64>().ok())
        .filter(|v| v.is_finite());
    match tag {
        "float" | "int" => given
            .map(Some)
            .ok_or_else(|| at(value, format!("`{tag}` needs `value`, a number"))),
        "bool" => Ok(Some(f64::from(value.attribute("value") == Some("true")))),
        "parameter" => {
            let name = name_of(value)?;
            let known = parameters.get(&name).copied();
            known.map(Some).ok_or_else(|| {
                at(
                    value,
                    format!("parameter `{name}` is not defined before it is used"),
                )
            })
        }
        other => Err(at(
            value,
            format!("`{other}` is no constant probability: write `<float value=\"…\"/>`"),
        )),
    }
}

fn is_note(node: &Node<'_, '_>) -> bool {
    matches!(node.tag_name().name(), "label" | "attributes")
}

fn name_of(node: Node<'_, '_>) -> Result<String, Error> {
    let name = node.attribute("name").map(str::to_owned);
    name.ok_or_else(|| at(node, format!("`{}` has no name", node.tag_name().name())))
}

fn line(node: Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

fn at(node: Node<'_, '_>, what: String) -> Error {
    Error::At {
        line: line(node),
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(body: &str) -> Result<FaultTree, Error> {
        read(
            &format!("<opsa-mef><define-fault-tree name='t'>{body}</define-fault-tree></opsa-mef>"),
            None,
        )
    }

    const TWO: &str = "<define-basic-event name='a'><float value='0.1'/></define-basic-event>\
        <define-basic-event name='b'><float value='0.2'/></define-basic-event>";

    #[test]
    fn the_gate_that_no_other_refers_to_is_the_top() {
        let tree = one(&format!(
            "<define-gate name='g'><and><basic-event name='a'/><event name='b'/></and></define-gate>\
             <define-gate name='top'><atleast min='1'><gate name='g'/></atleast></define-gate>{TWO}"
        ))
        .expect("a tree");
        assert_eq!(tree.top_name, "top");
        assert_eq!(tree.structure.events(tree.top), [0, 1]);
        assert!(tree.warnings.is_empty());
    }

    #[test]
    fn what_cannot_be_analysed_is_refused_with_its_line() {
        let what = |body: &str| one(body).expect_err("refused").to_string();
        assert_eq!(
            what("\n<define-gate name='g'><or><basic-event name='x'/></or></define-gate>"),
            "line 2: `x` is defined nowhere"
        );
        assert!(
            what("<define-gate name='g'><not><basic-event name='x'/></not></define-gate>")
                .contains("`not` negates")
        );
        assert!(
            what(
                "<define-gate name='g'><or><gate name='h'/></or></define-gate>\
            <define-gate name='h'><or><gate name='g'/></or></define-gate>"
            )
            .contains("stands on itself")
        );
        assert!(what("").contains("defines no gate"));
        assert!(
            what("<define-basic-event name='a'><float value='2'/></define-basic-event>")
                .contains("between 0 and 1")
        );
        assert!(
            what("<define-basic-event name='a'/><define-basic-event name='a'/>").contains("twice")
        );
        assert!(read("<x/>", None).is_err());
    }
}
